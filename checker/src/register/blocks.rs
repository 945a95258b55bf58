//! The blocks of a register, their order, and why there is none.
//!
//! A block is a fixed sequence: write v1, reads of v1, compare-and-set v1 -> v2, reads of v2, ... Nothing else comes in
//! between. Let `first_completed` be the earliest completion in a block and `last_invoked` the latest invocation. Block X
//! must come before block Y iff `first_completed(X) < last_invoked(Y)`. The blocks have an order iff no two must each
//! come before the other: in a shortest longer circle X1 -> X2 -> ... -> X1, each `first_completed(Xi)` is at least
//! `last_invoked(Xi-1)`, which is later than `first_completed(Xi-2)`; that can't go round.
//!
//! The initial value's block comes first. Sorted by `min(first_completed, last_invoked)`, and in a tie those with `last_invoked <= first_completed` first, the
//! other blocks are in such an order, or one of them must come before an earlier one; then that one must also come before it.

use super::seen::{INITIAL, Seen, ValueId};
use super::{RegisterContradiction, RegisterOperation, RegisterStep};
use crate::staircase::{Interval, Staircase};

/// No operation.
pub(super) const NONE: u32 = u32::MAX;

pub(super) struct Block {
    /// The value that begins it.
    pub(super) value: ValueId,
    first_completed: u64,
    last_invoked: u64,
}

impl Block {
    /// Where it comes among the others.
    pub(super) fn sort_key(&self) -> (u64, bool, ValueId) {
        (self.first_completed.min(self.last_invoked), self.first_completed < self.last_invoked, self.value)
    }

    pub(super) fn must_precede(&self, other: &Self) -> bool {
        self.first_completed < other.last_invoked
    }

    pub(super) fn begins_before(&self, other: &Self) -> bool {
        self.last_invoked < other.last_invoked
    }
}

/// The operations that read each value, by invocation.
struct Readers {
    starts: Vec<u32>,
    places: Vec<u32>,
}

impl Readers {
    fn new<V>(operations: &[RegisterOperation<V>], seen: &Seen) -> Self {
        let reads = || {
            operations.iter().enumerate().filter_map(|(place, operation)| {
                let is_read = operation.is_known && matches!(operation.step, RegisterStep::Read(_));
                is_read.then(|| (place as u32, seen.value[place]))
            })
        };
        let mut starts = vec![0u32; seen.producer.len() + 1];
        for (_, value) in reads() {
            starts[value as usize + 1] += 1;
        }
        for value in 1..starts.len() {
            starts[value] += starts[value - 1];
        }
        let mut next = starts.clone();
        let mut places = vec![0; *starts.last().unwrap_or(&0) as usize];
        for (place, value) in reads() {
            places[next[value as usize] as usize] = place;
            next[value as usize] += 1;
        }
        Self { starts, places }
    }

    fn of(&self, value: ValueId) -> &[u32] {
        &self.places[self.starts[value as usize] as usize..self.starts[value as usize + 1] as usize]
    }
}

pub(super) struct Blocks<'a, V> {
    operations: &'a [RegisterOperation<V>],
    pub(super) seen: &'a Seen,
    readers: Readers,
}

/// A legal order of the operations that happened, or why there is none. Refused compare-and-sets are left out.
pub(super) fn order<V>(operations: &[RegisterOperation<V>], seen: &Seen) -> Result<Vec<u32>, RegisterContradiction> {
    let blocks = Blocks { operations, seen, readers: Readers::new(operations, seen) };
    blocks.order().map_err(|contradiction| blocks.smallest(contradiction))
}

