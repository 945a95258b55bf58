//! The lock service and what it guards, as the simulation knows them.

use std::collections::BTreeSet;

use rashomon_systems::lock::{
    Command, LockApi, LockInvariants, LockNode, LockOptions, LockRequest, LockResponse, LockServers,
};
use rashomon_systems::raft::{Change, Member, Message, Response};
use rashomon_systems::server::{Micros, NodeId, Write};

use super::servers::raft_config;
use super::system::{Inner, OwnSystem, Running, is_majority_left, settled_members, unequal_members};
use super::trace::tell_raft;
use crate::plan::Plan;

/// Our lock service on our Raft, and the resource beside it.
pub(super) struct LockService;

fn options(plan: &Plan) -> LockOptions {
    LockOptions { ttl_ms: plan.lock_settings().ttl_ms, bug: plan.lock_bug(), ..LockOptions::default() }
}

impl OwnSystem for LockService {
    type Server = LockNode;
    type Build = LockServers;
    type Api = LockApi;
    type Inner = LockInvariants;

    const UNFINISHED: &'static str = "replica-behind";

    fn build(plan: &Plan) -> LockServers {
        LockServers {
            config: raft_config(plan, plan.nodes - 1),
            options: options(plan),
            resource: Some(NodeId(plan.nodes)),
            fencing: plan.lock_settings().fencing,
        }
    }

    fn api() -> LockApi {
        LockApi::default()
    }

    fn inner(plan: &Plan) -> LockInvariants {
        LockInvariants::new(plan.nodes - 1, LockOptions { bug: None, ..options(plan) })
    }

    fn member(server: &LockNode) -> Option<&dyn Member> {
        server.member().map(|member| member.raft() as &dyn Member)
    }

    fn change_members(change: Change) -> Option<LockRequest> {
        Some(LockRequest::ChangeMembership(change))
    }

    fn transfer_leadership(to: NodeId) -> Option<LockRequest> {
        Some(LockRequest::TransferLeadership { to })
    }

    /// A session that nobody uses.
    fn probe(_plan: &Plan, leader: NodeId) -> (NodeId, LockRequest) {
        (leader, LockRequest::Command(Command::Open { ttl_ms: None }))
    }

    fn is_answer(response: &LockResponse) -> bool {
        matches!(response, LockResponse::Raft(Response::Answer(_)))
    }

    fn settled(nodes: &BTreeSet<NodeId>, running: &Running<'_, Self>) -> Option<NodeId> {
        settled_members::<Self>(nodes, running)
    }

    /// The others are a majority of the members, and the resource.
    fn expendable(plan: &Plan, up: &BTreeSet<NodeId>) -> (Vec<NodeId>, usize) {
        let members: Vec<NodeId> = up.iter().copied().filter(|node| node.0 < plan.nodes).collect();
        let majority = usize::from(plan.nodes - 1) / 2 + 1;
        let most = members.len().saturating_sub(majority);
        (members, most)
    }

    fn can_work(plan: &Plan, running: &Running<'_, Self>) -> bool {
        running.contains_key(&NodeId(plan.nodes)) && is_majority_left::<Self>(running)
    }

    fn unfinished(running: &Running<'_, Self>) -> Option<String> {
        unequal_members::<Self>(running)
    }

    fn tell(message: &Message) -> (&'static str, String, String) {
        tell_raft(message)
    }
}

impl Inner<LockService> for LockInvariants {
    fn recovered(&mut self, now: Micros, node: NodeId, server: &LockNode) {
        Self::recovered(self, now, node, server);
    }

    fn stepped(&mut self, now: Micros, node: NodeId, server: &LockNode) {
        Self::stepped(self, now, node, server);
    }

    fn sent(&mut self, _now: Micros, from: NodeId, to: NodeId, message: &Message) {
        Self::sent(self, from, to, message);
    }

    fn durable(&mut self, node: NodeId, write: &Write) {
        Self::durable(self, node, write);
    }

    fn crashed(&mut self, node: NodeId) {
        Self::crashed(self, node);
    }

    fn converged(&mut self, running: &Running<'_, LockService>) {
        Self::converged(self, running.iter().map(|(node, server)| (*node, *server)));
    }

    fn violation(&self) -> Option<(String, String)> {
        Self::violation(self)
    }
}
