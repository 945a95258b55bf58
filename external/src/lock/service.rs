//! What a lock service can do.

use std::fmt;

use rashomon_history::{Key, Outcome};
use tokio::time::Instant;

use crate::Future;

/// One client's way to a lock service, with at most one session at a time. Nothing is asked twice.
pub trait LockService: Send {
    /// Opens a session under this name, which nobody else uses and which is used once. What an earlier one holds is left to
    /// its lease. A service without sessions makes sure that it answers.
    fn open<'a>(&'a mut self, owner: &'a str, until: Instant) -> Future<'a, Result<(), NotDone>>;

    /// Renews the lease of the session, and so of all that it holds.
    fn keep_alive(&mut self, until: Instant) -> Future<'_, Result<(), NotDone>>;

    /// Gets a lock for the session, with a fencing token where the service has such. `Ok` says that the lease certainly lasts
    /// for its time from when this was called: so it is renewed first, where a grant does not begin it.
    ///
    /// An acquire that is open ends the session, as it may still be granted.
    fn acquire<'a>(&'a mut self, lock: &'a Key, until: Instant) -> Future<'a, Result<Option<u64>, NotDone>>;

    /// Gives a lock back. `Ok` says as much of the lease as of an acquire, where the session may hold other locks. A release
    /// that is open ends the session.
    fn release<'a>(&'a mut self, lock: &'a Key, until: Instant) -> Future<'a, Result<(), NotDone>>;

    /// Until when the session certainly has this lock, by the clock of the client and what the service promises; `None` where it
    /// knows of none.
    fn lease_until(&self, lock: &Key) -> Option<Instant>;

    /// The session is used no more, and left to expire: nothing keeps it alive from now on.
    fn give_up(&mut self);
}

/// Why something was not done, or perhaps not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotDone {
    /// Certainly not: what the service says, and why.
    Refused(Refusal, String),
    /// Nobody knows; why.
    Open(String),
}

/// What a refusal says of the session and the lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The session does not hold the lock.
    NotHeld,
    /// The session is over, and with it all that it held.
    SessionExpired,
    /// The service knows no such session.
    UnknownSession,
    /// Somebody else has the lock.
    Busy,
    /// Nothing of either: it may be asked again.
    Other,
}

impl NotDone {
    /// A refusal.
    #[must_use]
    pub fn refused(refusal: Refusal, why: impl Into<String>) -> Self {
        Self::Refused(refusal, why.into())
    }

    /// Whether it says that the session is over.
    #[must_use]
    pub fn ends_session(&self) -> bool {
        match self {
            Self::Refused(refusal, _) => match refusal {
                Refusal::SessionExpired | Refusal::UnknownSession => true,
                Refusal::NotHeld | Refusal::Busy | Refusal::Other => false,
            },
            Self::Open(_) => false,
        }
    }
}

impl Refusal {
    /// With what the reason begins, for the workloads and checks that read it.
    fn code(self) -> Option<&'static str> {
        match self {
            Self::NotHeld => Some("not-held"),
            Self::SessionExpired => Some("session-expired"),
            Self::UnknownSession => Some("unknown-session"),
            Self::Busy => Some("busy"),
            Self::Other => None,
        }
    }
}

impl From<NotDone> for Outcome {
    fn from(not_done: NotDone) -> Self {
        let reason = not_done.to_string();
        match not_done {
            NotDone::Refused(..) => Self::Fail(reason),
            NotDone::Open(_) => Self::Info(reason),
        }
    }
}

impl fmt::Display for NotDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal, why) => match refusal.code() {
                Some(code) => write!(f, "{code}: {why}"),
                None => f.write_str(why),
            },
            Self::Open(why) => f.write_str(why),
        }
    }
}
