//! Whether what is to come can still become legal, where the walk stands.

use std::ops::Range;

use super::compile::{ClassId, OpId};
use super::memo::Configuration;
use super::walk::Walk;
use crate::model::Model;

/// What becomes of an operation that was not taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Prospect {
    /// It is not legal and never will be.
    None,
    /// It is legal, and nothing would make it legal again.
    Ripe,
    /// Something may make it legal, or that is not known.
    Open,
}

impl<M: Model, const W: usize> Walk<'_, '_, M, W> {
    /// Whether every operation can still become legal, as far as that is easy to know.
    ///
    /// An operation to come whose helpers are all past is *ripe*: it is legal now, and must stay so until it is taken. The
    /// ripe operations of the configuration before, and those that became ripe by `last`, are put on their stack.
    pub(super) fn has_prospects(
        &mut self,
        at: &Configuration<W>,
        last: Option<OpId>,
        ripe_before: Range<usize>,
    ) -> bool {
        for slot in self.cursor.open_pure.without(&at.taken_pure).slots() {
            if self.prospect(at, self.cursor.operation(slot)) == Prospect::None {
                return false;
            }
        }
        for slot in self.cursor.open.without(&at.taken).slots() {
            if self.prospect(at, self.cursor.operation(slot)) == Prospect::None {
                return false;
            }
        }
        for index in ripe_before {
            if !self.keep_ripe(at, self.ripe[index]) {
                return false;
            }
        }
        let Some(last) = last else { return true };
        // Operations are numbered by completion: those before the next one to complete were all taken.
        let next = self.completing(at.event);
        let first = self.prospects.observers(last).partition_point(|observer| *observer < next);
        for index in first..self.prospects.observers(last).len() {
            if !self.keep_ripe(at, self.prospects.observers(last)[index]) {
                return false;
            }
        }
        true
    }

    /// Puts the operation on the stack of ripe ones if it is to come and ripe. Whether it has prospects.
    fn keep_ripe(&mut self, at: &Configuration<W>, id: OpId) -> bool {
        if self.prospects.invoked_at[id as usize] < at.event {
            return true;
        }
        match self.prospect(at, id) {
            Prospect::None => return false,
            Prospect::Ripe => self.ripe.push(id),
            Prospect::Open => {}
        }
        true
    }

    fn prospect(&mut self, at: &Configuration<W>, id: OpId) -> Prospect {
        let class = self.history.known[id as usize].class;
        if !self.prospects.is_tracked(class) {
            return Prospect::Open;
        }
        let next = self.completing(at.event);
        let is_left = |helper: &OpId| {
            let invoked_at = self.prospects.invoked_at[*helper as usize];
            let is_to_come = invoked_at >= at.event && invoked_at < self.prospects.completed_at[id as usize];
            let is_open =
                || *helper >= next && invoked_at < at.event && !at.taken.has(self.history.known[*helper as usize].slot);
            *helper != id && (is_to_come || is_open())
        };
        let is_unknown_left =
            |helper: &ClassId| self.history.unknown[*helper as usize].len() > self.unknowns.count(at.unknown, *helper);
        if self.prospects.helpers(class).iter().any(is_left)
            || self.prospects.unknown_helpers(class).iter().any(is_unknown_left)
        {
            Prospect::Open
        } else if self.step(at.state, class).is_some() {
            Prospect::Ripe
        } else {
            if at.event >= self.suspect.0 {
                self.suspect = (at.event, id);
            }
            Prospect::None
        }
    }
}
