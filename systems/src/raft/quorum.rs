//! Who votes, and how many of them it takes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::raft::Bug;
use crate::server::NodeId;

/// Who belongs to the cluster. Travels in snapshots.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Configuration {
    voters: Vec<NodeId>,
}

impl Configuration {
    /// A cluster of these voters.
    #[must_use]
    pub fn new(voters: impl IntoIterator<Item = NodeId>) -> Self {
        let mut voters = voters.into_iter().collect::<Vec<_>>();
        voters.sort_unstable();
        voters.dedup();
        Self { voters }
    }

    /// All voters, in order.
    #[must_use]
    pub fn voters(&self) -> &[NodeId] {
        &self.voters
    }

    /// Whether `id` votes.
    #[must_use]
    pub fn contains(&self, id: NodeId) -> bool {
        self.voters.binary_search(&id).is_ok()
    }

    /// All voters but `id`.
    pub(super) fn others(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        self.voters.iter().copied().filter(move |voter| *voter != id)
    }
}

/// The rule by which a configuration decides: any two sets of members that reach it have a member in common.
#[derive(Debug)]
pub(super) struct Quorum {
    voters: Vec<NodeId>,
    needed: usize,
}

impl Quorum {
    pub(super) fn of(configuration: &Configuration, bug: Option<Bug>) -> Self {
        let voters = configuration.voters().to_vec();
        Self { needed: majority(voters.len(), bug), voters }
    }

    /// Whether those for whom `yes` holds are enough.
    pub(super) fn reached(&self, yes: impl Fn(NodeId) -> bool) -> bool {
        self.voters.iter().filter(|voter| yes(**voter)).count() >= self.needed
    }

    /// How a vote ended, once it is certain.
    pub(super) fn result(&self, votes: &BTreeMap<NodeId, bool>) -> Option<bool> {
        if self.reached(|id| votes.get(&id) == Some(&true)) {
            return Some(true);
        }
        let still_possible = self.reached(|id| votes.get(&id) != Some(&false));
        (!still_possible).then_some(false)
    }

    /// The greatest value that enough members have reached, where `value` only grows.
    pub(super) fn agreed<T: Ord + Copy>(&self, value: impl Fn(NodeId) -> T) -> T {
        let mut values = self.voters.iter().map(|voter| value(*voter)).collect::<Vec<_>>();
        values.sort_unstable();
        values[values.len() - self.needed]
    }
}

/// How many of `voters` are a majority.
fn majority(voters: usize, bug: Option<Bug>) -> usize {
    if bug == Some(Bug::RE12) { (voters / 2).max(1) } else { voters / 2 + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quorum(voters: u16) -> Quorum {
        Quorum::of(&Configuration::new((1..=voters).map(NodeId)), None)
    }

    #[test]
    fn more_than_half_are_needed() {
        for (voters, needed) in [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)] {
            assert!(quorum(voters).reached(|id| id.0 <= needed));
            assert!(!quorum(voters).reached(|id| id.0 < needed));
        }
    }

    #[test]
    fn what_is_agreed_is_what_a_majority_has_reached() {
        let reached = [0, 9, 3, 7, 1, 5];
        assert_eq!(quorum(5).agreed(|id| reached[usize::from(id.0)]), 5);
        assert_eq!(quorum(4).agreed(|id| reached[usize::from(id.0)]), 3);
        assert_eq!(quorum(1).agreed(|id| reached[usize::from(id.0)]), 9);
    }
}
