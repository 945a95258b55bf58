//! After the faults: what a real run can only wait for is demanded here.
//!
//! As in TigerBeetle's simulator a liveness phase follows the safety phase. Some of the nodes, never so many that the others
//! are no majority, stay cut off; the others must elect a leader and answer within a bound. Then all are joined, and all
//! must follow one leader and come to the same state.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use rashomon_draw::Draw;
use rashomon_nemesis::FaultKind;
use rashomon_systems::raft::{Bug, Member, Safeguard};
use rashomon_systems::server::{Micros, NodeId, Server};
use rashomon_systems::sim::{Disturbance, NetworkOptions, Token};

use super::Check;
use super::run::{LOOK_EVERY_US, Run};
use super::system::{OwnSystem, Running};
use crate::plan::Simulation;

/// A calm cluster elects within a few timeouts; after so many of the longest ones it never will.
const BOUND_ELECTIONS: u64 = 20;
/// And so long for a member that needs a whole snapshot, which may come in pieces of a few bytes, one a round trip.
const CATCH_UP_US: u64 = 20_000_000;
/// For what one round trip carries, as they take longer now and then.
const BACKLOG_ROUND_TRIPS: u64 = 2;
/// How long a probe is waited for before it is sent again.
const PROBE_US: u64 = 500_000;
pub(super) const PROBE_TOKEN: Token = Token(u64::MAX);

