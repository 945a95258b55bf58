//! What a nemesis asks of a world.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::{Clients, ClockTrouble, DiskTrouble, Grudge, Node, PacketTrouble, list_nodes};

/// One thing that a world does to its cluster at once. [`crate::ActiveFaults`] says which, and in which order.
///
/// A simulated server may have ended by itself, where its disk failed or was full: then it is passed over by what needs a
/// running server, and started by [`Deed::Start`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Deed {
    /// From now on exactly these packets are dropped.
    Cut(Grudge),
    /// From now on exactly these links are bad, each from a sender to a receiver.
    Packets(BTreeMap<(Node, Node), PacketTrouble>),
    /// Kill these processes.
    Kill(BTreeSet<Node>),
    /// Take the power from these machines, whether or not a server runs on them.
    PowerOff(BTreeSet<Node>),
    /// Start those of these that don't run.
    Start(BTreeSet<Node>),
    /// Stop these processes.
    Pause(BTreeSet<Node>),
    /// Let these processes go on.
    Resume(BTreeSet<Node>),
    /// From now on exactly these disks are in trouble.
    Disks(BTreeMap<Node, DiskState>),
    /// Flip a bit of what is durable on the disks of these.
    FlipBit(BTreeSet<Node>),
    /// The clocks of these jump forward.
    JumpClocks {
        /// Whose.
        nodes: BTreeSet<Node>,
        /// By so many milliseconds.
        ahead_ms: u32,
    },
    /// From now on exactly these clocks run at another rate: in a second they show so many microseconds more, or less.
    ClockRates(BTreeMap<Node, i32>),
    /// Remove this member from the cluster; its server goes on running.
    RemoveMember(Node),
    /// Add this member to the cluster again.
    AddMember(Node),
    /// From now on exactly these clients stand still.
    PauseClients(Clients),
}

/// What is wrong with a disk, of all that lasts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DiskState {
    /// So many microseconds come on top of every sync.
    pub slow_sync_us: u32,
    /// Every sync fails.
    pub sync_error: bool,
    /// There is no room for another byte.
    pub full: bool,
}

impl DiskState {
    /// And this trouble, too. A bit that flipped is no state.
    pub(crate) fn add(&mut self, trouble: DiskTrouble) {
        match trouble {
            DiskTrouble::SlowSync { us } => self.slow_sync_us = self.slow_sync_us.max(us),
            DiskTrouble::SyncError => self.sync_error = true,
            DiskTrouble::Full => self.full = true,
            DiskTrouble::BitFlip => {}
        }
    }

    fn troubles(self) -> impl Iterator<Item = DiskTrouble> {
        let slow = (self.slow_sync_us > 0).then_some(DiskTrouble::SlowSync { us: self.slow_sync_us });
        let error = self.sync_error.then_some(DiskTrouble::SyncError);
        [slow, error, self.full.then_some(DiskTrouble::Full)].into_iter().flatten()
    }
}

impl fmt::Display for Deed {
    /// For people, in a few words: `kill n1, n3`, `links as ever`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut(grudge) => write!(f, "cut {grudge}"),
            Self::Packets(links) => {
                list(f, "links", links.iter().map(|((from, to), bad)| format!("{from}>{to} {bad}")))
            }
            Self::Kill(nodes) => write!(f, "kill {}", list_nodes(nodes)),
            Self::PowerOff(nodes) => write!(f, "power off {}", list_nodes(nodes)),
            Self::Start(nodes) => write!(f, "start {}", list_nodes(nodes)),
            Self::Pause(nodes) => write!(f, "pause {}", list_nodes(nodes)),
            Self::Resume(nodes) => write!(f, "resume {}", list_nodes(nodes)),
            Self::Disks(disks) => {
                let told = disks.iter().map(|(node, state)| {
                    let troubles: Vec<String> = state.troubles().map(|trouble| trouble.to_string()).collect();
                    format!("{node} {}", troubles.join(" and "))
                });
                list(f, "disks", told)
            }
            Self::FlipBit(nodes) => write!(f, "flip a bit of {}", list_nodes(nodes)),
            Self::JumpClocks { nodes, ahead_ms } => write!(f, "clocks of {} {ahead_ms} ms ahead", list_nodes(nodes)),
            Self::ClockRates(rates) => {
                let rate = |rate_ppm| ClockTrouble { ahead_ms: 0, rate_ppm };
                list(f, "clocks", rates.iter().map(|(node, rate_ppm)| format!("{node} {}", rate(*rate_ppm))))
            }
            Self::RemoveMember(node) => write!(f, "remove {node}"),
            Self::AddMember(node) => write!(f, "add {node}"),
            Self::PauseClients(clients) if clients.0.is_empty() => f.write_str("all clients go on"),
            Self::PauseClients(clients) => write!(f, "{clients} stand still"),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, what: &str, parts: impl Iterator<Item = String>) -> fmt::Result {
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() { write!(f, "{what} as ever") } else { write!(f, "{what} {}", parts.join(", ")) }
}
