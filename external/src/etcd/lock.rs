//! etcd's lock service: leases, and locks that last as long as the lease that they were asked for with.
//!
//! The lock API grants to whoever asked first, by the revision in which its key was made: that is the fencing token. It
//! answers when all older keys of the lock are gone. Whether the key of the session is still there it does not look at
//! before version 3.5; so the client does, at the very revision that the answer names: etcd keeps old revisions, so that
//! this tells what was so when the lock was granted, however long ago that is. A key that was gone has revision 0, and so
//! has the token of such a grant, which the check of the locks takes for what it is.
//!
//! Neither a grant nor an unlock renews the lease, so it is renewed before each. With the setting `keepalive` (`background`)
//! it is also renewed all the time, three times in the time that it lasts, as etcd's own clients do; with `none` it is not.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rashomon_history::Key;
use serde::{Deserialize, Serialize};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use super::gateway::Gateway;
use super::outcome::{Meaning, Unanswered};
use super::settings::KeepAlive;
use super::wire::{Bytes, Header, Number, RangeResponse};
use crate::client::{Future, Seat, StandStill};
use crate::lock::{LockService, NotDone, Refusal};

/// What is asked when no time is left would be as good as not sent.
const NO_TIME: &str = "the time was over before it was asked";
/// How often a lease is renewed in the time that it lasts.
const RENEWALS: u32 = 3;
/// etcd says so of a lease that it does not know, in whatever API.
const NO_LEASE: &str = "etcdserver: requested lease not found";
/// From 3.5 on: the key of the session was gone when its turn came.
const EXPIRED: &str = "mutex: session is expired";

/// One client's way to the lock service of one member.
pub(super) struct Locks {
    member: Arc<Member>,
    ttl: Duration,
    keep_alive: KeepAlive,
    session: Option<Session>,
}

/// The member that is asked.
struct Member {
    gateway: Gateway,
    standstill: Arc<dyn StandStill>,
}

struct Session {
    lease: Lease,
    /// The locks that it asked for and was granted, and the names that etcd gave to its keys there.
    keys: Vec<(Key, Bytes)>,
    renewing: Option<AbortHandle>,
}

/// A lease, and until when it certainly lasts.
#[derive(Clone)]
struct Lease {
    id: Number,
    ttl: Duration,
    until: Arc<Mutex<Instant>>,
}

#[derive(Serialize)]
struct GrantRequest {
    #[serde(rename = "TTL")]
    ttl_s: Number,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct LeaseResponse {
    #[serde(rename = "ID")]
    id: Number,
    #[serde(rename = "TTL")]
    ttl_s: Number,
}

#[derive(Serialize)]
struct KeepAliveRequest {
    #[serde(rename = "ID")]
    id: Number,
}

/// What the gateway makes of one answer of a stream.
#[derive(Deserialize)]
struct OfStream<T> {
    result: T,
}

#[derive(Serialize)]
struct LockRequest {
    name: Bytes,
    lease: Number,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct LockResponse {
    header: Header,
    key: Bytes,
}

#[derive(Serialize)]
struct UnlockRequest {
    key: Bytes,
}

#[derive(Deserialize)]
struct UnlockResponse {}

#[derive(Serialize)]
struct RangeAtRequest {
    key: Bytes,
    revision: Number,
    serializable: bool,
}

impl Member {
    async fn ask<Q: Serialize, A: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        question: &Q,
        until: Instant,
    ) -> Result<A, Unanswered> {
        self.standstill.pass().await;
        if Instant::now() >= until {
            return Err(Unanswered::NotSent(NO_TIME.into()));
        }
        let answer = self.gateway.ask(path, question, until).await;
        self.standstill.pass().await;
        answer
    }

    /// Renews a lease once. What became of a renewal without an answer makes no difference to what is certain.
    async fn renew(&self, lease: &Lease, until: Instant) -> Result<(), NotDone> {
        self.standstill.pass().await;
        let asked = Instant::now();
        let answer = self.ask("lease/keepalive", &KeepAliveRequest { id: lease.id }, until).await;
        let OfStream::<LeaseResponse> { result } =
            answer.map_err(|unanswered| NotDone::refused(Refusal::Other, unanswered.to_string()))?;
        if result.ttl_s.0 == 0 {
            return Err(NotDone::refused(Refusal::SessionExpired, NO_LEASE));
        }
        lease.lasts_from(asked);
        Ok(())
    }

    /// The revision in which a key was made, as of an older revision; 0 where it was not there.
    async fn made_in(&self, key: &Bytes, revision: Number, until: Instant) -> Result<u64, Unanswered> {
        let range = RangeAtRequest { key: key.clone(), revision, serializable: true };
        let response: RangeResponse = self.ask("kv/range", &range, until).await?;
        Ok(response.kvs.first().map_or(0, |entry| entry.create_revision.0))
    }
}

impl Lease {
    fn new(id: Number, ttl: Duration, granted: Instant) -> Self {
        Self { id, ttl, until: Arc::new(Mutex::new(granted + ttl)) }
    }

