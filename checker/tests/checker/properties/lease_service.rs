//! Histories of a lock service that is right, and of services that are wrong in one thing.

use std::collections::BTreeMap;
use std::time::Duration;

use rashomon_checker::properties::{Property, PropertyReport};
use rashomon_history::{Call, Key, Operation, Outcome, Returned};

use super::histories::{Tally, check, count, operation, sessions, shuffle};
use crate::source::Source;

const TTL: u64 = 20;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Bug {
    /// An acquire is granted though another holds the lock.
    GrantsTwice,
    /// A release frees the lock, whoever holds it.
    ReleasesForAnybody,
    /// Tokens begin anew.
    ForgetsTokens,
    /// An acquire by the holder gets a token of its own.
    ChangesTokens,
    /// A session is over before its time.
    ExpiresEarly,
    /// A keep-alive brings a session back.
    Revives,
    /// A hold is forgotten while its session lives.
    ForgetsHolds,
}

/// A session, by its owner.
struct Session {
    renewed: u64,
    is_over: bool,
}

struct Lock {
    owner: String,
    depth: u32,
    token: u64,
}

struct Service {
    bug: Option<Bug>,
    sessions: BTreeMap<String, Session>,
    locks: BTreeMap<Key, Lock>,
    tokens: u64,
}

impl Service {
    fn apply(&mut self, source: &mut Source, now: u64, call: &Call) -> Outcome {
        self.expire(source, now);
        let name = match call {
            Call::OpenSession { owner }
            | Call::KeepAlive { owner }
            | Call::Acquire { owner, .. }
            | Call::Release { owner, .. } => owner.to_string(),
            other => panic!("{other}"),
        };
        if let Call::OpenSession { .. } = call {
            self.sessions.insert(name, Session { renewed: now, is_over: false });
            return Outcome::Ok(Returned::Done);
        }
        let Some(session) = self.sessions.get_mut(&name) else {
            return Outcome::Fail("unknown-session: nobody opened it".into());
        };
        if session.is_over && self.bug == Some(Bug::Revives) && matches!(call, Call::KeepAlive { .. }) {
            session.is_over = false;
        }
        if session.is_over {
            return Outcome::Fail("session-expired: long ago".into());
        }
        session.renewed = now;
        match call {
            Call::Acquire { key, .. } => self.acquire(source, key, name),
            Call::Release { key, .. } => self.release(key, &name),
            _ => Outcome::Ok(Returned::Done),
        }
    }

    /// Sessions whose time is over end at any time after that.
    fn expire(&mut self, source: &mut Source, now: u64) {
        let ttl = if self.bug == Some(Bug::ExpiresEarly) { TTL / 3 } else { TTL };
        for (name, session) in &mut self.sessions {
            if now >= session.renewed + ttl && source.percent(50) {
                session.is_over = true;
                self.locks.retain(|_, lock| lock.owner != *name);
            }
        }
        if self.bug == Some(Bug::ForgetsHolds) && source.percent(10) {
            self.locks.clear();
        }
        if self.bug == Some(Bug::ForgetsTokens) && source.percent(10) {
            self.tokens = 0;
        }
    }

    fn acquire(&mut self, source: &mut Source, key: &Key, owner: String) -> Outcome {
        let breaks = source.percent(20);
        let fresh = self.tokens + 1;
        match self.locks.get_mut(key) {
            Some(lock) if lock.owner == owner => {
                lock.depth += 1;
                if self.bug == Some(Bug::ChangesTokens) {
                    self.tokens = fresh;
                    lock.token = fresh;
                }
                return Outcome::Ok(Returned::Token(lock.token));
            }
            Some(_) if self.bug != Some(Bug::GrantsTwice) || !breaks => {
                return Outcome::Fail("timeout-waiting: 1 before you".into());
            }
            Some(_) | None => {}
        }
        self.tokens = fresh;
        self.locks.insert(key.clone(), Lock { owner, depth: 1, token: fresh });
        Outcome::Ok(Returned::Token(fresh))
    }

