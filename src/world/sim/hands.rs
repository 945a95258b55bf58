//! The nemesis of a simulated run: the decisions of the real one, and simulated hands.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_history::FaultPhase;
use rashomon_nemesis::{
    ActiveFaults, Deed, DiskState, FaultKind, Grudge, KindSummary, Node, PacketTrouble, Step, StepKind, Summary,
    list_nodes,
};
use rashomon_systems::server::{Micros, NodeId};
use rashomon_systems::sim::Disturbance;
use rashomon_systems::sim::disk::{Crash, DiskFaults};

use super::Check;
use super::clients::time;
use super::run::{Run, WAKE_NEMESIS};
use super::system::OwnSystem;
use crate::plan::Plan;

/// What is broken at the moment, and what comes next.
pub(super) struct Nemesis {
    active: ActiveFaults,
    summary: Summary,
    began: Micros,
    steps: Vec<Step>,
    next_step: usize,
    grudge: Grudge,
    bad_links: BTreeMap<(Node, Node), PacketTrouble>,
    bad_disks: BTreeMap<Node, DiskState>,
    /// Disks on which a bit was flipped: their servers may rightly refuse to start.
    flipped: BTreeSet<NodeId>,
}

impl Nemesis {
    pub(super) fn new(plan: &Plan) -> Self {
        let kinds = plan.schedule.kinds().into_iter().map(|kind| (kind, KindSummary::default())).collect();
        Self {
            active: ActiveFaults::new(plan.nodes),
            summary: Summary { kinds },
            began: Micros(0),
            steps: plan.schedule.timeline(),
            next_step: 0,
            grudge: Grudge::default(),
            bad_links: BTreeMap::new(),
            bad_disks: BTreeMap::new(),
            flipped: BTreeSet::new(),
        }
    }

    pub(super) fn summary(self) -> Summary {
        self.summary
    }
}

fn id(node: Node) -> NodeId {
    NodeId(node.0)
}

