//! What no client can see: the promises of the lock service, checked while a cluster runs.
//!
//! A simulation tells [`LockInvariants`] what happens, as it tells [`crate::raft::Invariants`], which look on as well. Every
//! committed entry is applied once more to a state machine of the observer's own (with the planted bug of the members, so
//! that what is found is what it does, and not that it is there). What each entry changes is held against the rules:
//!
//! - tokens are unique and grow over all grants;
//! - a hold ends by a release of its session, or with its session, and one release gives back what it says;
//! - who waits is granted in order;
//! - a retry changes nothing;
//! - a lease does not end before its time is over for the world, and not long after it, as far as the service was at work.
//!
//! The state of every member is looked at as well: no more is held than there is, holders and waiters have sessions that are
//! open, and who waits was not told otherwise. And the guarded resource, whose records are seen when they are durable, never
//! accepts a token below one that it has accepted before.

mod guard;
mod leases;
mod rules;
mod shape;

use std::collections::BTreeMap;

use super::command::Entry;
use super::machine::{LockMachine, LockOptions};
use super::server::LockNode;
use crate::raft::{self, Message, Payload, StateMachine};
use crate::server::{Micros, NodeId, Write, WriteId};
use crate::sim::Observer;
use guard::Guard;
use leases::Leases;
use rules::Broken;
use shape::Shape;

/// Looks on while a cluster runs. See the [module](self).
pub struct LockInvariants {
    raft: raft::Invariants<LockMachine>,
    replica: LockMachine,
    /// The replica after the last entry that changed more than the time.
    shape: Shape,
    applied_index: u64,
    highest_token: u64,
    grants: u64,
    /// When an entry of each index was first proposed, as far as it is not yet committed.
    proposed_at: BTreeMap<u64, Micros>,
    /// How long each leader's log was when it was seen last.
    lengths: BTreeMap<NodeId, u64>,
    /// How far each member had applied when its state was looked at.
    looked_at: BTreeMap<NodeId, u64>,
    leases: Leases,
    guard: Guard,
    violation: Option<(String, String)>,
}

impl LockInvariants {
    /// Members n1 to `members`, told these options, and perhaps a resource.
    #[must_use]
    pub fn new(members: u16, options: LockOptions) -> Self {
        let replica = LockMachine::new(options);
        Self {
            raft: raft::Invariants::new(members, replica.clone()),
            shape: Shape::of(&replica),
            replica,
            applied_index: 0,
            highest_token: 0,
            grants: 0,
            proposed_at: BTreeMap::new(),
            lengths: BTreeMap::new(),
            looked_at: BTreeMap::new(),
            leases: Leases::new(options.ttl_ms.saturating_mul(1000)),
            guard: Guard::default(),
            violation: None,
        }
    }

    /// The first promise that was seen broken: its name, and what was seen.
    #[must_use]
    pub fn violation(&self) -> Option<(String, String)> {
        self.violation.clone()
    }

    /// Grants that were seen.
    #[must_use]
    pub fn grants(&self) -> u64 {
        self.grants
    }

    /// A server has come up from what its disk held.
    pub fn recovered(&mut self, now: Micros, node: NodeId, server: &LockNode) {
        self.lengths.remove(&node);
        self.looked_at.remove(&node);
        match server {
            LockNode::Member(member) => {
                self.raft.recovered(node, member.raft());
                self.look(now, node, server);
            }
            LockNode::Resource(resource) => self.guard.came_up(node, resource.options().fencing),
        }
    }

    /// A server was stepped and flushed.
    pub fn stepped(&mut self, now: Micros, node: NodeId, server: &LockNode) {
        if let LockNode::Member(member) = server {
            self.raft.stepped(node, member.raft());
            self.look(now, node, server);
        }
    }

    /// A message has left.
    pub fn sent(&mut self, from: NodeId, to: NodeId, message: &Message) {
        self.raft.sent(from, to, message);
        self.take_over();
    }