    fn until(&self) -> Instant {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It was renewed after `asked`.
    fn lasts_from(&self, asked: Instant) {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        *until = (*until).max(asked + self.ttl);
    }
}

impl Session {
    fn stop_renewing(&mut self) {
        if let Some(renewing) = self.renewing.take() {
            renewing.abort();
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.stop_renewing();
    }
}

/// Renews until the lease is gone. Stands still with the client, as a thread of its process would.
async fn renew_for_ever(member: Arc<Member>, lease: Lease) {
    loop {
        sleep(lease.ttl / RENEWALS).await;
        let until = Instant::now() + lease.ttl;
        if member.renew(&lease, until).await.is_err_and(|not_done| not_done.ends_session()) {
            return;
        }
    }
}

impl Locks {
    pub(super) fn new(seat: &Seat, keep_alive: KeepAlive) -> Result<Self, reqwest::Error> {
        let standstill = Arc::clone(&seat.standstill);
        let member = Arc::new(Member { gateway: Gateway::new(seat.nodes[seat.home])?, standstill });
        Ok(Self { member, ttl: seat.ttl, keep_alive, session: None })
    }

    /// The session, with its lease renewed just now.
    async fn renewed(&mut self, until: Instant) -> Result<&mut Session, NotDone> {
        let Some(session) = &mut self.session else {
            return Err(NotDone::refused(Refusal::UnknownSession, "this client has no session; nothing was asked"));
        };
        self.member.renew(&session.lease, until).await?;
        Ok(session)
    }

    async fn open_session(&mut self, until: Instant) -> Result<(), NotDone> {
        // Whole seconds, and no less than was asked for.
        let ttl_s = Number(self.ttl.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX));
        let asked = Instant::now();
        let granted: LeaseResponse =
            self.member.ask("lease/grant", &GrantRequest { ttl_s }, until).await.map_err(of_command)?;
        // Longer than asked for, where the servers take longer to elect a leader.
        let lease = Lease::new(granted.id, Duration::from_secs(granted.ttl_s.0), asked);
        let renewing = match self.keep_alive {
            KeepAlive::Background => {
                Some(tokio::spawn(renew_for_ever(Arc::clone(&self.member), lease.clone())).abort_handle())
            }
            KeepAlive::None => None,
        };
        self.session = Some(Session { lease, keys: Vec::new(), renewing });
        Ok(())
    }

    async fn acquire_lock(&mut self, lock: &Key, until: Instant) -> Result<Option<u64>, NotDone> {
        let member = Arc::clone(&self.member);
        let session = self.renewed(until).await?;
        let request = LockRequest { name: lock.as_str().into(), lease: session.lease.id };
        let granted: LockResponse = member.ask("lock/lock", &request, until).await.map_err(of_command)?;
        let token = member
            .made_in(&granted.key, granted.header.revision, until)
            .await
            .map_err(|why| NotDone::Open(format!("granted, but whether the key was there is not known: {why}")))?;
        session.keys.retain(|(held, _)| held != lock);
        session.keys.push((lock.clone(), granted.key));
        Ok(Some(token))
    }

    async fn release_lock(&mut self, lock: &Key, until: Instant) -> Result<(), NotDone> {
        let member = Arc::clone(&self.member);
        let session = self.renewed(until).await?;
        let Some(place) = session.keys.iter().position(|(held, _)| held == lock) else {
            return Err(NotDone::refused(Refusal::NotHeld, format!("this session does not hold {lock}")));
        };
        let request = UnlockRequest { key: session.keys[place].1.clone() };
        let UnlockResponse {} = member.ask("lock/unlock", &request, until).await.map_err(of_command)?;
        session.keys.remove(place);
        Ok(())
    }
}

/// What it means for a command of a session that it brought no answer.
fn of_command(unanswered: Unanswered) -> NotDone {
    let why = unanswered.to_string();
    match &unanswered {
        Unanswered::NotSent(_) => NotDone::refused(Refusal::Other, why),
        Unanswered::Broken(_) | Unanswered::Late | Unanswered::Strange(_) => NotDone::Open(why),
        Unanswered::Refused(refused) if [NO_LEASE, EXPIRED].contains(&refused.message.as_str()) => {
            NotDone::refused(Refusal::SessionExpired, why)
        }
        Unanswered::Refused(refused) => match refused.meaning() {
            Meaning::Fail => NotDone::refused(Refusal::Other, why),
            Meaning::Info => NotDone::Open(why),
        },
    }
}

impl LockService for Locks {
    /// A session is a lease: etcd knows it by its number, whatever the owner's name.
    fn open<'a>(&'a mut self, _owner: &'a str, until: Instant) -> Future<'a, Result<(), NotDone>> {
        Box::pin(self.open_session(until))
    }

    fn keep_alive(&mut self, until: Instant) -> Future<'_, Result<(), NotDone>> {
        Box::pin(async move { self.renewed(until).await.map(|_| ()) })
    }

    fn acquire<'a>(&'a mut self, lock: &'a Key, until: Instant) -> Future<'a, Result<Option<u64>, NotDone>> {
        Box::pin(self.acquire_lock(lock, until))
    }

    fn release<'a>(&'a mut self, lock: &'a Key, until: Instant) -> Future<'a, Result<(), NotDone>> {
        Box::pin(self.release_lock(lock, until))
    }

    fn lease_until(&self, lock: &Key) -> Option<Instant> {
        let session = self.session.as_ref()?;
        session.keys.iter().any(|(held, _)| held == lock).then(|| session.lease.until())
    }

    fn give_up(&mut self) {
        self.session = None;
    }
}
