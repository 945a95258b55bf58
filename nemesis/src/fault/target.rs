//! Which nodes a fault is done to.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Node, list_nodes};

/// Which nodes a fault is done to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Target {
    /// How they were chosen.
    pub choice: Choice,
    /// Who they are; with [`Choice::Leader`], who it is where nobody knows a leader.
    pub nodes: BTreeSet<Node>,
}

/// How many nodes a fault takes.
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

impl Target {
    /// Decides who it is, when `leader` leads.
    pub(super) fn resolve(&self, leader: Option<Node>) -> BTreeSet<Node> {
        match (self.choice, leader) {
            (Choice::Leader, Some(leader)) => BTreeSet::from([leader]),
            (Choice::Leader, None) | (Choice::One | Choice::Minority | Choice::Majority | Choice::All, _) => {
                self.nodes.clone()
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minority_can_be_outvoted_and_a_majority_not() {
        for count in 1..=9 {
            assert!(Choice::Minority.size(count) * 2 < count);
            assert!(Choice::Majority.size(count) * 2 > count);
        }
    }
}
