//! Who sent what to whom, and when it came: the diagram of Lamport's *Time, Clocks, and the Ordering of Events* (1978).

use rashomon_history::TimeNs;
use serde::{Deserialize, Serialize};

use crate::verdict::OutcomeKind;

/// The messages of a run, or of a piece of it, with what happened at those who sent and received them.
///
/// A lane is named by its place in [`Lamport::lanes`]; what names a lane that is not there is not drawn.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Lamport {
    /// Clients and nodes, from left to right.
    pub lanes: Vec<Lane>,
    /// Messages, in any order.
    pub messages: Vec<Message>,
    /// What lasted a while on one lane.
    pub spans: Vec<Span>,
    /// What happened at a moment.
    pub marks: Vec<Mark>,
}

/// Somebody who sends and receives.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Lane {
    /// Short: `n1`, `client 3`.
    pub name: String,
    /// What else is to be known, short: `asks n2`.
    pub note: String,
}

/// A message on its way. One that came twice is two of them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Message {
    /// The lane of the sender.
    pub from: usize,
    /// When it was sent.
    pub sent: TimeNs,
    /// The lane of the receiver.
    pub to: usize,
    /// When it came; `None` where it was lost.
    pub received: Option<TimeNs>,
    /// What it is, one word that other messages share: `append`, `vote`. It decides the colour.
    pub kind: String,
    /// What stands at the arrow, short: `append 3..5`.
    pub label: String,
    /// All that is to be known, for those who point at it.
    pub detail: String,
}

/// What lasted a while on one lane.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Span {
    /// The lane.
    pub lane: usize,
    /// When it began.
    pub from: TimeNs,
    /// When it was over; `None` where it was not before the diagram ends.
    pub to: Option<TimeNs>,
    /// What it is.
    pub kind: SpanKind,
    /// What stands beside it, short; may be empty.
    pub label: String,
    /// All that is to be known, for those who point at it.
    pub detail: String,
}

/// What lasts a while.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpanKind {
    /// A client's operation, with what came of it.
    Operation(OutcomeKind),
    /// A node leads.
    Leads,
    /// A node does not run.
    Down,
    /// A node runs, but stands still.
    Paused,
}

/// What happened at a moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Mark {
    /// The lane; `None` where it concerns all.
    pub lane: Option<usize>,
    /// When.
    pub at: TimeNs,
    /// What it is.
    pub kind: MarkKind,
    /// What stands beside it, short.
    pub label: String,
    /// All that is to be known, for those who point at it.
    pub detail: String,
}

/// What happens at a moment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarkKind {
    /// A fault begins or ends.
    Fault,
    /// A node takes another role.
    Role,
    /// A server ends.
    Crash,
    /// A server starts.
    Start,
    /// An entry is committed, or applied.
    Commit,
    /// A promise is broken here.
    Violation,
}
