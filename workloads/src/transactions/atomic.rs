//! Transactions that put one element into several lists: it must come to stand in all of them, or in none.

use rashomon_draw::Draw;
use rashomon_history::{Call, Key, MicroOp, Outcome, Value};

use super::{final_reads, read};
use crate::rotation::Rotation;
use crate::{Asker, Generator};

/// Many, so that most transactions meet no other, and abort only for what the faults do.
const OPEN_KEYS: usize = 12;
const STEPS_A_KEY: u32 = 100;
const LISTS: [u64; 2] = [2, 4];

pub(crate) struct AtomicGenerator {
    draw: Draw,
    keys: Rotation,
    next_element: i64,
}

impl AtomicGenerator {
    pub(crate) fn new(seed: u64) -> Self {
        let keys = Rotation::new('c', OPEN_KEYS, STEPS_A_KEY);
        Self { draw: Draw::stream(seed, "calls"), keys, next_element: 1 }
    }
}

impl Generator for AtomicGenerator {
    fn next_call(&mut self, asker: Asker) -> Call {
        let mut keys: Vec<Key> = Vec::new();
        for _ in 0..self.draw.between(LISTS[0], LISTS[1]) {
            let key = self.keys.draw(&mut self.draw);
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        if self.draw.chance(asker.role.reads_percent()) {
            return Call::Txn { ops: keys.into_iter().map(read).collect() };
        }
        let value = Value::Int(self.next_element);
        self.next_element += 1;
        Call::Txn { ops: keys.into_iter().map(|key| MicroOp::Append { key, value: value.clone() }).collect() }
    }

    fn observe(&mut self, _client: usize, _call: &Call, _outcome: &Outcome) {}

    fn final_reads(&self) -> Vec<Call> {
        final_reads(self.keys.all())
    }
}
