//! What a fault's begin and end mean for the cluster, given the faults that are active at that moment.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Action, Choice, Clients, Deed, DiskState, DiskTrouble, Fault, FaultKind, Grudge, Node, PacketTrouble, list_nodes,
};

/// The faults that are active, each by its number. It decides what a world does at a fault's begin and end, and
/// does nothing itself: a world of real servers and a simulated one follow the same decisions.
///
/// Faults may overlap. What ends is undone only as far as no other active fault wants it.
#[derive(Clone, Debug)]
pub struct ActiveFaults {
    nodes: u16,
    active: BTreeMap<u64, Action>,
    /// Of those, faults that could not be begun as they should. They are undone when they end, but nobody counts on them.
    failed: BTreeSet<u64>,
}

/// What the begin of a fault asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Begun {
    /// The kind of the fault.
    pub kind: FaultKind,
    /// What was planned and who leads, without the kind, for the history.
    pub text: String,
    /// What to do, in this order; or why there is nothing to do. Either way the fault is active from now on. Who can't do it says
    /// so with [`ActiveFaults::not_begun`].
    pub deeds: Result<Vec<Deed>, String>,
}

/// What the end of a fault asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ended {
    /// The kind of the fault.
    pub kind: FaultKind,
    /// What to do, in this order.
    pub deeds: Vec<Deed>,
    /// Where there is nothing to do: why, for the history.
    pub why_nothing: String,
    action: Action,
}

impl ActiveFaults {
    /// No faults yet, in a cluster of `nodes` nodes.
    #[must_use]
    pub fn new(nodes: u16) -> Self {
        Self { nodes, active: BTreeMap::new(), failed: BTreeSet::new() }
    }

    /// Fault `number` begins. `leader` is who leads at this moment, asked only where the fault
    /// [wants to know](Fault::wants_leader).
    pub fn begin(&mut self, number: u64, fault: &Fault, leader: Option<Node>) -> Begun {
        let who = match leader {
            _ if !fault.wants_leader() => String::new(),
            Some(node) => format!("; {node} leads"),
            None => "; nobody knows a leader".into(),
        };
        let mut action = fault.resolve(leader, self.nodes);
        let deeds = self.deeds_to_begin(&action);
        if let (Action::Remove(nodes), Err(_)) = (&mut action, &deeds) {
            nodes.clear();
        }
        self.active.insert(number, action);
        let deeds = deeds.map(|deeds| deeds.into_iter().map(|deed| self.with_all_active(deed)).collect());
        Begun { kind: fault.kind(), text: format!("{}{who}", fault.told()), deeds }
    }

    /// Fault `number` ends; `None` where it is not active.
    pub fn end(&mut self, number: u64) -> Option<Ended> {
        let action = self.active.remove(&number)?;
        self.failed.remove(&number);
        let deeds = self.deeds_to_end(&action).into_iter().map(|deed| self.with_all_active(deed)).collect();
        let why_nothing = match action.nodes() {
            Some(nodes) if !nodes.is_empty() => format!("{} stay as another fault wants them", list_nodes(nodes)),
            Some(_) | None => "there was nothing to undo".into(),
        };
        Some(Ended { kind: action.kind(), deeds, why_nothing, action })
    }

    /// The deeds with which fault `number` should have begun could not all be done: its nodes may run or not.
    pub fn not_begun(&mut self, number: u64) {
        self.failed.insert(number);
    }

    /// A fault that could not be ended is active as before.
    pub fn not_ended(&mut self, number: u64, ended: Ended) {
        self.active.insert(number, ended.action);
    }

    /// The numbers of the active faults in the order in which they are best ended: members that were removed come last, since
    /// only a cluster that works can add them.
    #[must_use]
    pub fn numbers(&self) -> Vec<u64> {
        let mut numbers: Vec<u64> = self.active.keys().copied().collect();
        numbers.sort_by_key(|number| self.active[number].kind() == FaultKind::Membership);
        numbers
    }

    /// What is being done to the cluster, for people; empty in quiet times.
    #[must_use]
    pub fn describe(&self) -> String {
        let parts: Vec<String> = self.active.values().map(ToString::to_string).collect();
        parts.join(", ")
    }

    /// Nodes whose server was killed, or whose machine has no power.
    #[must_use]
    pub fn down(&self) -> BTreeSet<Node> {
        self.nodes_of(Action::keeps_down)
    }

    /// Nodes whose server was stopped.
    #[must_use]
    pub fn paused(&self) -> BTreeSet<Node> {
        self.nodes_of(|action| matches!(action, Action::Pause(_)))
    }

    /// Members that were removed.
    #[must_use]
    pub fn removed(&self) -> BTreeSet<Node> {
        self.nodes_of(|action| matches!(action, Action::Remove(_)))
    }

