//! What stands above Raft: the state machine that is replicated, and how clients reach it.

use std::fmt;

use bytes::Bytes;

use crate::raft::Change;
use crate::server::{Micros, NodeId};

/// What is replicated. Every replica applies the same commands in the same order, so [`StateMachine::apply`] may depend
/// on nothing but the state, the index and the command.
pub trait StateMachine {
    /// A question that changes nothing.
    type Query: Clone + fmt::Debug;
    /// The answer to a command or a query.
    type Answer: Clone + fmt::Debug;

    /// Applies the committed command at `index` of the log.
    fn apply(&mut self, index: u64, command: &[u8]) -> Self::Answer;

    /// Answers from the state as it is.
    fn query(&self, query: &Self::Query) -> Self::Answer;

    /// The whole state, as bytes that [`StateMachine::restore`] understands.
    fn snapshot(&self) -> Bytes;

    /// Replaces the whole state.
    ///
    /// # Errors
    /// [`RestoreError`] where the bytes are no snapshot of this state machine; the state is then unchanged.
    fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError>;

    /// What this command was answered when it was applied before, where that is remembered. Only planted bugs ask, and they
    /// do so before the command is in the log; the right place to look is [`StateMachine::apply`].
    fn remembered(&self, _command: &[u8]) -> Option<Self::Answer> {
        None
    }

    /// What the other replicas do not see, and a replica that stays like them must not listen to. Only planted bugs tell.
    fn overhear(&mut self, _local: Local) {}
}

/// What one replica knows and the others do not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Local {
    /// This replica begins to lead.
    Leads,
    /// What its clock shows as it applies the next command.
    Clock(Micros),
}

/// The bytes are no snapshot of this state machine.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a snapshot of this state machine: {reason}")]
pub struct RestoreError {
    /// What is wrong.
    pub reason: String,
}

/// What a client asks of a member.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request<Q> {
    /// Replicate this command and apply it.
    Command(Bytes),
    /// Answer this query linearizably.
    Query(Q),
    /// Hand leadership to another member (thesis, 3.10).
    TransferLeadership {
        /// The member that shall lead.
        to: NodeId,
    },
    /// Add, promote or remove a member (thesis, chapter 4).
    ChangeMembership(Change),
}

/// What a client is answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Response<A> {
    /// The command was applied, or the query answered.
    Answer(A),
    /// The leadership was handed over.
    Transferred,
    /// The change of the members is committed.
    Changed,
    /// It certainly did not happen.
    Refused(Refusal),
    /// Nobody here knows, and nobody here will: a snapshot of another leader passed over the place in the log where the
    /// command stood, or this leader was removed from the cluster with the command behind it in the log.
    Unknown,
}

/// Why a request certainly did not happen and never will.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Only the leader serves; this is who it is, where known.
    NotLeader {
        /// The leader that this member believes in.
        leader: Option<NodeId>,
    },
    /// Too many requests are under way.
    Overloaded,
    /// The leadership is being handed over; ask again soon.
    Transferring,
    /// The command was in the log of a leader that lost its office, and another entry was committed in its place.
    Superseded,
    /// The leadership was not handed over in time. The chosen member may still come to lead, as any member may.
    TransferFailed {
        /// What stood in the way.
        reason: String,
    },
    /// Another change of the members is not yet committed; ask again soon.
    ChangeInProgress,
    /// The leader has committed nothing in its term yet, and may not know the last change; ask again soon.
    NotYetCommittedInTerm,
    /// The members can't be changed so.
    ChangeImpossible {
        /// What was asked for.
        change: Change,
        /// What stands in the way.
        reason: String,
    },
    /// The learner can't become a voter yet.
    LearnerBehind {
        /// Who.
        learner: NodeId,
        /// How many committed entries it is not known to hold.
        missing: u64,
        /// Whether it was heard lately.
        heard: bool,
    },
}
