//! Who changes the members of a simulated cluster: an operator with a list of who shall belong to it.
//!
//! Again and again it asks someone who believes to lead for the next change that leads there, as a person with a script
//! would. It does not know who is right, so a leader that lost its office without noticing is asked, too.

use std::collections::BTreeSet;

use rashomon_draw::Draw;
use rashomon_history::FaultPhase;
use rashomon_nemesis::{FaultKind, Node};
use rashomon_systems::raft::{Change, Configuration};
use rashomon_systems::server::NodeId;
use rashomon_systems::sim::Token;

use super::run::{Run, WAKE_OPERATOR};
use super::system::{Asked, OwnSystem};
use crate::plan::Plan;

/// Nobody waits for what the operator is told.
const OPERATOR_TOKEN: Token = Token(u64::MAX - 1);
/// Between two looks at the members there is at most so long.
const LONGEST_LOOK_US: u64 = 60_000;
/// How often it moves the leadership where there is nothing to change.
const RELIEF_PERCENT: u32 = 5;

/// The operator.
pub(super) struct Operator {
    /// Who shall be a voter; the others shall not belong to the cluster.
    wanted: BTreeSet<NodeId>,
    /// Removals that were not yet seen, by fault.
    removing: Vec<(u64, NodeId)>,
    draw: Draw,
}

impl Operator {
    pub(super) fn new(plan: &Plan) -> Self {
        Self { wanted: plan.members().collect(), removing: Vec::new(), draw: Draw::stream(plan.seed, "operator") }
    }

    /// The next change on the way from these members to the wanted ones. Who does not run is neither added nor promoted:
    /// it could never catch up, and everyone else would wait for it.
    fn next_change(&self, now: &Configuration, up: &BTreeSet<NodeId>) -> Option<Change> {
        let is_ready = |node: &&NodeId| self.wanted.contains(*node) && up.contains(*node);
        let missing = self.wanted.iter().find(|node| is_ready(node) && !now.contains(**node));
        let learner = now.learners().iter().find(is_ready);
        let superfluous = now.voters().iter().chain(now.learners()).find(|node| !self.wanted.contains(*node));
        let promote = learner.map(|node| Change::Promote(*node));
        let remove = superfluous.map(|node| Change::Remove(*node));
        promote.or(remove).or(missing.map(|node| Change::AddLearner(*node)))
    }
}

impl<S: OwnSystem> Run<'_, S> {
    /// The operator looks at the members from now on, where the plan changes any.
    pub(super) fn begin_operating(&mut self) {
        if self.plan.nemesis.contains(&FaultKind::Membership) {
            self.cluster.wake(self.now(), WAKE_OPERATOR);
        }
    }

    pub(super) fn remove_member(&mut self, fault: u64, node: Node) {
        self.operator.wanted.remove(&NodeId(node.0));
        self.operator.removing.push((fault, NodeId(node.0)));
    }

    pub(super) fn add_member(&mut self, node: Node) {
        let node = NodeId(node.0);
        self.operator.wanted.insert(node);
        self.operator.removing.retain(|(_, removing)| *removing != node);
    }

    /// Asks for the next change, and notes which removals came to pass.
    pub(super) fn operate(&mut self) {
        let leaders: Vec<NodeId> = self.cluster.nodes().filter(|node| self.believes_to_lead(*node)).collect();
        if !leaders.is_empty() {
            let leader = self.operator.draw.pick(&leaders);
            let change = self
                .member(leader)
                .and_then(|member| self.operator.next_change(member.configuration(), &self.cluster.up()));
            if let Some(request) = change.and_then(S::change_members).or_else(|| self.relieve(leader)) {
                self.cluster.ask(leader, OPERATOR_TOKEN, request);
            }
        }
        self.note_removals();
        let pause_us = self.operator.draw.between(1_000, LONGEST_LOOK_US);
        self.cluster.wake(self.now().after(pause_us), WAKE_OPERATOR);
    }

    /// Now and then another member has to lead, as before a machine is maintained.
    fn relieve(&mut self, leader: NodeId) -> Option<Asked<S>> {
        let others: Vec<NodeId> = self.operator.wanted.iter().copied().filter(|node| *node != leader).collect();
        if others.is_empty() || !self.is_driving() || !self.operator.draw.chance(RELIEF_PERCENT) {
            return None;
        }
        S::transfer_leadership(self.operator.draw.pick(&others))
    }

    pub(super) fn believes_to_lead(&self, node: NodeId) -> bool {
        self.cluster.is_up(node) && self.member(node).is_some_and(|member| member.is_leader())
    }

    fn note_removals(&mut self) {
        let Some(leader) = self.leader().map(|node| NodeId(node.0)) else { return };
        let Some(members) = self.member(leader).map(|member| member.configuration().clone()) else { return };
        let removing = std::mem::take(&mut self.operator.removing);
        let (gone, left) = removing.into_iter().partition(|(_, node)| !members.contains(*node));
        self.operator.removing = left;
        for (fault, node) in gone {
            self.bitten(fault, FaultKind::Membership, FaultPhase::Bites, format!("{node} is no member any more"));
        }
    }

    /// A removal that did not come to pass before its fault is over.
    pub(super) fn give_up_removal(&mut self, fault: u64) {
        let removing = std::mem::take(&mut self.operator.removing);
        let (failed, left) = removing.into_iter().partition(|(number, _)| *number == fault);
        self.operator.removing = left;
        for (fault, node) in failed {
            self.bitten(fault, FaultKind::Membership, FaultPhase::Failed, format!("{node} was not removed in time"));
        }
    }

    /// Whether the members are who they should be, as this leader sees it.
    pub(super) fn members_are_restored(&self, leader: NodeId) -> bool {
        let members = self.member(leader).map(|member| member.configuration());
        members.is_none_or(|members| self.operator.next_change(members, &self.cluster.up()).is_none())
    }
}
