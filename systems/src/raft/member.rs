//! A member of a Raft cluster, whatever it replicates.

use super::{Configuration, Raft, StateMachine};
use crate::server::{NodeId, Server, Status};

/// What who looks on wants to know of a member, whatever its state machine is.
pub trait Member {
    /// Its current term.
    fn term(&self) -> u64;
    /// Whether it leads, as far as it knows.
    fn is_leader(&self) -> bool;
    /// The leader it believes in.
    fn leader(&self) -> Option<NodeId>;
    /// The members, as its log says.
    fn configuration(&self) -> &Configuration;
    /// The last entry that it knows to be committed.
    fn commit_index(&self) -> u64;
    /// The last entry that it has applied.
    fn applied_index(&self) -> u64;
    /// What it tells about itself.
    fn status(&self) -> Status;
}

impl<M: StateMachine> Member for Raft<M> {
    fn term(&self) -> u64 {
        Self::term(self)
    }

    fn is_leader(&self) -> bool {
        Self::is_leader(self)
    }

    fn leader(&self) -> Option<NodeId> {
        Self::leader(self)
    }

    fn configuration(&self) -> &Configuration {
        Self::configuration(self)
    }

    fn commit_index(&self) -> u64 {
        Self::commit_index(self)
    }

    fn applied_index(&self) -> u64 {
        Self::applied_index(self)
    }

    fn status(&self) -> Status {
        <Self as Server>::status(self)
    }
}
