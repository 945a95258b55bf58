//! A fault with everything decided.

use std::collections::BTreeSet;
use std::fmt;

use crate::{Clients, ClockTrouble, DiskTrouble, FaultKind, Grudge, Links, Node, PacketTrouble, list_nodes};

/// A fault with everything decided: what is done to whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Drop these packets.
    Cut(Grudge),
    /// Kill these processes.
    Kill(BTreeSet<Node>),
    /// Stop these processes.
    Pause(BTreeSet<Node>),
    /// Take the power from these machines.
    PowerOff(BTreeSet<Node>),
    /// Trouble the packets of these links.
    Packets(Links, PacketTrouble),
    /// Trouble the disks of these nodes.
    Disks(BTreeSet<Node>, DiskTrouble),
    /// Trouble the clocks of these nodes.
    Clocks(BTreeSet<Node>, ClockTrouble),
    /// Remove these members.
    Remove(BTreeSet<Node>),
    /// Let these clients stand still.
    PauseClients(Clients),
}

impl Action {
    /// The kind of fault that it is.
    #[must_use]
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::Cut(_) => FaultKind::Partition,
            Self::Kill(_) => FaultKind::Kill,
            Self::Pause(_) => FaultKind::Pause,
            Self::PowerOff(_) => FaultKind::Power,
            Self::Packets(..) => FaultKind::Packet,
            Self::Disks(..) => FaultKind::Disk,
            Self::Clocks(..) => FaultKind::Clock,
            Self::Remove(_) => FaultKind::Membership,
            Self::PauseClients(_) => FaultKind::Client,
        }
    }

    /// All nodes that it touches.
    #[must_use]
    pub fn touched(&self) -> BTreeSet<Node> {
        match self {
            Self::Cut(grudge) => grudge.edges().flat_map(|(from, to)| [from, to]).collect(),
            Self::Packets(links, _) => links.0.iter().flat_map(|(from, to)| [*from, *to]).collect(),
            Self::Kill(nodes)
            | Self::Pause(nodes)
            | Self::PowerOff(nodes)
            | Self::Disks(nodes, _)
            | Self::Clocks(nodes, _)
            | Self::Remove(nodes) => nodes.clone(),
            Self::PauseClients(_) => BTreeSet::new(),
        }
    }
}

impl fmt::Display for Action {
    /// For people, short: `partition n1 n2 | n3 n4 n5`, `kill n3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind();
        match self {
            Self::Cut(grudge) => write!(f, "{kind} {grudge}"),
            Self::Kill(nodes) | Self::Pause(nodes) | Self::PowerOff(nodes) => write!(f, "{kind} {}", list_nodes(nodes)),
            Self::Packets(links, trouble) => write!(f, "{kind} {links}: {trouble}"),
            Self::Disks(nodes, trouble) => write!(f, "{kind} {}: {trouble}", list_nodes(nodes)),
            Self::Clocks(nodes, trouble) => write!(f, "{kind} {}: {trouble}", list_nodes(nodes)),
            Self::Remove(nodes) => write!(f, "{kind} without {}", list_nodes(nodes)),
            Self::PauseClients(clients) => write!(f, "pause {clients}"),
        }
    }
}
