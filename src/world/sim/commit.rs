//! Atomic commitment, as the simulation knows it.

use std::collections::BTreeSet;

use rashomon_systems::commit::invariants::{orphan_locks, undecided};
use rashomon_systems::commit::{
    CommitApi, CommitInvariants, CommitMessage, CommitNode, Config, Message, Op, Request, Response,
};
use rashomon_systems::raft::{self, Change, Member};
use rashomon_systems::server::{Micros, NodeId, Recovered, Server, Write, WriteId};
use rashomon_systems::sim::{Build, Observer};

use super::system::{Inner, OwnSystem, Running};
use super::trace::tell_raft;
use crate::plan::Plan;

/// Coordinators and shards.
pub(super) struct Commitment;

/// Makes the servers of one run.
pub(super) struct Servers(Config);

impl Build for Servers {
    type Server = CommitNode;

    fn build(&mut self, node: NodeId, life: u32, recovered: Recovered) -> Result<CommitNode, String> {
        let seed = self.0.seed ^ (u64::from(node.0) << 32 | u64::from(life)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let config = Config { id: node, seed, ..self.0.clone() };
        CommitNode::recover(config, recovered).map_err(|error| error.to_string())
    }
}

impl OwnSystem for Commitment {
    type Server = CommitNode;
    type Build = Servers;
    type Api = CommitApi;
    type Inner = CommitInvariants;

    const UNFINISHED: &'static str = "undecided";

    fn build(plan: &Plan) -> Servers {
        let raft::Config { timing, .. } = super::servers::raft_config(plan, plan.nodes);
        Servers(Config { raft_timing: timing, ..plan.commit_config(NodeId(1)) })
    }

    fn api() -> CommitApi {
        CommitApi::default()
    }

    fn inner(_plan: &Plan) -> CommitInvariants {
        CommitInvariants::default()
    }

    fn member(_server: &CommitNode) -> Option<&dyn Member> {
        None
    }

    fn leads(server: &CommitNode) -> Option<u64> {
        let status = server.status();
        matches!(status.role.as_str(), "coordinator" | "leader").then_some(status.term)
    }

    fn change_members(_change: Change) -> Option<Request> {
        None
    }

    fn transfer_leadership(_to: NodeId) -> Option<Request> {
        None
    }

    /// A transaction that needs every lock on every account.
    fn probe(plan: &Plan, leader: NodeId) -> (NodeId, Request) {
        let bank = plan.commit_config(leader).bank;
        (leader, Request::Txn(bank.keys().map(|key| Op::Read { key }).collect()))
    }

    fn is_answer(response: &Response) -> bool {
        matches!(response, Response::Committed { .. })
    }

    /// The coordinator, or the one that the group agrees on.
    fn settled(nodes: &BTreeSet<NodeId>, running: &Running<'_, Self>) -> Option<NodeId> {
        let statuses = nodes.iter().map(|node| Some(running.get(node)?.status())).collect::<Option<Vec<_>>>()?;
        let leaders = statuses.iter().filter(|status| status.role != "shard").map(|status| status.leader.as_deref());
        let leaders: BTreeSet<Option<&str>> = leaders.collect();
        let leader: NodeId = leaders.first().copied().flatten()?.parse().ok()?;
        (leaders.len() == 1 && Self::leads(running.get(&leader)?).is_some()).then_some(leader)
    }

    /// Every shard is needed, and so is who coordinates.
    fn expendable(_plan: &Plan, _up: &BTreeSet<NodeId>) -> (Vec<NodeId>, usize) {
        (Vec::new(), 0)
    }

    fn can_work(plan: &Plan, running: &Running<'_, Self>) -> bool {
        running.len() == usize::from(plan.nodes)
    }

    /// Below serializable a read does not wait for what is decided and not yet done.
    fn is_quiet(running: &Running<'_, Self>) -> bool {
        Self::unfinished(running).is_none()
    }

    fn unfinished(running: &Running<'_, Self>) -> Option<String> {
        let undecided = undecided(running);
        if let Some((node, txn)) = undecided.first() {
            return Some(format!("{} transactions are not decided, such as {txn} at {node}", undecided.len()));
        }
        let orphans = orphan_locks(running);
        let (node, count) = orphans.first()?;
        Some(format!("{count} transactions still hold or want locks of {node}"))
    }

    fn tell(message: &Message) -> (&'static str, String, String) {
        match message {
            Message::Raft(message) => tell_raft(message),
            Message::Commit(message) => tell(message),
        }
    }
}

fn tell(message: &CommitMessage) -> (&'static str, String, String) {
    let all = format!("{message:?}");
    let (kind, label) = match message {
        CommitMessage::Execute { txn, .. } => ("execute", format!("execute {txn}")),
        CommitMessage::Executed { txn, .. } => ("execute", format!("{txn} executed")),
        CommitMessage::Refused { txn, .. } => ("refused", format!("{txn} refused")),
        CommitMessage::Prepare { txn, .. } => ("prepare", format!("prepare {txn}")),
        CommitMessage::Voted { txn, vote } => ("vote", format!("{txn}: {vote:?}")),
        CommitMessage::PreCommit { txn, .. } => ("pre-commit", format!("pre-commit {txn}")),
        CommitMessage::PreCommitted { txn, .. } => ("pre-commit", format!("{txn} pre-committed")),
        CommitMessage::Decide { txn, decision, .. } => ("decide", format!("{txn}: {decision:?}")),
        CommitMessage::Acknowledge { txn, .. } => ("acknowledge", format!("{txn} acknowledged")),
        CommitMessage::Inquire { txn, .. } => ("inquire", format!("what of {txn}?")),
        CommitMessage::State { txn, state, .. } => ("state", format!("{txn}: {state:?}")),
    };
    (kind, label, all)
}

impl Inner<Commitment> for CommitInvariants {
    fn recovered(&mut self, now: Micros, node: NodeId, server: &CommitNode) {
        Observer::recovered(self, now, node, server);
    }

    fn stepped(&mut self, now: Micros, node: NodeId, server: &CommitNode) {
        Observer::stepped(self, now, node, server);
    }

    fn sent(&mut self, now: Micros, from: NodeId, to: NodeId, message: &Message) {
        Observer::sent(self, now, 0, from, to, message);
    }

    fn durable(&mut self, node: NodeId, write: &Write) {
        Observer::durable(self, node, WriteId(0), write);
    }

    fn crashed(&mut self, node: NodeId) {
        Observer::crashed(self, Micros(0), node);
    }

    /// What must hold then is said by [`Commitment::unfinished`].
    fn converged(&mut self, _running: &Running<'_, Commitment>) {}

    fn violation(&self) -> Option<(String, String)> {
        Self::violation(self).map(|(_, broken)| (broken.name().to_owned(), broken.to_string()))
    }
}
