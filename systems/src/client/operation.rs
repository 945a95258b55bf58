//! The operation that is under way.

use rashomon_history::{Call, Outcome, Returned};

use super::Next;
use crate::api::{SessionUse, Unanswered};
use crate::kv::client::merge_attempts;
use crate::server::{Micros, NodeId};

/// An attempt that may be repeated gets this part of the operation's time.
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
    /// The node that was asked last before anyone named a leader.
    pub(super) round: NodeId,
    /// A node of this round has named a leader.
    pub(super) has_followed: bool,
    /// Why the first attempt whose outcome stayed open did.
    open: Option<String>,
    /// Attempts after that one.
    more_attempts: u32,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    /// A session: the call waits for it.
    OpenSession,
    /// The call.
    Call { used: Option<SessionUse> },
}

#[derive(Clone, Copy, Debug)]
pub(super) enum State {
    Asking { attempt: u64, until: Micros },
    Waiting { until: Micros },
}

impl Operation {
    pub(super) fn new(call: Call, stage: Stage, home: NodeId, now: Micros, deadline: Micros) -> Self {
        Self {
            call,
            deadline,
            attempt_us: (deadline.since(now) / ATTEMPTS).max(1),
            stage,
            state: State::Waiting { until: now },
            node: home,
            round: home,
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
        now.after(self.attempt_us).min(self.deadline)
    }

    pub(super) fn pause_until(&self, now: Micros) -> Micros {
        now.after((self.attempt_us / PAUSES).max(1)).min(self.deadline)
    }

    /// Notes an attempt that brought no answer. Answers whether another one may tell more.
    pub(super) fn may_ask_again(&mut self, unanswered: &Unanswered) -> bool {
        if self.open.is_some() {
            self.more_attempts += 1;
        }
        match unanswered {
            Unanswered::Open(reason) => {
                self.open.get_or_insert_with(|| reason.clone());
                true
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

    pub(super) fn answered(self, returned: Returned) -> Next {
        Next::Done { outcome: Outcome::Ok(returned), node: self.node }
    }

    /// The last attempt decides, as far as those before it leave anything to decide.
    pub(super) fn end(self, last: Unanswered) -> Next {
        let outcome = match (self.stage, self.open) {
            (Stage::OpenSession, _) => never_asked(&last.to_string()),
            (Stage::Call { .. }, Some(first)) => merge_attempts(Outcome::Info(first), last.into()),
            (Stage::Call { .. }, None) => last.into(),
        };
        Next::Done { outcome, node: self.node }
    }

    /// The time is up, and an attempt is open.
    pub(super) fn give_up(self) -> Next {
        let first = self.open.unwrap_or_default();
        let reason = match self.more_attempts {
            0 => first,
            1 => format!("{first}; another attempt told no more"),
            more => format!("{first}; {more} more attempts told no more"),
        };
        let outcome = match self.stage {
            Stage::OpenSession => never_asked(&reason),
            Stage::Call { .. } => Outcome::Info(reason),
        };
        Next::Done { outcome, node: self.node }
    }
}

fn never_asked(reason: &str) -> Outcome {
    Outcome::Fail(format!("no session was opened, so the command was not sent: {reason}"))
}
