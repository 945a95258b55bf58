//! One client, and what it does with its locks.

use rashomon_draw::Draw;
use rashomon_history::{Call, Key, Outcome, Value};

use crate::lock::{LockClient, LockClientOptions};
use crate::server::{Micros, NodeId};
use crate::sim::Token;

/// Locks, and sets that they guard.
pub(super) const LOCKS: i64 = 2;

/// One client.
pub(super) struct Person {
    pub(super) number: u64,
    pub(super) machine: LockClient,
    draw: Draw,
    sessions: i64,
    elements: i64,
    has_session: bool,
    /// The lock that it believes to hold, and how often.
    holds: Option<(i64, u32)>,
    /// What is under way: the call, when it was asked, and whom it waits for.
    pub(super) under_way: Option<(Call, Micros)>,
    pub(super) asked: Option<(NodeId, Token, u64)>,
    /// When the machine wants to hear of the time, or the next call is made.
    pub(super) due: Micros,
    /// It stands still until then.
    pub(super) still_until: Micros,
}

impl Person {
    pub(super) fn new(number: u64, options: LockClientOptions, seed: u64) -> Self {
        let mut draw = Draw::stream(seed, &format!("person {number}"));
        Self {
            number,
            machine: LockClient::new(options),
            sessions: 0,
            elements: 0,
            has_session: false,
            holds: None,
            under_way: None,
            asked: None,
            due: Micros(draw.between(700_000, 900_000)),
            still_until: Micros(0),
            draw,
        }
    }

    fn owner(&self) -> Value {
        Value::from(&*format!("o{}-{}", self.number, self.sessions))
    }

    pub(super) fn next_call(&mut self) -> Call {
        if !self.has_session {
            self.sessions += 1;
            self.holds = None;
            return Call::OpenSession { owner: self.owner() };
        }
        let owner = self.owner();
        let fate = self.draw.below(100);
        if let Some((lock, _)) = self.holds {
            let key = Key::from(format!("l{lock}"));
            return match fate {
                0..=59 => {
                    self.elements += 1;
                    let value = Value::from(self.elements * 100 + i64::try_from(self.number).unwrap());
                    Call::Add { key: Key::from(format!("s{lock}")), value }
                }
                60..=69 => Call::Acquire { key, owner, permits: 1 },
                70..=74 => Call::KeepAlive { owner },
                _ => Call::Release { key, owner, permits: 1 },
            };
        }
        let key = Key::from(format!("l{}", 1 + self.draw.below(LOCKS as usize)));
        match fate {
            0..=4 => Call::Release { key, owner, permits: 1 },
            5..=9 => Call::KeepAlive { owner },
            _ => Call::Acquire { key, owner, permits: 1 },
        }
    }

    /// What became of its call.
    pub(super) fn heard(&mut self, now: Micros, call: &Call, outcome: &Outcome) {
        self.due = now.after(1_000 + self.draw.exponential(20_000));
        let lock_of = |key: &Key| key.as_str()[1..].parse().unwrap();
        match (call, outcome) {
            (Call::OpenSession { .. }, Outcome::Ok(_)) => self.has_session = true,
            (Call::Acquire { key, .. }, Outcome::Ok(_)) => {
                let times = self.holds.map_or(0, |(_, times)| times);
                self.holds = Some((lock_of(key), times + 1));
            }
            (Call::Release { .. }, Outcome::Ok(_)) => {
                self.holds = self.holds.filter(|(_, times)| *times > 1).map(|(lock, times)| (lock, times - 1));
            }
            (_, Outcome::Ok(_)) => {}
            (_, Outcome::Info(_)) => self.has_session = false,
            (_, Outcome::Fail(reason)) => {
                let is_lost = ["session-expired", "unknown-session", "not-held", "lease-over", "stale-token"];
                let released_nothing = matches!(call, Call::Release { .. }) && self.holds.is_none();
                if is_lost.iter().any(|code| reason.starts_with(code)) && !released_nothing {
                    self.has_session = false;
                }
            }
        }
    }
}
