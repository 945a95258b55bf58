//! Who changes the members of a simulated cluster: an operator with a list of who shall belong to it.
//!
//! Again and again it asks someone who believes to lead for a change that leads there, as a person with a script would. It
//! does not know who is right, so a leader that lost its office without noticing is asked, too. In some runs it is careless:
//! it sends off several changes without waiting for the first, asks a leader in the moment in which it is elected, or thinks
//! again before it is done. No promise of the cluster depends on its manners.

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
/// How often it moves the leadership where there is nothing to change.
const RELIEF_PERCENT: u32 = 5;
/// Of so many changes at the most it sends the next without waiting.
const MOST_AT_ONCE: u64 = 4;

/// The operator.
pub(super) struct Operator {
    /// Who was a voter at first, and may be one.
    members: BTreeSet<NodeId>,
    /// Who of them shall be a voter; the others shall not belong to the cluster.
    wanted: BTreeSet<NodeId>,
    /// Removals that were not yet seen, by fault.
    removing: Vec<(u64, NodeId)>,
    manners: Manners,
    draw: Draw,
}

/// How it works in this run.
struct Manners {
    /// Between two looks at the members there is at most so long.
    longest_look_us: u64,
    /// How often it sends off several changes at once.
    hasty_percent: u32,
    /// How often it thinks again about who shall belong to the cluster.
    restless_percent: u32,
    /// How often a change is any that is possible, whoever shall belong to the cluster.
    slip_percent: u32,
    /// Whether it hears of a new leader at once, and asks it before it has done anything.
    is_eager: bool,
    /// Whether it ends with fewer members than the cluster began with.
    leaves_out: bool,
}

impl Manners {
    fn draw(plan: &Plan, draw: &mut Draw) -> Self {
        let raft = plan.simulation.clone().unwrap_or_default().raft;
        // A member that was removed while nobody reached it may disturb the others without end, unless they ask around
        // before an election or ignore candidates as long as they hear a leader (thesis 4.2.3).
        let are_calm = raft.pre_vote || raft.check_quorum;
        let changes_members = plan.nemesis.contains(&FaultKind::Membership);
        Self {
            longest_look_us: draw.pick(&[3_000, 15_000, 60_000]),
            hasty_percent: draw.pick(&[0, 20, 60]),
            restless_percent: draw.pick(&[0, 5, 20]),
            slip_percent: draw.pick(&[0, 20, 50]),
            is_eager: draw.chance(70),
            leaves_out: draw.chance(50) && are_calm && changes_members,
        }
    }
}

impl Operator {
    pub(super) fn new(plan: &Plan) -> Self {
        let mut draw = Draw::stream(plan.seed, "operator");
        let members: BTreeSet<NodeId> = plan.members().collect();
        let manners = Manners::draw(plan, &mut draw);
        Self { wanted: members.clone(), members, removing: Vec::new(), manners, draw }
    }

    /// The changes that lead from these members to the wanted ones. Who does not run is neither added nor promoted: it could
    /// never catch up, and everyone else would wait for it.
    fn changes(&self, now: &Configuration, up: &BTreeSet<NodeId>) -> Vec<Change> {
        let is_ready = |node: &&NodeId| self.wanted.contains(*node) && up.contains(*node);
        let missing = self.wanted.iter().filter(|node| is_ready(node) && !now.contains(**node));
        let learners = now.learners().iter().filter(is_ready);
        let superfluous = now.voters().iter().chain(now.learners()).filter(|node| !self.wanted.contains(*node));
        let (promote, remove) =
            (learners.map(|node| Change::Promote(*node)), superfluous.map(|node| Change::Remove(*node)));
        promote.chain(remove).chain(missing.map(|node| Change::AddLearner(*node))).collect()
    }

    /// It changes its mind about one node.
    fn think_again(&mut self) {
        let members: Vec<NodeId> = self.members.iter().copied().collect();
        let node = self.draw.pick(&members);
        if !self.wanted.insert(node) && self.wanted.len() > self.fewest() {
            self.wanted.remove(&node);
        }
    }

    /// It leaves about half of the nodes in the cluster, whatever it does.
    fn fewest(&self) -> usize {
        (self.members.len() / 2).max(1)
    }

    /// All changes of these members.
    fn possible(&self, now: &Configuration) -> Vec<Change> {
        let strangers = self.members.iter().copied().filter(|node| !now.contains(*node));
        let learners = now.learners().iter().flat_map(|node| [Change::Promote(*node), Change::Remove(*node)]);
        let voters = now.voters().iter().filter(|_| now.voters().len() > self.fewest());
        strangers.map(Change::AddLearner).chain(learners).chain(voters.map(|node| Change::Remove(*node))).collect()
    }
}

