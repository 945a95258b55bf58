//! What a run is, as plain data: enough to run it again.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rashomon_nemesis::{FaultKind, Place, Schedule};
use rashomon_systems::planted::PlantedBug;
use rashomon_systems::raft::{self, Limits, Timing};
use rashomon_systems::session::SessionOptions;
use rashomon_systems::sim::{DiskOptions, NetworkOptions};
use rashomon_workloads::{Parameters, Role, Workload};
use serde::{Deserialize, Serialize};

use crate::script::Script;

/// The format of `plan.json`; grows when an older reader would misunderstand it.
pub(crate) const PLAN_VERSION: u32 = 2;

/// Entries between two snapshots of a server, where nothing else is asked for.
pub(crate) const SNAPSHOT_ENTRIES: u64 = 1000;

/// One run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// [`PLAN_VERSION`] of the writer.
    pub(crate) plan_version: u32,
    /// The version of the binary that drew it.
    pub(crate) rashomon_version: String,
    /// The cluster under test.
    pub(crate) system: System,
    /// What the clients ask.
    pub(crate) workload: Workload,
    /// Where it happens.
    pub(crate) world: World,
    /// Servers.
    pub(crate) nodes: u16,
    /// Concurrent clients; client `i` stays with node `i mod nodes`.
    pub(crate) clients: u16,
    /// Calls a second of all clients together; 0 for as many as they can.
    pub(crate) rate: u32,
    /// How long the clients ask and the nemesis breaks.
    pub(crate) time_limit_ms: u64,
    /// How long one operation may take before its outcome is `info`.
    pub(crate) operation_deadline_ms: u64,
    /// All choices come from it.
    pub(crate) seed: u64,
    /// The planted bug, if any.
    pub(crate) bug: Option<PlantedBug>,
    /// Whether clients use sessions, and so repeat commands whose outcome is open.
    #[serde(default)]
    pub(crate) sessions: bool,
    /// Whether leaders answer reads from a lease.
    pub(crate) lease_reads: bool,
    /// Servers take a snapshot after so many entries; few, so that a short run has many.
    pub(crate) snapshot_entries: u64,
    /// The kinds of faults that were asked for.
    pub(crate) nemesis: Vec<FaultKind>,
    /// Which fault when.
    pub(crate) schedule: Schedule,
    /// What clients ask, one by one, where it is not drawn; only in a simulated world.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) script: Option<Script>,
    /// How the simulated world is; nothing elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) simulation: Option<Simulation>,
}

/// What a simulated world is made of, beside what is common to all worlds.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Simulation {
    pub(crate) network: NetworkOptions,
    pub(crate) disk: DiskOptions,
    pub(crate) raft: RaftSettings,
    /// What the servers and their clients go through beside faults.
    pub(crate) traffic: Traffic,
    /// Whether the liveness phase leaves those together who know least of what was committed: a majority that can elect very
    /// few of its members.
    pub(crate) worst_majority: bool,
    /// The command that draws this plan again.
    pub(crate) command: String,
}

/// What the servers and their clients go through beside faults.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Traffic {
    /// The leadership is moved so often, on average; never with 0.
    pub(crate) transfer_every_us: u64,
    /// Clients ask at multiples of this time only, all at once; with 0 each at its own time.
    pub(crate) burst_every_us: u64,
}

/// How the members of a simulated cluster are set. What an older plan does not say is as it was then: the default.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RaftSettings {
    pub(crate) heartbeat_us: u64,
    pub(crate) election_min_us: u64,
    pub(crate) election_max_us: u64,
    /// Entries before a snapshot that stay in the log.
    pub(crate) trailing_entries: u64,
    /// Entries in one message.
    pub(crate) append_entries: usize,
    /// Messages with entries under way to one follower.
    pub(crate) inflight_appends: usize,
    /// Bytes of a snapshot in one message.
    pub(crate) snapshot_chunk_bytes: usize,
    /// Whether a candidate asks first whether it could win.
    pub(crate) pre_vote: bool,
    /// Whether a leader that hears no majority steps down, and members that hear a leader ignore candidates.
    pub(crate) check_quorum: bool,
    /// Sessions that may be open at a time.
    pub(crate) max_sessions: usize,
}

