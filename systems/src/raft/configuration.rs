//! Who belongs to the cluster, and how that may change.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::server::NodeId;

/// Who belongs to the cluster. Stands in the log, and travels in snapshots.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Configuration {
    voters: Vec<NodeId>,
    learners: Vec<NodeId>,
}

/// A change of one member. Any majority of the voters before it and any majority of those after it have a voter in common,
/// which two changes in one step do not promise (thesis 4.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Change {
    /// From now on this node gets the whole log, but has no vote.
    AddLearner(NodeId),
    /// This learner becomes a voter.
    Promote(NodeId),
    /// This voter or learner leaves the cluster.
    Remove(NodeId),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddLearner(id) => write!(f, "add {id} as a learner"),
            Self::Promote(id) => write!(f, "promote {id}"),
            Self::Remove(id) => write!(f, "remove {id}"),
        }
    }
}

impl Configuration {
    /// A cluster of these voters, without learners.
    #[must_use]
    pub fn new(voters: impl IntoIterator<Item = NodeId>) -> Self {
        let mut voters = voters.into_iter().collect::<Vec<_>>();
        voters.sort_unstable();
        voters.dedup();
        Self { voters, learners: Vec::new() }
    }

    /// All voters, in order.
    #[must_use]
    pub fn voters(&self) -> &[NodeId] {
        &self.voters
    }

    /// Those that get the log but have no vote, in order.
    #[must_use]
    pub fn learners(&self) -> &[NodeId] {
        &self.learners
    }

    /// Whether `id` votes.
    #[must_use]
    pub fn is_voter(&self, id: NodeId) -> bool {
        self.voters.binary_search(&id).is_ok()
    }

    /// Whether `id` gets the log without a vote.
    #[must_use]
    pub fn is_learner(&self, id: NodeId) -> bool {
        self.learners.binary_search(&id).is_ok()
    }

    /// Whether `id` is a voter or a learner.
    #[must_use]
    pub fn contains(&self, id: NodeId) -> bool {
        self.is_voter(id) || self.is_learner(id)
    }

    /// All voters but `id`.
    pub(super) fn other_voters(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        self.voters.iter().copied().filter(move |voter| *voter != id)
    }

    /// All voters and learners but `id`.
    pub(super) fn others(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        self.voters.iter().chain(&self.learners).copied().filter(move |member| *member != id)
    }

    /// The cluster in which every learner votes.
    pub(super) fn with_all_promoted(&self) -> Self {
        Self::new(self.voters.iter().chain(&self.learners).copied())
    }

    /// The cluster after `change`.
    ///
    /// # Errors
    /// A sentence about why this cluster can't be changed so.
    pub fn after(&self, change: Change) -> Result<Self, String> {
        let mut next = self.clone();
        match change {
            Change::AddLearner(id) if self.is_voter(id) => return Err(format!("{id} is a voter already")),
            Change::AddLearner(id) if self.is_learner(id) => return Err(format!("{id} is a learner already")),
            Change::AddLearner(id) => insert(&mut next.learners, id),
            Change::Promote(id) if self.is_voter(id) => return Err(format!("{id} is a voter already")),
            Change::Promote(id) if !self.is_learner(id) => {
                return Err(format!("{id} is no member of the cluster; add it as a learner first"));
            }
            Change::Promote(id) => {
                next.learners.retain(|learner| *learner != id);
                insert(&mut next.voters, id);
            }
            Change::Remove(id) if !self.contains(id) => return Err(format!("{id} is no member of the cluster")),
            Change::Remove(id) if self.voters == [id] => return Err(format!("{id} is the only voter")),
            Change::Remove(id) => {
                next.learners.retain(|learner| *learner != id);
                next.voters.retain(|voter| *voter != id);
            }
        }
        Ok(next)
    }
}

fn insert(ids: &mut Vec<NodeId>, id: NodeId) {
    let at = ids.partition_point(|other| *other < id);
    ids.insert(at, id);
}

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |ids: &[NodeId]| ids.iter().map(NodeId::to_string).collect::<Vec<_>>().join(" ");
        write!(f, "voters {}", list(&self.voters))?;
        if self.learners.is_empty() { Ok(()) } else { write!(f, ", learners {}", list(&self.learners)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster() -> Configuration {
        Configuration::new([3, 1, 2].map(NodeId)).after(Change::AddLearner(NodeId(4))).unwrap()
    }

    #[test]
    fn a_node_comes_as_a_learner_and_may_be_promoted_and_removed() {
        assert_eq!(cluster().to_string(), "voters n1 n2 n3, learners n4");
        let promoted = cluster().after(Change::Promote(NodeId(4))).unwrap();
        assert_eq!(promoted.to_string(), "voters n1 n2 n3 n4");
        assert_eq!(promoted.after(Change::Remove(NodeId(2))).unwrap().to_string(), "voters n1 n3 n4");
        assert_eq!(cluster().after(Change::Remove(NodeId(4))).unwrap().to_string(), "voters n1 n2 n3");
    }

    #[test]
    fn a_change_that_changes_nothing_or_leaves_nobody_is_refused() {
        for change in [
            Change::AddLearner(NodeId(1)),
            Change::AddLearner(NodeId(4)),
            Change::Promote(NodeId(1)),
            Change::Promote(NodeId(5)),
            Change::Remove(NodeId(5)),
        ] {
            assert!(cluster().after(change).is_err(), "{change}");
        }
        assert!(Configuration::new([NodeId(1)]).after(Change::Remove(NodeId(1))).is_err());
    }

    /// Thesis 4.1: the reason why one member at a time is enough.
    #[test]
    fn majorities_before_and_after_a_change_have_a_voter_in_common() {
        for voters in 1..=7 {
            let before = Configuration::new((1..=voters).map(NodeId));
            let learning = before.after(Change::AddLearner(NodeId(9))).unwrap();
            for change in [Change::Promote(NodeId(9)), Change::Remove(NodeId(1))] {
                let Ok(after) = learning.after(change) else { continue };
                let everyone = before.voters.len().max(after.voters.len());
                assert!((before.voters.len() / 2 + 1) + (after.voters.len() / 2 + 1) > everyone);
            }
        }
    }
}
