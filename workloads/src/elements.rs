//! Lists and sets that only grow: unique elements are put in, and the whole is read.
//!
//! A list keeps the order of all that happened to it, so that a single read tells of a lost, doubled or reordered append,
//! also of one of long ago. An element of a set that was added and acknowledged must be in every later read.

use rashomon_draw::Draw;
use rashomon_history::{Call, Key, Outcome, Value};

use crate::rotation::Rotation;
use crate::{Asker, Generator};

/// Reads carry everything: what is larger costs more than it tells.
const LIST_CALLS_A_KEY: u32 = 250;
const SET_CALLS_A_KEY: u32 = 400;

pub(crate) struct ElementGenerator {
    draw: Draw,
    keys: Rotation,
    next_element: i64,
    put: fn(Key, Value) -> Call,
}

impl ElementGenerator {
    pub(crate) fn lists(seed: u64) -> Self {
        let put = |key, value| Call::Append { key, value };
        Self { draw: Draw::stream(seed, "calls"), keys: Rotation::new('l', 4, LIST_CALLS_A_KEY), next_element: 1, put }
    }

    pub(crate) fn sets(seed: u64) -> Self {
        let put = |key, value| Call::Add { key, value };
        Self { draw: Draw::stream(seed, "calls"), keys: Rotation::new('s', 2, SET_CALLS_A_KEY), next_element: 1, put }
    }
}

impl Generator for ElementGenerator {
    fn next_call(&mut self, asker: Asker) -> Call {
        let key = self.keys.draw(&mut self.draw);
        if self.draw.chance(asker.role.reads_percent()) {
            return Call::Read { key };
        }
        let element = Value::Int(self.next_element);
        self.next_element += 1;
        (self.put)(key, element)
    }

    fn observe(&mut self, _client: usize, _call: &Call, _outcome: &Outcome) {}

    fn final_reads(&self) -> Vec<Call> {
        self.keys.all().map(|key| Call::Read { key }).collect()
    }
}
