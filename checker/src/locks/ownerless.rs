//! Locks that do not know who holds them: acquires and releases in turn, whoever made them.
//!
//! The operations are taken one by one, none before it is needed. Of all that are left, the one that completes first must
//! be taken by then. If it is not its turn, one of the other kind must be taken before it, which had begun by then; any
//! legal order has one there too, and can be changed to have the one that completes first: all others of its kind can
//! take its place. So nothing is lost, and if none had begun there is no legal order. An operation of unknown outcome
//! never completes, so it is taken last.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::clash::{LockClash, LockContradiction};
use super::{LockAnswer, LockOperation};

/// Decides whether the operations on a lock that is free at first are linearizable if anybody may release it. Owners and
/// tokens do not matter. `operations` are in the order of their invocations.
///
/// It is exact for all histories, unknown outcomes included.
pub fn check_ownerless_lock<O>(operations: &[LockOperation<O>]) -> LockAnswer {
    let mut by_completion: Vec<u32> =
        (0..operations.len() as u32).filter(|place| operations[*place as usize].is_known).collect();
    by_completion.sort_by_key(|place| operations[*place as usize].completed);
    let mut row = Row {
        operations,
        begun: 0,
        acquires: BinaryHeap::new(),
        releases: BinaryHeap::new(),
        is_taken: vec![false; operations.len()],
        order: Vec::with_capacity(operations.len()),
        is_held: false,
    };
    for needed in by_completion {
        if row.is_taken[needed as usize] {
            continue;
        }
        let operation = &operations[needed as usize];
        row.begin(operation.completed);
        if operation.is_acquire() == row.is_held && !row.take_first(!row.is_held) {
            return LockAnswer::Invalid(row.clash(needed));
        }
        row.take(needed);
    }
    LockAnswer::Valid(row.order)
}

struct Row<'a, O> {
    operations: &'a [LockOperation<O>],
    /// How many operations had begun.
    begun: usize,
    acquires: BinaryHeap<Reverse<(u64, u32)>>,
    releases: BinaryHeap<Reverse<(u64, u32)>>,
    is_taken: Vec<bool>,
    order: Vec<u32>,
    is_held: bool,
}

impl<O> Row<'_, O> {
    /// Makes all operations that began by then ready.
    fn begin(&mut self, by: u64) {
        while let Some(operation) = self.operations.get(self.begun).filter(|operation| operation.invoked <= by) {
            let kind = if operation.is_acquire() { &mut self.acquires } else { &mut self.releases };
            kind.push(Reverse((operation.end(), self.begun as u32)));
            self.begun += 1;
        }
    }

    /// Takes the acquire or release that completes first, if one is ready.
    fn take_first(&mut self, is_acquire: bool) -> bool {
        loop {
            let kind = if is_acquire { &mut self.acquires } else { &mut self.releases };
            let Some(Reverse((_, place))) = kind.pop() else { return false };
            if !self.is_taken[place as usize] {
                self.take(place);
                return true;
            }
        }
    }

    fn take(&mut self, place: u32) {
        self.is_taken[place as usize] = true;
        self.is_held = self.operations[place as usize].is_acquire();
        self.order.push(place);
    }

    /// All that began before the operation was over, without what came before the lock was last certainly free.
    fn clash(&self, stuck: u32) -> LockClash {
        let end = self.operations[stuck as usize].completed;
        let begun = &self.operations[..self.begun];
        let mut first = 0;
        let (mut held, mut latest_end) = (0i64, 0);
        for (place, operation) in begun.iter().enumerate() {
            if held == 0 && latest_end < operation.invoked {
                first = place;
            }
            held += if operation.is_acquire() { 1 } else { -1 };
            latest_end = latest_end.max(operation.end());
        }
        let all = || first as u32..self.begun as u32;
        let is_over = |place: &u32| self.operations[*place as usize].end() <= end;
        let is_acquire = |place: &u32| self.operations[*place as usize].is_acquire();
        let count = |is_in: &dyn Fn(&u32) -> bool| all().filter(is_in).count();
        let contradiction = LockContradiction::NotInTurn {
            stuck,
            acquired: count(&|place| is_over(place) && is_acquire(place)),
            may_have_acquired: count(&is_acquire),
            released: count(&|place| is_over(place) && !is_acquire(place)),
            may_have_released: count(&|place| !is_acquire(place)),
        };
        LockClash { contradiction, operations: all().collect() }
    }
}
