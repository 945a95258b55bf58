//! The refusals that a client can meet. `docs/KV-API.md` describes each.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::HttpResponse;

/// The field `error` of a refusal. Stable: clients decide by it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorCode {
    /// The path, the query or the body makes no sense.
    BadRequest,
    /// No such path.
    NotFound,
    /// The path exists, but not with this method.
    MethodNotAllowed,
    /// The body is too large.
    TooLarge,
    /// The object is of another kind: append to a register, compare-and-set on a list.
    WrongKind,
    /// This session was never opened, or has expired.
    UnknownSession,
    /// The session is over: it was closed, or its lease ended.
    SessionExpired,
    /// The client said before that it no longer waits for this sequence number.
    StaleSequence,
    /// The client waits for too many answers of one session.
    TooManyAwaited,
    /// Too many sessions are open.
    TooManySessions,
    /// The session does not hold what it releases.
    NotHeld,
    /// The lock is held by others, and the client did not want to wait.
    Busy,
    /// The lock was not free before the client's time to wait was over.
    TimeoutWaiting,
    /// The lock never has so many permits.
    TooManyPermits,
    /// A higher fencing token was seen before.
    StaleToken,
    /// Only the leader serves, and this node is not it.
    NotLeader,
    /// The transaction was aborted; why is in the message.
    Aborted,
    /// The transaction has too many steps.
    TxnTooLarge,
    /// Too many requests are under way.
    Overloaded,
    /// The leadership is being handed over.
    Transferring,
    /// Another entry was committed in the place of this command.
    Superseded,
    /// The leadership could not be handed over.
    TransferFailed,
    /// Another change of the members is not yet committed.
    ChangeInProgress,
    /// The leader has just been elected and can't change the members yet.
    LeaderNotReady,
    /// The members can't be changed so.
    ChangeImpossible,
    /// The learner lacks too much of the log to become a voter.
    LearnerBehind,
    /// Nobody can say what became of the request: the node stopped, or lost sight of it.
    OutcomeUnknown,
}

impl ErrorCode {
    /// The status of HTTP that goes with it.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::WrongKind
            | Self::StaleSequence
            | Self::NotHeld
            | Self::Busy
            | Self::TimeoutWaiting
            | Self::TooManyPermits
            | Self::StaleToken
            | Self::Superseded
            | Self::TransferFailed
            | Self::ChangeImpossible
            | Self::Aborted => 409,
            Self::UnknownSession | Self::SessionExpired => 410,
            Self::TooLarge | Self::TxnTooLarge => 413,
            Self::NotLeader => 421,
            Self::TooManyAwaited | Self::TooManySessions => 429,
            Self::OutcomeUnknown => 500,
            Self::Overloaded
            | Self::Transferring
            | Self::ChangeInProgress
            | Self::LeaderNotReady
            | Self::LearnerBehind => 503,
        }
    }

    /// Whether the request certainly did not happen and never will.
    #[must_use]
    pub fn is_certain(self) -> bool {
        match self {
            Self::BadRequest
            | Self::NotFound
            | Self::MethodNotAllowed
            | Self::TooLarge
            | Self::WrongKind
            | Self::UnknownSession
            | Self::SessionExpired
            | Self::StaleSequence
            | Self::TooManyAwaited
            | Self::TooManySessions
            | Self::NotHeld
            | Self::Busy
            | Self::TimeoutWaiting
            | Self::TooManyPermits
            | Self::StaleToken
            | Self::NotLeader
            | Self::Overloaded
            | Self::Transferring
            | Self::Superseded
            | Self::TransferFailed
            | Self::ChangeInProgress
            | Self::LeaderNotReady
            | Self::ChangeImpossible
            | Self::LearnerBehind
            | Self::Aborted
            | Self::TxnTooLarge => true,
            Self::OutcomeUnknown => false,
        }
    }

    /// Whether another node, or the same one later, may well take what was refused.
    #[must_use]
    pub fn is_passing(self) -> bool {
        match self {
            Self::NotLeader
            | Self::Overloaded
            | Self::Transferring
            | Self::Superseded
            | Self::ChangeInProgress
            | Self::LeaderNotReady
            | Self::LearnerBehind => true,
            Self::BadRequest
            | Self::NotFound
            | Self::MethodNotAllowed
            | Self::TooLarge
            | Self::WrongKind
            | Self::UnknownSession
            | Self::SessionExpired
            | Self::StaleSequence
            | Self::TooManyAwaited
            | Self::TooManySessions
            | Self::NotHeld
            | Self::Busy
            | Self::TimeoutWaiting
            | Self::TooManyPermits
            | Self::StaleToken
            | Self::Aborted
            | Self::TxnTooLarge
            | Self::TransferFailed
            | Self::ChangeImpossible
            | Self::OutcomeUnknown => false,
        }
    }
}

/// The body of a refusal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ErrorBody {
    /// For programs.
    pub error: ErrorCode,
    /// For people.
    pub message: String,
    /// With `not-leader`: who leads, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader: Option<String>,
    /// With `not-leader`: where its clients connect, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader_address: Option<String>,
}

impl ErrorBody {
    /// A refusal that names no leader.
    #[must_use]
    pub fn new(error: ErrorCode, message: impl Into<String>) -> Self {
        Self { error, message: message.into(), leader: None, leader_address: None }
    }

    /// As a response, with the status of its code.
    #[must_use]
    pub fn into_response(self) -> HttpResponse {
        HttpResponse::json(self.error.status(), &self)
    }
}

/// For people: `superseded: a new leader put another command in the place of this one`.
impl fmt::Display for ErrorBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.serialize(&mut *f)?;
        write!(f, ": {}", self.message)
    }
}
