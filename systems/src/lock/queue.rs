//! One lock: who holds it, and who waits for it.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::command::{HolderView, LockRefusal, LockView, WaiterView};
use super::session::SessionId;

/// How often a holder may acquire a re-entrant lock.
const MAX_DEPTH: u32 = 65_535;

/// A lock that somebody holds or waits for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Lock {
    /// Permits that there are. A lock of one permit is re-entrant.
    pub(super) of: u32,
    /// Permits that are held.
    pub(super) in_use: u32,
    pub(super) holds: BTreeMap<SessionId, Hold>,
    pub(super) queue: VecDeque<Waiter>,
    /// The place in the log of the last change.
    pub(super) version: u64,
}

/// What one session holds of a lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Hold {
    pub(super) token: u64,
    /// Permits; of a re-entrant lock, how often it was acquired.
    pub(super) permits: u32,
}

/// An acquire that waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Waiter {
    pub(super) session: SessionId,
    /// The number of the acquire in its session.
    pub(super) sequence: u64,
    pub(super) permits: u32,
    /// Until when it waits, in the time of the log.
    pub(super) deadline_us: u64,
}

impl Lock {
    pub(super) fn new(of: u32) -> Self {
        Self { of, in_use: 0, holds: BTreeMap::new(), queue: VecDeque::new(), version: 0 }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.holds.is_empty() && self.queue.is_empty()
    }

    fn is_reentrant(&self) -> bool {
        self.of == 1
    }

    /// Whether the session holds it already, so that an acquire does not wait for others.
    pub(super) fn reenters(&self, session: SessionId) -> bool {
        self.is_reentrant() && self.holds.contains_key(&session)
    }

    /// Whether these permits can ever be had.
    pub(super) fn check(&self, session: SessionId, permits: u32, of: u32) -> Result<(), LockRefusal> {
        if self.of != of {
            return Err(LockRefusal::OtherSize { of: self.of });
        }
        let held = self.holds.get(&session).map_or(0, |hold| hold.permits);
        let most = if self.is_reentrant() { MAX_DEPTH } else { of };
        if permits > of || held.saturating_add(permits) > most {
            return Err(LockRefusal::TooManyPermits { most });
        }
        Ok(())
    }

    /// Whether so many permits are free.
    pub(super) fn fits(&self, permits: u32) -> bool {
        self.in_use.saturating_add(permits) <= self.of
    }

    /// The session holds these permits from now on, under this token where it holds none yet. Answers the token of the hold.
    pub(super) fn take(&mut self, session: SessionId, permits: u32, token: u64) -> u64 {
        if !self.reenters(session) {
            self.in_use += permits;
        }
        let hold = self.holds.entry(session).or_insert(Hold { token, permits: 0 });
        hold.permits += permits;
        hold.token
    }

    /// The session gives these permits back.
    pub(super) fn give(&mut self, session: SessionId, permits: u32) -> Result<(), LockRefusal> {
        let hold = self.holds.get_mut(&session).ok_or(LockRefusal::NotHeld { held: 0 })?;
        let held = hold.permits;
        hold.permits = held.checked_sub(permits).ok_or(LockRefusal::NotHeld { held })?;
        let is_over = hold.permits == 0;
        if is_over {
            self.holds.remove(&session);
        }
        if is_over || !self.is_reentrant() {
            self.in_use -= permits.min(self.of);
        }
        Ok(())
    }

    /// All that the session holds is free.
    pub(super) fn drop_hold(&mut self, session: SessionId) {
        if let Some(hold) = self.holds.remove(&session) {
            self.in_use = self.in_use.saturating_sub(hold.permits.min(self.of));
        }
    }

    /// The acquire leaves the queue. Answers the place where it stood.
    pub(super) fn leave(&mut self, session: SessionId, sequence: u64) -> Option<usize> {
        let place = self.queue.iter().position(|waiter| (waiter.session, waiter.sequence) == (session, sequence))?;
        self.queue.remove(place);
        Some(place)
    }

    /// Whether the session holds it or waits for it.
    pub(super) fn involves(&self, session: SessionId) -> bool {
        self.holds.contains_key(&session) || self.queue.iter().any(|waiter| waiter.session == session)
    }

    pub(super) fn view(&self) -> LockView {
        let holder = |(session, hold): (&SessionId, &Hold)| HolderView {
            session: *session,
            token: hold.token,
            permits: hold.permits,
        };
        let waiter = |waiter: &Waiter| WaiterView { session: waiter.session, permits: waiter.permits };
        LockView {
            version: self.version,
            of: self.of,
            holders: self.holds.iter().map(holder).collect(),
            queue: self.queue.iter().map(waiter).collect(),
        }
    }
}
