//! Queues: unique values are put in and taken out, and at the end all queues are emptied.
//!
//! What comes out in between shows the order, and what comes out at all shows what was lost or given to two.

use rashomon_draw::Draw;
use rashomon_history::{Call, Outcome, Value};

use crate::rotation::Rotation;
use crate::{Asker, Generator, Role};

const OPEN_QUEUES: usize = 3;
/// What a dequeue of unknown outcome took is searched for, and a search takes longer the more there is to order.
const CALLS_A_QUEUE: u32 = 150;

pub(crate) struct QueueGenerator {
    draw: Draw,
    queues: Rotation,
    next_value: i64,
}

impl QueueGenerator {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            draw: Draw::stream(seed, "calls"),
            queues: Rotation::new('q', OPEN_QUEUES, CALLS_A_QUEUE),
            next_value: 1,
        }
    }
}

/// How many of a hundred calls take. Who takes writes too, so nobody only takes; and where there are as many of each
/// role, as much is taken as put, and the queues are neither long nor always empty.
fn takes_percent(role: Role) -> u32 {
    match role {
        Role::Writer => 30,
        Role::Mixed => 50,
        Role::Reader => 70,
    }
}

impl Generator for QueueGenerator {
    fn next_call(&mut self, asker: Asker) -> Call {
        let key = self.queues.draw(&mut self.draw);
        if self.draw.chance(takes_percent(asker.role)) {
            return Call::Dequeue { key };
        }
        let value = Value::Int(self.next_value);
        self.next_value += 1;
        Call::Enqueue { key, value }
    }

    fn observe(&mut self, _client: usize, _call: &Call, _outcome: &Outcome) {}

    fn final_reads(&self) -> Vec<Call> {
        self.queues.all().map(|key| Call::Drain { key }).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, VecDeque};

    use rashomon_history::{Key, Returned};

    use super::*;
    use crate::Workload;
    use crate::play::{Store, play, verdicts};

    #[derive(Clone, Copy, Debug)]
    enum Wrong {
        Nothing,
        Loses,
        GivesTwice,
        Reorders,
    }

    /// Queues that leave every hundredth outcome open, and do wrong once there is something to do it with.
    struct Queues {
        queues: BTreeMap<Key, VecDeque<Value>>,
        calls: u64,
        wrong: Wrong,
    }

    impl Queues {
        fn new(wrong: Wrong) -> Self {
            Self { queues: BTreeMap::new(), calls: 0, wrong }
        }
    }

    impl Store for Queues {
        fn answer(&mut self, call: &Call) -> Outcome {
            self.calls += 1;
            let queue = self.queues.entry(call.key().expect("a queue").clone()).or_default();
            if queue.len() >= 3 && self.calls > 1000 {
                match std::mem::replace(&mut self.wrong, Wrong::Nothing) {
                    Wrong::Nothing => {}
                    Wrong::Loses => drop(queue.pop_front()),
                    Wrong::GivesTwice => queue.push_back(queue[0].clone()),
                    Wrong::Reorders => queue.swap(0, 2),
                }
            }
            let returned = match call {
                Call::Enqueue { value, .. } => {
                    queue.push_back(value.clone());
                    Returned::Done
                }
                Call::Drain { .. } => Returned::List(queue.drain(..).collect()),
                _ => Returned::Value(queue.pop_front().unwrap_or(Value::Nil)),
            };
            let is_open = self.calls.is_multiple_of(100) && !matches!(call, Call::Drain { .. });
            if is_open { Outcome::Info("timed out".into()) } else { Outcome::Ok(returned) }
        }
    }

    #[test]
    fn queues_are_valid_and_what_is_lost_doubled_or_reordered_is_found() {
        let found =
            |seed, wrong| verdicts(Workload::Queue, &play(Workload::Queue, seed, 2000, &mut Queues::new(wrong)));
        for seed in 0..4 {
            assert_eq!(found(seed, Wrong::Nothing), [("queue", Some(false)), ("total-queue", Some(false))]);
        }
        for wrong in [Wrong::Loses, Wrong::GivesTwice, Wrong::Reorders] {
            let is_found = |seed: &u64| found(*seed, wrong).iter().any(|(_, is_broken)| *is_broken == Some(true));
            let count = (0..8).filter(is_found).count();
            // An open dequeue may have taken what was lost, and what is put in at once has no order.
            assert!(count >= 4, "{wrong:?} was found in {count} of 8 runs");
        }
    }
}
