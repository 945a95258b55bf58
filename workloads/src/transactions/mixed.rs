//! Transactions of reads and appends of lists, or of reads and writes of registers.
//!
//! Lists say of themselves in which order they were written. Registers don't: so a transaction reads each before it writes
//! it, and its write came after what it read.

use rashomon_draw::Draw;
use rashomon_history::{Call, Key, MicroOp, Outcome, Value};

use super::{final_reads, read};
use crate::rotation::Rotation;
use crate::{Asker, Generator};

const OPEN_KEYS: usize = 5;
/// Reads of lists carry everything.
const STEPS_A_LIST: u32 = 150;
const STEPS_A_REGISTER: u32 = 300;
const MOST_STEPS: u64 = 4;

pub(crate) struct MixedGenerator {
    draw: Draw,
    keys: Rotation,
    next_value: i64,
    is_of_lists: bool,
}

impl MixedGenerator {
    pub(crate) fn lists(seed: u64) -> Self {
        Self::new(seed, Rotation::new('l', OPEN_KEYS, STEPS_A_LIST), true)
    }

    pub(crate) fn registers(seed: u64) -> Self {
        Self::new(seed, Rotation::new('r', OPEN_KEYS, STEPS_A_REGISTER), false)
    }

    fn new(seed: u64, keys: Rotation, is_of_lists: bool) -> Self {
        Self { draw: Draw::stream(seed, "calls"), keys, next_value: 1, is_of_lists }
    }

    fn write(&mut self, ops: &mut Vec<MicroOp>, key: Key) {
        let value = Value::Int(self.next_value);
        self.next_value += 1;
        if self.is_of_lists {
            return ops.push(MicroOp::Append { key, value });
        }
        if !ops.iter().any(|op| *op.key() == key) {
            ops.push(read(key.clone()));
        }
        ops.push(MicroOp::Write { key, value });
    }
}

impl Generator for MixedGenerator {
    fn next_call(&mut self, asker: Asker) -> Call {
        let reads_percent = asker.role.reads_percent();
        let mut ops = Vec::new();
        for _ in 0..self.draw.between(1, MOST_STEPS) {
            let key = self.keys.draw(&mut self.draw);
            if self.draw.chance(reads_percent) {
                ops.push(read(key));
            } else {
                self.write(&mut ops, key);
            }
        }
        Call::Txn { ops }
    }

    fn observe(&mut self, _client: usize, _call: &Call, _outcome: &Outcome) {}

    fn final_reads(&self) -> Vec<Call> {
        final_reads(self.keys.all())
    }
}
