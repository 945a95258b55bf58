//! Partitions: packets between nodes are dropped.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Direction, Grudge, Node};

/// A shape and the cuts that were drawn for it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Partition {
    /// What it is called.
    pub shape: Shape,
    /// Who is cut off from whom.
    pub cut: Cut,
}

/// Who is cut off from whom.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cut {
    /// These.
    Grudge(Grudge),
    /// Whoever leads when the fault begins, from all others.
    Leader {
        /// Which way.
        direction: Direction,
        /// Who it is where nobody knows a leader.
        otherwise: Node,
    },
}

/// The shapes of partitions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// The first half of the nodes and the second.
    Halves,
    /// Two halves, drawn.
    RandomHalves,
    /// One node and all others.
    OneNode,
    /// The leader and all others.
    Leader,
    /// A third of the nodes, at least one, and all others.
    MinorityThird,
    /// Every node hears a majority, no two the same one.
    MajoritiesRing,
    /// Two halves that only one node can hear both of.
    Bridge,
    /// One side does not hear the other, but is heard.
    OneWay,
}

impl Shape {
    /// All shapes.
    pub const ALL: [Self; 8] = [
        Self::Halves,
        Self::RandomHalves,
        Self::OneNode,
        Self::Leader,
        Self::MinorityThird,
        Self::MajoritiesRing,
        Self::Bridge,
        Self::OneWay,
    ];

    /// The name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Halves => "halves",
            Self::RandomHalves => "random halves",
            Self::OneNode => "one node",
            Self::Leader => "the leader",
            Self::MinorityThird => "minority third",
            Self::MajoritiesRing => "ring of majorities",
            Self::Bridge => "bridge",
            Self::OneWay => "one-way",
        }
    }

    /// The smallest cluster in which it cuts anything.
    #[must_use]
    pub fn fewest_nodes(self) -> u16 {
        match self {
            Self::Halves | Self::RandomHalves | Self::OneNode | Self::Leader | Self::OneWay => 2,
            Self::MinorityThird | Self::Bridge => 3,
            Self::MajoritiesRing => 4,
        }
    }
}

impl Partition {
    /// Decides who is cut off from whom in a cluster of `count` nodes, when `leader` leads.
    pub(super) fn resolve(&self, leader: Option<Node>, count: u16) -> Grudge {
        match &self.cut {
            Cut::Grudge(grudge) => grudge.clone(),
            Cut::Leader { direction, otherwise } => {
                Grudge::around(&BTreeSet::from([leader.unwrap_or(*otherwise)]), count, *direction)
            }
        }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = self.shape.name();
        match &self.cut {
            Cut::Grudge(grudge) => write!(f, "{shape} ({grudge})"),
            Cut::Leader { direction: Direction::Both, .. } => f.write_str("the leader from all others"),
            Cut::Leader { direction: Direction::Deaf, .. } => write!(f, "{shape}, the leader hears nobody"),
            Cut::Leader { direction: Direction::Mute, .. } => write!(f, "{shape}, nobody hears the leader"),
        }
    }
}
