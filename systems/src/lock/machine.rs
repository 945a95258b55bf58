//! The replicated state: sessions, locks, and the time of the log.

mod ending;
mod granting;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use rashomon_history::Key;
use serde::{Deserialize, Serialize};

use super::LEASE_MARGIN_PERCENT;
use super::bug::Bug;
use super::command::{Action, Answer, Command, Entry, LockRefusal, LockView, Query, SessionView};
use super::queue::{Lock, Waiter};
use super::session::{Session, SessionId};
use crate::raft::{RestoreError, StateMachine};

/// Part of the replicated state machine: the same on every replica.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LockOptions {
    /// How long a lease lasts for a client that does not ask for a longer one.
    pub ttl_ms: u64,
    /// Sessions that may be open at a time.
    pub max_sessions: usize,
    /// A planted bug.
    pub bug: Option<Bug>,
}

impl Default for LockOptions {
    fn default() -> Self {
        Self { ttl_ms: 10_000, max_sessions: 4096, bug: None }
    }
}

/// Leases, locks and queues. See the [module](super).
#[derive(Clone, Debug)]
pub struct LockMachine {
    options: LockOptions,
    state: State,
    /// What ends when, in the time of the log; follows from the state.
    ends: BTreeSet<(u64, End)>,
}

/// What a snapshot holds.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct State {
    /// The time of the log.
    now_us: u64,
    /// The last token that was given out.
    last_token: u64,
    last_session: u64,
    /// The last entry that changed more than the time.
    changed_at: u64,
    sessions: BTreeMap<SessionId, Session>,
    locks: BTreeMap<Key, Lock>,
}

/// What ends when its time has come.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum End {
    /// A session.
    Session(SessionId),
    /// The patience of an acquire that waits.
    Wait { key: Key, session: SessionId, sequence: u64 },
}

impl LockMachine {
    /// No session is open.
    #[must_use]
    pub fn new(options: LockOptions) -> Self {
        Self { options, state: State::default(), ends: BTreeSet::new() }
    }

    /// What it was told before it started.
    #[must_use]
    pub fn options(&self) -> LockOptions {
        self.options
    }

