//! One server of a commitment cluster: a coordinator, a member of a group of coordinators, or a shard.

use super::coordinator::Single;
use super::outbox::ForeignLog;
use super::participant::{LockTable, Participant};
use super::{CommitConfigError, Config, Fact, Message, Protocol, Replicated, Request, Response};
use crate::raft::{Member, RecoverError};
use crate::server::{Input, Micros, NodeId, Output, Recovered, Server, Status};

/// Why a member can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings can't work.
    #[error(transparent)]
    Config(#[from] CommitConfigError),
    /// The log is not ours.
    #[error(transparent)]
    Log(#[from] ForeignLog),
    /// The log of the group is not ours, or Raft's settings can't work.
    #[error(transparent)]
    Raft(#[from] RecoverError),
}

/// What a member is.
enum Role {
    Coordinator(Box<Single>),
    Member(Box<Replicated>),
    Shard(Box<Participant>),
}

/// One server of a commitment cluster.
pub struct CommitNode {
    id: NodeId,
    role: Role,
}

impl CommitNode {
    /// A member that goes on from what its disk holds; a new one where that is nothing.
    ///
    /// # Errors
    /// [`StartError`] where the settings can't work, or what the disk holds is not what a member of this version wrote.
    pub fn recover(config: Config, recovered: Recovered) -> Result<Self, StartError> {
        config.check()?;
        let id = config.id;
        let role = if config.shards.contains(&id) {
            Role::Shard(Box::new(Participant::recover(config, &recovered)?))
        } else {
            match config.protocol {
                Protocol::TwoPhase | Protocol::ThreePhase => {
                    Role::Coordinator(Box::new(Single::recover(config, &recovered)?))
                }
                Protocol::TwoPhaseRaft => Role::Member(Box::new(Replicated::recover(config, recovered)?)),
            }
        };
        Ok(Self { id, role })
    }

    /// What it has done in its last batch.
    #[must_use]
    pub fn facts(&self) -> &[Fact] {
        match &self.role {
            Role::Coordinator(coordinator) => coordinator.facts(),
            Role::Member(member) => member.facts(),
            Role::Shard(shard) => shard.facts(),
        }
    }

    /// The member of a Raft cluster, where it is one.
    #[must_use]
    pub fn member(&self) -> Option<&dyn Member> {
        match &self.role {
            Role::Member(member) => Some(member.raft()),
            Role::Coordinator(_) | Role::Shard(_) => None,
        }
    }

    /// The shard, where it is one.
    pub(super) fn shard(&self) -> Option<&Participant> {
        match &self.role {
            Role::Shard(shard) => Some(shard),
            Role::Coordinator(_) | Role::Member(_) => None,
        }
    }

    /// How many transactions hold locks here or wait for some.
    #[must_use]
    pub fn transactions_with_locks(&self) -> usize {
        self.shard().map(Participant::locks).map_or(0, |locks| LockTable::users(locks).count())
    }
}

impl Server for CommitNode {
    type Message = Message;
    type Request = Request;
    type Response = Response;

    fn step(&mut self, now: Micros, input: Input<Message, Request>, outputs: &mut Vec<Output<Message, Response>>) {
        match &mut self.role {
            Role::Coordinator(coordinator) => coordinator.step(now, input, outputs),
            Role::Member(member) => member.step(now, input, outputs),
            Role::Shard(shard) => shard.step(now, input, outputs),
        }
    }

    fn flush(&mut self, now: Micros, outputs: &mut Vec<Output<Message, Response>>) {
        match &mut self.role {
            Role::Coordinator(coordinator) => coordinator.flush(now, outputs),
            Role::Member(member) => member.flush(now, outputs),
            Role::Shard(shard) => shard.flush(now, outputs),
        }
    }

    fn deadline(&self) -> Micros {
        match &self.role {
            Role::Coordinator(coordinator) => coordinator.deadline(),
            Role::Member(member) => member.deadline(),
            Role::Shard(shard) => shard.deadline(),
        }
    }

    fn status(&self) -> Status {
        let node = self.id.to_string();
        match &self.role {
            Role::Coordinator(coordinator) => {
                let leader = Some(node.clone());
                Status { node, role: "coordinator".into(), term: coordinator.epoch(), leader, ..Status::default() }
            }
            Role::Member(member) => member.status(),
            Role::Shard(_) => Status { node, role: "shard".into(), ..Status::default() },
        }
    }
}