    fn nodes_of(&self, is_one: impl Fn(&Action) -> bool) -> BTreeSet<Node> {
        let counts = |number: &u64, action: &Action| !self.failed.contains(number) && is_one(action);
        let counted = self.active.iter().filter(|(number, action)| counts(number, action));
        counted.filter_map(|(_, action)| action.nodes()).flatten().copied().collect()
    }

    /// What an action asks for that is not active yet.
    fn deeds_to_begin(&self, action: &Action) -> Result<Vec<Deed>, String> {
        let (down, paused) = (self.down(), self.paused());
        let unless_none = |left: BTreeSet<Node>, nodes, state: &str, deed: fn(BTreeSet<Node>) -> Deed| {
            if left.is_empty() { Err(format!("{} already {state}", list_nodes(nodes))) } else { Ok(vec![deed(left)]) }
        };
        match action {
            Action::Cut(_) => Ok(vec![Deed::Cut(Grudge::default())]),
            Action::Packets(..) => Ok(vec![Deed::Packets(BTreeMap::new())]),
            Action::Kill(nodes) => unless_none(nodes - &down, nodes, "down", Deed::Kill),
            Action::Pause(nodes) => unless_none(&(nodes - &down) - &paused, nodes, "down or paused", Deed::Pause),
            Action::PowerOff(nodes) => {
                let dark = self.nodes_of(|action| matches!(action, Action::PowerOff(_)));
                unless_none(nodes - &dark, nodes, "without power", Deed::PowerOff)
            }
            Action::Disks(nodes, DiskTrouble::BitFlip) => {
                let up = nodes - &down;
                let kill = (!up.is_empty()).then_some(Deed::Kill(up));
                Ok([Deed::FlipBit(nodes.clone())].into_iter().chain(kill).collect())
            }
            Action::Disks(_, DiskTrouble::SlowSync { .. } | DiskTrouble::SyncError | DiskTrouble::Full) => {
                Ok(vec![Deed::Disks(BTreeMap::new())])
            }
            Action::Clocks(nodes, trouble) => {
                let jump = Deed::JumpClocks { nodes: nodes.clone(), ahead_ms: trouble.ahead_ms };
                let jump = (trouble.ahead_ms > 0).then_some(jump);
                Ok(jump.into_iter().chain([Deed::ClockRates(BTreeMap::new())]).collect())
            }
            Action::Remove(nodes) => self.remove(nodes),
            Action::PauseClients(clients) => match clients.minus(&self.paused_clients()) {
                left if left.0.is_empty() => Err(format!("{clients} already stand still")),
                _ => Ok(vec![Deed::PauseClients(Clients::default())]),
            },
        }
    }

    /// More than a minority is never removed: what remains must be a cluster worth testing.
    fn remove(&self, nodes: &BTreeSet<Node>) -> Result<Vec<Deed>, String> {
        let removed = self.removed();
        let members = nodes - &removed;
        let most = usize::from(Choice::Minority.size(self.nodes).max(1));
        if members.is_empty() {
            return Err(format!("{} already removed", list_nodes(nodes)));
        }
        if removed.len() + members.len() > most {
            return Err(format!("{} already removed, which is enough", list_nodes(&removed)));
        }
        Ok(members.into_iter().map(Deed::RemoveMember).collect())
    }

    /// What an action asks for that is no longer active.
    fn deeds_to_end(&self, action: &Action) -> Vec<Deed> {
        match action {
            Action::Cut(_) => vec![Deed::Cut(Grudge::default())],
            Action::Packets(..) => vec![Deed::Packets(BTreeMap::new())],
            Action::Kill(nodes) | Action::PowerOff(nodes) | Action::Disks(nodes, DiskTrouble::BitFlip) => {
                self.start(nodes)
            }
            Action::Pause(nodes) => {
                let resume = &(nodes - &self.down()) - &self.paused();
                if resume.is_empty() { vec![] } else { vec![Deed::Resume(resume)] }
            }
            Action::Disks(_, DiskTrouble::SlowSync { .. }) => vec![Deed::Disks(BTreeMap::new())],
            Action::Disks(nodes, DiskTrouble::SyncError) => {
                // What the server reads at its start must be what the disk holds: nothing of what could not be synced.
                let sound = [Deed::Disks(BTreeMap::new()), Deed::PowerOff(nodes.clone())];
                sound.into_iter().chain(self.start(nodes)).collect()
            }
            Action::Disks(nodes, DiskTrouble::Full) => {
                [Deed::Disks(BTreeMap::new())].into_iter().chain(self.start(nodes)).collect()
            }
            Action::Clocks(..) => vec![Deed::ClockRates(BTreeMap::new())],
            Action::Remove(nodes) => (nodes - &self.removed()).into_iter().map(Deed::AddMember).collect(),
            Action::PauseClients(_) => vec![Deed::PauseClients(Clients::default())],
        }
    }

