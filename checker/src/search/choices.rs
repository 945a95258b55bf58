//! What can be taken next, the best first.

use super::compile::{ClassId, OpId};
use super::memo::Configuration;
use super::states::StateId;
use super::walk::Walk;
use crate::model::Model;

/// A step that can be taken.
#[derive(Clone, Copy)]
pub(super) enum Choice {
    Known { id: OpId, next: StateId },
    Unknown { class: ClassId, next: StateId },
}

impl<M: Model, const W: usize> Walk<'_, '_, M, W> {
    /// The operation whose completion comes next, if it can be taken now.
    pub(super) fn next_completing(&mut self, at: &Configuration<W>) -> Option<Choice> {
        let id = self.completing(at.event);
        let operation = &self.history.known[id as usize];
        if operation.is_pure {
            return None;
        }
        self.step(at.state, operation.class).map(|next| Choice::Known { id, next })
    }

    /// Puts all else that can be taken on the stack of choices, the best last: what makes the operation legal whose
    /// completion comes next, then what completes first, then operations of unknown outcome.
    pub(super) fn expand(&mut self, at: &Configuration<W>) {
        let wanted = self.history.known[self.completing(at.event) as usize].class;
        let start = self.choices.len();
        for index in 0..self.unknown_classes.len() {
            if self.stop.is_some() {
                return;
            }
            let class = self.unknown_classes[index];
            let invoked = self.cursor.invoked_unknown(class) as usize;
            if invoked > 0
                && invoked > self.unknowns.count(at.unknown, class)
                && let Some(next) = self.step(at.state, class)
                && next != at.state
            {
                self.choices.push(Choice::Unknown { class, next });
            }
        }
        let known = self.choices.len();
        for slot in self.cursor.open.without(&at.taken).slots() {
            let id = self.cursor.operation(slot);
            let operation = &self.history.known[id as usize];
            if self.completing(at.event) != id
                && let Some(next) = self.step(at.state, operation.class)
            {
                self.choices.push(Choice::Known { id, next });
            }
        }
        self.choices[known..].sort_unstable_by_key(|choice| match choice {
            Choice::Known { id, .. } => std::cmp::Reverse(*id),
            Choice::Unknown { .. } => std::cmp::Reverse(0),
        });
        let mut enabling = Vec::new();
        let mut place = start;
        for index in start..self.choices.len() {
            let choice = self.choices[index];
            let (Choice::Known { next, .. } | Choice::Unknown { next, .. }) = choice;
            if self.step(next, wanted).is_some() {
                enabling.push(choice);
            } else {
                self.choices[place] = choice;
                place += 1;
            }
        }
        self.choices.truncate(place);
        self.choices.append(&mut enabling);
    }
}