impl<S: OwnSystem> Run<'_, S> {
    /// The operator looks at the members from now on, where the plan changes any.
    pub(super) fn begin_operating(&mut self) {
        if self.plan.nemesis.contains(&FaultKind::Membership) {
            self.cluster.wake(self.now(), WAKE_OPERATOR);
            self.cluster.observer_mut().tells_of_elections = self.operator.manners.is_eager;
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

    /// Asks for changes, and notes which removals came to pass.
    pub(super) fn operate(&mut self) {
        if self.is_driving() && self.operator.draw.chance(self.operator.manners.restless_percent) {
            self.operator.think_again();
        }
        let leaders: Vec<NodeId> = self.cluster.nodes().filter(|node| self.believes_to_lead(*node)).collect();
        if !leaders.is_empty() {
            let leader = self.operator.draw.pick(&leaders);
            let slips = self.is_driving() && self.operator.draw.chance(self.operator.manners.slip_percent);
            self.ask_for_changes(leader, slips);
        }
        self.note_removals();
        let pause_us = self.operator.draw.between(1_000, self.operator.manners.longest_look_us);
        self.cluster.wake(self.now().after(pause_us), WAKE_OPERATOR);
    }

    /// Someone was just elected.
    pub(super) fn hear_of_election(&mut self) {
        let Some(leader) = self.cluster.observer_mut().elected.take().filter(|_| self.is_driving()) else { return };
        if self.operator.manners.restless_percent > 0 {
            self.operator.think_again();
        }
        self.ask_for_changes(leader, self.operator.manners.slip_percent > 0);
    }

    /// Mostly one change, in a hurry several: each as if those before it had come to pass.
    fn ask_for_changes(&mut self, leader: NodeId, slips: bool) {
        let Some(mut members) = self.member(leader).map(|member| member.configuration().clone()) else { return };
        let is_hasty = self.is_driving() && self.operator.draw.chance(self.operator.manners.hasty_percent);
        let most = if is_hasty { self.operator.draw.between(2, MOST_AT_ONCE) } else { 1 };
        for number in 0..most {
            let changes = if slips { self.operator.possible(&members) } else { self.changes_from(&members) };
            if changes.is_empty() {
                let relief = self.relieve(leader).filter(|_| number == 0);
                return relief.into_iter().for_each(|relief| self.cluster.ask(leader, OPERATOR_TOKEN, relief));
            }
            let change = self.operator.draw.pick(&changes);
            let Some(request) = S::change_members(change) else { return };
            self.cluster.ask(leader, OPERATOR_TOKEN, request);
            let Ok(next) = members.after(change) else { return };
            members = next;
        }
    }

    /// The changes that it would ask for. When the faults are over it takes care that a majority of the voters runs.
    fn changes_from(&self, members: &Configuration) -> Vec<Change> {
        let up = self.cluster.up();
        let mut changes = self.operator.changes(members, &up);
        if !self.is_driving() {
            let keeps_majority = |change: &Change| members.after(*change).is_ok_and(|next| is_majority_up(&next, &up));
            changes.retain(keeps_majority);
        }
        changes
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

    /// The faults are over: from now on it wants all nodes, or all but a minority.
    pub(super) fn choose_final_members(&mut self) {
        let members = self.operator.members.clone();
        let mut order: Vec<NodeId> = members.iter().copied().collect();
        self.operator.draw.shuffle(&mut order);
        let minority = members.len().saturating_sub(1) / 2;
        let count = if self.operator.manners.leaves_out { self.operator.draw.below(minority + 1) } else { 0 };
        let wanted: BTreeSet<NodeId> = order.into_iter().skip(count).collect();
        let few_run = !is_majority_up(&Configuration::new(wanted.iter().copied()), &self.cluster.up());
        self.operator.wanted = if few_run { members } else { wanted };
    }

    /// The nodes that run, but for members that shall not be any.
    pub(super) fn wanted_nodes(&self) -> BTreeSet<NodeId> {
        let left_out = &self.operator.members - &self.operator.wanted;
        &self.cluster.up() - &left_out
    }

    /// Whether the members are who they should be, as this leader sees it.
    pub(super) fn members_are_restored(&self, leader: NodeId) -> bool {
        self.member(leader).is_none_or(|member| self.changes_from(member.configuration()).is_empty())
    }
}

/// Whether a majority of the voters runs.
fn is_majority_up(members: &Configuration, up: &BTreeSet<NodeId>) -> bool {
    let voters = members.voters();
    2 * voters.iter().filter(|voter| up.contains(*voter)).count() > voters.len()
}
