//! One client, and what it does with its locks.

use std::collections::BTreeMap;

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
    permits: u32,
    /// The locks that it believes to hold, and how many permits of each.
    holds: BTreeMap<i64, u32>,
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
            permits: options.permits,
            holds: BTreeMap::new(),
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
            self.holds.clear();
            return Call::OpenSession { owner: self.owner() };
        }
        let owner = self.owner();
        let fate = self.draw.below(100);
        let key = |lock: i64| Key::from(format!("l{lock}"));
        let wanted = if self.permits > 1 { 1 + self.draw.below(2) as u32 } else { 1 };
        if let Some((&lock, &held)) = self.holds.last_key_value() {
            return match fate {
                0..=54 if self.permits == 1 => {
                    self.elements += 1;
                    let value = Value::from(self.elements * 100 + i64::try_from(self.number).unwrap());
                    Call::Add { key: Key::from(format!("s{lock}")), value }
                }
                0..=64 => Call::Acquire { key: key(lock), owner, permits: 1 },
                65..=69 => Call::KeepAlive { owner },
                // In order, so that nobody waits for who waits for it.
                70..=79 if lock < LOCKS => Call::Acquire { key: key(lock + 1), owner, permits: wanted },
                _ => Call::Release { key: key(lock), owner, permits: 1 + self.draw.below(held as usize) as u32 },
            };
        }
        let lock = 1 + i64::try_from(self.draw.below(LOCKS as usize)).unwrap();
        match fate {
            0..=4 => Call::Release { key: key(lock), owner, permits: 1 },
            5..=9 => Call::KeepAlive { owner },
            _ => Call::Acquire { key: key(lock), owner, permits: wanted },
        }
    }

    /// What became of its call.
    pub(super) fn heard(&mut self, now: Micros, call: &Call, outcome: &Outcome) {
        self.due = now.after(1_000 + self.draw.exponential(20_000));
        let lock_of = |key: &Key| key.as_str()[1..].parse().unwrap();
        match (call, outcome) {
            (Call::OpenSession { .. }, Outcome::Ok(_)) => self.has_session = true,
            (Call::Acquire { key, permits, .. }, Outcome::Ok(_)) => {
                *self.holds.entry(lock_of(key)).or_default() += permits;
            }
            (Call::Release { key, permits, .. }, Outcome::Ok(_)) => {
                let held = self.holds.entry(lock_of(key)).or_default();
                *held = held.saturating_sub(*permits);
                self.holds.retain(|_, held| *held > 0);
            }
            (_, Outcome::Ok(_)) => {}
            (_, Outcome::Info(_)) => self.has_session = false,
            (_, Outcome::Fail(reason)) => {
                let is_lost = ["session-expired", "unknown-session", "not-held", "lease-over", "stale-token"];
                let released_nothing = matches!(call, Call::Release { .. }) && self.holds.is_empty();
                if is_lost.iter().any(|code| reason.starts_with(code)) && !released_nothing {
                    self.has_session = false;
                }
            }
        }
    }
}
