//! A legal order of the operations on one element.
//!
//! Time is walked through. Nothing changes until it must: until an operation completes that has not had what it needs. Then
//! one change is made, by the operation at hand that completes first (those of unknown outcome at last).
//!
//! That is never worse than any legal order: by every moment the walk has made the fewest changes possible. Where a legal
//! order has made one more, the operation that made it still stands open to the walk, or had to be made by the walk as
//! well; where it has made two more, the element is where it was. And of two operations that can make a change, the one
//! that completes later serves for all that the other one serves for.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{MembershipOperation, MembershipStep, Stuck};

const NEVER: u64 = u64::MAX;

pub(super) struct Walk<'a> {
    operations: &'a [MembershipOperation],
    is_there: bool,
    /// Operations that may take the element away, and those that may put it there, by completion.
    changes: [BinaryHeap<Reverse<(u64, u32)>>; 2],
    /// Open operations that need to see the opposite of what is.
    waiting: Vec<u32>,
    is_done: Vec<bool>,
    order: Vec<u32>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(operations: &'a [MembershipOperation]) -> Self {
        Self {
            operations,
            is_there: false,
            changes: Default::default(),
            waiting: Vec::new(),
            is_done: vec![false; operations.len()],
            order: Vec::with_capacity(operations.len()),
        }
    }

    pub(super) fn order(mut self) -> Result<Vec<u32>, Stuck> {
        let completed = |place: u32| self.operations[place as usize].completed;
        let mut by_completion: Vec<u32> =
            (0..self.operations.len() as u32).filter(|place| self.operations[*place as usize].is_known).collect();
        by_completion.sort_by_key(|place| completed(*place));
        let mut completions = by_completion.into_iter().peekable();
        for (place, operation) in self.operations.iter().enumerate() {
            while let Some(over) = completions.next_if(|over| completed(*over) < operation.invoked) {
                self.complete(over)?;
            }
            self.invoke(place as u32);
        }
        for over in completions {
            self.complete(over)?;
        }
        Ok(self.order)
    }

    fn invoke(&mut self, place: u32) {
        let operation = &self.operations[place as usize];
        match operation.step {
            MembershipStep::Saw(_) if !operation.is_known => {}
            MembershipStep::Saw(seen) if seen == self.is_there => self.done(place),
            MembershipStep::Saw(_) => self.waiting.push(place),
            MembershipStep::Changed(to) | MembershipStep::Ensured(to) => {
                let completed = if operation.is_known { operation.completed } else { NEVER };
                self.changes[usize::from(to)].push(Reverse((completed, place)));
            }
        }
    }

    fn complete(&mut self, place: u32) -> Result<(), Stuck> {
        if self.is_done[place as usize] {
            return Ok(());
        }
        match self.operations[place as usize].step {
            MembershipStep::Saw(seen) => self.change(place, seen),
            MembershipStep::Changed(to) | MembershipStep::Ensured(to) => {
                if self.is_there == to {
                    self.change(place, !to)?;
                }
                self.make(place);
                Ok(())
            }
        }
    }

    /// Makes the element be there or not, for an operation that needs it.
    fn change(&mut self, place: u32, needs: bool) -> Result<(), Stuck> {
        while let Some(Reverse((_, change))) = self.changes[usize::from(needs)].pop() {
            if !self.is_done[change as usize] {
                self.make(change);
                return Ok(());
            }
        }
        Err(Stuck { place, needs })
    }

    fn make(&mut self, change: u32) {
        self.done(change);
        self.is_there = !self.is_there;
        for place in std::mem::take(&mut self.waiting) {
            self.done(place);
        }
    }

    fn done(&mut self, place: u32) {
        self.is_done[place as usize] = true;
        self.order.push(place);
    }
}
