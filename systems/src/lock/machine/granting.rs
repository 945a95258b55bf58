//! How locks are granted, and given back.

use rashomon_history::Key;

use super::{End, LockMachine};
use crate::lock::bug::Bug;
use crate::lock::command::{Answer, LockRefusal};
use crate::lock::queue::{Lock, Waiter};
use crate::lock::session::SessionId;

impl LockMachine {
    #[allow(clippy::too_many_arguments, reason = "they are the fields of one command")]
    pub(super) fn acquire(
        &mut self,
        index: u64,
        id: SessionId,
        sequence: u64,
        key: Key,
        permits: u32,
        of: u32,
        wait_us: u64,
    ) -> Result<Answer, LockRefusal> {
        if permits == 0 || of == 0 {
            return Err(LockRefusal::Malformed);
        }
        let token = self.state.last_token + 1;
        let lock = self.state.locks.entry(key.clone()).or_insert_with(|| Lock::new(of));
        let checked = lock.check(id, permits, of);
        let answer = if let Err(refusal) = checked {
            Err(refusal)
        } else if lock.reenters(id) || lock.queue.is_empty() && lock.fits(permits) {
            let token = lock.take(id, permits, token);
            self.state.last_token = self.state.last_token.max(token);
            lock.version = index;
            Ok(Answer::Granted { token })
        } else if wait_us == 0 && self.options.bug != Some(Bug::LK15) {
            Ok(Answer::Busy)
        } else {
            let deadline_us = if wait_us == 0 { u64::MAX } else { self.state.now_us.saturating_add(wait_us) };
            lock.queue.push_back(Waiter { session: id, sequence, permits, deadline_us });
            lock.version = index;
            self.ends.insert((deadline_us, End::Wait { key: key.clone(), session: id, sequence }));
            Ok(if wait_us == 0 { Answer::Busy } else { Answer::Waiting { session: id, sequence } })
        };
        self.settle(id, &key);
        answer
    }

    pub(super) fn release(
        &mut self,
        index: u64,
        id: SessionId,
        key: &Key,
        permits: u32,
    ) -> Result<Answer, LockRefusal> {
        if permits == 0 {
            return Err(LockRefusal::Malformed);
        }
        if !self.holds(id, key) && self.frees_for_anyone() {
            return Ok(self.free(index, key));
        }
        let all_at_once = self.has(Bug::LK23);
        let lock = self.state.locks.get_mut(key).ok_or(LockRefusal::NotHeld { held: 0 })?;
        lock.give(id, permits)?;
        if all_at_once {
            lock.drop_hold(id);
        }
        lock.version = index;
        self.settle(id, key);
        self.wake(index, key);
        Ok(Answer::Released)
    }

    /// Grants to those who wait, in order, as far as permits are free.
    pub(super) fn wake(&mut self, index: u64, key: &Key) {
        while let Some(lock) = self.state.locks.get_mut(key)
            && let Some(first) = lock.queue.front().copied()
            && (lock.reenters(first.session) || lock.fits(first.permits))
        {
            lock.queue.pop_front();
            self.grant(index, key, first);
        }
    }

    /// Grants to one who waited and is no longer in the queue.
    pub(super) fn grant(&mut self, index: u64, key: &Key, waiter: Waiter) {
        let Waiter { session, sequence, permits, deadline_us } = waiter;
        let Some(lock) = self.state.locks.get_mut(key) else { return };
        let token = lock.take(session, permits, self.state.last_token + 1);
        lock.version = index;
        self.state.last_token = self.state.last_token.max(token);
        self.ends.remove(&(deadline_us, End::Wait { key: key.clone(), session, sequence }));
        if let Some(session) = self.state.sessions.get_mut(&session) {
            session.note(sequence, Answer::Granted { token });
        }
    }

    /// Forgets what is idle: a lock that nobody uses, and that a session has to do with a lock.
    pub(super) fn settle(&mut self, id: SessionId, key: &Key) {
        let lock = self.state.locks.get(key);
        let (is_idle, involves) = lock.map_or((true, false), |lock| (lock.is_idle(), lock.involves(id)));
        if is_idle {
            self.state.locks.remove(key);
        }
        if let Some(session) = self.state.sessions.get_mut(&id) {
            if involves {
                session.keys.insert(key.clone());
            } else {
                session.keys.remove(key);
            }
        }
    }
}
