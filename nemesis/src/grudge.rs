//! Who drops packets from whom.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Node;

/// For each node, the nodes whose packets it drops. Clients are never in it: they stay connected to a node that is cut
/// off from its peers, otherwise nobody would see its stale reads.
///
/// The word and the shapes are Jepsen's (`jepsen.nemesis`).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Grudge {
    drops: BTreeMap<Node, BTreeSet<Node>>,
}

/// Which way packets are dropped between two sides.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Neither side hears the other.
    Both,
    /// The side in question hears nothing, but is heard.
    Deaf,
    /// The side in question is not heard, but hears.
    Mute,
}

impl Grudge {
    /// Every node hears only its own side. Nodes on no side hear and are heard by all.
    #[must_use]
    pub fn between(sides: &[BTreeSet<Node>]) -> Self {
        let mut grudge = Self::default();
        for (position, side) in sides.iter().enumerate() {
            for (_, other) in sides.iter().enumerate().filter(|(other, _)| *other != position) {
                grudge.drop_from(side, other);
            }
        }
        grudge
    }

    /// Cuts one side off from the others of a cluster of `count` nodes.
    #[must_use]
    pub fn around(side: &BTreeSet<Node>, count: u16, direction: Direction) -> Self {
        let rest: BTreeSet<Node> = Node::all(count).filter(|node| !side.contains(node)).collect();
        let mut grudge = Self::default();
        match direction {
            Direction::Both => {
                grudge.drop_from(side, &rest);
                grudge.drop_from(&rest, side);
            }
            Direction::Deaf => grudge.drop_from(side, &rest),
            Direction::Mute => grudge.drop_from(&rest, side),
        }
        grudge
    }

    /// Two halves that don't hear each other, and `bridge` that hears and is heard by both.
    #[must_use]
    pub fn bridge(left: &BTreeSet<Node>, bridge: Node, right: &BTreeSet<Node>) -> Self {
        let without = |side: &BTreeSet<Node>| side.iter().copied().filter(|node| *node != bridge).collect();
        Self::between(&[without(left), without(right)])
    }

    /// Every node hears a majority, no two nodes the same one: the nodes stand in a ring and hear their nearest
    /// neighbours on both sides. Needs at least 4 nodes; with fewer nobody is cut off.
    #[must_use]
    pub fn majorities_ring(ring: &[Node]) -> Self {
        let majority = ring.len() / 2 + 1;
        let reach = majority / 2;
        let mut grudge = Self::default();
        for (position, node) in ring.iter().enumerate() {
            for (other_position, other) in ring.iter().enumerate() {
                let apart = position.abs_diff(other_position);
                if apart.min(ring.len() - apart) > reach {
                    grudge.drops.entry(*node).or_default().insert(*other);
                }
            }
        }
        grudge
    }

    fn drop_from(&mut self, receivers: &BTreeSet<Node>, senders: &BTreeSet<Node>) {
        for receiver in receivers {
            for sender in senders.iter().filter(|sender| *sender != receiver) {
                self.drops.entry(*receiver).or_default().insert(*sender);
            }
        }
    }

    /// Whose packets `receiver` drops.
    pub fn dropped_by(&self, receiver: Node) -> impl Iterator<Item = Node> {
        self.drops.get(&receiver).into_iter().flatten().copied()
    }

    /// Whether `receiver` drops the packets of `sender`.
    #[must_use]
    pub fn is_cut(&self, sender: Node, receiver: Node) -> bool {
        self.drops.get(&receiver).is_some_and(|senders| senders.contains(&sender))
    }

    /// The cuts, as (sender, receiver), in order of the receivers.
    pub fn edges(&self) -> impl Iterator<Item = (Node, Node)> {
        self.drops.iter().flat_map(|(receiver, senders)| senders.iter().map(|sender| (*sender, *receiver)))
    }

    /// The same between nodes of other names; what touches a node without a name is left out.
    pub(crate) fn renamed(&self, name: impl Fn(Node) -> Option<Node>) -> Self {
        let mut renamed = Self::default();
        for (sender, receiver) in self.edges() {
            if let (Some(sender), Some(receiver)) = (name(sender), name(receiver)) {
                renamed.drops.entry(receiver).or_default().insert(sender);
            }
        }
        renamed
    }

    /// Whether nobody is cut off from anybody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.drops.values().all(BTreeSet::is_empty)
    }

    /// All cuts of both.
    #[must_use]
    pub fn union(mut self, other: &Self) -> Self {
        for (sender, receiver) in other.edges() {
            self.drops.entry(receiver).or_default().insert(sender);
        }
        self
    }

    /// The nodes that the grudge speaks of.
    fn nodes(&self) -> BTreeSet<Node> {
        self.edges().flat_map(|(sender, receiver)| [sender, receiver]).collect()
    }

    /// The sides, where every node hears all of its own side and nothing of the others.
    fn sides(&self) -> Option<Vec<BTreeSet<Node>>> {
        let nodes = self.nodes();
        let mut sides: Vec<BTreeSet<Node>> = Vec::new();
        for node in &nodes {
            let heard: BTreeSet<Node> = nodes.iter().copied().filter(|other| !self.is_cut(*other, *node)).collect();
            if !sides.contains(&heard) {
                sides.push(heard);
            }
        }
        let apart = sides.iter().map(BTreeSet::len).sum::<usize>() == nodes.len();
        apart.then_some(sides)
    }
}

