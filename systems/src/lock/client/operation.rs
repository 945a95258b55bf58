//! The operation that is under way.

use rashomon_history::{Call, Key, Outcome, Value};

use super::Used;
use crate::api::{ErrorCode, Unanswered};
use crate::client::{Attempts, Next};
use crate::lock::session::SessionId;
use crate::server::{Micros, NodeId};

#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) call: Call,
    pub(super) stage: Stage,
    pub(super) attempts: Attempts,
    /// When the last attempt began.
    pub(super) sent_at: Micros,
}

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    Open,
    KeepAlive {
        session: SessionId,
    },
    Acquire {
        used: Used,
        key: Key,
        permits: u32,
        of: u32,
        wait_ms: u64,
    },
    Release {
        used: Used,
        key: Key,
        permits: u32,
        of: u32,
    },
    /// LK-04: whether the session holds the lock, before it is released.
    CheckToRelease {
        used: Used,
        key: Key,
        permits: u32,
        of: u32,
    },
    Read {
        key: Key,
    },
    /// What a set holds, to put one more into it.
    ReadToAdd {
        key: Key,
        token: u64,
    },
    WriteToAdd {
        key: Key,
        token: u64,
        elements: Vec<Value>,
    },
}

impl Stage {
    pub(super) fn is_for_resource(&self) -> bool {
        match self {
            Self::Read { .. } | Self::ReadToAdd { .. } | Self::WriteToAdd { .. } => true,
            Self::Open
            | Self::KeepAlive { .. }
            | Self::Acquire { .. }
            | Self::CheckToRelease { .. }
            | Self::Release { .. } => false,
        }
    }

    /// Whether it may be asked again while an attempt is open.
    fn may_repeat(&self) -> bool {
        !matches!(self, Self::WriteToAdd { .. })
    }

    /// Whether a refusal of one attempt is the answer to all: it was decided in the log, and is remembered there.
    fn is_decided_by(&self, unanswered: &Unanswered) -> bool {
        let is_command = matches!(self, Self::Acquire { .. } | Self::Release { .. });
        let decided = |error| {
            use ErrorCode::{Busy, NotHeld, TimeoutWaiting, TooManyPermits, WrongKind};
            matches!(error, TimeoutWaiting | Busy | NotHeld | TooManyPermits | WrongKind)
        };
        is_command && matches!(unanswered, Unanswered::Refused(body) if decided(body.error))
    }

    /// Whether it certainly changes nothing.
    fn only_reads(&self) -> bool {
        matches!(self, Self::Read { .. } | Self::ReadToAdd { .. } | Self::CheckToRelease { .. })
    }
}

impl Operation {
    pub(super) fn new(call: Call, stage: Stage, node: NodeId, now: Micros, deadline: Micros) -> Self {
        Self { call, stage, attempts: Attempts::new(node, now, deadline), sent_at: now }
    }

    /// How long an attempt that begins now may take.
    pub(super) fn attempt_until(&self, now: Micros) -> Micros {
        if self.stage.may_repeat() { self.attempts.attempt_until(now) } else { self.attempts.deadline }
    }

    /// The node to ask next: of the members the next one, of resources there is only one.
    pub(super) fn next_round(&mut self, members: u16) -> NodeId {
        if self.stage.is_for_resource() { self.attempts.same_round() } else { self.attempts.next_round(members) }
    }

    /// Notes an attempt that brought no answer. Answers whether another one may tell more.
    pub(super) fn may_ask_again(&mut self, unanswered: &Unanswered) -> bool {
        self.attempts.may_ask_again(unanswered) && self.stage.may_repeat()
    }

    /// What was asked for is there, and the next is asked for.
    pub(super) fn begin_stage(&mut self, stage: Stage) {
        self.stage = stage;
        self.attempts.begin_anew();
    }

    /// No attempt will follow.
    pub(super) fn end(mut self, last: Unanswered) -> (Self, Outcome) {
        let is_certain = self.stage.only_reads() || self.stage.is_decided_by(&last);
        let outcome = if is_certain { Outcome::Fail(last.to_string()) } else { self.attempts.outcome(last) };
        (self, outcome)
    }

    /// The time is up, and an attempt is open.
    pub(super) fn give_up(mut self) -> (Self, Outcome) {
        let outcome = match self.attempts.why_open() {
            None => Outcome::Fail("the time was over before it was written; nothing was changed".into()),
            Some(reason) if self.stage.only_reads() => Outcome::Fail(reason),
            Some(reason) => Outcome::Info(reason),
        };
        (self, outcome)
    }

    pub(super) fn done(&self, outcome: Outcome) -> Next {
        self.attempts.done(outcome)
    }
}
