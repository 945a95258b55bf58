//! What the members tell each other, and what clients ask.

use serde::{Deserialize, Serialize};

use super::{AbortReason, Decision, Object, Op, Timestamp, TxnId};
use crate::raft;
use crate::server::NodeId;

/// What members tell each other.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Message {
    /// Within the group of coordinators.
    Raft(raft::Message),
    /// Between coordinators and shards.
    Commit(CommitMessage),
}

/// Names one execution of a transaction at a shard. A shard never gives one twice, so that what a message says of an
/// execution that was lost is not taken for another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct Stamp {
    /// The shard's life.
    pub life: u64,
    /// Counts within the life.
    pub count: u64,
}

/// What a participant answers to a prepare.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Vote {
    /// It can commit whatever happens, and will wait for the decision.
    Yes,
    /// It has changed nothing, so the decision does not concern it: it has let go of its locks (R*'s read-only vote).
    ReadOnly,
    /// It can't commit.
    No(AbortReason),
}

/// How far a participant is, for the termination protocol of three-phase commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ParticipantState {
    /// It is the coordinator, which has not decided and goes on.
    Pending,
    /// It knows nothing of the transaction.
    Unknown,
    /// It voted yes and heard no more.
    Uncertain,
    /// It was told that all voted yes.
    PreCommitted {
        /// The place in the order of commits.
        at: Timestamp,
    },
}

/// Between coordinators and shards.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum CommitMessage {
    /// Run these steps.
    Execute {
        /// The transaction.
        txn: TxnId,
        /// Those of its steps that concern this shard, in their order.
        ops: Vec<Op>,
    },
    /// They were run.
    Executed {
        /// The transaction.
        txn: TxnId,
        /// Names this execution.
        stamp: Stamp,
        /// What its reads saw, in their order.
        reads: Vec<Option<Object>>,
    },
    /// The shard has dropped the transaction, and will never vote yes.
    Refused {
        /// The transaction.
        txn: TxnId,
        /// Why.
        reason: AbortReason,
    },
    /// Vote.
    Prepare {
        /// The transaction.
        txn: TxnId,
        /// The execution that shall be committed.
        stamp: Stamp,
        /// All shards that it changes.
        participants: Vec<NodeId>,
    },
    /// The vote.
    Voted {
        /// The transaction.
        txn: TxnId,
        /// The vote.
        vote: Vote,
    },
    /// All have voted yes (three-phase commit).
    PreCommit {
        /// The transaction.
        txn: TxnId,
        /// Its place in the order of commits.
        at: Timestamp,
    },
    /// The pre-commit is durable.
    PreCommitted {
        /// The transaction.
        txn: TxnId,
    },
    /// The decision.
    Decide {
        /// The transaction.
        txn: TxnId,
        /// The decision.
        decision: Decision,
    },
    /// The decision is durable at the participant.
    Acknowledge {
        /// The transaction.
        txn: TxnId,
    },
    /// What has become of this transaction?
    Inquire {
        /// The transaction.
        txn: TxnId,
    },
    /// How far the transaction is here, where nothing is decided (three-phase commit).
    State {
        /// The transaction.
        txn: TxnId,
        /// How far.
        state: ParticipantState,
        /// Whether the participant has been down since it voted, and so may have missed what the others did.
        recovered: bool,
    },
}

/// What a client asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// Do all of this, or nothing.
    Txn(Vec<Op>),
    /// What this node has decided, as far as it remembers.
    Decisions,
}

/// What a client is answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Response {
    /// All of it happened.
    Committed {
        /// The name that the transaction got.
        txn: TxnId,
        /// What its reads saw, in their order.
        reads: Vec<Option<Object>>,
    },
    /// Nothing of it happened, nor will.
    Aborted {
        /// The name that the transaction got.
        txn: TxnId,
        /// Why.
        reason: AbortReason,
    },
    /// It was not begun.
    Refused(Refusal),
    /// Nobody here knows what became of it.
    Unknown,
    /// What this node has decided; and `prepared` where it voted yes and does not know.
    Decisions(Vec<(TxnId, &'static str)>),
}

/// Why a transaction was not begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// This node does not coordinate; this one may.
    NotCoordinator {
        /// Who does, as far as known.
        coordinator: Option<NodeId>,
    },
    /// It has too many steps.
    TooLarge {
        /// So many are allowed.
        most_ops: usize,
    },
    /// Too many transactions are under way.
    Overloaded,
}
