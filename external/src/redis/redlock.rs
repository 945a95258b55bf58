//! Redlock: locks over several Redis servers that know nothing of each other.
//!
//! As published in the Redis documentation ("Distributed Locks with Redis", *The Redlock Algorithm*): note the time; set the
//! key on all servers, one after the other, with little patience for each; the lock is acquired where more than half of them
//! took it and time is left of its validity, which is its time less what this took and what clocks may drift; otherwise it is
//! deleted everywhere. To release is to delete it everywhere, and to extend is to give it more time, under the same rule of
//! more than half.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rashomon_history::Key;
use redis::{Cmd, Value};
use tokio::time::Instant;

use super::links::Links;
use super::lock::{delete, extend, set_if_free};
use crate::lock::{LockService, NotDone, Refusal};
use crate::{Future, Seat};

/// A server gets this part of the lease to answer ("if the auto-release time is 10 seconds, the timeout could be in the ~ 5-50
/// milliseconds range").
const PATIENCE_PART: u32 = 20;
const LEAST_PATIENCE: Duration = Duration::from_millis(5);
/// Clocks run so much differently, as the reference implementations have it: a hundredth, and 2 ms for the resolution of
/// expiry.
const DRIFT_PART: u32 = 100;
const DRIFT: Duration = Duration::from_millis(2);

/// The locks of one client.
pub(super) struct Redlock {
    links: Links,
    servers: Arc<[SocketAddr]>,
    ttl: Duration,
    owner: String,
    /// Until when each lock is valid.
    held: BTreeMap<Key, Instant>,
}

/// What the servers answered to one command each.
#[derive(Default)]
struct Votes {
    yes: usize,
    no: usize,
    /// Why the last one did not answer that did not.
    why: Option<String>,
}

impl Redlock {
    pub(super) fn new(seat: &Seat) -> Self {
        Self {
            links: Links::new(Arc::clone(&seat.standstill)),
            servers: Arc::clone(&seat.nodes),
            ttl: seat.ttl,
            owner: String::new(),
            held: BTreeMap::new(),
        }
    }

    fn majority(&self) -> usize {
        self.servers.len() / 2 + 1
    }

    /// Asks all servers, one after the other.
    async fn ask_all(&mut self, command: &Cmd, yes: &Value, until: Instant) -> Votes {
        let patience = (self.ttl / PATIENCE_PART).max(LEAST_PATIENCE);
        let mut votes = Votes::default();
        for server in self.servers.iter() {
            let answer = self.links.to(*server).ask(command, until.min(Instant::now() + patience)).await;
            match answer {
                Ok(answer) if answer == *yes => votes.yes += 1,
                Ok(_) => votes.no += 1,
                Err(unanswered) => votes.why = Some(unanswered.to_string()),
            }
        }
        votes
    }

    /// Until when the lock is valid, if more than half of the servers took it in time.
    fn validity(&self, since: Instant, votes: &Votes) -> Option<Instant> {
        let valid_until = since + self.ttl.saturating_sub(self.ttl / DRIFT_PART + DRIFT);
        (votes.yes >= self.majority() && Instant::now() < valid_until).then_some(valid_until)
    }

    async fn open_session(&mut self, owner: &str, until: Instant) -> Result<(), NotDone> {
        self.owner = owner.into();
        self.held.clear();
        let votes = self.ask_all(&redis::cmd("PING"), &Value::SimpleString("PONG".into()), until).await;
        if votes.yes >= self.majority() { Ok(()) } else { Err(votes.too_few(self.servers.len())) }
    }

    async fn try_lock(&mut self, lock: &Key, until: Instant) -> Result<(), NotDone> {
        let since = Instant::now();
        let votes = self.ask_all(&set_if_free(lock, &self.owner, self.ttl), &Value::Okay, until).await;
        if let Some(valid_until) = self.validity(since, &votes) {
            self.held.insert(lock.clone(), valid_until);
            return Ok(());
        }
        // Whatever some servers took, this client does not believe to have the lock.
        self.ask_all(&delete(lock, &self.owner), &Value::Int(1), Instant::now() + self.ttl).await;
        if votes.no > 0 {
            return Err(NotDone::refused(
                Refusal::Busy,
                format!("{} of {} took {lock}", votes.yes, self.servers.len()),
            ));
        }
        Err(votes.too_few(self.servers.len()))
    }

    async fn extend_all(&mut self, until: Instant) -> Result<(), NotDone> {
        let locks: Vec<Key> = self.held.keys().cloned().collect();
        for lock in locks {
            let since = Instant::now();
            let votes = self.ask_all(&extend(&lock, &self.owner, self.ttl), &Value::Int(1), until).await;
            let Some(valid_until) = self.validity(since, &votes) else {
                if votes.no < self.majority() {
                    return Err(votes.too_few(self.servers.len()));
                }
                return Err(self.lost(&lock, &votes));
            };
            self.held.insert(lock, valid_until);
        }
        Ok(())
    }

    async fn unlock(&mut self, lock: &Key, until: Instant) -> Result<(), NotDone> {
        let votes = self.ask_all(&delete(lock, &self.owner), &Value::Int(1), until).await;
        if votes.yes >= self.majority() {
            self.held.remove(lock);
            Ok(())
        } else if votes.no == self.servers.len() {
            Err(self.lost(lock, &votes))
        } else {
            // Some have deleted it or may still do so, and that may be as many as it takes for somebody else to get it.
            Err(NotDone::Open(votes.to_string(self.servers.len())))
        }
    }

    /// The session is over with its lock, as one of [`super::lock::RedisLocks`] is.
    fn lost(&mut self, lock: &Key, votes: &Votes) -> NotDone {
        self.held.clear();
        let why = format!("{} of {} do not have {lock} of this owner", votes.no, self.servers.len());
        NotDone::refused(Refusal::SessionExpired, why)
    }
}

impl Votes {
    fn too_few(&self, servers: usize) -> NotDone {
        NotDone::refused(Refusal::Other, self.to_string(servers))
    }

    fn to_string(&self, servers: usize) -> String {
        let why = self.why.as_deref().unwrap_or("all answered");
        format!("of {servers} servers {} did it and {} refused: {why}", self.yes, self.no)
    }
}

impl LockService for Redlock {
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
