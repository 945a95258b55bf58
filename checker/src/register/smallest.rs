//! Of the contradictions that a register shows, one that a person can follow.
//!
//! Where there is one there are often many, and the first that is met may reach over long chains of compare-and-sets.
//! So the search for a small one goes on for a while, and any two operations that prove an order will do.

use super::RegisterContradiction;
use super::blocks::{Block, Blocks};
use super::seen::ValueId;
use crate::staircase::Interval;

/// Comparisons spent on it: a moment, also for the longest histories.
const COMPARISONS: usize = 2_000_000;
/// There is hardly a contradiction of fewer operations.
const SMALL_ENOUGH: usize = 3;

/// The smallest contradiction that was met, and what may still be spent.
struct Search {
    best: RegisterContradiction,
    size: usize,
    comparisons: usize,
}

impl Search {
    fn is_over(&self) -> bool {
        self.size <= SMALL_ENOUGH || self.comparisons == 0
    }

    fn spend(&mut self, comparisons: usize) {
        self.comparisons = self.comparisons.saturating_sub(comparisons);
    }
}

/// What a value proves of its block: it was there when `over` completed, and again when `begun` was invoked.
struct Span {
    /// The operation that was over first; `None` for the initial value, which was there before all time.
    over: Option<Interval>,
    /// The operation that began last; `None` where nobody saw the initial value.
    begun: Option<Interval>,
}

impl Span {
    fn is_before(&self, other: &Self) -> bool {
        match (&self.over, &other.begun) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(over), Some(begun)) => over.completed < begun.invoked,
        }
    }
}

impl<V> Blocks<'_, V> {
    /// A contradiction at most as large as the given one.
    pub(super) fn smallest(&self, first: RegisterContradiction) -> RegisterContradiction {
        let size = self.size(&first);
        let mut search = Search { best: first, size, comparisons: COMPARISONS };
        let mut blocks = Vec::new();
        for value in self.first_values() {
            match self.climb(value) {
                Ok((block, values)) => {
                    search.spend(values);
                    blocks.push(block);
                }
                Err(contradiction) => self.consider(contradiction, &mut search),
            }
            if search.is_over() {
                return search.best;
            }
        }
        self.try_crossings(blocks, &mut search);
        search.best
    }

    fn try_crossings(&self, mut blocks: Vec<Block>, search: &mut Search) {
        let after_initial = blocks.len().min(1);
        blocks[after_initial..].sort_unstable_by_key(Block::sort_key);
        let mut last: Option<&Block> = None;
        for block in &blocks {
            if let Some(last) = last
                && block.must_precede(last)
                && let Some(crossing) = self.small_crossing(last.value, block.value, search)
            {
                self.consider(crossing, search);
            }
            if search.is_over() {
                return;
            }
            if last.is_none_or(|last| last.begins_before(block)) {
                last = Some(block);
            }
        }
    }

    fn consider(&self, contradiction: RegisterContradiction, search: &mut Search) {
        let size = self.size(&contradiction);
        search.spend(size);
        if size < search.size {
            search.best = contradiction;
            search.size = size;
        }
    }

    fn size(&self, contradiction: &RegisterContradiction) -> usize {
        contradiction.clone().into_clash(self.seen).operations.len()
    }

    /// Why the two blocks must each come before the other, over as few values as possible.
    fn small_crossing(&self, left: ValueId, right: ValueId, search: &mut Search) -> Option<RegisterContradiction> {
        let (left, right) = (self.spans(left), self.spans(right));
        for spread in 0..left.len() + right.len() {
            for left_spread in 0..=spread.min(left.len() - 1) {
                let right_spread = spread - left_spread;
                for (over, begun) in pairs(left.len(), left_spread) {
                    search.spend(2 * right.len());
                    for (right_begun, right_over) in pairs(right.len(), right_spread) {
                        let proves = left[over].1.is_before(&right[right_begun].1)
                            && right[right_over].1.is_before(&left[begun].1);
                        if proves {
                            return self.crossing_of(&left, (over, begun), &right, (right_over, right_begun));
                        }
                    }
                }
                if search.comparisons == 0 {
                    return None;
                }
            }
        }
        None
    }

    fn crossing_of(
        &self,
        left: &[(ValueId, Span)],
        (left_over, left_begun): (usize, usize),
        right: &[(ValueId, Span)],
        (right_over, right_begun): (usize, usize),
    ) -> Option<RegisterContradiction> {
        let producers = |spans: &[(ValueId, Span)], one: usize, other: usize| {
            let between = &spans[one.min(other)..=one.max(other)];
            between.iter().filter_map(|(value, _)| self.producer(*value)).collect()
        };
        Some(RegisterContradiction::Crossing {
            left_over: left[left_over].1.over.map(|interval| interval.place),
            right_begins: right[right_begun].1.begun?.place,
            right_over: right[right_over].1.over?.place,
            left_begins: left[left_begun].1.begun?.place,
            left_producers: producers(left, left_over, left_begun),
            right_producers: producers(right, right_over, right_begun),
        })
    }

    fn spans(&self, first: ValueId) -> Vec<(ValueId, Span)> {
        let span = |value| {
            let intervals = || self.operations_of(value).map(|place| self.interval(place));
            let over = intervals().min_by_key(|interval| interval.completed);
            let begun = intervals().max_by_key(|interval| interval.invoked);
            Span { over: over.filter(|_| self.producer(value).is_some()), begun }
        };
        self.values(first).map(|value| (value, span(value))).collect()
    }
}

/// The places of a line of `length` that are `spread` apart, both ways round.
fn pairs(length: usize, spread: usize) -> impl Iterator<Item = (usize, usize)> {
    let upwards = (0..length.saturating_sub(spread)).map(move |place| (place, place + spread));
    let downwards =
        (0..if spread == 0 { 0 } else { length.saturating_sub(spread) }).map(move |place| (place + spread, place));
    upwards.chain(downwards)
}
