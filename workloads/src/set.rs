//! Sets: adds of unique elements, and reads of whole sets.
//!
//! An element that was added and acknowledged must be in every later read, so that a single read tells of every
//! acknowledged add that was lost.

use rashomon_history::{Call, Outcome, Value};

use crate::random::Choices;
use crate::rotation::Rotation;
use crate::{Generator, Role};

const OPEN_KEYS: usize = 2;
/// Reads carry the whole set: a longer one costs more than it tells.
const CALLS_A_KEY: u32 = 400;

pub(crate) struct SetGenerator {
    choices: Choices,
    keys: Rotation,
    next_element: i64,
}

impl SetGenerator {
    pub(crate) fn new(seed: u64) -> Self {
        Self { choices: Choices::new(seed), keys: Rotation::new('s', OPEN_KEYS, CALLS_A_KEY), next_element: 1 }
    }
}

impl Generator for SetGenerator {
    fn next_call(&mut self, role: Role) -> Call {
        let key = self.keys.draw(&mut self.choices);
        if self.choices.percent(role.reads_percent()) {
            return Call::Read { key };
        }
        let value = Value::Int(self.next_element);
        self.next_element += 1;
        Call::Add { key, value }
    }

    fn observe(&mut self, _call: &Call, _outcome: &Outcome) {}

    fn final_reads(&self) -> Vec<Call> {
        self.keys.all().map(|key| Call::Read { key }).collect()
    }
}
