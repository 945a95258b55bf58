//! The kinds of faults, as they are named on the command line.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What is done to the cluster. More kinds will come: clock, packet, disk, membership, resource.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// Packets between nodes are dropped.
    Partition,
    /// Processes are killed and started again.
    Kill,
    /// Processes are stopped and go on later.
    Pause,
}

impl FaultKind {
    /// All kinds, in the order in which they are listed.
    pub const ALL: [Self; 3] = [Self::Partition, Self::Kill, Self::Pause];

    /// The name on the command line and in histories.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Partition => "partition",
            Self::Kill => "kill",
            Self::Pause => "pause",
        }
    }

    /// What it does, for `rashomon list faults`.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Partition => {
                "iptables drops packets between nodes, clients stay connected: halves, random halves, one node, \
                 the leader, a minority third, a ring of majorities, a bridge, one-way"
            }
            Self::Kill => {
                "kill -9 and a restart with the same disk: one node, a minority, a majority, all, or the leader"
            }
            Self::Pause => "SIGSTOP and SIGCONT: one node, a minority, a majority, all, or the leader",
        }
    }

    /// Reads a selection: names with commas between them, `all` or `none`. In the order of [`FaultKind::ALL`], each once.
    ///
    /// # Errors
    /// [`UnknownFaultKind`] for a name that is not known.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, UnknownFaultKind> {
        match text.trim() {
            "none" => Ok(Vec::new()),
            "all" => Ok(Self::ALL.to_vec()),
            names => {
                let kinds: BTreeSet<Self> =
                    names.split(',').map(|name| name.trim().parse()).collect::<Result<_, _>>()?;
                Ok(kinds.into_iter().collect())
            }
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no kind of fault.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("unknown fault {name:?}; known are {}, or all, or none", FaultKind::ALL.map(FaultKind::name).join(", "))]
pub struct UnknownFaultKind {
    /// What was asked for.
    pub name: String,
}

impl FromStr for FaultKind {
    type Err = UnknownFaultKind;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| UnknownFaultKind { name: name.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for kind in FaultKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
            assert!(!kind.description().is_empty());
        }
    }

    #[test]
    fn a_selection_is_a_list_all_or_none() {
        assert_eq!(FaultKind::parse_list("pause, partition,pause"), Ok(vec![FaultKind::Partition, FaultKind::Pause]));
        assert_eq!(FaultKind::parse_list("all"), Ok(FaultKind::ALL.to_vec()));
        assert_eq!(FaultKind::parse_list("none"), Ok(vec![]));
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = FaultKind::parse_list("partition,meteor").unwrap_err().to_string();
        assert_eq!(error, "unknown fault \"meteor\"; known are partition, kill, pause, or all, or none");
        assert!(FaultKind::parse_list("").is_err());
    }
}