impl Default for RaftSettings {
    fn default() -> Self {
        let (timing, limits) = (Timing::default(), Limits::default());
        Self {
            heartbeat_us: timing.heartbeat_us,
            election_min_us: timing.election_min_us,
            election_max_us: timing.election_max_us,
            trailing_entries: SNAPSHOT_ENTRIES / 10,
            append_entries: limits.append_entries,
            inflight_appends: limits.inflight_appends,
            snapshot_chunk_bytes: limits.snapshot_chunk_bytes,
            pre_vote: true,
            check_quorum: true,
            max_sessions: SessionOptions::default().max_sessions,
        }
    }
}

impl Plan {
    /// The planted bug, where it is one of Raft's.
    pub(crate) fn raft_bug(&self) -> Option<raft::Bug> {
        self.bug.and_then(PlantedBug::of_raft)
    }

    /// How the members of a simulated cluster are set.
    pub(crate) fn raft_settings(&self) -> RaftSettings {
        self.simulation.as_ref().map(|simulation| simulation.raft).unwrap_or_default()
    }

    /// The command that draws the same plan again.
    pub(crate) fn command(&self) -> String {
        if let Some(simulation) = &self.simulation {
            return simulation.command.clone();
        }
        let mut command = format!(
            "rashomon test {} --workload {} --nemesis {} --world {} --nodes {} --clients {} --rate {} --time-limit {}ms \
             --operation-deadline {}ms --seed {}",
            self.system,
            self.workload,
            self.nemesis_text(),
            self.world,
            self.nodes,
            self.clients,
            self.rate,
            self.time_limit_ms,
            self.operation_deadline_ms,
            self.seed
        );
        if self.snapshot_entries != SNAPSHOT_ENTRIES {
            command.push_str(&format!(" --snapshot-entries {}", self.snapshot_entries));
        }
        if let Some(bug) = self.bug {
            command.push_str(&format!(" --bug {bug}"));
        }
        if self.sessions {
            command.push_str(" --sessions");
        }
        if self.lease_reads {
            command.push_str(" --lease-reads");
        }
        command
    }

    /// What the system promises of its histories, set as it is.
    pub(crate) fn promises(&self) -> Parameters {
        match self.system {
            System::Raft => Parameters::default(),
        }
    }

    /// How long a client of this role waits for an answer. Who repeats what stays open is not stuck with one node, and stays
    /// to see the end.
    pub(crate) fn patience(&self, role: Role) -> Duration {
        let longest = Duration::from_millis(self.operation_deadline_ms);
        if self.sessions { longest } else { role.patience(longest) }
    }

    /// The plan for people, in the order in which they ask.
    pub(crate) fn rows(&self) -> Vec<(&'static str, String)> {
        let rate = match &self.script {
            Some(script) => format!("{} operations one by one", script.operations.len()),
            None if self.rate == 0 => "as many as they can".into(),
            None => format!("{} calls a second", self.rate),
        };
        let mut rows = vec![
            ("system", self.system.to_string()),
            ("workload", format!("{}: {}", self.workload, self.workload.description())),
            ("faults", self.nemesis_text()),
            ("world", self.world.to_string()),
            ("nodes", self.nodes.to_string()),
            ("clients", format!("{}, {rate}", self.clients)),
            ("time limit", format!("{} ms, {} ms an operation", self.time_limit_ms, self.operation_deadline_ms)),
            ("sessions", if self.sessions { "yes: commands are repeated until answered" } else { "no" }.into()),
            ("reads", if self.lease_reads { "from a lease" } else { "by ReadIndex" }.into()),
            ("seed", self.seed.to_string()),
        ];
        if let Some(simulation) = &self.simulation {
            rows.extend(simulation.rows());
        }
        if let Some(bug) = self.bug {
            rows.push(("planted bug", format!("{bug}: {}", bug.description().wrong)));
        }
        rows
    }

