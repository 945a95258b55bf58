//! One line of a history.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Call, Outcome, Returned};

/// A sequential client. After an `info` the process is over and its client goes on as a new process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProcessId(pub u64);

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Nanoseconds since the run began.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TimeNs(pub u64);

impl TimeNs {
    /// The same in seconds.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "for people; 2^53 ns are 104 days")]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// For people who compare times: `1.204335 s`, `1.204 s` where there is no more to it, `51 ns` below a millisecond.
    #[must_use]
    pub fn exactly(self) -> String {
        match self.0 {
            ns if ns % 1_000_000 == 0 => self.to_string(),
            ns if ns < 1_000_000 => format!("{ns} ns"),
            _ => format!("{:.6} s", self.as_secs_f64()),
        }
    }
}

impl fmt::Display for TimeNs {
    /// Seconds with milliseconds: `1.204 s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} s", self.as_secs_f64())
    }
}

/// One line of a history.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// A client asked or was answered.
    Client(ClientEvent),
    /// The nemesis did something.
    Nemesis(NemesisEvent),
}

impl Event {
    /// When it was written down.
    #[must_use]
    pub fn time(&self) -> TimeNs {
        match self {
            Self::Client(event) => event.time,
            Self::Nemesis(event) => event.time,
        }
    }
}

/// A client asked or was answered.
#[derive(Clone, PartialEq, Debug)]
pub struct ClientEvent {
    /// Position in the history, from 0.
    pub index: u64,
    /// When it was written down.
    pub time: TimeNs,
    /// Who asked.
    pub process: ProcessId,
    /// The node that was asked, where it is known.
    pub node: Option<Arc<str>>,
    /// Whether it belongs to the final reads, after all faults were healed.
    pub is_final: bool,
    /// What was asked; repeated in the completion.
    pub call: Call,
    /// Invocation or completion.
    pub kind: ClientEventKind,
}

/// Invocation or completion.
#[derive(Clone, PartialEq, Debug)]
pub enum ClientEventKind {
    /// Written down before the request is sent.
    Invoke,
    /// What became of it.
    Complete(Outcome),
}

impl ClientEventKind {
    /// What came back, of a completion with `ok`.
    #[must_use]
    pub fn returned(&self) -> Option<&Returned> {
        match self {
            Self::Complete(Outcome::Ok(returned)) => Some(returned),
            Self::Invoke | Self::Complete(Outcome::Fail(_) | Outcome::Info(_)) => None,
        }
    }
}

/// Where in its life a fault is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultPhase {
    /// It is being injected from here on.
    Begin,
    /// It was seen to bite.
    Bites,
    /// It is over.
    End,
    /// It could not be injected, or was not seen to bite.
    Failed,
}

/// The nemesis did something.
#[derive(Clone, PartialEq, Debug)]
pub struct NemesisEvent {
    /// Position in the history, from 0.
    pub index: u64,
    /// When it was written down.
    pub time: TimeNs,
    /// Which fault of the run, from 0: its begin and end carry the same number.
    pub fault: u64,
    /// The kind of the fault: `partition`, `kill`, `pause`, ...
    pub f: String,
    /// Where in its life the fault is.
    pub phase: FaultPhase,
    /// For people: who is cut off from whom, who was killed, what went wrong.
    pub detail: String,
}
