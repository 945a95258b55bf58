//! The planted bugs of all own systems, by their ids.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{commit, lock, raft};

/// A planted bug of one of the own systems.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PlantedBug {
    /// Of Raft, of the sessions above it, or of the log on disk below it.
    Raft(raft::Bug),
    /// Of the lock service, of the resource that it guards, or of their clients.
    Lock(lock::Bug),
    /// Of atomic commitment.
    Commit(commit::Bug),
}

/// What a person needs to know about a planted bug.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlantedBugDescription {
    /// What the wrong code does.
    pub wrong: &'static str,
    /// What of the right code would hide the bug and is off where it is planted.
    pub switched_off: Vec<String>,
    /// Which promises it breaks.
    pub breaks: Vec<String>,
    /// Which faults and workload bring it to light.
    pub found_by: &'static str,
}

/// No planted bug has this id.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("there is no planted bug {0:?};{relatives} `rashomon list bugs` tells all", relatives = relatives(.0))]
pub struct UnknownPlantedBug(pub String);

/// Those of the same family: ` there are RR-01, RR-02;`.
fn relatives(id: &str) -> String {
    let family = |bug: &PlantedBug| id.get(..3).is_some_and(|letters| bug.id().starts_with(&letters.to_uppercase()));
    let ids: Vec<&str> = PlantedBug::all().filter(family).map(PlantedBug::id).collect();
    if ids.is_empty() { String::new() } else { format!(" there are {};", ids.join(", ")) }
}

impl PlantedBug {
    /// Every planted bug, system by system.
    pub fn all() -> impl Iterator<Item = Self> {
        let (raft, lock) = (raft::Bug::ALL.into_iter().map(Self::Raft), lock::Bug::ALL.into_iter().map(Self::Lock));
        raft.chain(lock).chain(commit::Bug::ALL.into_iter().map(Self::Commit))
    }

    /// The stable id, such as `RR-01`.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Raft(bug) => bug.description().id,
            Self::Lock(bug) => bug.description().id,
            Self::Commit(bug) => bug.description().id,
        }
    }

    /// What is wrong, what it breaks and how it is found.
    #[must_use]
    pub fn description(self) -> PlantedBugDescription {
        match self {
            Self::Raft(bug) => bug.description().into(),
            Self::Lock(bug) => bug.description().into(),
            Self::Commit(bug) => bug.description().into(),
        }
    }

    /// The bug, where it is one of Raft's.
    #[must_use]
    pub fn of_raft(self) -> Option<raft::Bug> {
        match self {
            Self::Raft(bug) => Some(bug),
            Self::Lock(_) | Self::Commit(_) => None,
        }
    }

    /// The bug, where it is one of the lock service's.
    #[must_use]
    pub fn of_lock(self) -> Option<lock::Bug> {
        match self {
            Self::Lock(bug) => Some(bug),
            Self::Raft(_) | Self::Commit(_) => None,
        }
    }

    /// The bug, where it is one of atomic commitment.
    #[must_use]
    pub fn of_commit(self) -> Option<commit::Bug> {
        match self {
            Self::Commit(bug) => Some(bug),
            Self::Raft(_) | Self::Lock(_) => None,
        }
    }
}

impl From<commit::CommitBugDescription> for PlantedBugDescription {
    fn from(description: commit::CommitBugDescription) -> Self {
        let commit::CommitBugDescription { wrong, breaks, found_by, .. } = description;
        let breaks = breaks.iter().map(ToString::to_string).collect();
        Self { wrong, switched_off: Vec::new(), breaks, found_by }
    }
}

impl From<raft::BugDescription> for PlantedBugDescription {
    fn from(description: raft::BugDescription) -> Self {
        let raft::BugDescription { wrong, switched_off, breaks, found_by, .. } = description;
        Self {
            wrong,
            switched_off: switched_off.iter().map(ToString::to_string).collect(),
            breaks: breaks.iter().map(ToString::to_string).collect(),
            found_by,
        }
    }
}

impl fmt::Display for PlantedBug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for PlantedBug {
    type Err = UnknownPlantedBug;

    fn from_str(id: &str) -> Result<Self, UnknownPlantedBug> {
        Self::all().find(|bug| bug.id().eq_ignore_ascii_case(id)).ok_or_else(|| UnknownPlantedBug(id.to_owned()))
    }
}

impl Serialize for PlantedBug {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.id().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PlantedBug {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_bug_is_found_by_its_id_and_has_one_of_its_own() {
        let ids: BTreeSet<&str> = PlantedBug::all().map(PlantedBug::id).collect();
        assert_eq!(ids.len(), PlantedBug::all().count());
        assert!(PlantedBug::all().all(|bug| bug.id().parse() == Ok(bug)));
        let error = |id: &str| id.parse::<PlantedBug>().unwrap_err().to_string();
        assert_eq!(error("XX-01"), "there is no planted bug \"XX-01\"; `rashomon list bugs` tells all");
        assert!(error("rr-99").contains("there are RR-01, RR-02, "), "{}", error("rr-99"));
    }
}