    /// The time of the log.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.state.now_us
    }

    /// The sessions that are open.
    pub fn sessions(&self) -> impl Iterator<Item = SessionId> {
        self.state.sessions.keys().copied()
    }

    /// Whether this session is open.
    #[must_use]
    pub fn is_open(&self, session: SessionId) -> bool {
        self.state.sessions.contains_key(&session)
    }

    /// Whether any session is open, so that time has to pass.
    #[must_use]
    pub fn has_sessions(&self) -> bool {
        !self.state.sessions.is_empty()
    }

    /// Whether the session holds the lock.
    #[must_use]
    pub fn holds(&self, session: SessionId, key: &Key) -> bool {
        self.state.locks.get(key).is_some_and(|lock| lock.holds.contains_key(&session))
    }

    /// Who holds the lock and waits for it.
    #[must_use]
    pub fn view(&self, key: &Key) -> LockView {
        self.state.locks.get(key).map_or_else(LockView::default, Lock::view)
    }

    /// What an acquire has come to that was answered with [`Answer::Waiting`]; `None` where nobody knows any more.
    #[must_use]
    pub fn outcome(&self, session: SessionId, sequence: u64) -> Option<Answer> {
        match self.session(session) {
            Ok(session) => session.answer(sequence).cloned(),
            Err(refusal) => Some(Answer::Refused(refusal)),
        }
    }

    /// The token of the next grant.
    pub(super) fn next_token(&self) -> u64 {
        self.state.last_token + 1
    }

    /// The commands whose answers sessions remember.
    pub(super) fn remembered_commands(&self) -> impl Iterator<Item = (SessionId, u64)> {
        self.state.sessions.iter().flat_map(|(id, session)| session.remembered().map(|sequence| (*id, sequence)))
    }

    pub(super) fn locks(&self) -> &BTreeMap<Key, Lock> {
        &self.state.locks
    }

    pub(super) fn changed_at(&self) -> u64 {
        self.state.changed_at
    }

    fn has(&self, bug: Bug) -> bool {
        self.options.bug == Some(bug)
    }

    fn session(&self, id: SessionId) -> Result<&Session, LockRefusal> {
        let over = if id.0 == 0 || id.0 > self.state.last_session {
            LockRefusal::UnknownSession
        } else {
            LockRefusal::SessionExpired
        };
        self.state.sessions.get(&id).ok_or(over)
    }

    fn carry_out(&mut self, index: u64, command: Command) -> Result<Answer, LockRefusal> {
        if let Some(session) = command.renews().filter(|session| self.is_open(*session)) {
            self.renew(session, matches!(command, Command::KeepAlive { .. }));
        }
        match command {
            Command::Advance => Ok(Answer::Advanced),
            Command::Open { ttl_ms } => self.open(index, ttl_ms),
            Command::KeepAlive { session } => {
                self.session(session).map(|session| Answer::Renewed { ttl_ms: session.ttl_us / 1000 })
            }
            Command::Close { session } => {
                self.session(session)?;
                self.end_sessions(index, vec![session]);
                Ok(Answer::Closed)
            }
            Command::InSession { session, sequence, awaiting, action } => {
                self.in_session(index, session, sequence, awaiting, action)
            }
            Command::Revoke { session } => {
                self.end_sessions(index, vec![session]);
                Ok(Answer::Advanced)
            }
            Command::RenewAll => {
                let all: Vec<SessionId> = self.sessions().collect();
                all.into_iter().for_each(|session| self.renew(session, false));
                Ok(Answer::Advanced)
            }
        }
    }

    fn open(&mut self, index: u64, ttl_ms: Option<u64>) -> Result<Answer, LockRefusal> {
        let most = self.options.max_sessions;
        if self.state.sessions.len() >= most {
            return Err(LockRefusal::TooManySessions { most: most as u64 });
        }
        let ttl_ms = ttl_ms.unwrap_or_default().max(self.options.ttl_ms);
        let unit_us = if self.has(Bug::LK07) { 1 } else { 1000 };
        let ttl_us = ttl_ms.saturating_mul(unit_us);
        let deadline_us = if self.has(Bug::LK05) { u64::MAX } else { self.lease_end(ttl_us) };
        self.state.changed_at = index;
        self.state.last_session += 1;
        let id = SessionId(self.state.last_session);
        self.state.sessions.insert(id, Session::new(ttl_us, deadline_us));
        self.ends.insert((deadline_us, End::Session(id)));
        Ok(Answer::Opened { session: id, ttl_ms })
    }

    /// When a lease that begins now ends for the service.
    fn lease_end(&self, ttl_us: u64) -> u64 {
        self.state.now_us.saturating_add(ttl_us.saturating_mul(100 + LEASE_MARGIN_PERCENT) / 100)
    }

    fn renew(&mut self, id: SessionId, is_kept_alive: bool) {
        let Some(session) = self.state.sessions.get(&id) else { return };
        let never_ends = session.deadline_us == u64::MAX;
        if never_ends && (self.has(Bug::LK06) || self.has(Bug::LK05) && !is_kept_alive) {
            return;
        }
        let deadline_us = self.lease_end(session.ttl_us);
        self.set_lease_end(id, deadline_us);
    }

    fn set_lease_end(&mut self, id: SessionId, deadline_us: u64) {
        let Some(session) = self.state.sessions.get_mut(&id) else { return };
        let before = std::mem::replace(&mut session.deadline_us, deadline_us);
        self.ends.remove(&(before, End::Session(id)));
        self.ends.insert((deadline_us, End::Session(id)));
    }

    fn in_session(
        &mut self,
        index: u64,
        id: SessionId,
        sequence: u64,
        awaiting: u64,
        action: Action,
    ) -> Result<Answer, LockRefusal> {
        if let Action::Release { key, .. } = &action
            && self.frees_for_the_dead(id)
        {
            return Ok(self.free(index, key));
        }
        self.session(id)?;
        if awaiting <= sequence {
            self.withdraw_forgotten(index, id, awaiting);
        }
        let session = self.state.sessions.get_mut(&id).expect("it was just found");
        match session.admit(sequence, awaiting)? {
            Some(answer) => {
                self.count_twice(index, id, &action, &answer);
                return Ok(answer);
            }
            None => self.state.changed_at = index,
        }
        let done = match action {
            Action::Acquire { key, permits, of, wait_us } => {
                self.acquire(index, id, sequence, key, permits, of, wait_us)
            }
            Action::Release { key, permits } => self.release(index, id, &key, permits),
        };
        let answer = done.unwrap_or_else(Answer::Refused);
        if let Some(session) = self.state.sessions.get_mut(&id) {
            session.note(sequence, answer.clone());
        }
        Ok(answer)
    }
}

impl StateMachine for LockMachine {
    type Query = Query;
    type Answer = Answer;

    fn apply(&mut self, index: u64, command: &[u8]) -> Answer {
        let Ok(Entry { by_us, command }) = postcard::from_bytes(command) else {
            return Answer::Refused(LockRefusal::Malformed);
        };
        self.state.now_us = self.state.now_us.saturating_add(by_us);
        self.end_what_is_due(index);
        self.carry_out(index, command).unwrap_or_else(Answer::Refused)
    }

    fn query(&self, query: &Query) -> Answer {
        match query {
            Query::Lock { key } => Answer::Lock(self.view(key)),
            Query::Session { session: id } => match self.session(*id) {
                Ok(session) => Answer::Session(SessionView {
                    session: *id,
                    remaining_ms: session.deadline_us.saturating_sub(self.state.now_us) / 1000,
                    locks: session.keys.iter().cloned().collect(),
                }),
                Err(refusal) => Answer::Refused(refusal),
            },
        }
    }

    fn snapshot(&self) -> Bytes {
        postcard::to_stdvec(&self.state).expect("texts and numbers encode in memory").into()
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
        let (state, rest): (State, _) = postcard::take_from_bytes(snapshot)
            .map_err(|error| RestoreError { reason: format!("the locks: {error}") })?;
        if !rest.is_empty() {
            return Err(RestoreError { reason: format!("the locks: {} bytes too many", rest.len()) });
        }
        self.ends = state.ends();
        self.state = state;
        Ok(())
    }
}

impl State {
    /// What ends when.
    fn ends(&self) -> BTreeSet<(u64, End)> {
        let sessions = self.sessions.iter().map(|(id, session)| (session.deadline_us, End::Session(*id)));
        let waits = self.locks.iter().flat_map(|(key, lock)| {
            lock.queue.iter().map(|waiter| {
                let Waiter { session, sequence, deadline_us, .. } = *waiter;
                (deadline_us, End::Wait { key: key.clone(), session, sequence })
            })
        });
        sessions.chain(waits).collect()
    }
}