    fn release(&mut self, key: &Key, owner: &str) -> Outcome {
        let anybody = self.bug == Some(Bug::ReleasesForAnybody);
        match self.locks.get_mut(key) {
            Some(lock) if lock.owner == owner || anybody => {
                lock.depth -= 1;
                if lock.depth == 0 {
                    self.locks.remove(key);
                }
                Outcome::Ok(Returned::Done)
            }
            _ if anybody => Outcome::Ok(Returned::Done),
            Some(_) | None => Outcome::Fail("not-held: by you".into()),
        }
    }
}

/// What clients of the service saw. Some answers are lost, and some of those commands were carried out much later, or never.
fn history(source: &mut Source, bug: Option<Bug>) -> Vec<Operation> {
    let mut opened: BTreeMap<u64, u64> = BTreeMap::new();
    let mut planned = Vec::new();
    for (process, invoked, completed) in sessions(source, 3, 36) {
        let is_new = !opened.contains_key(&process) || source.percent(6);
        *opened.entry(process).or_default() += u64::from(is_new);
        let owner = format!("p{process}-{}", opened[&process]).as_str().into();
        let key = Key::from(*source.pick(&["l", "l", "m"]));
        let call = match source.below(10) {
            _ if is_new => Call::OpenSession { owner },
            0 => Call::KeepAlive { owner },
            1..6 => Call::Acquire { key, owner, permits: 1 },
            _ => Call::Release { key, owner, permits: 1 },
        };
        let is_lost = source.percent(10);
        let applied = match is_lost {
            true if source.percent(30) => u64::MAX,
            true => invoked + source.below(60),
            false => invoked + source.below(completed - invoked + 1),
        };
        planned.push((applied, process, call, invoked, completed, is_lost));
    }
    planned.sort_by_key(|(applied, ..)| *applied);
    let mut service = Service { bug, sessions: BTreeMap::new(), locks: BTreeMap::new(), tokens: 0 };
    let mut history = Vec::new();
    for (applied, process, call, invoked, completed, is_lost) in planned {
        let answer = if applied == u64::MAX { None } else { Some(service.apply(source, applied, &call)) };
        let outcome = match answer {
            Some(outcome) if !is_lost => outcome,
            Some(_) | None => Outcome::Info("timed out".into()),
        };
        history.push(operation(process, call, outcome, invoked, completed));
    }
    shuffle(source, &mut history);
    history
}

fn held_against_leases(history: &[Operation]) -> PropertyReport {
    check(&Property::LeaseLock { ttl: Duration::from_millis(TTL), permits: 1 }, history)
}

#[test]
fn a_service_that_is_right_is_never_accused() {
    let mut source = Source::new(51);
    let mut tally = Tally::default();
    for _ in 0..60_000 {
        let history = history(&mut source, None);
        let report = held_against_leases(&history);
        assert!(!report.verdict.is_invalid(), "{history:#?}\n{report:#?}");
        tally.add(&report);
    }
    assert!(tally.valid > 30_000, "{tally:?}");
}

#[test]
fn a_service_that_is_wrong_is_found_out_by_what_is_wrong() {
    for (bug, kind) in [
        (Bug::GrantsTwice, "double-hold"),
        (Bug::ReleasesForAnybody, "foreign-release"),
        (Bug::ForgetsTokens, "token-fell"),
        (Bug::ForgetsTokens, "token-reused"),
        (Bug::ChangesTokens, "token-changed"),
        (Bug::ExpiresEarly, "expired-early"),
        (Bug::Revives, "revived-session"),
        (Bug::ForgetsHolds, "lost-hold"),
        (Bug::ForgetsHolds, "double-hold"),
    ] {
        let mut source = Source::new(52);
        let found =
            (0..2_000).filter(|_| count(&held_against_leases(&history(&mut source, Some(bug))), kind) > 0).count();
        eprintln!("{bug:?}: {kind} in {found} of 2000");
        assert!(found > 100, "{bug:?}: {kind} in {found} of 2000");
    }
}