    /// The kinds of faults as they stand on the command line.
    pub(crate) fn nemesis_text(&self) -> String {
        if self.nemesis.is_empty() {
            return "none".into();
        }
        self.nemesis.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    }
}

impl Simulation {
    fn rows(&self) -> Vec<(&'static str, String)> {
        let NetworkOptions {
            latency_min_us, latency_extra_us, loss_ppm, duplicate_ppm, straggler_ppm, in_order, ..
        } = self.network;
        let order = if in_order { "in order" } else { "in any order" };
        let RaftSettings { heartbeat_us, election_min_us, election_max_us, pre_vote, check_quorum, .. } = self.raft;
        let switch = |on: bool| if on { "" } else { "no " };
        vec![
            (
                "network",
                format!(
                    "{latency_min_us} us and {latency_extra_us} us more on average, {order}; of a million messages \
                     {loss_ppm} are lost, {duplicate_ppm} come twice, {straggler_ppm} are held up"
                ),
            ),
            ("clients' network", self.tell_clients_network()),
            ("traffic", self.traffic.to_string()),
            (
                "disks",
                format!("a sync takes {} us and {} us more on average", self.disk.sync_min_us, self.disk.sync_extra_us),
            ),
            (
                "raft",
                format!(
                    "heartbeats every {heartbeat_us} us, elections after {election_min_us} to {election_max_us} us, \
                     {}pre-vote, {}check-quorum",
                    switch(pre_vote),
                    switch(check_quorum)
                ),
            ),
        ]
    }
}

impl Simulation {
    fn tell_clients_network(&self) -> String {
        let NetworkOptions { client_loss_ppm, client_straggler_ppm, client_straggler_max_us, .. } = self.network;
        format!(
            "of a million messages {client_loss_ppm} are lost, {client_straggler_ppm} are held up by at most \
             {client_straggler_max_us} us"
        )
    }
}

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.burst_every_us {
            0 => f.write_str("clients ask each at its own time")?,
            every_us => write!(f, "clients ask all at once, every {every_us} us")?,
        }
        match self.transfer_every_us {
            0 => Ok(()),
            every_us => write!(f, "; the leadership is moved about every {every_us} us"),
        }
    }
}

/// The cluster under test.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum System {
    /// Our key-value store on our Raft.
    Raft,
}

/// Where a run happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum World {
    /// Real processes, sockets and disks, each node in a network namespace of a private sandbox.
    Netns,
    /// The same servers in one thread, with a simulated network, disks, clocks and time: exact from the seed.
    Sim,
}

impl System {
    /// All of them.
    pub(crate) const ALL: [Self; 1] = [Self::Raft];

    /// The system in which this bug can be planted.
    pub(crate) fn of(bug: PlantedBug) -> Self {
        match bug {
            PlantedBug::Raft(_) => Self::Raft,
        }
    }

    /// One sentence for `rashomon list systems`.
    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::Raft => "a key-value store on our own Raft: pre-vote, check-quorum, ReadIndex, snapshots, sessions",
        }
    }

    /// The kinds of faults that mean something to it, where it runs in this place.
    pub(crate) fn faults(self, place: Place) -> Vec<FaultKind> {
        let means = |kind: &FaultKind| match self {
            // Who stands still between two calls of a store holds nothing that others wait for.
            Self::Raft => *kind != FaultKind::Client,
        };
        FaultKind::all_in(place).into_iter().filter(means).collect()
    }

    /// The workloads that it can serve.
    pub(crate) fn workloads(self) -> &'static [Workload] {
        match self {
            Self::Raft => Workload::KEY_VALUE,
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Raft => "raft",
        })
    }
}

impl FromStr for System {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|system| system.to_string() == name).ok_or_else(|| {
            let known = Self::ALL.map(|system| system.to_string()).join(", ");
            format!("there is no system {name:?}; known are {known}")
        })
    }
}

impl World {
    /// All of them.
    pub(crate) const ALL: [Self; 2] = [Self::Netns, Self::Sim];

    /// Which faults work there.
    pub(crate) fn place(self) -> Place {
        match self {
            Self::Netns => Place::Real,
            Self::Sim => Place::Simulated,
        }
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Netns => "netns",
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
