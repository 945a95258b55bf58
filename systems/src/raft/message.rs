//! What members tell each other.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::raft::log::{Entry, Position};

/// A message between members.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Message {
    /// The sender's current term, in every message; also in a request for pre-votes, where the candidate would stand in
    /// the term after it.
    pub term: u64,
    /// What is said.
    pub body: Body,
}

/// What is said. Requests and answers as in figure 2 and figure 13 of the paper, with the additions of the thesis.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Body {
    /// Would you vote for me in the term after mine? (Thesis 9.6.)
    RequestPreVote {
        /// The end of the candidate's log.
        last: Position,
    },
    /// The answer to a request for a pre-vote. Changes nothing at the voter.
    PreVote {
        /// The term that the candidate would stand in.
        ballot: u64,
        /// Yes or no.
        granted: bool,
    },
    /// Vote for me in this term.
    RequestVote {
        /// The end of the candidate's log.
        last: Position,
        /// The leader asked for this election (thesis 3.10), so vote even though it was just heard from.
        transfer: bool,
    },
    /// The answer to a request for a vote.
    Vote {
        /// Yes or no.
        granted: bool,
    },
    /// AppendEntries. Without entries it asks whether the logs match at `previous`.
    Append {
        /// What stands before the first of `entries`.
        previous: Position,
        /// The leader's commit index.
        commit: u64,
        /// What to append.
        entries: Vec<Entry>,
    },
    /// The sender's durable log is the leader's up to here.
    Appended {
        /// The index up to which it is.
        matched: u64,
    },
    /// The sender's log does not hold `previous` of an append.
    Conflict {
        /// The index of that `previous`.
        previous_index: u64,
        /// The last place in the sender's log where the two may agree: nothing after it is of the term of `previous` or
        /// an earlier one.
        hint: Position,
    },
    /// I lead. Carries no entries and needs no write to be answered.
    Heartbeat {
        /// The leader's commit index, as far as the receiver is known to hold the leader's log.
        commit: u64,
        /// Counts the rounds of heartbeats of this leader; a confirmed round confirms every read that came before it.
        round: u64,
    },
    /// The answer to a heartbeat.
    HeartbeatReply {
        /// The round.
        round: u64,
    },
    /// The sender's term is higher than that of the append, heartbeat or chunk which this answers.
    Stale,
    /// A piece of a snapshot.
    SnapshotChunk {
        /// Which snapshot.
        snapshot: SnapshotId,
        /// Where in it the piece begins, in bytes.
        offset: u64,
        /// The piece.
        chunk: Bytes,
    },
    /// The receiver of a snapshot holds everything before `offset`: send what comes there. 0 begins anew.
    SnapshotWanted {
        /// Which snapshot.
        snapshot: SnapshotId,
        /// In bytes.
        offset: u64,
    },
    /// Stand for election now (thesis 3.10).
    TimeoutNow,
}

impl Body {
    /// Whether this answers a message, rather than asks for something.
    pub(super) fn is_answer(&self) -> bool {
        match self {
            Self::PreVote { .. }
            | Self::Vote { .. }
            | Self::Appended { .. }
            | Self::Conflict { .. }
            | Self::HeartbeatReply { .. }
            | Self::Stale
            | Self::SnapshotWanted { .. } => true,
            Self::RequestPreVote { .. }
            | Self::RequestVote { .. }
            | Self::Append { .. }
            | Self::Heartbeat { .. }
            | Self::SnapshotChunk { .. }
            | Self::TimeoutNow => false,
        }
    }
}

/// Tells one snapshot from another, so that a piece of one never ends up in another, and an interrupted transfer goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SnapshotId {
    /// The last entry that is in the snapshot.
    pub position: Position,
    /// Its length in bytes.
    pub bytes: u64,
    /// CRC-32 of all of it.
    pub crc: u32,
}
