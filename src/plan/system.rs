//! What can be tested, and where.

use std::fmt;
use std::str::FromStr;

use rashomon_nemesis::{FaultKind, Place};
use rashomon_systems::planted::PlantedBug;
use rashomon_workloads::Workload;
use serde::{Deserialize, Serialize};

/// The cluster under test.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum System {
    /// Our key-value store on our Raft.
    Raft,
    /// Our lock service on our Raft, and a resource that its locks guard.
    Lock,
    /// Our transactions over shards.
    Commit,
    /// A real one, which the plan describes.
    Real,
}

/// Where a run happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum World {
    /// Real processes, sockets and disks, each node in a network namespace of a private sandbox.
    Netns,
    /// Hosts that the user runs: clients only, and commands of the user break them.
    Hosts,
    /// The same servers in one thread, with a simulated network, disks, clocks and time: exact from the seed.
    Sim,
}

impl System {
    /// Our own.
    pub(crate) const OWN: [Self; 3] = [Self::Raft, Self::Lock, Self::Commit];

    /// Servers, where nothing else is asked for.
    pub(crate) fn usual_nodes(self) -> u16 {
        match self {
            Self::Raft | Self::Real => 5,
            Self::Lock | Self::Commit => 4,
        }
    }

    /// Clients, and their calls a second in all, where nothing else is asked for. Whoever waits for a lock asks nothing.
    pub(crate) fn usual_load(self) -> (u16, u32) {
        match self {
            Self::Raft | Self::Real => (10, 800),
            Self::Lock => (4, 80),
            Self::Commit => (10, 400),
        }
    }

    /// The system in which this bug can be planted.
    pub(crate) fn of(bug: PlantedBug) -> Self {
        match bug {
            PlantedBug::Raft(_) => Self::Raft,
            PlantedBug::Lock(_) => Self::Lock,
            PlantedBug::Commit(_) => Self::Commit,
        }
    }

    /// One sentence for `rashomon list systems`.
    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::Raft => "a key-value store on our own Raft: pre-vote, check-quorum, ReadIndex, snapshots, sessions",
            Self::Commit => {
                "transactions over shards: --protocol 2pc, 3pc or 2pc-raft, --isolation serializable, snapshot or read-committed; \
                 its first node coordinates, or its first three"
            }
            Self::Lock => {
                "a lock service on our own Raft: leases, queues, fencing tokens; its last node is a store that the locks guard"
            }
            Self::Real => "servers as they are installed",
        }
    }

    /// The kinds of faults that mean something to it, where it runs in this place.
    pub(crate) fn faults(self, place: Place) -> Vec<FaultKind> {
        let means = |kind: &FaultKind| match self {
            // Who stands still between two calls of a store holds nothing that others wait for.
            Self::Raft => *kind != FaultKind::Client,
            Self::Lock | Self::Real => *kind != FaultKind::Membership,
            Self::Commit => !matches!(kind, FaultKind::Membership | FaultKind::Client),
        };
        FaultKind::all_in(place).into_iter().filter(means).collect()
    }

    /// The workloads that it can serve.
    pub(crate) fn workloads(self) -> &'static [Workload] {
        match self {
            Self::Raft => Workload::KEY_VALUE,
            Self::Lock => Workload::LOCKS,
            Self::Commit => Workload::TRANSACTIONS,
            Self::Real => Workload::ALL,
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Raft => "raft",
            Self::Lock => "lock",
            Self::Commit => "commit",
            Self::Real => "real",
        })
    }
}

impl FromStr for System {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::OWN.into_iter().chain([Self::Real]).find(|system| system.to_string() == name).ok_or_else(|| {
            let known = Self::OWN.map(|system| system.to_string()).join(", ");
            format!("there is no system {name:?}; known are {known}")
        })
    }
}

impl World {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Netns, Self::Hosts, Self::Sim];

    /// Which faults work there.
    pub(crate) fn place(self) -> Place {
        match self {
            Self::Netns | Self::Hosts => Place::Real,
            Self::Sim => Place::Simulated,
        }
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Netns => "netns",
            Self::Hosts => "hosts",
            Self::Sim => "sim",
        })
    }
}

impl FromStr for World {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|world| world.to_string() == name).ok_or_else(|| {
            let known = Self::ALL.map(|world| world.to_string()).join(", ");
            format!("there is no world {name:?}; known are {known}")
        })
    }
}
