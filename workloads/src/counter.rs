//! Counters: increments that tell what they came to, and reads.

use rashomon_draw::Draw;
use rashomon_history::{Call, Outcome};

use crate::rotation::Rotation;
use crate::{Asker, Generator};

const OPEN_KEYS: usize = 3;
const CALLS_A_KEY: u32 = 400;

pub(crate) struct CounterGenerator {
    draw: Draw,
    keys: Rotation,
}

impl CounterGenerator {
    pub(crate) fn new(seed: u64) -> Self {
        Self { draw: Draw::stream(seed, "calls"), keys: Rotation::new('c', OPEN_KEYS, CALLS_A_KEY) }
    }
}

impl Generator for CounterGenerator {
    fn next_call(&mut self, asker: Asker) -> Call {
        let key = self.keys.draw(&mut self.draw);
        if self.draw.chance(asker.role.reads_percent()) {
            Call::Read { key }
        } else {
            // All add the same: which of those of unknown outcome make up a difference is a hard question otherwise.
            Call::Increment { key, by: 1 }
        }
    }

    fn observe(&mut self, _client: usize, _call: &Call, _outcome: &Outcome) {}

    fn final_reads(&self) -> Vec<Call> {
        self.keys.all().map(|key| Call::Read { key }).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rashomon_history::{Key, Returned, Value};

    use super::*;
    use crate::Workload;
    use crate::play::{Store, play, verdicts};

    /// Counters that leave every hundredth outcome open.
    #[derive(Default)]
    struct Counters {
        sums: BTreeMap<Key, i64>,
        calls: u64,
        /// Forgets the increment that is answered then, counted from the first.
        forgets: Option<u64>,
    }

    impl Store for Counters {
        fn answer(&mut self, call: &Call) -> Outcome {
            self.calls += 1;
            let sum = self.sums.entry(call.key().expect("a counter").clone()).or_default();
            if let Call::Increment { by, .. } = call {
                *sum += by;
            }
            let returned = Outcome::Ok(Returned::Value(Value::Int(*sum)));
            match call {
                Call::Increment { by, .. } if self.forgets.is_some_and(|place| place <= self.calls) => {
                    *sum -= by;
                    self.forgets = None;
                    returned
                }
                Call::Increment { .. } if self.calls.is_multiple_of(100) => Outcome::Info("timed out".into()),
                _ => returned,
            }
        }
    }

    #[test]
    fn counters_are_valid_and_one_that_forgets_is_not() {
        for seed in 0..10 {
            let history = play(Workload::Counter, seed, 3000, &mut Counters::default());
            assert_eq!(verdicts(Workload::Counter, &history), [("counter", Some(false))]);
            let mut forgetful = Counters { forgets: Some(1500), ..Counters::default() };
            let history = play(Workload::Counter, seed, 3000, &mut forgetful);
            assert_eq!(verdicts(Workload::Counter, &history), [("counter", Some(true))]);
        }
    }
}
