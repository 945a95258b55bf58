//! The kinds of faults, as they are named on the command line.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What is done to the cluster.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// Packets between nodes are dropped.
    Partition,
    /// Processes are killed and started again.
    Kill,
    /// Processes are stopped and go on later.
    Pause,
    /// Machines lose power, and with it what was not synced to the disk.
    Power,
    /// Packets between nodes are late, lost, doubled and reordered.
    Packet,
    /// Disks are slow, fail, are full, or forget.
    Disk,
    /// Clocks jump forward and run at other rates.
    Clock,
    /// Members are removed and added again.
    Membership,
    /// Clients stand still and go on later.
    Client,
}

/// Where a cluster runs, as far as faults care.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// On a machine: processes, sockets, files, the machine's clock.
    Real,
    /// In a simulation of all of these.
    Simulated,
}

impl FaultKind {
    /// All kinds, in the order in which they are listed.
    pub const ALL: [Self; 9] = [
        Self::Partition,
        Self::Kill,
        Self::Pause,
        Self::Power,
        Self::Packet,
        Self::Disk,
        Self::Clock,
        Self::Membership,
        Self::Client,
    ];

    /// The name on the command line and in histories.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Partition => "partition",
            Self::Kill => "kill",
            Self::Pause => "pause",
            Self::Power => "power",
            Self::Packet => "packet",
            Self::Disk => "disk",
            Self::Clock => "clock",
            Self::Membership => "membership",
            Self::Client => "client",
        }
    }

    /// What it does, for `rashomon list faults`.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Partition => {
                "packets between nodes are dropped, clients stay connected: halves, random halves, one node, \
                 the leader, a minority third, a ring of majorities, a bridge, one-way"
            }
            Self::Kill => {
                "kill -9 and a restart with the same disk: one node, a minority, a majority, all, or the leader"
            }
            Self::Pause => "SIGSTOP and SIGCONT: one node, a minority, a majority, all, or the leader",
            Self::Power => {
                "as kill, and of what was not synced to the disk any part is lost, sectors may be torn (simulated only)"
            }
            Self::Packet => {
                "packets between nodes are late, lost, doubled and reordered: on all links, those of a node, or of the \
                 leader (simulated only)"
            }
            Self::Disk => {
                "syncs that are slow or fail, a full disk, a bit that flips on one node's disk (simulated only)"
            }
            Self::Clock => "clocks that jump forward and run faster or slower (simulated only)",
            Self::Membership => "a member, or the leader, is removed from the cluster and added again",
            Self::Client => "clients stand still for longer than their leases, and go on as if nothing had been",
        }
    }

    /// Whether it can be done to a cluster that runs there.
    #[must_use]
    pub fn works_in(self, place: Place) -> bool {
        match (self, place) {
            (_, Place::Simulated)
            | (Self::Partition | Self::Kill | Self::Pause | Self::Membership | Self::Client, Place::Real) => true,
            (Self::Power | Self::Packet | Self::Disk | Self::Clock, Place::Real) => false,
        }
    }

    /// All kinds that can be done to a cluster that runs there.
    #[must_use]
    pub fn all_in(place: Place) -> Vec<Self> {
        Self::ALL.into_iter().filter(|kind| kind.works_in(place)).collect()
    }

    /// The smallest cluster to which it does anything.
    #[must_use]
    pub fn fewest_nodes(self) -> u16 {
        match self {
            Self::Partition | Self::Packet | Self::Membership => 2,
            Self::Kill | Self::Pause | Self::Power | Self::Disk | Self::Clock | Self::Client => 1,
        }
    }

    /// Reads a selection for a cluster that runs in `place`: names with commas between them, `all` for all that can be done
    /// there, or `none`. In the order of [`FaultKind::ALL`], each once.
    ///
    /// # Errors
    /// [`SelectionError`] for a name that is not known, and for a kind that can't be done there.
    pub fn parse_list(text: &str, place: Place) -> Result<Vec<Self>, SelectionError> {
        let names = match text.trim() {
            "none" => return Ok(Vec::new()),
            "all" => return Ok(Self::all_in(place)),
            names => names,
        };
        let kinds: BTreeSet<Self> = names.split(',').map(|name| name.trim().parse()).collect::<Result<_, _>>()?;
        match kinds.iter().find(|kind| !kind.works_in(place)) {
            Some(kind) => Err(SelectionError::Elsewhere { kind: *kind, place }),
            None => Ok(kinds.into_iter().collect()),
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

/// Why faults can't be selected.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SelectionError {
    /// There is no such kind.
    #[error(transparent)]
    Unknown(#[from] UnknownFaultKind),
    /// It can't be done to a cluster that runs there.
    #[error(
        "the fault {kind} can't be done to {}; what can are {}",
        match place { Place::Real => "real servers, only to simulated ones", Place::Simulated => "simulated servers" },
        FaultKind::all_in(*place).into_iter().map(FaultKind::name).collect::<Vec<_>>().join(", ")
    )]
    Elsewhere {
        /// What was asked for.
        kind: FaultKind,
        /// Where.
        place: Place,
    },
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
            assert_eq!(kind.description().contains("simulated only"), !kind.works_in(Place::Real), "{kind}");
        }
    }

    #[test]
    fn a_selection_is_a_list_all_or_none() {
        let read = |text| FaultKind::parse_list(text, Place::Real);
        assert_eq!(read("pause, partition,pause"), Ok(vec![FaultKind::Partition, FaultKind::Pause]));
        assert_eq!(read("none"), Ok(vec![]));
        let real =
            vec![FaultKind::Partition, FaultKind::Kill, FaultKind::Pause, FaultKind::Membership, FaultKind::Client];
        assert_eq!(read("all"), Ok(real));
        assert_eq!(FaultKind::parse_list("all", Place::Simulated), Ok(FaultKind::ALL.to_vec()));
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = FaultKind::parse_list("partition,meteor", Place::Real).unwrap_err().to_string();
        let expected = "unknown fault \"meteor\"; known are partition, kill, pause, power, packet, disk, clock, \
                        membership, client, or all, or none";
        assert_eq!(error, expected);
        assert!(FaultKind::parse_list("", Place::Simulated).is_err());
    }

    #[test]
    fn what_only_a_simulation_can_do_is_refused_elsewhere() {
        let error = FaultKind::parse_list("kill,power", Place::Real).unwrap_err().to_string();
        let expected = "the fault power can't be done to real servers, only to simulated ones; what can are partition, \
                        kill, pause, membership, client";
        assert_eq!(error, expected);
        assert!(FaultKind::parse_list("kill,power", Place::Simulated).is_ok());
    }
}