impl fmt::Display for Grudge {
    /// `n1 n2 | n3 n4 n5` where the nodes fall into sides, otherwise who drops whom: `n3 drops n1 n2; n4 drops n1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |nodes: &BTreeSet<Node>| nodes.iter().map(Node::to_string).collect::<Vec<_>>().join(" ");
        if self.is_empty() {
            return f.write_str("nobody is cut off");
        }
        let parts: Vec<String> = match self.sides() {
            Some(sides) => return f.write_str(&sides.iter().map(join).collect::<Vec<_>>().join(" | ")),
            None => self.drops.iter().map(|(node, drops)| format!("{node} drops {}", join(drops))).collect(),
        };
        f.write_str(&parts.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(numbers: &[u16]) -> BTreeSet<Node> {
        numbers.iter().map(|number| Node(*number)).collect()
    }

    fn symmetric(grudge: &Grudge) -> bool {
        grudge.edges().all(|(sender, receiver)| grudge.is_cut(receiver, sender))
    }

    fn hears(grudge: &Grudge, node: Node, count: u16) -> BTreeSet<Node> {
        Node::all(count).filter(|other| !grudge.is_cut(*other, node)).collect()
    }

    #[test]
    fn sides_hear_only_themselves() {
        let grudge = Grudge::between(&[set(&[1, 2]), set(&[3, 4, 5])]);
        assert!(symmetric(&grudge));
        assert_eq!(grudge.edges().count(), 12);
        assert_eq!(hears(&grudge, Node(1), 5), set(&[1, 2]));
        assert_eq!(hears(&grudge, Node(4), 5), set(&[3, 4, 5]));
        assert_eq!(grudge.to_string(), "n1 n2 | n3 n4 n5");
    }

    #[test]
    fn one_way_cuts_are_not_symmetric() {
        let deaf = Grudge::around(&set(&[2]), 3, Direction::Deaf);
        assert_eq!(deaf.edges().collect::<Vec<_>>(), [(Node(1), Node(2)), (Node(3), Node(2))]);
        assert_eq!(deaf.to_string(), "n2 drops n1 n3");
        let mute = Grudge::around(&set(&[2]), 3, Direction::Mute);
        assert_eq!(mute.edges().collect::<Vec<_>>(), [(Node(2), Node(1)), (Node(2), Node(3))]);
        assert_eq!(mute.to_string(), "n1 drops n2; n3 drops n2");
        assert_eq!(deaf.union(&mute), Grudge::around(&set(&[2]), 3, Direction::Both));
    }

    #[test]
    fn a_bridge_hears_both_halves_which_do_not_hear_each_other() {
        let grudge = Grudge::bridge(&set(&[1, 2]), Node(3), &set(&[3, 4, 5]));
        assert!(symmetric(&grudge));
        assert_eq!(hears(&grudge, Node(3), 5), set(&[1, 2, 3, 4, 5]));
        assert_eq!(hears(&grudge, Node(1), 5), set(&[1, 2, 3]));
        assert_eq!(hears(&grudge, Node(5), 5), set(&[3, 4, 5]));
    }

    #[test]
    fn in_a_ring_every_node_hears_a_majority_and_no_two_the_same() {
        for count in 4..=15 {
            let ring: Vec<Node> = Node::all(count).collect();
            let grudge = Grudge::majorities_ring(&ring);
            assert!(symmetric(&grudge), "{count} nodes");
            assert!(!grudge.is_empty(), "{count} nodes");
            let heard: BTreeSet<BTreeSet<Node>> = ring.iter().map(|node| hears(&grudge, *node, count)).collect();
            assert_eq!(heard.len(), usize::from(count), "{count} nodes: two nodes hear the same majority");
            for (node, majority) in ring.iter().zip(ring.iter().map(|node| hears(&grudge, *node, count))) {
                assert!(majority.contains(node) && majority.len() > usize::from(count) / 2, "{count} nodes: {node}");
            }
        }
        assert!(Grudge::majorities_ring(&[Node(1), Node(2), Node(3)]).is_empty());
    }

    #[test]
    fn nobody_drops_its_own_packets() {
        let overlapping = Grudge::between(&[set(&[1, 2]), set(&[2, 3])]);
        assert!(overlapping.edges().all(|(sender, receiver)| sender != receiver));
    }

    #[test]
    fn it_is_plain_data() {
        let grudge = Grudge::around(&set(&[1]), 3, Direction::Deaf);
        let text = serde_json::to_string(&grudge).unwrap();
        assert_eq!(text, r#"{"1":[2,3]}"#);
        assert_eq!(serde_json::from_str::<Grudge>(&text).unwrap(), grudge);
    }
}