impl<S: OwnSystem> Run<'_, S> {
    /// From now on the schedule is followed.
    pub(super) fn begin_schedule(&mut self) {
        self.nemesis.began = self.now();
        self.announce_step();
    }

    fn announce_step(&mut self) {
        if let Some(step) = self.nemesis.steps.get(self.nemesis.next_step) {
            self.cluster.wake(self.nemesis.began.after(step.at_ms * 1000), WAKE_NEMESIS);
        }
    }

    /// The next step of the schedule is due.
    pub(super) fn follow_schedule(&mut self) {
        let Some(step) = self.nemesis.steps.get(self.nemesis.next_step).copied() else { return };
        self.nemesis.next_step += 1;
        match step.kind {
            StepKind::Begin => self.begin_fault(step.fault),
            StepKind::End => self.end_fault(step.fault),
        }
        self.announce_step();
    }

    fn begin_fault(&mut self, number: u64) {
        let Some(fault) = self.plan.schedule.fault(number).cloned() else { return };
        let leader = if fault.wants_leader() { self.leader() } else { None };
        self.react_to_fault(number, leader);
        let begun = self.nemesis.active.begin(number, &fault, leader);
        self.note(number, begun.kind, FaultPhase::Begin, begun.text);
        self.nemesis.summary.kinds.entry(begun.kind).or_default().injected += 1;
        let seen = begun.deeds.and_then(|deeds| {
            let seen = self.do_all(number, deeds);
            if seen.is_err() {
                self.nemesis.active.not_begun(number);
            }
            seen
        });
        match seen {
            // That a member has left is seen later.
            Ok(_) if begun.kind == FaultKind::Membership => {}
            Ok(seen) => self.bitten(number, begun.kind, FaultPhase::Bites, seen),
            Err(reason) => self.bitten(number, begun.kind, FaultPhase::Failed, reason),
        }
    }

    /// What became of a fault that was begun.
    pub(super) fn bitten(&mut self, number: u64, kind: FaultKind, phase: FaultPhase, detail: String) {
        let summary = self.nemesis.summary.kinds.entry(kind).or_default();
        match phase {
            FaultPhase::Bites => summary.bitten += 1,
            FaultPhase::Failed => summary.failed += 1,
            FaultPhase::Begin | FaultPhase::End => {}
        }
        self.note(number, kind, phase, detail);
    }

    fn end_fault(&mut self, number: u64) {
        let Some(ended) = self.nemesis.active.end(number) else { return };
        self.give_up_removal(number);
        self.react_to_end(number);
        let detail = match ended.deeds.as_slice() {
            [] => ended.why_nothing,
            _ => self.do_all(number, ended.deeds).unwrap_or_else(|reason| reason),
        };
        self.note(number, ended.kind, FaultPhase::End, detail);
    }

    /// Ends every fault, and starts every server that does not run.
    pub(super) fn end_faults(&mut self) {
        self.nemesis.next_step = self.nemesis.steps.len();
        for number in self.nemesis.active.numbers() {
            self.end_fault(number);
        }
        for node in self.cluster.nodes() {
            if self.cluster.server(node).is_some() && !self.cluster.is_up(node) {
                self.cluster.resume(node);
            }
            self.cluster.start(node);
        }
    }

    fn note(&mut self, number: u64, kind: FaultKind, phase: FaultPhase, detail: String) {
        let now = time(self.now());
        self.shared.recording.nemesis(now, number, kind.name(), phase, detail);
    }

    /// Who leads in the latest term.
    pub(super) fn leader(&self) -> Option<Node> {
        let up = self.cluster.nodes().filter(|node| self.cluster.is_up(*node));
        let leaders = up.filter_map(|node| Some((node, S::leads(self.cluster.server(node)?)?)));
        leaders.max_by_key(|(_, term)| *term).map(|(node, _)| Node(node.0))
    }

    fn do_all(&mut self, fault: u64, deeds: Vec<Deed>) -> Result<String, String> {
        let told = deeds.into_iter().map(|deed| self.carry_out_deed(fault, deed)).collect::<Result<Vec<_>, _>>()?;
        Ok(told.join("; "))
    }

    /// Does it, and says what was done.
    fn carry_out_deed(&mut self, fault: u64, deed: Deed) -> Result<String, String> {
        let told = deed.to_string();
        match deed {
            Deed::Cut(grudge) => {
                self.nemesis.grudge = grudge;
                self.disturb_links();
            }
            Deed::Packets(links) => {
                self.nemesis.bad_links = links;
                self.disturb_links();
            }
            Deed::Kill(nodes) => nodes.into_iter().for_each(|node| self.cluster.crash(id(node), Crash::Process)),
            Deed::PowerOff(nodes) => nodes.into_iter().for_each(|node| self.cluster.crash(id(node), Crash::Power)),
            Deed::Start(nodes) => nodes.into_iter().for_each(|node| self.cluster.start(id(node))),
            Deed::Pause(nodes) => nodes.into_iter().for_each(|node| self.cluster.pause(id(node))),
            Deed::Resume(nodes) => nodes.into_iter().for_each(|node| self.cluster.resume(id(node))),
            Deed::Disks(disks) => {
                self.nemesis.bad_disks = disks;
                self.disturb_disks();
            }
            Deed::FlipBit(nodes) => return self.flip_bits(&nodes),
            Deed::JumpClocks { nodes, ahead_ms } => {
                for node in nodes {
                    self.cluster.jump_clock(id(node), u64::from(ahead_ms) * 1000);
                }
            }
            Deed::ClockRates(rates) => {
                for node in self.cluster.nodes() {
                    self.cluster.set_clock_rate(node, rates.get(&Node(node.0)).copied().unwrap_or(0));
                }
            }
            Deed::RemoveMember(node) => self.remove_member(fault, node),
            Deed::AddMember(node) => self.add_member(node),
            Deed::PauseClients(clients) => self.pause_clients(clients),
        }
        Ok(told)
    }

    fn disturb_links(&mut self) {
        for from in self.cluster.nodes() {
            for to in self.cluster.nodes().filter(|to| *to != from) {
                let (sender, receiver) = (Node(from.0), Node(to.0));
                let trouble = self.nemesis.bad_links.get(&(sender, receiver)).copied().unwrap_or_default();
                let disturbance = Disturbance {
                    cut: self.nemesis.grudge.is_cut(sender, receiver),
                    delay_min_us: trouble.delay_min_us,
                    delay_max_us: trouble.delay_max_us,
                    loss_ppm: u32::from(trouble.loss_per_mille) * 1000,
                    duplicate_ppm: u32::from(trouble.duplicate_per_mille) * 1000,
                };
                self.cluster.disturb(from, to, disturbance);
            }
        }
    }

    fn disturb_disks(&mut self) {
        for node in self.cluster.nodes() {
            let state = self.nemesis.bad_disks.get(&Node(node.0)).copied().unwrap_or_default();
            let faults = DiskFaults { sync_error: state.sync_error, full: state.full };
            self.cluster.set_disk_faults(node, faults, state.slow_sync_us.into());
        }
    }

    fn flip_bits(&mut self, nodes: &BTreeSet<Node>) -> Result<String, String> {
        let mut told = Vec::new();
        for node in nodes {
            let Some(place) = self.cluster.flip_bit(id(*node)) else { continue };
            self.nemesis.flipped.insert(id(*node));
            told.push(format!("{node}: {place}"));
        }
        if told.is_empty() { Err(format!("{} had nothing on disk", list_nodes(nodes))) } else { Ok(told.join("; ")) }
    }

    /// A server ended, or could not start. Where its disk was broken that is right; else it is a failure of its own.
    pub(super) fn server_ended(&mut self, node: NodeId, reason: &str) {
        let state = self.nemesis.bad_disks.get(&Node(node.0)).copied().unwrap_or_default();
        if state.sync_error || state.full || self.nemesis.flipped.contains(&node) {
            return;
        }
        self.violate(Check::Invariants, "server-ended", format!("{node} ended by itself: {reason}"));
    }
}
