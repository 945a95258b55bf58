//! What a client believes to hold, and for how long.

use std::collections::BTreeMap;

use rashomon_history::{Key, Outcome, Value};

use super::{LockClientOptions, Used};
use crate::lock::bug::Bug;
use crate::lock::session::SessionId;
use crate::server::Micros;

/// The session of a client.
#[derive(Clone, Debug)]
pub(super) struct Session {
    owner: Value,
    id: SessionId,
    last_sequence: u64,
    /// When the lease began.
    renewed_at: Micros,
    ttl_us: u64,
}

impl Session {
    /// A session whose lease began at `since`.
    pub(super) fn new(owner: Value, id: SessionId, since: Micros, ttl_ms: u64) -> Self {
        Self { owner, id, last_sequence: 0, renewed_at: since, ttl_us: ttl_ms.saturating_mul(1000) }
    }
}

#[derive(Clone, Debug)]
struct Hold {
    owner: Value,
    token: u64,
    permits: u32,
}

/// What a client believes.
#[derive(Clone, Debug)]
pub(super) struct Belief {
    options: LockClientOptions,
    session: Option<Session>,
    holds: BTreeMap<Key, Hold>,
}

impl Belief {
    pub(super) fn new(options: LockClientOptions) -> Self {
        Self { options, session: None, holds: BTreeMap::new() }
    }

    fn has(&self, bug: Bug) -> bool {
        self.options.bug == Some(bug)
    }

    /// Whether the client never looks at its lease.
    fn is_naive(&self) -> bool {
        !self.options.careful || self.has(Bug::LK01)
    }

    pub(super) fn open(&mut self, session: Session) {
        self.session = Some(session);
        if !self.has(Bug::LK21) {
            self.holds.clear();
        }
    }

    /// The session of this owner.
    pub(super) fn session_of(&self, owner: &Value) -> Result<SessionId, Outcome> {
        match &self.session {
            Some(session) if session.owner == *owner => Ok(session.id),
            Some(_) | None => Err(Outcome::Fail(format!("unknown-session: this client has no session {owner}"))),
        }
    }

    /// Names the next command of this owner's session. It never gets its number again.
    pub(super) fn next_command(&mut self, owner: &Value) -> Result<Used, Outcome> {
        let id = self.session_of(owner)?;
        let sequence = self.session.as_mut().map_or(1, |session| {
            session.last_sequence += 1;
            session.last_sequence
        });
        Ok(Used { session: id, sequence })
    }

    /// A command that was sent at `since` has renewed the lease.
    pub(super) fn renewed(&mut self, since: Micros) {
        if let Some(session) = &mut self.session {
            session.renewed_at = session.renewed_at.max(since);
        }
    }

    pub(super) fn granted(&mut self, key: Key, token: u64, permits: u32) {
        let Some(session) = &self.session else { return };
        let owner = session.owner.clone();
        let hold = self.holds.entry(key).or_insert(Hold { owner, token, permits: 0 });
        hold.token = token;
        hold.permits = hold.permits.saturating_add(permits);
    }

    pub(super) fn released(&mut self, key: &Key, permits: u32) {
        let Some(hold) = self.holds.get_mut(key) else { return };
        hold.permits = hold.permits.saturating_sub(permits);
        if hold.permits == 0 {
            self.holds.remove(key);
        }
    }

    /// The service says so.
    pub(super) fn session_is_over(&mut self) {
        self.session = None;
        if !self.is_naive() && !self.has(Bug::LK21) {
            self.holds.clear();
        }
    }

    /// What became of a command on this lock is open: the session is left to expire.
    pub(super) fn give_up_session(&mut self, key: &Key) {
        self.holds.remove(key);
        self.session_is_over();
    }

    /// What became of a write under this lock is open: no other is made under the same hold.
    pub(super) fn distrust(&mut self, set: &Key) {
        self.holds.remove(&lock_of(set));
    }

    /// The token under which this set may be used now.
    pub(super) fn token_for(&self, now: Micros, set: &Key) -> Result<u64, Outcome> {
        let lock = lock_of(set);
        let Some(hold) = self.holds.get(&lock) else {
            return Err(Outcome::Fail(format!("not-held: this client does not hold {lock}; {set} was not touched")));
        };
        if !self.is_naive() && self.is_lease_over(now) {
            let reason = format!("lease-over: the lease of {} is over; {set} was not touched", hold.owner);
            return Err(Outcome::Fail(reason));
        }
        Ok(hold.token)
    }

    fn is_lease_over(&self, now: Micros) -> bool {
        let Some(session) = &self.session else { return true };
        let passed_us = now.since(session.renewed_at);
        let passed_us = if self.has(Bug::LK16) { passed_us / 2 } else { passed_us };
        passed_us >= session.ttl_us
    }

    /// LK-21: the token of a hold that an earlier session had.
    pub(super) fn inherited(&mut self, lock: &Key, owner: &Value) -> Option<u64> {
        self.session_of(owner).ok()?;
        let hold = self.holds.get_mut(lock).filter(|hold| hold.owner != *owner)?;
        hold.owner = owner.clone();
        Some(hold.token)
    }
}

/// The lock that guards a set: `l3` for `s3`.
fn lock_of(set: &Key) -> Key {
    let name = set.as_str();
    let number = name.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    Key::from(format!("l{number}"))
}
