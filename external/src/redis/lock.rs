//! Locks in one Redis, or in the primary of several: keys that expire.
//!
//! The owned lock is that of the Redis documentation ("Distributed Locks with Redis", *Correct Implementation with a Single
//! Instance*): `SET NX PX` with the owner's name as the value, deleted by a script that looks at the name first. The plain one
//! is what people write who have not read it: `SETNX`, `PEXPIRE`, and `DEL` of whatever is there.
//!
//! There are no fencing tokens, and no sessions: an owner is a name, each lock has a lease of its own, and an acquire tries once. A
//! session is over when one of its locks is no longer there, as all of them would be that it had under one lease.

use std::collections::BTreeMap;
use std::time::Duration;

use rashomon_history::Key;
use redis::{Cmd, Value};
use tokio::time::Instant;

use super::calls::{Request, on, script};
use super::client::RedisClient;
use super::outcome::{Certainty, Unanswered};
use super::settings::BadSetting;
use crate::lock::{LockService, NotDone, Refusal};
use crate::{Future, Seat};

/// Deletes a lock if it is the owner's.
pub(super) const RELEASE: &str = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])";
/// Gives a lock more time if it is the owner's.
pub(super) const EXTEND: &str = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])";

/// The locks of one client.
pub(super) struct RedisLocks {
    client: RedisClient,
    is_plain: bool,
    ttl: Duration,
    owner: String,
    /// Until when each lock is held.
    held: BTreeMap<Key, Instant>,
}

impl RedisLocks {
    pub(super) fn owned(seat: &Seat) -> Result<Self, BadSetting> {
        let (client, ttl) = (RedisClient::new(seat)?, seat.ttl);
        Ok(Self { client, is_plain: false, ttl, owner: String::new(), held: BTreeMap::new() })
    }

    pub(super) fn plain(seat: &Seat) -> Result<Self, BadSetting> {
        Ok(Self { is_plain: true, ..Self::owned(seat)? })
    }

    async fn open_session(&mut self, owner: &str, until: Instant) -> Result<(), NotDone> {
        self.owner = owner.into();
        self.held.clear();
        let nothing = Key::from("rashomon-session");
        let request = Request::read(&nothing, on("GET", &nothing));
        let answer = self.client.ask(&request, until).await;
        answer.map(|_| ()).map_err(|unanswered| NotDone::refused(Refusal::Other, unanswered.to_string()))
    }

    async fn extend_all(&mut self, until: Instant) -> Result<(), NotDone> {
        let locks: Vec<Key> = self.held.keys().cloned().collect();
        for lock in locks {
            let since = Instant::now();
            let command = if self.is_plain { expire(&lock, self.ttl) } else { extend(&lock, &self.owner, self.ttl) };
            if self.write(&lock, command, until).await? != Value::Int(1) {
                return Err(self.lost(&lock));
            }
            self.held.insert(lock, since + self.ttl);
        }
        Ok(())
    }

    async fn try_lock(&mut self, lock: &Key, until: Instant) -> Result<(), NotDone> {
        let since = Instant::now();
        let is_ours = if self.is_plain {
            let mut command = on("SETNX", lock);
            command.arg(&self.owner);
            self.write(lock, command, until).await? == Value::Int(1)
        } else {
            self.write(lock, set_if_free(lock, &self.owner, self.ttl), until).await? == Value::Okay
        };
        if !is_ours {
            return Err(NotDone::refused(Refusal::Busy, format!("somebody has {lock}")));
        }
        if self.is_plain {
            // Where this fails the lock is there, and for ever: what became of the acquire is open in any case.
            let expires = self.write(lock, expire(lock, self.ttl), until).await;
            expires.map_err(|not_done| NotDone::Open(format!("{lock} was set, but not its time: {not_done}")))?;
        }
        self.held.insert(lock.clone(), since + self.ttl);
        Ok(())
    }

    async fn unlock(&mut self, lock: &Key, until: Instant) -> Result<(), NotDone> {
        let command = if self.is_plain { on("DEL", lock) } else { delete(lock, &self.owner) };
        if self.write(lock, command, until).await? != Value::Int(1) {
            return Err(self.lost(lock));
        }
        self.held.remove(lock);
        Ok(())
    }

    fn lost(&mut self, lock: &Key) -> NotDone {
        self.held.clear();
        NotDone::refused(Refusal::SessionExpired, format!("{lock} is not this owner's"))
    }

    async fn write(&mut self, lock: &Key, command: Cmd, until: Instant) -> Result<Value, NotDone> {
        self.client.ask(&Request::write(lock, command), until).await.map_err(NotDone::from)
    }
}

impl LockService for RedisLocks {
    fn open<'a>(&'a mut self, owner: &'a str, until: Instant) -> Future<'a, Result<(), NotDone>> {
        Box::pin(self.open_session(owner, until))
    }

    fn keep_alive(&mut self, until: Instant) -> Future<'_, Result<(), NotDone>> {
        Box::pin(self.extend_all(until))
    }

    fn acquire<'a>(&'a mut self, lock: &'a Key, until: Instant) -> Future<'a, Result<Option<u64>, NotDone>> {
        Box::pin(async move { self.try_lock(lock, until).await.map(|()| None) })
    }

    fn release<'a>(&'a mut self, lock: &'a Key, until: Instant) -> Future<'a, Result<(), NotDone>> {
        Box::pin(self.unlock(lock, until))
    }

    fn lease_until(&self, lock: &Key) -> Option<Instant> {
        self.held.get(lock).copied()
    }

    fn give_up(&mut self) {
        self.held.clear();
    }
}

impl From<Unanswered> for NotDone {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered.certainty() {
            Certainty::Fail => Self::refused(Refusal::Other, unanswered.to_string()),
            Certainty::Info => Self::Open(unanswered.to_string()),
        }
    }
}

pub(super) fn set_if_free(lock: &Key, owner: &str, ttl: Duration) -> Cmd {
    let mut command = on("SET", lock);
    command.arg(owner).arg("NX").arg("PX").arg(millis(ttl));
    command
}

pub(super) fn extend(lock: &Key, owner: &str, ttl: Duration) -> Cmd {
    script(EXTEND, lock, &[owner.into(), millis(ttl).to_string()])
}

pub(super) fn delete(lock: &Key, owner: &str) -> Cmd {
    script(RELEASE, lock, &[owner.into()])
}

fn expire(lock: &Key, ttl: Duration) -> Cmd {
    let mut command = on("PEXPIRE", lock);
    command.arg(millis(ttl));
    command
}

fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX)
}
