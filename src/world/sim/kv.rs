//! The key-value store on Raft, as the simulation knows it.

use std::collections::BTreeSet;

use rashomon_history::Key;
use rashomon_systems::kv::{KvApi, KvRequest, KvResponse, Query, SessionKv, session_kv};
use rashomon_systems::raft::{Change, Invariants, Member, Message, Raft};
use rashomon_systems::server::{Micros, NodeId, Write};
use rashomon_systems::session::SessionOptions;

use super::servers::Members;
use super::system::{Inner, OwnSystem, Running, is_majority_left, settled_members, unequal_members};
use super::trace::tell_raft;
use crate::plan::Plan;

/// Our key-value store on our Raft.
pub(super) struct RaftKv;

impl OwnSystem for RaftKv {
    type Server = Raft<SessionKv>;
    type Build = Members;
    type Api = KvApi;
    type Inner = Invariants<SessionKv>;

    const UNFINISHED: &'static str = "replica-behind";

    fn build(plan: &Plan) -> Members {
        Members::new(plan)
    }

    fn api() -> KvApi {
        KvApi::default()
    }

    fn inner(plan: &Plan) -> Self::Inner {
        let max_sessions = plan.raft_settings().max_sessions;
        Invariants::new(plan.nodes, session_kv(SessionOptions { max_sessions, bug: None }))
    }

    fn member(server: &Raft<SessionKv>) -> Option<&dyn Member> {
        Some(server)
    }

    fn change_members(change: Change) -> Option<KvRequest> {
        Some(KvRequest::ChangeMembership(change))
    }

    fn transfer_leadership(to: NodeId) -> Option<KvRequest> {
        Some(KvRequest::TransferLeadership { to })
    }

    /// A read of a key that no workload uses.
    fn probe(_plan: &Plan, leader: NodeId) -> (NodeId, KvRequest) {
        (leader, KvRequest::Query(Query::Read { key: Key::from("rashomon-probe") }))
    }

    fn is_answer(response: &KvResponse) -> bool {
        matches!(response, KvResponse::Answer(_))
    }

    fn settled(nodes: &BTreeSet<NodeId>, running: &Running<'_, Self>) -> Option<NodeId> {
        settled_members::<Self>(nodes, running)
    }

    /// The others are a majority of all nodes.
    fn expendable(plan: &Plan, up: &BTreeSet<NodeId>) -> (Vec<NodeId>, usize) {
        let majority = usize::from(plan.nodes) / 2 + 1;
        (up.iter().copied().collect(), up.len().saturating_sub(majority))
    }

    fn can_work(_plan: &Plan, running: &Running<'_, Self>) -> bool {
        is_majority_left::<Self>(running)
    }

    fn unfinished(running: &Running<'_, Self>) -> Option<String> {
        unequal_members::<Self>(running)
    }

    fn tell(message: &Message) -> (&'static str, String, String) {
        tell_raft(message)
    }
}

impl Inner<RaftKv> for Invariants<SessionKv> {
    fn recovered(&mut self, _now: Micros, node: NodeId, server: &Raft<SessionKv>) {
        Self::recovered(self, node, server);
    }

    fn stepped(&mut self, _now: Micros, node: NodeId, server: &Raft<SessionKv>) {
        Self::stepped(self, node, server);
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

    fn converged(&mut self, running: &Running<'_, RaftKv>) {
        Self::converged(self, running.iter().map(|(node, server)| (*node, *server)));
    }

    fn violation(&self) -> Option<(String, String)> {
        Self::violation(self).map(|broken| (broken.name().to_owned(), broken.to_string()))
    }
}
