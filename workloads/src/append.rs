//! Lists: appends of unique elements, and reads of whole lists.
//!
//! A list keeps the order of all that happened to it, so that a single read tells of a lost, doubled or reordered
//! append, also of one of long ago.

use rashomon_history::{Call, Outcome, Value};

use crate::random::Choices;
use crate::rotation::Rotation;
use crate::{Generator, Role};

const OPEN_KEYS: usize = 4;
/// Reads carry the whole list: a longer one costs more than it tells.
const CALLS_A_KEY: u32 = 250;

pub(crate) struct AppendGenerator {
    choices: Choices,
    keys: Rotation,
    next_element: i64,
}

impl AppendGenerator {
    pub(crate) fn new(seed: u64) -> Self {
        Self { choices: Choices::new(seed), keys: Rotation::new('l', OPEN_KEYS, CALLS_A_KEY), next_element: 1 }
    }
}

impl Generator for AppendGenerator {
    fn next_call(&mut self, role: Role) -> Call {
        let key = self.keys.draw(&mut self.choices);
        if self.choices.percent(role.reads_percent()) {
            return Call::Read { key };
        }
        let value = Value::Int(self.next_element);
        self.next_element += 1;
        Call::Append { key, value }
    }

    fn observe(&mut self, _call: &Call, _outcome: &Outcome) {}

    fn final_reads(&self) -> Vec<Call> {
        self.keys.all().map(|key| Call::Read { key }).collect()
    }
}