    /// A write is durable.
    pub fn durable(&mut self, node: NodeId, write: &Write) {
        if self.guard.is_resource(node) {
            if let Err(broken) = self.guard.durable(write) {
                self.note(broken);
            }
        } else {
            self.raft.durable(node, write);
        }
    }

    /// A server is gone.
    pub fn crashed(&mut self, node: NodeId) {
        if !self.guard.is_resource(node) {
            self.raft.crashed(node);
        }
    }

    /// Long after the last fault and the last request: the members are all in the same state.
    pub fn converged<'a>(&mut self, running: impl IntoIterator<Item = (NodeId, &'a LockNode)>) {
        let members = running.into_iter().filter_map(|(node, server)| Some((node, server.member()?.raft())));
        self.raft.converged(members);
        self.take_over();
    }

    fn note(&mut self, broken: Broken) {
        self.violation.get_or_insert((broken.name.to_owned(), broken.text));
    }

    fn take_over(&mut self) {
        if let Some(broken) = self.raft.violation()
            && self.violation.is_none()
        {
            self.violation = Some((broken.name().to_owned(), broken.to_string()));
        }
    }

    fn look(&mut self, now: Micros, node: NodeId, server: &LockNode) {
        self.take_over();
        let Some(member) = server.member() else { return };
        if self.violation.is_some() {
            return;
        }
        let raft = member.raft();
        if raft.is_leader() {
            let last = raft.last_index();
            let known = self.lengths.insert(node, last).unwrap_or(raft.commit_index()).min(last);
            for index in known + 1..=last {
                self.proposed_at.entry(index).or_insert(now);
            }
        } else {
            self.lengths.remove(&node);
        }
        if let Err(broken) = self.take_committed(now) {
            return self.note(broken);
        }
        let applied_index = raft.applied_index();
        if self.looked_at.insert(node, applied_index) != Some(applied_index)
            && let Err(broken) = rules::state(raft.machine())
        {
            self.note(Broken { text: format!("at {node}: {}", broken.text), ..broken });
        }
    }

    /// Applies what is newly committed, entry by entry.
    fn take_committed(&mut self, now: Micros) -> Result<(), Broken> {
        while let Some(payload) = self.raft.committed(self.applied_index + 1) {
            let index = self.applied_index + 1;
            let proposed_at = self.proposed_at.remove(&index).unwrap_or(now);
            self.applied_index = index;
            let bytes = match payload {
                Payload::Command(bytes) => bytes,
                Payload::Noop => {
                    self.leases.leader_begins(proposed_at);
                    continue;
                }
                Payload::Configuration(_) => continue,
            };
            let Ok(entry) = postcard::from_bytes::<Entry>(bytes) else { continue };
            self.replica.apply(index, bytes);
            self.leases.applied(now, proposed_at, &entry.command, &self.replica)?;
            if self.replica.changed_at() == index {
                let after = Shape::of(&self.replica);
                self.grants += rules::change(&self.shape, &after, &entry.command, &mut self.highest_token)?;
                rules::state(&self.replica)?;
                self.shape = after;
            }
        }
        Ok(())
    }
}

impl Observer<LockNode> for LockInvariants {
    fn recovered(&mut self, now: Micros, node: NodeId, server: &LockNode) {
        Self::recovered(self, now, node, server);
    }

    fn stepped(&mut self, now: Micros, node: NodeId, server: &LockNode) {
        Self::stepped(self, now, node, server);
    }

    fn sent(&mut self, _now: Micros, _number: u64, from: NodeId, to: NodeId, message: &Message) {
        Self::sent(self, from, to, message);
    }

    fn arrived(&mut self, _now: Micros, _number: u64, _to: NodeId) {}

    fn durable(&mut self, node: NodeId, _id: WriteId, write: &Write) {
        Self::durable(self, node, write);
    }

    fn crashed(&mut self, _now: Micros, node: NodeId) {
        Self::crashed(self, node);
    }
}
