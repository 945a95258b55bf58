//! How sessions end and waits do.

use std::collections::BTreeSet;

use rashomon_history::Key;

use super::{End, LockMachine};
use crate::lock::bug::Bug;
use crate::lock::command::{Action, Answer};
use crate::lock::session::SessionId;

impl LockMachine {
    /// Ends all whose time has come. First everything ends and only then the locks are granted, so that nobody gets one in
    /// the same breath in which it is over.
    pub(super) fn end_what_is_due(&mut self, index: u64) {
        let mut sessions = Vec::new();
        let mut touched = BTreeSet::new();
        while let Some((at, _)) = self.ends.first()
            && *at <= self.state.now_us
            && let Some((_, end)) = self.ends.pop_first()
        {
            match end {
                End::Session(session) => sessions.push(session),
                End::Wait { key, session, sequence } => {
                    self.stop_waiting(index, &key, session, sequence);
                    touched.insert(key);
                }
            }
        }
        if sessions.is_empty() && touched.is_empty() {
            return;
        }
        self.state.changed_at = index;
        for session in sessions {
            touched.extend(self.end_session(index, session));
        }
        for key in touched {
            self.wake_after_an_end(index, &key);
        }
    }

    /// Ends these sessions, whatever their leases say.
    pub(super) fn end_sessions(&mut self, index: u64, sessions: Vec<SessionId>) {
        self.state.changed_at = index;
        let mut touched = BTreeSet::new();
        for session in sessions {
            touched.extend(self.end_session(index, session));
        }
        for key in touched {
            self.wake_after_an_end(index, &key);
        }
    }

    /// Takes a session out of everything. Answers the locks that it had to do with, to whose next nothing is granted yet.
    fn end_session(&mut self, index: u64, id: SessionId) -> BTreeSet<Key> {
        let Some(session) = self.state.sessions.remove(&id) else { return BTreeSet::new() };
        self.ends.remove(&(session.deadline_us, End::Session(id)));
        let freed = if self.has(Bug::LK20) { 1 } else { usize::MAX };
        for key in session.keys.iter().take(freed) {
            self.drop_hold(index, key, id);
            if !self.has(Bug::LK02) {
                self.drop_waits(index, key, id);
            }
        }
        session.keys
    }

    fn drop_hold(&mut self, index: u64, key: &Key, id: SessionId) {
        let leaks = self.has(Bug::LK25);
        let Some(lock) = self.state.locks.get_mut(key) else { return };
        let Some(hold) = lock.holds.get(&id) else { return };
        let permits = hold.permits.min(lock.of);
        lock.drop_hold(id);
        if leaks {
            lock.in_use += permits - 1;
        }
        lock.version = index;
    }

    fn drop_waits(&mut self, index: u64, key: &Key, id: SessionId) {
        let Some(lock) = self.state.locks.get_mut(key) else { return };
        let waiting = lock.queue.iter().filter(|waiter| waiter.session == id);
        let waiting: Vec<(u64, u64)> = waiting.map(|waiter| (waiter.sequence, waiter.deadline_us)).collect();
        for (sequence, deadline_us) in waiting {
            self.ends.remove(&(deadline_us, End::Wait { key: key.clone(), session: id, sequence }));
            self.leave(index, key, id, sequence);
        }
    }

    /// An acquire has waited for long enough: it certainly never happens.
    fn stop_waiting(&mut self, index: u64, key: &Key, id: SessionId, sequence: u64) {
        if !self.has(Bug::LK22) {
            self.leave(index, key, id, sequence);
        }
        if let Some(session) = self.state.sessions.get_mut(&id) {
            session.note(sequence, Answer::TimedOut);
        }
        self.settle(id, key);
    }

    /// Acquires for whose answer nobody waits any more leave the queue: else somebody would hold a lock and not know it.
    pub(super) fn withdraw_forgotten(&mut self, index: u64, id: SessionId, awaiting: u64) {
        let Some(session) = self.state.sessions.get(&id).filter(|session| session.forgets(awaiting)) else { return };
        if self.has(Bug::LK15) || self.has(Bug::LK22) {
            return;
        }
        for key in session.keys.clone() {
            let Some(lock) = self.state.locks.get(&key) else { continue };
            let forgotten = lock.queue.iter().filter(|waiter| waiter.session == id && waiter.sequence < awaiting);
            let forgotten: Vec<(u64, u64)> = forgotten.map(|waiter| (waiter.sequence, waiter.deadline_us)).collect();
            if forgotten.is_empty() {
                continue;
            }
            for (sequence, deadline_us) in forgotten {
                self.ends.remove(&(deadline_us, End::Wait { key: key.clone(), session: id, sequence }));
                self.leave(index, &key, id, sequence);
            }
            self.state.changed_at = index;
            self.settle(id, &key);
            self.wake(index, &key);
        }
    }

    fn leave(&mut self, index: u64, key: &Key, id: SessionId, sequence: u64) {
        let Some(lock) = self.state.locks.get_mut(key) else { return };
        let Some(place) = lock.leave(id, sequence) else { return };
        lock.version = index;
        if self.has(Bug::LK26)
            && let Some(next) = self.state.locks.get_mut(key).and_then(|lock| lock.queue.remove(place))
        {
            self.grant(index, key, next);
        }
    }

    fn wake_after_an_end(&mut self, index: u64, key: &Key) {
        let before: Vec<SessionId> = self.holders(key);
        self.wake(index, key);
        if self.has(Bug::LK06) {
            let taken_over = self.holders(key).into_iter().filter(|holder| !before.contains(holder));
            taken_over.collect::<Vec<_>>().into_iter().for_each(|holder| self.set_lease_end(holder, u64::MAX));
        }
        if self.state.locks.get(key).is_some_and(|lock| lock.is_idle()) {
            self.state.locks.remove(key);
        }
    }

    fn holders(&self, key: &Key) -> Vec<SessionId> {
        self.state.locks.get(key).map(|lock| lock.holds.keys().copied().collect()).unwrap_or_default()
    }
}

/// Planted bugs that have no place of their own.
impl LockMachine {
    /// Whether a release frees a lock that its session does not hold.
    pub(super) fn frees_for_anyone(&self) -> bool {
        self.has(Bug::LK03) || self.has(Bug::LK04)
    }

    /// Whether a release of this session frees the lock although the session is over.
    pub(super) fn frees_for_the_dead(&self, session: SessionId) -> bool {
        (self.frees_for_anyone() || self.has(Bug::LK27)) && !self.is_open(session)
    }

    /// Frees the lock, whoever holds it.
    pub(super) fn free(&mut self, index: u64, key: &Key) -> Answer {
        self.state.changed_at = index;
        for holder in self.holders(key) {
            self.drop_hold(index, key, holder);
            self.settle(holder, key);
        }
        self.wake(index, key);
        Answer::Released
    }

    /// LK-24: a retry of an acquire that was granted is counted again.
    pub(super) fn count_twice(&mut self, index: u64, id: SessionId, action: &Action, answer: &Answer) {
        if let (Action::Acquire { key, permits, .. }, Answer::Granted { token }) = (action, answer)
            && self.has(Bug::LK24)
            && let Some(lock) = self.state.locks.get_mut(key).filter(|lock| lock.reenters(id))
        {
            lock.take(id, *permits, *token);
            lock.version = index;
            self.state.changed_at = index;
        }
    }
}
