//! Pairs of registers: a transaction reads both and writes one. Two that do so at once, each writing the other one, can't
//! have come one after the other; snapshot isolation lets both through.

use rashomon_draw::Draw;
use rashomon_history::{Call, Key, MicroOp, Outcome, Value};

use super::{final_reads, read};
use crate::rotation::Rotation;
use crate::{Asker, Generator};

const OPEN_PAIRS: usize = 3;
const CALLS_A_PAIR: u32 = 150;

pub(crate) struct WriteSkewGenerator {
    draw: Draw,
    pairs: Rotation,
    next_value: i64,
}

impl WriteSkewGenerator {
    pub(crate) fn new(seed: u64) -> Self {
        Self { draw: Draw::stream(seed, "calls"), pairs: Rotation::new('w', OPEN_PAIRS, CALLS_A_PAIR), next_value: 1 }
    }
}

/// The two registers of a pair: of `w3` these are `w3a` and `w3b`.
fn registers_of(pair: &Key) -> [Key; 2] {
    ["a", "b"].map(|side| Key::from(format!("{pair}{side}")))
}

impl Generator for WriteSkewGenerator {
    fn next_call(&mut self, asker: Asker) -> Call {
        let registers = registers_of(&self.pairs.draw(&mut self.draw));
        let mut ops: Vec<MicroOp> = registers.iter().cloned().map(read).collect();
        if !self.draw.chance(asker.role.reads_percent()) {
            let key = registers[self.draw.below(registers.len())].clone();
            ops.push(MicroOp::Write { key, value: Value::Int(self.next_value) });
            self.next_value += 1;
        }
        Call::Txn { ops }
    }

    fn observe(&mut self, _client: usize, _call: &Call, _outcome: &Outcome) {}

    fn final_reads(&self) -> Vec<Call> {
        final_reads(self.pairs.all().flat_map(|pair| registers_of(&pair)))
    }
}