impl<V> Blocks<'_, V> {
    fn order(&self) -> Result<Vec<u32>, RegisterContradiction> {
        let Self { operations, seen, .. } = self;
        let blocks = self;
        let mut all = Vec::new();
        let mut in_blocks = 0;
        for value in self.first_values() {
            let (block, values) = blocks.climb(value)?;
            in_blocks += values;
            all.push(block);
        }
        let produced = |producer: &&u32| **producer == NONE || seen.happened[**producer as usize];
        if in_blocks < seen.producer.iter().filter(produced).count() {
            return Err(blocks.circle());
        }
        // The initial value was written before all time; its block is the first one that was pushed.
        all[1..].sort_unstable_by_key(Block::sort_key);
        let mut last: Option<&Block> = None;
        for block in &all {
            if let Some(last) = last
                && block.must_precede(last)
            {
                return Err(blocks.crossing(last.value, block.value));
            }
            if last.is_none_or(|last| last.begins_before(block)) {
                last = Some(block);
            }
        }
        let mut order = Vec::with_capacity(operations.len());
        for block in &all {
            for value in blocks.values(block.value) {
                order.extend(blocks.operations_of(value));
            }
        }
        Ok(order)
    }

    /// The values that begin a block; the initial one first.
    pub(super) fn first_values(&self) -> impl Iterator<Item = ValueId> {
        (0..self.seen.producer.len() as ValueId).filter(|value| match self.seen.producer[*value as usize] {
            NONE => true,
            producer => {
                self.seen.happened[producer as usize]
                    && matches!(self.operations[producer as usize].step, RegisterStep::Write(_))
            }
        })
    }

    pub(super) fn interval(&self, place: u32) -> Interval {
        let operation = &self.operations[place as usize];
        let completed = if operation.is_known { operation.completed } else { u64::MAX };
        Interval { invoked: operation.invoked, completed, place }
    }

    pub(super) fn producer(&self, value: ValueId) -> Option<u32> {
        Some(self.seen.producer[value as usize]).filter(|producer| *producer != NONE)
    }

    /// The values of the block, from this one on.
    pub(super) fn values(&self, first: ValueId) -> impl Iterator<Item = ValueId> {
        std::iter::successors(Some(first), |value| {
            let next = self.seen.replaced_by[*value as usize];
            (next != NONE).then(|| self.seen.value[next as usize])
        })
    }

    /// The producer of the value and its readers.
    pub(super) fn operations_of(&self, value: ValueId) -> impl Iterator<Item = u32> {
        self.producer(value).into_iter().chain(self.readers.of(value).iter().copied())
    }

    /// Goes through the block in order. Also tells how many values it has.
    pub(super) fn climb(&self, first: ValueId) -> Result<(Block, usize), RegisterContradiction> {
        let mut block = Block { value: first, first_completed: u64::MAX, last_invoked: 0 };
        let mut stairs = Staircase::new();
        let mut values = 0;
        for value in self.values(first) {
            values += 1;
            for place in self.operations_of(value) {
                let interval = self.interval(place);
                if stairs.add(interval).is_some() {
                    return Err(self.backwards(first, value, place));
                }
                if self.producer(value) == Some(place) {
                    stairs.next_group();
                }
                block.first_completed = block.first_completed.min(interval.completed);
                block.last_invoked = block.last_invoked.max(interval.invoked);
            }
            stairs.next_group();
        }
        Ok((block, values))
    }

    /// The nearest operation before `later` in its block that had not begun when `later` was over.
    fn backwards(&self, first: ValueId, value: ValueId, later: u32) -> RegisterContradiction {
        let over = self.interval(later).completed;
        let chain: Vec<ValueId> = self.values(first).take_while(|other| *other != value).chain([value]).collect();
        let mut producers = Vec::new();
        for other in chain.iter().rev() {
            producers.extend(self.producer(*other));
            let is_before = |place: &u32| {
                let is_group_before = *other != value || self.producer(value) == Some(*place);
                is_group_before && *place != later && over < self.interval(*place).invoked
            };
            if let Some(earlier) = self.operations_of(*other).find(is_before) {
                producers.reverse();
                return RegisterContradiction::Backwards { earlier, later, producers };
            }
        }
        unreachable!("the staircase saw an operation that had not begun")
    }

    /// Compare-and-sets that happened and belong to no block replace each other in a circle.
    fn circle(&self) -> RegisterContradiction {
        let mut in_block = vec![false; self.seen.producer.len()];
        for value in 0..self.seen.producer.len() as ValueId {
            let begins = self
                .producer(value)
                .is_none_or(|place| matches!(self.operations[place as usize].step, RegisterStep::Write(_)));
            if begins {
                for value in self.values(value) {
                    in_block[value as usize] = true;
                }
            }
        }
        let lost = (0..self.seen.producer.len()).find(|value| {
            !in_block[*value]
                && self.producer(*value as ValueId).is_some_and(|place| self.seen.happened[place as usize])
        });
        let mut steps = Vec::new();
        let mut value = lost.unwrap_or_default() as ValueId;
        // Backwards from any of them leads into the circle, and each has one that replaced it, or is seen twice.
        let mut visited = vec![false; self.seen.producer.len()];
        while !visited[value as usize] {
            visited[value as usize] = true;
            value = self.seen.from[self.seen.producer[value as usize] as usize];
        }
        let entry = value;
        loop {
            let place = self.seen.producer[value as usize];
            steps.push(place);
            value = self.seen.from[place as usize];
            if value == entry {
                break;
            }
        }
        steps.reverse();
        RegisterContradiction::Circle { steps }
    }

    /// Two blocks that must each come before the other.
    fn crossing(&self, left: ValueId, right: ValueId) -> RegisterContradiction {
        let (left_over, left_begins, left_producers) = self.ends(left);
        let (right_over, right_begins, right_producers) = self.ends(right);
        let Some(right_over) = right_over else { unreachable!("nothing comes before the initial value") };
        RegisterContradiction::Crossing {
            left_over,
            right_begins,
            right_over,
            left_begins,
            left_producers,
            right_producers,
        }
    }

    /// The operation of the block that was over first, the one that began last, and the producers between the two.
    /// `None` for the first where that is the initial value.
    fn ends(&self, first: ValueId) -> (Option<u32>, u32, Vec<u32>) {
        let mut over: Option<(Interval, usize)> = None;
        let mut begins: Option<(Interval, usize)> = None;
        let values: Vec<ValueId> = self.values(first).collect();
        for (index, value) in values.iter().enumerate() {
            for place in self.operations_of(*value) {
                let interval = self.interval(place);
                if over.is_none_or(|(best, _)| interval.completed < best.completed) {
                    over = Some((interval, index));
                }
                if begins.is_none_or(|(best, _)| interval.invoked > best.invoked) {
                    begins = Some((interval, index));
                }
            }
        }
        let (Some((over, over_index)), Some((begins, begins_index))) = (over, begins) else {
            unreachable!("a block that crosses another has operations")
        };
        let over_index = if first == INITIAL { 0 } else { over_index };
        let between = over_index.min(begins_index)..=over_index.max(begins_index);
        let producers = values[between].iter().filter_map(|value| self.producer(*value)).collect();
        ((first != INITIAL).then_some(over.place), begins.place, producers)
    }
}
