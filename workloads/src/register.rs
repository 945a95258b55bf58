//! Registers: reads, writes and compare-and-set over several keys.
//!
//! Every value is written once, so that a read says which write it saw, and the check needs no search. A
//! third of the calls that write is compare-and-set from the value last seen, so that a good part of them succeeds.

use std::collections::BTreeMap;

use rashomon_draw::Draw;
use rashomon_history::{Call, Key, Outcome, Returned, Value};

use crate::rotation::Rotation;
use crate::{Asker, Generator};

const OPEN_KEYS: usize = 5;
const CALLS_A_KEY: u32 = 400;
/// Of the calls that write.
const CAS_PERCENT: u32 = 30;

pub(crate) struct RegisterGenerator {
    draw: Draw,
    keys: Rotation,
    next_value: i64,
    last_seen: BTreeMap<Key, Value>,
}

impl RegisterGenerator {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            draw: Draw::stream(seed, "calls"),
            keys: Rotation::new('r', OPEN_KEYS, CALLS_A_KEY),
            next_value: 1,
            last_seen: BTreeMap::new(),
        }
    }

    fn fresh_value(&mut self) -> Value {
        let value = self.next_value;
        self.next_value += 1;
        Value::Int(value)
    }
}

impl Generator for RegisterGenerator {
    fn next_call(&mut self, asker: Asker) -> Call {
        let key = self.keys.draw(&mut self.draw);
        if self.draw.chance(asker.role.reads_percent()) {
            Call::Read { key }
        } else if self.draw.chance(CAS_PERCENT) {
            let from = self.last_seen.get(&key).cloned().unwrap_or_default();
            Call::Cas { key, from, to: self.fresh_value() }
        } else {
            Call::Write { key, value: self.fresh_value() }
        }
    }

    fn observe(&mut self, _client: usize, call: &Call, outcome: &Outcome) {
        let Outcome::Ok(returned) = outcome else { return };
        let seen = match (call, returned) {
            (Call::Read { .. }, Returned::Value(value))
            | (Call::Cas { .. }, Returned::NotSwapped { current: Some(value) })
            | (Call::Write { value, .. } | Call::Cas { to: value, .. }, _) => value,
            _ => return,
        };
        if let Some(key) = call.key() {
            self.last_seen.insert(key.clone(), seen.clone());
        }
    }

    fn final_reads(&self) -> Vec<Call> {
        self.keys.all().map(|key| Call::Read { key }).collect()
    }
}
