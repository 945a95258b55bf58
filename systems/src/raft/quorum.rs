//! How many voters it takes to decide.

use std::collections::BTreeMap;

use crate::raft::{Bug, Configuration};
use crate::server::NodeId;

/// The rule by which a configuration decides: any two sets of members that reach it have a member in common.
#[derive(Debug)]
pub(super) struct Quorum {
    counted: Vec<NodeId>,
    needed: usize,
}

impl Quorum {
    pub(super) fn of(configuration: &Configuration, bug: Option<Bug>) -> Self {
        let mut counted = configuration.voters().to_vec();
        let needed = majority(counted.len(), bug);
        if bug == Some(Bug::RC05) {
            counted.extend(configuration.learners());
        }
        Self { counted, needed }
    }

    /// Counts a member that has no vote.
    pub(super) fn count_also(&mut self, id: NodeId) {
        if !self.counted.contains(&id) {
            self.counted.push(id);
        }
    }

    /// Whether those for whom `yes` holds are enough.
    pub(super) fn reached(&self, yes: impl Fn(NodeId) -> bool) -> bool {
        self.counted.iter().filter(|voter| yes(**voter)).count() >= self.needed
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
        let mut values = self.counted.iter().map(|voter| value(*voter)).collect::<Vec<_>>();
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
