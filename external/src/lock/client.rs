//! One client of a lock service and of the store that its locks guard.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rashomon_history::{Call, Key, Outcome, Returned, Value};
use tokio::time::{Instant, sleep};

use super::belief::Belief;
use super::resource::Resource;
use super::service::{LockService, NotDone, Refusal};
use crate::{Client, Future, Seat, StandStill};

/// How long a client works between reading a guarded set and writing it, where the setting `work_ms` does not say so: what a
/// lock is there for.
pub(super) const WORK: Duration = Duration::from_millis(2);

/// One client. See the [module](super).
pub struct LockClient<S> {
    service: S,
    belief: Belief,
    resource: Resource,
    fencing: bool,
    work: Duration,
    standstill: Arc<dyn StandStill>,
}

fn work_of(seat: &Seat) -> Duration {
    seat.settings.get("work_ms").and_then(|text| text.parse().ok()).map_or(WORK, Duration::from_millis)
}

impl<S: LockService> LockClient<S> {
    /// A client that sits there and speaks to this service, and to the store at `resource`.
    ///
    /// # Errors
    /// The HTTP client could not be set up.
    pub fn new(service: S, seat: &Seat, resource: SocketAddr) -> Result<Self, reqwest::Error> {
        Ok(Self {
            service,
            belief: Belief::new(seat.careful),
            resource: Resource::new(resource, Arc::clone(&seat.standstill))?,
            fencing: seat.fencing,
            work: work_of(seat),
            standstill: Arc::clone(&seat.standstill),
        })
    }

    async fn outcome(&mut self, call: &Call, until: Instant) -> Outcome {
        match call {
            Call::OpenSession { owner } => self.open(owner, until).await,
            Call::KeepAlive { owner } => self.keep_alive(owner, until).await,
            Call::Acquire { key, owner, permits: 1 } => self.acquire(key, owner, until).await,
            Call::Release { key, owner, permits: 1 } => self.release(key, owner, until).await,
            Call::Read { key } => match self.resource.read(key, None, until).await {
                Ok(elements) => Outcome::Ok(Returned::List(elements)),
                Err(unanswered) => Outcome::Fail(unanswered.to_string()),
            },
            Call::Add { key, value } => self.add(key, value, until).await,
            Call::Acquire { .. }
            | Call::Release { .. }
            | Call::Write { .. }
            | Call::Cas { .. }
            | Call::Append { .. }
            | Call::Remove { .. }
            | Call::Contains { .. }
            | Call::Delete { .. }
            | Call::Increment { .. }
            | Call::Enqueue { .. }
            | Call::Dequeue { .. }
            | Call::Drain { .. }
            | Call::Generate { .. }
            | Call::Transfer { .. }
            | Call::Send { .. }
            | Call::Poll { .. }
            | Call::Assign { .. }
            | Call::Txn { .. } => Outcome::Fail("the lock service has no such call; it was not asked".into()),
        }
    }

    async fn open(&mut self, owner: &Value, until: Instant) -> Outcome {
        self.service.give_up();
        let name = match owner {
            Value::Text(name) => name.as_str().to_owned(),
            Value::Nil | Value::Int(_) => owner.to_string(),
        };
        let opened = self.service.open(&name, until).await;
        self.standstill.pass().await;
        match opened {
            Ok(()) => self.belief.open(owner.clone()),
            Err(not_done) => return not_done.into(),
        }
        Outcome::Ok(Returned::Done)
    }

    async fn keep_alive(&mut self, owner: &Value, until: Instant) -> Outcome {
        if let Err(not_done) = self.belief.has_session(owner) {
            return not_done.into();
        }
        let renewed = self.service.keep_alive(until).await;
        self.standstill.pass().await;
        match renewed {
            Ok(()) => Outcome::Ok(Returned::Done),
            Err(not_done) => self.refused(not_done),
        }
    }

    async fn acquire(&mut self, lock: &Key, owner: &Value, until: Instant) -> Outcome {
        if let Err(not_done) = self.belief.has_session(owner) {
            return not_done.into();
        }
        let granted = self.service.acquire(lock, until).await;
        self.standstill.pass().await;
        match granted {
            Ok(token) => {
                self.belief.granted(lock, token);
                Outcome::Ok(token.map_or(Returned::Done, Returned::Token))
            }
            Err(not_done) => self.refused_on(lock, not_done),
        }
    }

    async fn release(&mut self, lock: &Key, owner: &Value, until: Instant) -> Outcome {
        if let Err(not_done) = self.belief.has_session(owner) {
            return not_done.into();
        }
        let released = self.service.release(lock, until).await;
        self.standstill.pass().await;
        match released {
            Ok(()) => {
                self.belief.released(lock);
                Outcome::Ok(Returned::Done)
            }
            Err(not_done) => self.refused_on(lock, not_done),
        }
    }

    /// A command on this lock has no good end. Where its outcome is open, so is what the client holds.
    fn refused_on(&mut self, lock: &Key, not_done: NotDone) -> Outcome {
        match &not_done {
            NotDone::Refused(Refusal::NotHeld, _) => self.belief.released(lock),
            NotDone::Refused(..) => {}
            NotDone::Open(_) => {
                self.belief.give_up_session(lock);
                self.service.give_up();
            }
        }
        self.refused(not_done)
    }

    fn refused(&mut self, not_done: NotDone) -> Outcome {
        if not_done.ends_session() {
            self.belief.session_is_over();
            self.service.give_up();
        }
        not_done.into()
    }

    /// Puts an element into a guarded set: reads it, works, and writes it with one more.
    async fn add(&mut self, set: &Key, element: &Value, until: Instant) -> Outcome {
        let token = match self.belief.hold_for(set, &self.service) {
            Ok(hold) => hold.token,
            Err(reason) => return Outcome::Fail(reason),
        };
        let mut elements = match self.resource.read(set, token, until).await {
            Ok(elements) => elements,
            Err(unanswered) => return Outcome::Fail(unanswered.to_string()),
        };
        if !elements.contains(element) {
            elements.push(element.clone());
        }
        sleep(self.work).await;
        self.standstill.pass().await;
        if Instant::now() >= until {
            return Outcome::Fail("the time was over before it was written; nothing was changed".into());
        }
        if let Err(reason) = self.belief.hold_for(set, &self.service) {
            return Outcome::Fail(reason);
        }
        match self.resource.write(set, token, &elements, until).await {
            Ok(version) => {
                let by_token = token.filter(|_| self.fencing).map_or(Returned::Done, Returned::Token);
                Outcome::Ok(Returned::Versioned { version, returned: Box::new(by_token) })
            }
            Err(unanswered) => {
                let outcome = Outcome::from(unanswered);
                if matches!(outcome, Outcome::Info(_)) {
                    self.belief.distrust(set);
                }
                outcome
            }
        }
    }
}

impl<S: LockService> Client for LockClient<S> {
    fn call<'a>(&'a mut self, call: &'a Call, until: Instant) -> Future<'a, Outcome> {
        Box::pin(self.outcome(call, until))
    }
}
