//! One server: a member of the cluster, or the guarded resource.

use rashomon_history::Key;

use super::command::{Answer, Command, Query};
use super::member::Member;
use super::resource::{Resource, ResourceAnswer, ResourceRequest};
use crate::raft::{self, Change, Message};
use crate::server::{Input, Micros, NodeId, Output, Server, Status};

/// What a server is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LockRequest {
    /// Replicate this command and apply it. An acquire is answered when it has come to something.
    Command(Command),
    /// Answer this query linearizably.
    Query(Query),
    /// Answer as [`Query::Lock`] when the version of the lock is another one, or after a while.
    Watch {
        /// The lock.
        key: Key,
        /// The version that the client knows.
        after: u64,
    },
    /// Hand leadership to another member.
    TransferLeadership {
        /// The member that shall lead.
        to: NodeId,
    },
    /// Add, promote or remove a member.
    ChangeMembership(Change),
    /// Something for the guarded resource.
    Resource(ResourceRequest),
}

/// What a client is answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LockResponse {
    /// By a member.
    Raft(raft::Response<Answer>),
    /// By the resource.
    Resource(ResourceAnswer),
    /// This server is of the other kind.
    NotHere {
        /// Whether it is the resource.
        is_resource: bool,
    },
}

/// One server of the lock service.
pub enum LockNode {
    /// A member of the cluster that keeps the locks.
    Member(Box<Member>),
    /// The resource that they guard.
    Resource(Box<Resource>),
}

impl LockNode {
    /// The member, where it is one.
    #[must_use]
    pub fn member(&self) -> Option<&Member> {
        match self {
            Self::Member(member) => Some(member),
            Self::Resource(_) => None,
        }
    }

    /// The resource, where it is that.
    #[must_use]
    pub fn resource(&self) -> Option<&Resource> {
        match self {
            Self::Member(_) => None,
            Self::Resource(resource) => Some(resource),
        }
    }
}

impl Server for LockNode {
    type Message = Message;
    type Request = LockRequest;
    type Response = LockResponse;

    fn step(
        &mut self,
        now: Micros,
        input: Input<Message, LockRequest>,
        outputs: &mut Vec<Output<Message, LockResponse>>,
    ) {
        match self {
            Self::Member(member) => member.step(now, input, outputs),
            Self::Resource(resource) => resource.step(input, outputs),
        }
    }

    fn flush(&mut self, now: Micros, outputs: &mut Vec<Output<Message, LockResponse>>) {
        match self {
            Self::Member(member) => member.flush(now, outputs),
            Self::Resource(resource) => resource.flush(outputs),
        }
    }

    fn deadline(&self) -> Micros {
        match self {
            Self::Member(member) => member.deadline(),
            Self::Resource(_) => Micros(u64::MAX),
        }
    }

    fn status(&self) -> Status {
        match self {
            Self::Member(member) => member.status(),
            Self::Resource(resource) => resource.status(),
        }
    }
}
