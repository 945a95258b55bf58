//! What the simulation has to know of an own system to run it, break it and look into it.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_systems::api::Api;
use rashomon_systems::raft::{Change, Member};
use rashomon_systems::server::{Micros, NodeId, Server, Write};
use rashomon_systems::sim::Build;

use crate::plan::Plan;

/// What a server of the system is asked.
pub(super) type Asked<S> = <<S as OwnSystem>::Server as Server>::Request;
/// What a server of the system answers.
pub(super) type Answered<S> = <<S as OwnSystem>::Server as Server>::Response;
/// What servers of the system tell each other.
pub(super) type Told<S> = <<S as OwnSystem>::Server as Server>::Message;
/// The servers that run.
pub(super) type Running<'a, S> = BTreeMap<NodeId, &'a <S as OwnSystem>::Server>;

/// An own system.
pub(super) trait OwnSystem: Sized {
    /// One server, whatever part it plays.
    type Server: Server;
    /// Makes the servers.
    type Build: Build<Server = Self::Server>;
    /// How the servers are asked.
    type Api: Api<Request = Asked<Self>, Response = Answered<Self>>;
    /// What no client can see.
    type Inner: Inner<Self>;

    /// The name of the violation where [`OwnSystem::unfinished`] stays.
    const UNFINISHED: &'static str;

    /// The servers of this plan.
    fn build(plan: &Plan) -> Self::Build;

    /// How they are asked.
    fn api() -> Self::Api;

    /// What no client of this plan can see.
    fn inner(plan: &Plan) -> Self::Inner;

    /// The server as a member of a Raft cluster, where it is one.
    fn member(server: &Self::Server) -> Option<&dyn Member>;

    /// The term in which the server leads, or what counts as that; nothing of one that does not.
    fn leads(server: &Self::Server) -> Option<u64> {
        Self::member(server).filter(|member| member.is_leader()).map(Member::term)
    }

    /// The request for another cluster of members; `None` where members are not changed.
    fn change_members(change: Change) -> Option<Asked<Self>>;

    /// The request that hands the leadership over; `None` where nobody leads.
    fn transfer_leadership(to: NodeId) -> Option<Asked<Self>>;

    /// Something that can only be answered when the system works, and the node to ask.
    fn probe(plan: &Plan, leader: NodeId) -> (NodeId, Asked<Self>);

    /// Whether a probe was answered as it should be.
    fn is_answer(response: &Answered<Self>) -> bool;

    /// The node through which these nodes work together, if they do: the leader that all of them follow.
    fn settled(nodes: &BTreeSet<NodeId>, running: &Running<'_, Self>) -> Option<NodeId>;

    /// Those of the nodes that run who may stay cut off while the others must work, and at most how many of them.
    fn expendable(plan: &Plan, up: &BTreeSet<NodeId>) -> (Vec<NodeId>, usize);

    /// Whether those who are left could work together: broken disks may have taken more than the system can lose.
    fn can_work(plan: &Plan, running: &Running<'_, Self>) -> bool;

    /// Whether final reads may begin: what was promised before is seen by all that begins from now on.
    fn is_quiet(_running: &Running<'_, Self>) -> bool {
        true
    }

    /// What of the servers still has to come to pass when nothing is asked any more, in words.
    fn unfinished(running: &Running<'_, Self>) -> Option<String>;

    /// What a message is, in a word and in a few, and all of it.
    fn tell(message: &Told<Self>) -> (&'static str, String, String);
}

/// Looks at what no client can see. As [`rashomon_systems::sim::Observer`], of which it is told by the watcher.
pub(super) trait Inner<S: OwnSystem> {
    /// A server has come up.
    fn recovered(&mut self, now: Micros, node: NodeId, server: &S::Server);
    /// A server was stepped and flushed.
    fn stepped(&mut self, now: Micros, node: NodeId, server: &S::Server);
    /// A message has left.
    fn sent(&mut self, now: Micros, from: NodeId, to: NodeId, message: &Told<S>);
    /// A write is durable.
    fn durable(&mut self, node: NodeId, write: &Write);
    /// A server is gone.
    fn crashed(&mut self, node: NodeId);
    /// Long after the last fault and the last request: what must hold then.
    fn converged(&mut self, running: &Running<'_, S>);
    /// The first promise that was seen broken: its name, and what was seen.
    fn violation(&self) -> Option<(String, String)>;
}

/// The leader that all the members of a Raft cluster among these nodes follow, if it is one of them.
pub(super) fn settled_members<S: OwnSystem>(nodes: &BTreeSet<NodeId>, running: &Running<'_, S>) -> Option<NodeId> {
    let servers = nodes.iter().map(|node| Some((*node, S::member(running.get(node)?))));
    let servers: BTreeMap<NodeId, Option<&dyn Member>> = servers.collect::<Option<_>>()?;
    let leader = servers.values().flatten().next()?.leader()?;
    let leads = servers.get(&leader).copied().flatten().is_some_and(Member::is_leader);
    (leads && servers.values().flatten().all(|member| member.leader() == Some(leader))).then_some(leader)
}

/// Whether the members that run are a majority, by whatever any of them takes for the members.
pub(super) fn is_majority_left<S: OwnSystem>(running: &Running<'_, S>) -> bool {
    let mut members = running.values().filter_map(|server| S::member(server));
    members.all(|member| {
        let voters = member.configuration().voters();
        2 * voters.iter().filter(|voter| running.contains_key(voter)).count() > voters.len()
    })
}

/// Members that are not at the same place of the log.
pub(super) fn unequal_members<S: OwnSystem>(running: &Running<'_, S>) -> Option<String> {
    let members = || running.values().filter_map(|server| S::member(server));
    let places: BTreeSet<u64> = members().map(|member| member.applied_index()).collect();
    let states = || members().map(|member| member.status().to_string()).collect::<Vec<_>>().join("; ");
    (places.len() > 1).then(|| format!("some members are still behind: {}", states()))
}
