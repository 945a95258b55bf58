//! What clients were told, held against what locks promise.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_history::{Call, Key, Outcome, Returned, Value};

use crate::server::Micros;

/// One hold, as its client could tell.
#[derive(Clone, Debug)]
struct Hold {
    key: Key,
    owner: Value,
    token: u64,
    permits: u32,
    began_with: u32,
    from: Micros,
    /// Until then nobody else may hold it.
    until: Micros,
    /// A release was asked for: from then on it is not known to be held.
    is_given_back: bool,
    is_over: bool,
}

/// How much was seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Seen {
    pub(super) acquired: u64,
    pub(super) released: u64,
    pub(super) added: u64,
    pub(super) timed_out: u64,
    pub(super) expired: u64,
    pub(super) stale: u64,
    pub(super) lease_over: u64,
    pub(super) open: u64,
}

impl Seen {
    pub(super) fn add(&mut self, other: Self) {
        self.acquired += other.acquired;
        self.released += other.released;
        self.added += other.added;
        self.timed_out += other.timed_out;
        self.expired += other.expired;
        self.stale += other.stale;
        self.lease_over += other.lease_over;
        self.open += other.open;
    }
}

/// Everything that clients were told.
#[derive(Default)]
pub(super) struct Oracle {
    ttl_us: u64,
    of: u32,
    holds: Vec<Hold>,
    /// When the lease of each owner certainly still lasts.
    leases: BTreeMap<Value, Micros>,
    added: BTreeSet<(Key, Value)>,
    pub(super) seen: Seen,
}

impl Oracle {
    /// Locks of so many permits.
    pub(super) fn new(ttl_us: u64, of: u32) -> Self {
        Self { ttl_us, of, ..Self::default() }
    }

    /// A release was asked for: from now on others may hold the lock.
    pub(super) fn begins(&mut self, now: Micros, call: &Call) {
        let of = self.of;
        if let Call::Release { key, owner, permits } = call
            && let Some(hold) = self.open_hold(key, owner)
            && (of > 1 || hold.permits <= *permits)
        {
            // What of a semaphore stays is not counted.
            hold.until = hold.until.min(now);
            hold.is_given_back = true;
        }
    }

    fn released(&mut self, key: &Key, owner: &Value, permits: u32) {
        self.seen.released += 1;
        if let Some(hold) = self.open_hold(key, owner) {
            hold.permits = hold.permits.saturating_sub(permits);
            hold.is_over = hold.permits == 0;
        }
    }

    fn open_hold(&mut self, key: &Key, owner: &Value) -> Option<&mut Hold> {
        self.holds.iter_mut().rev().find(|hold| !hold.is_over && hold.key == *key && hold.owner == *owner)
    }

    pub(super) fn ends(&mut self, asked: Micros, now: Micros, call: &Call, outcome: &Outcome) -> Result<(), String> {
        let owner = match call {
            Call::OpenSession { owner } | Call::KeepAlive { owner } => Some(owner),
            Call::Acquire { owner, .. } | Call::Release { owner, .. } => Some(owner),
            _ => None,
        };
        match outcome {
            Outcome::Ok(_) => {
                if let Some(owner) = owner {
                    self.renewed(owner, asked);
                }
            }
            Outcome::Fail(reason) => self.failed(reason),
            Outcome::Info(_) => self.seen.open += 1,
        }
        match (call, outcome) {
            (Call::Acquire { key, owner, permits }, Outcome::Ok(Returned::Token(token))) => {
                self.acquired(asked, now, key, owner, *permits, *token)
            }
            (Call::Release { key, owner, permits }, Outcome::Ok(_)) => {
                self.released(key, owner, *permits);
                Ok(())
            }
            (Call::Add { key, value }, Outcome::Ok(_)) => {
                self.seen.added += 1;
                self.added.insert((key.clone(), value.clone()));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn failed(&mut self, reason: &str) {
        let seen = &mut self.seen;
        for (code, count) in [
            ("timeout-waiting", &mut seen.timed_out),
            ("session-expired", &mut seen.expired),
            ("stale-token", &mut seen.stale),
            ("lease-over", &mut seen.lease_over),
        ] {
            *count += u64::from(reason.starts_with(code));
        }
    }

    fn renewed(&mut self, owner: &Value, asked: Micros) {
        let until = asked.after(self.ttl_us);
        let lease = self.leases.entry(owner.clone()).or_insert(until);
        *lease = until.max(*lease);
        let until = *lease;
        let lasts = |hold: &&mut Hold| !hold.is_over && !hold.is_given_back && hold.owner == *owner;
        self.holds.iter_mut().filter(lasts).for_each(|hold| hold.until = until);
    }

    fn acquired(
        &mut self,
        asked: Micros,
        now: Micros,
        key: &Key,
        owner: &Value,
        permits: u32,
        token: u64,
    ) -> Result<(), String> {
        self.seen.acquired += 1;
        if let Some(hold) = self.open_hold(key, owner) {
            hold.permits += permits;
            let first = hold.token;
            return if first == token { Ok(()) } else { Err(format!("{owner} got {key} under {first} and {token}")) };
        }
        if let Some(other) = self.holds.iter().find(|hold| hold.token == token) {
            return Err(format!("{owner} got {key} under {token}, and {} {}", other.owner, other.key));
        }
        if let Some(later) = self.holds.iter().find(|hold| hold.from < asked && hold.token > token) {
            return Err(format!("{owner} got {token} for {key} after {} was given out", later.token));
        }
        let until = self.leases.get(owner).copied().unwrap_or(now);
        let (key, owner) = (key.clone(), owner.clone());
        self.holds.push(Hold {
            key,
            owner,
            token,
            permits,
            began_with: permits,
            from: now,
            until,
            is_given_back: false,
            is_over: false,
        });
        Ok(())
    }

    /// At the end: never more of a lock held than there is. Of a semaphore a hold counts as what it began with, until a
    /// part of it is given back.
    pub(super) fn check_exclusion(&self) -> Result<(), String> {
        let of = self.of;
        let lasts = |hold: &&Hold| hold.from < hold.until;
        for hold in self.holds.iter().filter(lasts) {
            let beside = |other: &&Hold| other.key == hold.key && other.from <= hold.from && hold.from < other.until;
            let at_a_time: Vec<&Hold> = self.holds.iter().filter(lasts).filter(beside).collect();
            let held: u32 = at_a_time.iter().map(|hold| if of == 1 { 1 } else { hold.began_with }).sum();
            if held > of {
                return Err(format!("{held} of {of} at a time: {at_a_time:?}"));
            }
        }
        Ok(())
    }

    /// At the end: what was put into a set and acknowledged is there.
    pub(super) fn check_set(&self, key: &Key, elements: &[Value]) -> Result<(), String> {
        let missing = self.added.iter().find(|(set, value)| set == key && !elements.contains(value));
        missing.map_or(Ok(()), |(set, value)| Err(format!("{value} was put into {set}, and is gone")))
    }
}
