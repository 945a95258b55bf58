//! Faults as data.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Direction, FaultKind, Grudge, Node, list_nodes};

/// One thing done to the cluster for a while. All random choices are made when it is drawn; only who leads is asked when
/// it is injected, see [`Fault::resolve`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Packets between nodes are dropped, then no longer.
    Partition(Partition),
    /// Processes are killed with `kill -9`, then started again on the same disk.
    Kill(Target),
    /// Processes are stopped with SIGSTOP, then go on with SIGCONT.
    Pause(Target),
}

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

/// Whose processes are killed or paused.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Target {
    /// How they were chosen.
    pub choice: Choice,
    /// Who they are; with [`Choice::Leader`], who it is where nobody knows a leader.
    pub nodes: BTreeSet<Node>,
}

/// How many nodes are killed or paused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// Any one.
    One,
    /// As many as the others can outvote.
    Minority,
    /// More than half.
    Majority,
    /// Every node.
    All,
    /// Whoever leads when the fault begins.
    Leader,
}

impl Choice {
    /// All choices.
    pub const ALL: [Self; 5] = [Self::One, Self::Minority, Self::Majority, Self::All, Self::Leader];

    /// The name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::One => "one node",
            Self::Minority => "a minority",
            Self::Majority => "a majority",
            Self::All => "all nodes",
            Self::Leader => "the leader",
        }
    }

    /// How many of `count` nodes it takes.
    #[must_use]
    pub fn size(self, count: u16) -> u16 {
        match self {
            Self::One | Self::Leader => count.min(1),
            Self::Minority => count.saturating_sub(1) / 2,
            Self::Majority => count / 2 + 1,
            Self::All => count,
        }
    }
}

/// A fault with everything decided: what the hands shall do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Drop these packets.
    Cut(Grudge),
    /// Kill these processes.
    Kill(BTreeSet<Node>),
    /// Stop these processes.
    Pause(BTreeSet<Node>),
}

impl fmt::Display for Action {
    /// For people, short: `partition n1 n2 | n3 n4 n5`, `kill n3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut(grudge) => write!(f, "partition {grudge}"),
            Self::Kill(nodes) => write!(f, "kill {}", list_nodes(nodes)),
            Self::Pause(nodes) => write!(f, "pause {}", list_nodes(nodes)),
        }
    }
}

impl Fault {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::Partition(_) => FaultKind::Partition,
            Self::Kill(_) => FaultKind::Kill,
            Self::Pause(_) => FaultKind::Pause,
        }
    }

    /// Whether it is aimed at whoever leads.
    #[must_use]
    pub fn wants_leader(&self) -> bool {
        match self {
            Self::Partition(partition) => matches!(partition.cut, Cut::Leader { .. }),
            Self::Kill(target) | Self::Pause(target) => target.choice == Choice::Leader,
        }
    }

    /// Decides who it is done to in a cluster of `count` nodes, when `leader` leads.
    #[must_use]
    pub fn resolve(&self, leader: Option<Node>, count: u16) -> Action {
        match self {
            Self::Partition(partition) => Action::Cut(match &partition.cut {
                Cut::Grudge(grudge) => grudge.clone(),
                Cut::Leader { direction, otherwise } => {
                    Grudge::around(&BTreeSet::from([leader.unwrap_or(*otherwise)]), count, *direction)
                }
            }),
            Self::Kill(target) => Action::Kill(target.resolve(leader)),
            Self::Pause(target) => Action::Pause(target.resolve(leader)),
        }
    }
}

impl Target {
    fn resolve(&self, leader: Option<Node>) -> BTreeSet<Node> {
        match (self.choice, leader) {
            (Choice::Leader, Some(leader)) => BTreeSet::from([leader]),
            _ => self.nodes.clone(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.choice {
            Choice::Leader => f.write_str(self.choice.name()),
            Choice::One | Choice::Minority | Choice::Majority | Choice::All => {
                write!(f, "{} ({})", self.choice.name(), list_nodes(&self.nodes))
            }
        }
    }
}

impl fmt::Display for Fault {
    /// For people, as planned: `partition: bridge (n1 drops n4 n5; ...)`, `kill: the leader`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Partition(Partition { shape, cut: Cut::Grudge(grudge) }) => {
                write!(f, "partition: {} ({grudge})", shape.name())
            }
            Self::Partition(Partition { shape, cut: Cut::Leader { direction, .. } }) => match (shape, direction) {
                (_, Direction::Both) => write!(f, "partition: the leader from all others"),
                (_, Direction::Deaf) => write!(f, "partition: {}, the leader hears nobody", shape.name()),
                (_, Direction::Mute) => write!(f, "partition: {}, nobody hears the leader", shape.name()),
            },
            Self::Kill(target) => write!(f, "kill: {target}"),
            Self::Pause(target) => write!(f, "pause: {target}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leader_is_whoever_leads_when_it_begins() {
        let kill = Fault::Kill(Target { choice: Choice::Leader, nodes: BTreeSet::from([Node(2)]) });
        assert_eq!(kill.resolve(Some(Node(4)), 5), Action::Kill(BTreeSet::from([Node(4)])));
        assert_eq!(kill.resolve(None, 5), Action::Kill(BTreeSet::from([Node(2)])));
        let cut = Fault::Partition(Partition {
            shape: Shape::Leader,
            cut: Cut::Leader { direction: Direction::Both, otherwise: Node(1) },
        });
        let Action::Cut(grudge) = cut.resolve(Some(Node(4)), 5) else { panic!("a partition cuts") };
        assert_eq!(grudge.to_string(), "n1 n2 n3 n5 | n4");
    }

    #[test]
    fn nodes_that_were_drawn_do_not_depend_on_the_leader() {
        let pause = Fault::Pause(Target { choice: Choice::One, nodes: BTreeSet::from([Node(2)]) });
        assert_eq!(pause.resolve(Some(Node(4)), 5), pause.resolve(None, 5));
    }

    #[test]
    fn a_minority_can_be_outvoted_and_a_majority_not() {
        for count in 1..=9 {
            assert!(Choice::Minority.size(count) * 2 < count);
            assert!(Choice::Majority.size(count) * 2 > count);
        }
    }
}