impl<S: OwnSystem> Run<'_, S> {
    fn simulation(&self) -> Simulation {
        self.plan.simulation.clone().unwrap_or_default()
    }

    /// Within this time a healed majority must answer.
    pub(super) fn liveness_bound_us(&self) -> u64 {
        self.simulation().raft.election_max_us * BOUND_ELECTIONS + CATCH_UP_US + self.backlog_us()
    }

    /// How long it may take to replicate what clients have asked for faster than messages can carry it: with one entry a
    /// message and one message under way, an entry takes a round trip.
    fn backlog_us(&self) -> u64 {
        let Simulation { network, disk, raft, .. } = self.simulation();
        let statuses = self.cluster.nodes().filter_map(|node| Some(self.member(node)?.status()));
        let (last, committed) = statuses.fold((0, 0), |(last, committed), status| {
            (status.last_index.max(last), status.commit_index.max(committed))
        });
        let round_trip_us = 2 * u64::from(network.latency_min_us + network.latency_extra_us)
            + u64::from(disk.sync_min_us + disk.sync_extra_us);
        let at_a_time = (raft.append_entries * raft.inflight_appends).max(1) as u64;
        BACKLOG_ROUND_TRIPS * round_trip_us * (last.saturating_sub(committed) / at_a_time)
    }

    /// The node through which these nodes work together, if they do.
    pub(super) fn settled_leader(&self, nodes: &BTreeSet<NodeId>) -> Option<NodeId> {
        S::settled(nodes, &self.cluster.running())
    }

    /// The liveness phase.
    pub(super) fn settle(&mut self) {
        if self.is_over() {
            return;
        }
        if !self.can_work() {
            self.lifecycle.majority_lost = true;
            return;
        }
        self.choose_final_members();
        let began = self.now();
        let calm = NetworkOptions {
            loss_ppm: 0,
            duplicate_ppm: 0,
            straggler_ppm: 0,
            sent_passes_cut: false,
            client_straggler_ppm: 0,
            client_loss_ppm: 0,
            ..self.simulation().network
        };
        self.cluster.set_network(calm);
        let up = self.cluster.up();
        let outsiders = self.choose_outsiders(&up);
        self.separate(&outsiders, &up, true);
        let core: BTreeSet<NodeId> = &self.wanted_nodes() - &outsiders;
        let term = self.leave_alone(&outsiders);
        self.demand_answers(&core, if outsiders.is_empty() { "all nodes" } else { "a majority" });
        if let Some(term) = term {
            self.check_terms(&outsiders, term);
            self.check_leaders(&outsiders);
        }
        if outsiders.is_empty() {
            return self.note_settled(began);
        }
        self.separate(&outsiders, &up, false);
        self.demand_answers(&self.wanted_nodes(), "all nodes");
        self.note_settled(began);
    }

    /// The servers of these nodes.
    fn running(&self, nodes: &BTreeSet<NodeId>) -> Running<'_, S> {
        nodes.iter().filter_map(|node| Some((*node, self.cluster.server(*node)?))).collect()
    }

    fn can_work(&self) -> bool {
        S::can_work(self.plan, &self.running(&self.cluster.up()))
    }

    fn note_settled(&mut self, began: Micros) {
        if !self.is_over() {
            self.lifecycle.settled_after_ms = Some(self.now().since(began) / 1000);
        }
    }

    /// Cuts off those who know most of what was committed, before the others can catch up. The majority that is left has to
    /// elect one of the few that hold all of it, though others stand as well.
    pub(super) fn leave_worst_majority(&mut self) {
        if self.is_over() || !self.simulation().worst_majority || self.plan.nemesis.contains(&FaultKind::Membership) {
            return;
        }
        let up = self.cluster.up();
        let (mut nodes, most) = S::expendable(self.plan, &up);
        nodes.sort_by_key(|node| Reverse(self.member(*node).map(Member::commit_index)));
        nodes.truncate(most);
        self.outsiders = nodes.into_iter().collect();
        let outsiders = self.outsiders.clone();
        self.separate(&outsiders, &up, true);
    }

    /// Those who are cut off already, as long as that many may be; else some are drawn.
    fn choose_outsiders(&mut self, up: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
        let outsiders = &std::mem::take(&mut self.outsiders) & up;
        let (_, most) = S::expendable(self.plan, up);
        if (1..=most).contains(&outsiders.len()) {
            return outsiders;
        }
        self.separate(&outsiders, up, false);
        self.draw_outsiders(up)
    }

    /// Those who stay cut off: the others must do without them.
    fn draw_outsiders(&self, up: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
        // Who is a majority of a cluster whose members change is the members' affair.
        if self.plan.nemesis.contains(&FaultKind::Membership) {
            return BTreeSet::new();
        }
        let mut draw = Draw::stream(self.plan.seed, "outsiders");
        let (mut nodes, most) = S::expendable(self.plan, up);
        draw.shuffle(&mut nodes);
        // The others have to do without their leader as often as not.
        if let Some(leader) = self.leader().filter(|_| draw.chance(50)) {
            nodes.sort_by_key(|node| node.0 != leader.0);
        }
        nodes.truncate(draw.below(most + 1));
        nodes.into_iter().collect()
    }

    fn separate(&mut self, outsiders: &BTreeSet<NodeId>, up: &BTreeSet<NodeId>, cut: bool) {
        for outsider in outsiders {
            for other in up - outsiders {
                for (from, to) in [(*outsider, other), (other, *outsider)] {
                    self.cluster.disturb(from, to, Disturbance { cut, ..Disturbance::default() });
                }
            }
        }
    }

    /// Some time for those who are cut off to notice it. Answers the greatest of their terms when all that was under way has
    /// arrived: a message that asks one of them to stand at once may be held up for many elections.
    fn leave_alone(&mut self, outsiders: &BTreeSet<NodeId>) -> Option<u64> {
        if outsiders.is_empty() {
            return None;
        }
        let longest_us = self.simulation().raft.election_max_us;
        self.go_on(self.now().after(2 * longest_us).max(self.cluster.last_arrival()));
        let greatest = outsiders.iter().filter_map(|node| Some(self.member(*node)?.term())).max();
        self.go_on(self.now().after(3 * longest_us));
        greatest
    }

    /// Whether a node that reaches no majority should stay in its term. Not where pre-votes are off so that they don't hide a
    /// planted bug; where nothing but them is missing, that is the bug.
    fn promises_calm_terms(&self) -> bool {
        let hidden_by_them =
            |bug: Bug| bug != Bug::RP01 && bug.description().switched_off.contains(&Safeguard::PreVote);
        self.simulation().raft.pre_vote && !self.plan.raft_bug().is_some_and(hidden_by_them)
    }

    /// With pre-votes a node that reaches no majority stays in its term (thesis 9.6).
    fn check_terms(&mut self, outsiders: &BTreeSet<NodeId>, term: u64) {
        if !self.promises_calm_terms() {
            return;
        }
        for node in outsiders {
            let Some(now) = self.member(*node).map(|member| member.term()) else { continue };
            if now > term {
                let text = format!("{node} reaches no majority, and its term grew from {term} to {now} all the same");
                self.violate(Check::Liveness, "term-inflation", text);
            }
        }
    }

    /// With check-quorum a leader that reaches no majority steps down (thesis 6.2).
    fn check_leaders(&mut self, outsiders: &BTreeSet<NodeId>) {
        if !self.simulation().raft.check_quorum {
            return;
        }
        let leads = |node: &&NodeId| self.member(**node).is_some_and(|member| member.is_leader());
        if let Some(node) = outsiders.iter().find(leads) {
            let text = format!("{node} has reached no majority for long, and leads all the same");
            self.violate(Check::Liveness, "leads-alone", text);
        }
    }

    /// These nodes must agree on a leader that answers a read, within the bound.
    fn demand_answers(&mut self, nodes: &BTreeSet<NodeId>, who: &str) {
        if self.is_over() {
            return;
        }
        let bound_us = self.liveness_bound_us();
        let give_up = self.now().after(bound_us);
        let mut probe: Option<Micros> = None;
        self.probe_answered = false;
        while !self.is_over() {
            let leader = self.settled_leader(nodes);
            if self.probe_answered && leader.is_some_and(|leader| self.members_are_restored(leader)) {
                return;
            }
            if self.now() >= give_up {
                return self.no_answer(nodes, who, bound_us);
            }
            if let Some(leader) = leader.filter(|_| probe.is_none_or(|sent| self.now().since(sent) >= PROBE_US)) {
                probe = Some(self.now());
                self.probe(leader);
            }
            self.go_on(self.now().after(LOOK_EVERY_US));
        }
    }

    fn probe(&mut self, leader: NodeId) {
        let (node, request) = S::probe(self.plan, leader);
        self.cluster.ask(node, PROBE_TOKEN, request);
    }

    fn no_answer(&mut self, nodes: &BTreeSet<NodeId>, who: &str, bound_us: u64) {
        // What the operator had asked for while there were faults may come to pass after them.
        if !self.can_work() {
            self.lifecycle.majority_lost = true;
            return;
        }
        let seconds = bound_us / 1_000_000;
        let (kind, what) = match self.settled_leader(nodes) {
            None => ("no-leader", "followed no common leader"),
            Some(leader) if self.probe_answered && !self.members_are_restored(leader) => {
                ("members-stuck", "had a leader, but it did not change the members as it was asked to")
            }
            Some(_) => ("no-answer", "had a leader, but it did not answer"),
        };
        let text =
            format!("{seconds} s after the last fault, {who} could reach each other and {what}: {}", self.tell(nodes));
        self.violate(Check::Liveness, kind, text);
    }

    fn compare_states(&mut self) {
        let (now, wanted) = (self.now(), self.wanted_nodes());
        self.cluster.show(|watcher, running| {
            let members = running.iter().filter(|(node, _)| wanted.contains(node));
            watcher.converged(now, &members.map(|(node, server)| (*node, *server)).collect());
        });
        self.look_on();
    }

    /// How these members see their cluster.
    fn tell(&self, nodes: &BTreeSet<NodeId>) -> String {
        let states = nodes.iter().filter_map(|node| Some(self.cluster.server(*node)?.status().to_string()));
        states.collect::<Vec<_>>().join("; ")
    }

    /// Until final reads may begin.
    pub(super) fn quieten(&mut self) {
        if self.is_over() || self.lifecycle.majority_lost {
            return;
        }
        let bound_us = self.liveness_bound_us();
        if !self.go_on_until(bound_us, |run| S::is_quiet(&run.running(&run.wanted_nodes()))) {
            self.stays_unfinished(bound_us);
        }
    }

    fn stays_unfinished(&mut self, bound_us: u64) {
        if self.is_over() {
            return;
        }
        let what = S::unfinished(&self.running(&self.wanted_nodes())).unwrap_or_default();
        let text = format!("{} s after the last fault {what}", bound_us / 1_000_000);
        self.violate(Check::Liveness, S::UNFINISHED, text);
    }

    /// All that the servers have begun must come to its end, and what must hold then is looked at.
    pub(super) fn converge(&mut self) {
        if self.is_over() || self.lifecycle.majority_lost {
            return;
        }
        let bound_us = self.liveness_bound_us();
        let is_finished = |run: &Self| S::unfinished(&run.running(&run.wanted_nodes())).is_none();
        if !self.go_on_until(bound_us, is_finished) {
            self.stays_unfinished(bound_us);
        }
        self.compare_states();
    }
}