    /// Starts those that no other fault keeps down or would make end at once; one that another fault wants paused is paused.
    fn start(&self, nodes: &BTreeSet<Node>) -> Vec<Deed> {
        let kept = self.nodes_of(|action| action.keeps_down() || action.ends_servers());
        let start = nodes - &kept;
        let pause = &start & &self.paused();
        let deeds = [(start, Deed::Start as fn(_) -> _), (pause, Deed::Pause)];
        deeds.into_iter().filter(|(nodes, _)| !nodes.is_empty()).map(|(nodes, deed)| deed(nodes)).collect()
    }

    /// Deeds that say how all is from now on say it of all active faults together.
    fn with_all_active(&self, deed: Deed) -> Deed {
        match deed {
            Deed::Cut(_) => Deed::Cut(self.grudge()),
            Deed::Packets(_) => Deed::Packets(self.bad_links()),
            Deed::Disks(_) => Deed::Disks(self.bad_disks()),
            Deed::ClockRates(_) => Deed::ClockRates(self.clock_rates()),
            Deed::PauseClients(_) => Deed::PauseClients(self.paused_clients()),
            Deed::Kill(_)
            | Deed::PowerOff(_)
            | Deed::Start(_)
            | Deed::Pause(_)
            | Deed::Resume(_)
            | Deed::FlipBit(_)
            | Deed::JumpClocks { .. }
            | Deed::RemoveMember(_)
            | Deed::AddMember(_) => deed,
        }
    }

    fn paused_clients(&self) -> Clients {
        let paused = self.active.values().filter_map(|action| match action {
            Action::PauseClients(clients) => Some(&clients.0),
            Action::Cut(_)
            | Action::Kill(_)
            | Action::Pause(_)
            | Action::PowerOff(_)
            | Action::Packets(..)
            | Action::Disks(..)
            | Action::Clocks(..)
            | Action::Remove(_) => None,
        });
        Clients(paused.flatten().copied().collect())
    }

    fn grudge(&self) -> Grudge {
        let mut all = Grudge::default();
        for action in self.active.values() {
            if let Action::Cut(grudge) = action {
                all = all.union(grudge);
            }
        }
        all
    }

    fn bad_links(&self) -> BTreeMap<(Node, Node), PacketTrouble> {
        let mut bad: BTreeMap<(Node, Node), PacketTrouble> = BTreeMap::new();
        for action in self.active.values() {
            if let Action::Packets(links, trouble) = action {
                for link in &links.0 {
                    let worse = bad.get(link).map_or(*trouble, |other| other.and(*trouble));
                    bad.insert(*link, worse);
                }
            }
        }
        bad
    }

    fn bad_disks(&self) -> BTreeMap<Node, DiskState> {
        let mut bad: BTreeMap<Node, DiskState> = BTreeMap::new();
        for action in self.active.values() {
            if let Action::Disks(nodes, trouble) = action {
                nodes.iter().for_each(|node| bad.entry(*node).or_default().add(*trouble));
            }
        }
        bad.retain(|_, state| *state != DiskState::default());
        bad
    }

    /// Of two rates the one that is further from right.
    fn clock_rates(&self) -> BTreeMap<Node, i32> {
        let mut rates: BTreeMap<Node, i32> = BTreeMap::new();
        for action in self.active.values() {
            if let Action::Clocks(nodes, trouble) = action {
                for node in nodes {
                    let rate = rates.entry(*node).or_default();
                    if trouble.rate_ppm.unsigned_abs() > rate.unsigned_abs() {
                        *rate = trouble.rate_ppm;
                    }
                }
            }
        }
        rates.retain(|_, rate_ppm| *rate_ppm != 0);
        rates
    }
}

impl Action {
    /// The nodes that it is done to, where it is done to nodes.
    fn nodes(&self) -> Option<&BTreeSet<Node>> {
        match self {
            Self::Cut(_) | Self::Packets(..) | Self::PauseClients(_) => None,
            Self::Kill(nodes)
            | Self::Pause(nodes)
            | Self::PowerOff(nodes)
            | Self::Disks(nodes, _)
            | Self::Clocks(nodes, _)
            | Self::Remove(nodes) => Some(nodes),
        }
    }

    /// Whether servers don't run as long as it lasts.
    fn keeps_down(&self) -> bool {
        matches!(self, Self::Kill(_) | Self::PowerOff(_) | Self::Disks(_, DiskTrouble::BitFlip))
    }

    /// Whether servers may end by themselves as long as it lasts.
    fn ends_servers(&self) -> bool {
        matches!(self, Self::Disks(_, DiskTrouble::SyncError | DiskTrouble::Full))
    }
}

#[cfg(test)]
mod tests;
