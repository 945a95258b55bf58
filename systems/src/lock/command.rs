//! What stands in the log of the lock service, and what it is answered.

use bytes::Bytes;
use rashomon_history::Key;
use serde::{Deserialize, Serialize};

use super::session::SessionId;

/// One entry of the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// How much time passed since the entry before, by the clock of the leader that proposed this one.
    pub by_us: u64,
    /// What shall happen after that time.
    pub command: Command,
}

impl Entry {
    /// As it stands in the log.
    ///
    /// # Panics
    /// Never: texts and numbers always encode.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        postcard::to_extend(self, Vec::with_capacity(48)).expect("texts and numbers encode in memory").into()
    }
}

/// What changes the locks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Command {
    /// Nothing but that time has passed.
    Advance,
    /// Open a session.
    Open {
        /// How long its lease lasts; `None` for the usual time, which is also the shortest.
        ttl_ms: Option<u64>,
    },
    /// Renew the lease of a session.
    KeepAlive {
        /// The session.
        session: SessionId,
    },
    /// End a session: all that it holds is free.
    Close {
        /// The session.
        session: SessionId,
    },
    /// Do this once.
    InSession {
        /// The session.
        session: SessionId,
        /// The command's number in it. A retry carries the same one.
        sequence: u64,
        /// The lowest number whose answer the client still waits for.
        awaiting: u64,
        /// What shall be done.
        action: Action,
    },
    /// End a session whatever its lease says. Only planted bugs propose it.
    Revoke {
        /// The session.
        session: SessionId,
    },
    /// Let all leases begin anew. Only planted bugs propose it.
    RenewAll,
}

impl Command {
    /// The session whose lease it renews, if the session still exists.
    #[must_use]
    pub fn renews(&self) -> Option<SessionId> {
        match self {
            Self::KeepAlive { session } | Self::InSession { session, .. } => Some(*session),
            Self::Advance | Self::Open { .. } | Self::Close { .. } | Self::Revoke { .. } | Self::RenewAll => None,
        }
    }
}

/// What a session does with a lock. A lock of one permit is re-entrant: its holder may acquire it again, and must then
/// release it as often. A lock of several permits is a semaphore.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Action {
    /// Get permits, and wait for them in the queue where they are not free.
    Acquire {
        /// The lock.
        key: Key,
        /// How many.
        permits: u32,
        /// How many the lock has. All who use it at a time must agree.
        of: u32,
        /// How long to wait, in the time of the log; 0 to try only.
        wait_us: u64,
    },
    /// Give permits back.
    Release {
        /// The lock.
        key: Key,
        /// How many.
        permits: u32,
    },
}

/// A question that changes nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Query {
    /// Who holds the lock, and who waits for it?
    Lock {
        /// The lock.
        key: Key,
    },
    /// What does the session have?
    Session {
        /// The session.
        session: SessionId,
    },
}

/// What a command or a query brings back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Answer {
    /// Time has passed, or what else only the servers themselves propose has happened.
    Advanced,
    /// The session is open.
    Opened {
        /// Its name.
        session: SessionId,
        /// How long its lease lasts for its client.
        ttl_ms: u64,
    },
    /// The lease was renewed.
    Renewed {
        /// How long it lasts for its client.
        ttl_ms: u64,
    },
    /// The session is over.
    Closed,
    /// The permits are held.
    Granted {
        /// The fencing token of the hold: the same for all that is acquired until the hold is over.
        token: u64,
    },
    /// The acquire stands in the queue; no client is told this.
    Waiting {
        /// Whose it is.
        session: SessionId,
        /// Its number there.
        sequence: u64,
    },
    /// The permits were not free in time. The acquire is no longer in the queue.
    TimedOut,
    /// The permits are not free, and the client did not want to wait.
    Busy,
    /// The permits were given back.
    Released,
    /// Who holds a lock and waits for it.
    Lock(LockView),
    /// What a session has.
    Session(SessionView),
    /// Nothing happened.
    Refused(LockRefusal),
}

/// Who holds a lock and who waits for it, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct LockView {
    /// The place in the log of the last change; 0 where nobody holds it or waits.
    pub version: u64,
    /// Permits that it has; 0 where nobody holds it or waits.
    pub of: u32,
    /// The holders, by session.
    pub holders: Vec<HolderView>,
    /// Those who wait, the first one first.
    pub queue: Vec<WaiterView>,
}

/// One holder of a lock.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HolderView {
    /// The session.
    pub session: SessionId,
    /// The fencing token of the hold.
    pub token: u64,
    /// Permits held; of a re-entrant lock, how often it was acquired.
    pub permits: u32,
}

/// One who waits for a lock.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WaiterView {
    /// The session.
    pub session: SessionId,
    /// Permits wanted.
    pub permits: u32,
}

/// What a session has.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SessionView {
    /// The session.
    pub session: SessionId,
    /// What is left of its lease, for the service, in the time of the log.
    pub remaining_ms: u64,
    /// The locks that it holds or waits for.
    pub locks: Vec<Key>,
}

/// Why a command changed nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
pub enum LockRefusal {
    /// No session was opened under this number.
    #[error("no session was opened under this number")]
    UnknownSession,
    /// The session was closed, or its lease ended.
    #[error("the session is over: it was closed, or its lease ended; what it held is free")]
    SessionExpired,
    /// The client said before that it no longer waits for this sequence number.
    #[error("the session no longer waits for this sequence number")]
    StaleSequence,
    /// The client waits for too many answers.
    #[error("the session waits for too many answers; raise `awaiting`")]
    TooManyAwaited,
    /// There are too many sessions.
    #[error("{most} sessions are open, and no more may be; ask later")]
    TooManySessions {
        /// How many may be open.
        most: u64,
    },
    /// The session does not hold so much.
    #[error("the session holds {held} of it; nothing was released")]
    NotHeld {
        /// How much it holds.
        held: u32,
    },
    /// The lock will never have so many permits, or the holder has acquired it too often.
    #[error("at most {most} permits can be held; nothing was acquired")]
    TooManyPermits {
        /// How many can be had.
        most: u32,
    },
    /// Others use the lock as one of another size.
    #[error("others use it as one of {of} permits; nothing was acquired")]
    OtherSize {
        /// How many permits it has for them.
        of: u32,
    },
    /// The command makes no sense.
    #[error("the command makes no sense; nothing was changed")]
    Malformed,
}
