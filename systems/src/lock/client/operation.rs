//! The operation that is under way.

use rashomon_history::{Call, Key, Outcome, Value};

use super::Used;
use crate::api::{ErrorCode, Unanswered};
use crate::client::Next;
use crate::kv::client::merge_attempts;
use crate::lock::session::SessionId;
use crate::server::{Micros, NodeId};

/// An attempt gets this part of the operation's time.
const ATTEMPTS: u64 = 5;
/// Between two attempts a client pauses for this part of the time that an attempt gets: the cluster is choosing a leader.
const PAUSES: u64 = 8;

#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) call: Call,
    pub(super) deadline: Micros,
    attempt_us: u64,
    pub(super) stage: Stage,
    pub(super) state: State,
    /// The node that was asked last.
    pub(super) node: NodeId,
    /// When it was.
    pub(super) sent_at: Micros,
    /// The node that was asked last before anyone named a leader.
    round: NodeId,
    /// A node of this round has named a leader.
    pub(super) has_followed: bool,
    /// Why the first attempt whose outcome stayed open did.
    open: Option<String>,
    /// Attempts after that one.
    more_attempts: u32,
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

#[derive(Clone, Copy, Debug)]
pub(super) enum State {
    Asking { attempt: u64, until: Micros },
    Waiting { until: Micros },
}

impl Operation {
    pub(super) fn new(call: Call, stage: Stage, node: NodeId, now: Micros, deadline: Micros) -> Self {
        Self {
            call,
            deadline,
            attempt_us: (deadline.since(now) / ATTEMPTS).max(1),
            stage,
            state: State::Waiting { until: now },
            node,
            sent_at: now,
            round: node,
            has_followed: false,
            open: None,
            more_attempts: 0,
        }
    }

    pub(super) fn waits_for(&self, attempt: u64) -> bool {
        matches!(self.state, State::Asking { attempt: current, .. } if current == attempt)
    }

    /// When the attempt or the pause is over.
    pub(super) fn due(&self) -> Micros {
        match self.state {
            State::Asking { until, .. } | State::Waiting { until } => until,
        }
    }

    /// How long an attempt that begins now may take.
    pub(super) fn attempt_until(&self, now: Micros) -> Micros {
        if self.stage.may_repeat() { now.after(self.attempt_us).min(self.deadline) } else { self.deadline }
    }

    pub(super) fn pause_until(&self, now: Micros) -> Micros {
        now.after((self.attempt_us / PAUSES).max(1)).min(self.deadline)
    }

    /// The node to ask next: of the members the next one, of resources there is only one.
    pub(super) fn next_round(&mut self, members: u16) -> NodeId {
        if !self.stage.is_for_resource() {
            self.round = NodeId(self.round.0 % members + 1);
        }
        self.has_followed = false;
        self.round
    }

    /// Notes an attempt that brought no answer. Answers whether another one may tell more.
    pub(super) fn may_ask_again(&mut self, unanswered: &Unanswered) -> bool {
        if self.open.is_some() {
            self.more_attempts += 1;
        }
        match unanswered {
            Unanswered::Open(reason) => {
                self.open.get_or_insert_with(|| reason.clone());
                self.stage.may_repeat()
            }
            Unanswered::NotSent(_) => self.open.is_some(),
            Unanswered::Refused(body) => self.open.is_some() && body.error.is_passing(),
        }
    }

    /// What was asked for is there, and the next is asked for: nothing of it can be open.
    pub(super) fn begin_stage(&mut self, stage: Stage) {
        self.stage = stage;
        self.has_followed = false;
        self.open = None;
        self.more_attempts = 0;
    }

    /// The last attempt decides, as far as those before it leave anything to decide.
    pub(super) fn end(mut self, last: Unanswered) -> (Self, Outcome) {
        let outcome = match self.open.take() {
            _ if self.stage.only_reads() || self.stage.is_decided_by(&last) => Outcome::Fail(last.to_string()),
            Some(first) if self.more_attempts > 0 => merge_attempts(Outcome::Info(first), last.into()),
            Some(_) | None => last.into(),
        };
        (self, outcome)
    }

    /// The time is up, and an attempt is open.
    pub(super) fn give_up(mut self) -> (Self, Outcome) {
        let Some(first) = self.open.take() else {
            let outcome = Outcome::Fail("the time was over before it was written; nothing was changed".into());
            return (self, outcome);
        };
        let reason = match self.more_attempts {
            0 => first,
            1 => format!("{first}; another attempt told no more"),
            more => format!("{first}; {more} more attempts told no more"),
        };
        let outcome = if self.stage.only_reads() { Outcome::Fail(reason) } else { Outcome::Info(reason) };
        (self, outcome)
    }

    pub(super) fn done(self, outcome: Outcome) -> Next {
        Next::Done { outcome, node: self.node }
    }
}
