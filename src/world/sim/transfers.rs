//! Who moves the leadership of a simulated cluster: now and then; away from a leader that is in trouble, or just before its
//! machine is taken out of service; and back to it when all is well again.

use rashomon_draw::Draw;
use rashomon_nemesis::Node;
use rashomon_systems::server::{Micros, NodeId};
use rashomon_systems::sim::{DiskOptions, NetworkOptions, Token};

use super::run::{Run, WAKE_TRANSFERS};
use super::system::OwnSystem;
use crate::plan::Plan;

/// Nobody waits for what became of a transfer.
const TRANSFER_TOKEN: Token = Token(u64::MAX - 2);
/// How often a fault at the leader makes somebody move the leadership, before or after, and its end makes somebody move it
/// back.
const REACTION_PERCENT: u32 = 50;

/// What shall be moved when.
pub(super) struct Transfers {
    every_us: u64,
    /// How soon trouble is noticed, at the latest: within an election timeout, or others have elected another leader already.
    reaction_us: u64,
    /// How long handing over takes, about: who takes a machine out of service waits for no longer.
    handover_us: u64,
    due: Vec<(Micros, Move)>,
    /// Who led when the faults began that are not over, by fault.
    led: Vec<(u64, NodeId)>,
    draw: Draw,
}

/// Where the leadership shall be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Move {
    /// Elsewhere, and later elsewhere again.
    NowAndThen,
    /// Elsewhere.
    Away,
    /// With this node.
    Back(NodeId),
}

impl Transfers {
    pub(super) fn new(plan: &Plan) -> Self {
        let simulation = plan.simulation.clone().unwrap_or_default();
        let NetworkOptions { latency_min_us, latency_extra_us, .. } = simulation.network;
        let DiskOptions { sync_min_us, sync_extra_us } = simulation.disk;
        Self {
            every_us: simulation.traffic.transfer_every_us,
            reaction_us: simulation.raft.election_min_us,
            handover_us: u64::from(6 * (latency_min_us + latency_extra_us) + 2 * (sync_min_us + sync_extra_us)),
            due: Vec::new(),
            led: Vec::new(),
            draw: Draw::stream(plan.seed, "transfers"),
        }
    }
}

impl<S: OwnSystem> Run<'_, S> {
    /// From now on the leadership is moved as often as the plan says.
    pub(super) fn begin_transfers(&mut self) {
        if self.transfers.every_us == 0 {
            return;
        }
        self.plan_next_move();
        let at_leader = self.plan.schedule.entries.iter().filter(|entry| entry.fault.wants_leader());
        for fault_us in at_leader.map(|entry| entry.at_ms * 1000).collect::<Vec<_>>() {
            let before_us = self.transfers.draw.between(0, self.transfers.handover_us);
            if self.transfers.draw.chance(REACTION_PERCENT) {
                self.plan_move(fault_us.saturating_sub(before_us), Move::Away);
            }
        }
    }

    fn plan_next_move(&mut self) {
        let pause_us = self.transfers.draw.exponential(self.transfers.every_us);
        self.plan_move(pause_us, Move::NowAndThen);
    }

    /// A fault has begun; it is done to the leader where `leader` is one.
    pub(super) fn react_to_fault(&mut self, fault: u64, leader: Option<Node>) {
        if self.transfers.every_us == 0 {
            return;
        }
        self.transfers.led.extend(self.leader().map(|node| (fault, NodeId(node.0))));
        if leader.is_some() {
            self.react(Move::Away);
        }
    }

    /// A fault is over.
    pub(super) fn react_to_end(&mut self, fault: u64) {
        let place = self.transfers.led.iter().position(|(number, _)| *number == fault);
        if let Some((_, node)) = place.map(|place| self.transfers.led.swap_remove(place)) {
            self.react(Move::Back(node));
        }
    }

    fn react(&mut self, wanted: Move) {
        let transfers = &mut self.transfers;
        if transfers.draw.chance(REACTION_PERCENT) {
            let after_us = transfers.draw.between(0, transfers.reaction_us);
            self.plan_move(after_us, wanted);
        }
    }

    fn plan_move(&mut self, after_us: u64, wanted: Move) {
        let at = self.now().after(after_us);
        self.transfers.due.push((at, wanted));
        self.cluster.wake(at, WAKE_TRANSFERS);
    }

    /// Makes the moves that are due.
    pub(super) fn make_moves(&mut self) {
        let now = self.now();
        let planned = std::mem::take(&mut self.transfers.due);
        let (due, later): (Vec<_>, Vec<_>) = planned.into_iter().partition(|(at, _)| *at <= now);
        self.transfers.due = later;
        if !self.is_driving() {
            return;
        }
        for (_, wanted) in due {
            self.move_leadership(wanted);
            if wanted == Move::NowAndThen {
                self.plan_next_move();
            }
        }
    }

    /// Asks someone who believes to lead to hand over.
    fn move_leadership(&mut self, wanted: Move) {
        let back = match wanted {
            Move::Back(node) => Some(node),
            Move::NowAndThen | Move::Away => None,
        };
        let may_be_asked = |node: &NodeId| Some(*node) != back && self.believes_to_lead(*node);
        let leaders: Vec<NodeId> = self.cluster.nodes().filter(may_be_asked).collect();
        if leaders.is_empty() || self.plan.nodes < 2 {
            return;
        }
        let leader = self.transfers.draw.pick(&leaders);
        let others: Vec<NodeId> = self.cluster.nodes().filter(|node| *node != leader).collect();
        let to = back.unwrap_or_else(|| self.transfers.draw.pick(&others));
        if let Some(request) = S::transfer_leadership(to) {
            self.cluster.ask(leader, TRANSFER_TOKEN, request);
        }
    }
}
