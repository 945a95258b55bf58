//! The operation that is under way.

use rashomon_history::{Call, Outcome};

use super::{Attempts, Next};
use crate::api::{SessionUse, Unanswered};

#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) call: Call,
    pub(super) stage: Stage,
    pub(super) attempts: Attempts,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    /// A session: the call waits for it.
    OpenSession,
    /// The call.
    Call { used: Option<SessionUse> },
}

impl Operation {
    /// What was asked for is there, and the next is asked for.
    pub(super) fn begin_stage(&mut self, stage: Stage) {
        self.stage = stage;
        self.attempts.begin_anew();
    }

    /// No attempt will follow.
    pub(super) fn end(mut self, last: Unanswered) -> Next {
        let outcome = match self.stage {
            Stage::OpenSession => never_asked(&last.to_string()),
            Stage::Call { .. } => self.attempts.outcome(last),
        };
        self.attempts.done(outcome)
    }

    /// The time is up, and an attempt is open.
    pub(super) fn give_up(mut self) -> Next {
        let reason = self.attempts.why_open().unwrap_or_default();
        let outcome = match self.stage {
            Stage::OpenSession => never_asked(&reason),
            Stage::Call { .. } => Outcome::Info(reason),
        };
        self.attempts.done(outcome)
    }
}

fn never_asked(reason: &str) -> Outcome {
    Outcome::Fail(format!("no session was opened, so the command was not sent: {reason}"))
}
