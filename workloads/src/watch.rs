//! Logs that are watched: unique records are sent, and everybody reads on from where he stopped.
//!
//! A client takes up its logs from their beginning, first of all and now and then again: what is sent while a watch catches
//! up takes another way through most systems than what a watch is there for.

use rashomon_draw::Draw;
use rashomon_history::{Call, Key, Outcome, Value};

use crate::{Asker, Generator};

const LOGS: u64 = 2;
/// Of a client's calls that read. Who begins anew reads everything again.
const BEGINS_ANEW_PERMILLE: u64 = 10;
/// How often one client begins anew, at most.
const MOST_BEGINS: u32 = 6;

pub(crate) struct WatchGenerator {
    draw: Draw,
    next_record: i64,
    /// How often each client began.
    begins: Vec<u32>,
}

impl WatchGenerator {
    pub(crate) fn new(seed: u64) -> Self {
        Self { draw: Draw::stream(seed, "calls"), next_record: 1, begins: Vec::new() }
    }

    fn begins_anew(&mut self, client: usize) -> bool {
        if self.begins.len() <= client {
            self.begins.resize(client + 1, 0);
        }
        let begins = &mut self.begins[client];
        let does = *begins == 0 || (*begins < MOST_BEGINS && self.draw.between(1, 1000) <= BEGINS_ANEW_PERMILLE);
        *begins += u32::from(does);
        does
    }
}

fn log(number: u64) -> Key {
    Key::from(format!("w{number}"))
}

fn all_logs() -> Vec<Key> {
    (1..=LOGS).map(log).collect()
}

impl Generator for WatchGenerator {
    fn next_call(&mut self, asker: Asker) -> Call {
        if self.draw.chance(asker.role.reads_percent()) {
            return if self.begins_anew(asker.client) {
                Call::Assign { keys: all_logs() }
            } else {
                Call::Poll { keys: Vec::new() }
            };
        }
        let value = Value::Int(self.next_record);
        self.next_record += 1;
        Call::Send { key: log(self.draw.between(1, LOGS)), value }
    }

    fn observe(&mut self, _client: usize, _call: &Call, _outcome: &Outcome) {}

    /// A read of a log, so that whoever answers has everything that was sent to it, and then the whole of all logs.
    fn final_reads(&self) -> Vec<Call> {
        let reads = all_logs().into_iter().map(|key| Call::Read { key });
        reads.chain([Call::Assign { keys: all_logs() }, Call::Poll { keys: Vec::new() }]).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::Role;

    #[test]
    fn who_reads_begins_first_and_now_and_then_anew_and_no_record_is_sent_twice() {
        let mut generator = WatchGenerator::new(3);
        let (mut sent, mut begun, mut polls) = (BTreeSet::new(), [0_u32; 3], 0);
        for place in 0..6000 {
            let asker = Asker { client: place % 3, role: Role::Mixed };
            match generator.next_call(asker) {
                Call::Assign { keys } => {
                    assert_eq!(keys, all_logs());
                    begun[asker.client] += 1;
                }
                Call::Poll { keys } => {
                    assert!(keys.is_empty() && begun[asker.client] > 0, "a poll before the logs were taken up");
                    polls += 1;
                }
                Call::Send { key, value } => assert!(all_logs().contains(&key) && sent.insert(value)),
                other => panic!("{other}"),
            }
        }
        assert!(polls > 1000 && sent.len() > 1000, "{polls} polls, {} records", sent.len());
        assert!(begun.iter().all(|begun| (2..=MOST_BEGINS).contains(begun)), "{begun:?}");
    }
}
