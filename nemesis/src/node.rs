//! Who a fault is done to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A member of the cluster, from 1; `n3` for people.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Node(pub u16);

impl Node {
    /// The members of a cluster of `count` nodes: `n1` to `n<count>`.
    pub fn all(count: u16) -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator + Clone {
        (0..count).map(|index| Self(index + 1))
    }

    /// The position in a list of all nodes, from 0.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0).saturating_sub(1)
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0)
    }
}

/// `n1, n2, n4`.
#[must_use]
pub fn list_nodes<'a>(nodes: impl IntoIterator<Item = &'a Node>) -> String {
    let names: Vec<String> = nodes.into_iter().map(ToString::to_string).collect();
    names.join(", ")
}
