//! States and steps as numbers.

use std::hash::{BuildHasher, Hash};

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use super::compile::{Class, ClassId};
use super::mask::mix;
use crate::model::Model;

pub(super) type StateId = u32;

/// Numbers states, and remembers what a step makes of them.
///
/// The steps are kept in a table of fixed size where a new one may replace an old one: it is asked far more often than it
/// grows, and a step that was forgotten is taken again.
pub(super) struct States<'m, M: Model> {
    model: &'m M,
    states: Vec<M::State>,
    ids: HashTable<StateId>,
    heap_bytes: usize,
    steps: Vec<CachedStep>,
    /// Steps of the model that were really taken.
    pub(super) model_steps: u64,
}

#[derive(Clone, Copy)]
struct CachedStep {
    state: StateId,
    class: ClassId,
    next: StateId,
}

/// No state: the step is illegal, or the place in the table is free.
const NONE: StateId = StateId::MAX;

impl<'m, M: Model> States<'m, M> {
    pub(super) fn new(model: &'m M, classes: usize) -> Self {
        let cached = (classes * 8).next_power_of_two().clamp(1 << 8, 1 << 18);
        let mut states = Self {
            model,
            states: Vec::new(),
            ids: HashTable::new(),
            heap_bytes: 0,
            steps: vec![CachedStep { state: NONE, class: 0, next: NONE }; cached],
            model_steps: 0,
        };
        states.intern(model.init());
        states
    }

    pub(super) const INITIAL: StateId = 0;

    /// The state after an operation of the class, if it is legal.
    pub(super) fn step(
        &mut self,
        state: StateId,
        class: ClassId,
        of: &Class<'_, M::Call, M::Return>,
    ) -> Option<StateId> {
        let place = mix(u64::from(state), u64::from(class)) as usize & (self.steps.len() - 1);
        let cached = self.steps[place];
        let next = if cached.state == state && cached.class == class {
            cached.next
        } else {
            self.model_steps += 1;
            let next = self.model.step(&self.states[state as usize], of.call, of.returned);
            let next = match next {
                None => NONE,
                Some(_) if of.is_pure => state,
                Some(next) => self.intern(next),
            };
            self.steps[place] = CachedStep { state, class, next };
            next
        };
        (next != NONE).then_some(next)
    }

    fn intern(&mut self, state: M::State) -> StateId {
        let hash = hash_of(&state);
        let found = self.ids.find(hash, |id| self.states[*id as usize] == state);
        if let Some(id) = found {
            return *id;
        }
        let id = self.states.len() as StateId;
        self.heap_bytes += self.model.state_heap_bytes(&state);
        self.states.push(state);
        self.ids.insert_unique(hash, id, |id| hash_of(&self.states[*id as usize]));
        id
    }

    pub(super) fn bytes(&self) -> usize {
        self.states.capacity() * size_of::<M::State>()
            + self.heap_bytes
            + self.ids.allocation_size()
            + self.steps.len() * size_of::<CachedStep>()
    }
}

fn hash_of<S: Hash>(state: &S) -> u64 {
    FxBuildHasher.hash_one(state)
}
