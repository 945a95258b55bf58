//! Packet faults: what passes between nodes comes late, twice, in another order, or not at all.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Direction, Node};

/// Some links are bad for a while.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PacketFault {
    /// Which links.
    pub on: AtLinks,
    /// How bad they are.
    pub trouble: PacketTrouble,
}

/// Which links a packet fault is done to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AtLinks {
    /// Those between all nodes, both ways.
    All,
    /// These.
    These(Links),
    /// Those between all nodes and whoever leads when the fault begins.
    Leader {
        /// Which way: `deaf` for those to the leader, `mute` for those from it.
        direction: Direction,
        /// Who it is where nobody knows a leader.
        otherwise: Node,
    },
}

/// Links between nodes, each from a sender to a receiver.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Links(pub BTreeSet<(Node, Node)>);

/// What happens to the packets of a bad link. Where delays spread, packets overtake each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct PacketTrouble {
    /// Each takes at least so many microseconds longer.
    pub delay_min_us: u32,
    /// And at most so many.
    pub delay_max_us: u32,
    /// So many of 1,000 are lost.
    pub loss_per_mille: u16,
    /// So many of 1,000 come twice.
    pub duplicate_per_mille: u16,
}

impl PacketTrouble {
    /// Both at once: the worse of each.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            delay_min_us: self.delay_min_us.max(other.delay_min_us),
            delay_max_us: self.delay_max_us.max(other.delay_max_us),
            loss_per_mille: self.loss_per_mille.max(other.loss_per_mille),
            duplicate_per_mille: self.duplicate_per_mille.max(other.duplicate_per_mille),
        }
    }
}

impl Links {
    /// Every link of a cluster of `count` nodes.
    #[must_use]
    pub fn all(count: u16) -> Self {
        Self::at(&Node::all(count).collect(), count, Direction::Both)
    }

    /// The links between these nodes and all others of a cluster of `count` nodes, and those among them: `deaf` for those
    /// to them, `mute` for those from them.
    #[must_use]
    pub fn at(nodes: &BTreeSet<Node>, count: u16, direction: Direction) -> Self {
        let pairs = Node::all(count).flat_map(|from| Node::all(count).map(move |to| (from, to)));
        let touched = |from: &Node, to: &Node| match direction {
            Direction::Both => nodes.contains(from) || nodes.contains(to),
            Direction::Deaf => nodes.contains(to),
            Direction::Mute => nodes.contains(from),
        };
        Self(pairs.filter(|(from, to)| from != to && touched(from, to)).collect())
    }
}

impl PacketFault {
    /// Decides which links it is, in a cluster of `count` nodes, when `leader` leads.
    pub(super) fn resolve(&self, leader: Option<Node>, count: u16) -> Links {
        match &self.on {
            AtLinks::All => Links::all(count),
            AtLinks::These(links) => links.clone(),
            AtLinks::Leader { direction, otherwise } => {
                Links::at(&BTreeSet::from([leader.unwrap_or(*otherwise)]), count, *direction)
            }
        }
    }
}

impl fmt::Display for Links {
    /// `n1>n2 n3>n2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let links: Vec<String> = self.0.iter().map(|(from, to)| format!("{from}>{to}")).collect();
        f.write_str(if links.is_empty() { "no links" } else { "" })?;
        f.write_str(&links.join(" "))
    }
}

impl fmt::Display for AtLinks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all links"),
            Self::These(links) => write!(f, "{links}"),
            Self::Leader { direction: Direction::Both, .. } => f.write_str("to and from the leader"),
            Self::Leader { direction: Direction::Deaf, .. } => f.write_str("to the leader"),
            Self::Leader { direction: Direction::Mute, .. } => f.write_str("from the leader"),
        }
    }
}

impl fmt::Display for PacketTrouble {
    /// `1 to 20 ms late, 5% lost, 0.5% twice`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |us: u32| f64::from(us) / 1000.0;
        let percent = |per_mille: u16| f64::from(per_mille) / 10.0;
        let parts = [
            (self.delay_max_us, format!("{} to {} ms late", millis(self.delay_min_us), millis(self.delay_max_us))),
            (self.loss_per_mille.into(), format!("{}% lost", percent(self.loss_per_mille))),
            (self.duplicate_per_mille.into(), format!("{}% twice", percent(self.duplicate_per_mille))),
        ];
        let parts: Vec<String> = parts.into_iter().filter(|(size, _)| *size > 0).map(|(_, part)| part).collect();
        f.write_str(if parts.is_empty() { "as ever" } else { "" })?;
        f.write_str(&parts.join(", "))
    }
}

impl fmt::Display for PacketFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.on, self.trouble)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_a_node_are_those_to_it_and_from_it() {
        let node = BTreeSet::from([Node(2)]);
        assert_eq!(Links::at(&node, 3, Direction::Deaf).to_string(), "n1>n2 n3>n2");
        assert_eq!(Links::at(&node, 3, Direction::Mute).to_string(), "n2>n1 n2>n3");
        assert_eq!(Links::at(&node, 3, Direction::Both).to_string(), "n1>n2 n2>n1 n2>n3 n3>n2");
        assert_eq!(Links::all(4).0.len(), 12);
    }

    #[test]
    fn it_is_told_in_milliseconds_and_percent() {
        let trouble =
            PacketTrouble { delay_min_us: 500, delay_max_us: 20_000, loss_per_mille: 50, duplicate_per_mille: 5 };
        let fault = PacketFault { on: AtLinks::All, trouble };
        assert_eq!(fault.to_string(), "all links, 0.5 to 20 ms late, 5% lost, 0.5% twice");
        let slow = PacketTrouble { delay_max_us: 1000, ..PacketTrouble::default() };
        let lossy = PacketTrouble { loss_per_mille: 10, ..PacketTrouble::default() };
        assert_eq!(slow.and(lossy).to_string(), "0 to 1 ms late, 1% lost");
    }
}
