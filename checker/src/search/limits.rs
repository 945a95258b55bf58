//! Where the walk looks at its budget: at every step, its own and the model's.

use super::choices::Choice;
use super::compile::ClassId;
use super::outcome::Stopped;
use super::states::StateId;
use super::walk::{Frame, Walk};
use crate::model::Model;

impl<M: Model, const W: usize> Walk<'_, '_, M, W> {
    /// The state after a step of the model, if it is legal and the walk is not stopped.
    pub(super) fn step(&mut self, state: StateId, class: ClassId) -> Option<StateId> {
        if self.stop.is_some() {
            return None;
        }
        let model_steps = self.states.model_steps;
        let next = self.states.step(state, class, &self.history.classes[class as usize]);
        // A step of the model may take any time; one that is remembered takes none.
        let is_due = if self.states.model_steps == model_steps { self.pace.tick() } else { self.model_pace.tick() };
        if is_due && self.stop.is_none() {
            self.stop = self.must_stop();
        }
        next
    }

    pub(super) fn tick(&mut self) {
        if self.pace.tick() && self.stop.is_none() {
            self.stop = self.must_stop();
        }
    }

    fn must_stop(&mut self) -> Option<Stopped> {
        if self.steps >= self.budget.steps {
            Some(Stopped::StepsSpent)
        } else if self.look_at_memory() + self.memo.growth_bytes() > self.budget.memory_bytes {
            Some(Stopped::OutOfMemory)
        } else if self.budget.is_late() {
            Some(Stopped::Late)
        } else {
            None
        }
    }

    /// Bytes held.
    pub(super) fn look_at_memory(&mut self) -> usize {
        let walk = self.frames.capacity() * size_of::<Frame<W>>()
            + self.choices.capacity() * size_of::<Choice>()
            + (self.path.capacity() + self.ripe.capacity()) * size_of::<u32>();
        let bytes = self.history.bytes()
            + walk
            + self.memo.bytes()
            + self.prospects.bytes()
            + self.states.bytes()
            + self.unknowns.bytes();
        self.peak_memory_bytes = self.peak_memory_bytes.max(bytes);
        bytes
    }
}
