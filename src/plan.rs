//! What a run is, as plain data: enough to run it again.

mod faults;
mod hosts;
mod real;
mod settings;
mod system;

use std::fmt;
use std::time::Duration;

use rashomon_nemesis::{FaultKind, Schedule};
use rashomon_systems::commit::{self, Bank};
use rashomon_systems::lock;
use rashomon_systems::planted::PlantedBug;
use rashomon_systems::raft;
use rashomon_systems::server::NodeId;
use rashomon_systems::sim::{DiskOptions, NetworkOptions};
use rashomon_workloads::{AskedConsistency, Parameters, Role, SEMAPHORE_PERMITS, Workload};
use serde::{Deserialize, Serialize};

pub(crate) use faults::{FaultSettings, FaultTarget};
pub(crate) use hosts::{HostCommands, Hosts};
pub(crate) use real::RealSystem;
pub(crate) use settings::{CommitSettings, LockSettings, RaftSettings};
pub(crate) use system::{System, World};

use crate::script::Script;

/// A word as a shell takes it.
fn quote(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if word.chars().all(is_plain) { word.into() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

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
    /// How the lock service is set, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lock: Option<LockSettings>,
    /// How atomic commitment is set, where it is that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) commit: Option<CommitSettings>,
    /// Which real system it is, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) real: Option<RealSystem>,
    /// Servers take a snapshot after so many entries; few, so that a short run has many.
    pub(crate) snapshot_entries: u64,
    /// The kinds of faults that were asked for.
    pub(crate) nemesis: Vec<FaultKind>,
    /// What more was asked for of them.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub(crate) faults: FaultSettings,
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

fn is_usual(faults: &FaultSettings) -> bool {
    *faults == FaultSettings::default()
}

impl Plan {
    /// The planted bug, where it is one of Raft's.
    pub(crate) fn raft_bug(&self) -> Option<raft::Bug> {
        self.bug.and_then(PlantedBug::of_raft)
    }

    /// The planted bug, where it is one of the lock service's.
    pub(crate) fn lock_bug(&self) -> Option<lock::Bug> {
        self.bug.and_then(PlantedBug::of_lock)
    }

    /// The planted bug, where it is one of atomic commitment.
    pub(crate) fn commit_bug(&self) -> Option<commit::Bug> {
        self.bug.and_then(PlantedBug::of_commit)
    }

    /// How atomic commitment is set.
    pub(crate) fn commit_settings(&self) -> CommitSettings {
        self.commit.unwrap_or_default()
    }

    /// What this server of atomic commitment is told before it starts.
    pub(crate) fn commit_config(&self, id: NodeId) -> commit::Config {
        let CommitSettings { protocol, isolation, .. } = self.commit_settings();
        let (seed, bug) = (self.seed, self.commit_bug());
        commit::Config { isolation, seed, bug, ..commit::Config::new(id, self.nodes, protocol) }
    }

    /// How the lock service is set.
    pub(crate) fn lock_settings(&self) -> LockSettings {
        self.lock.unwrap_or_default()
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
            "rashomon test {} --workload {} --nemesis {}{} --clients {} --rate {} --time-limit {}ms --operation-deadline {}ms \
             --seed {}",
            self.real.as_ref().map_or_else(|| self.system.to_string(), |real| quote(&real.named)),
            self.workload,
            self.nemesis_text(),
            match self.world {
                // Which hosts, and so how many, stands among the options of the system.
                World::Hosts => String::new(),
                World::Netns | World::Sim => format!(" --world {} --nodes {}", self.world, self.servers()),
            },
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
        if let Some(lock) = &self.lock {
            command.push_str(&if self.real.is_some() { lock.lease_options() } else { lock.options() });
        }
        if let Some(real) = &self.real {
            command.push_str(&real.options());
        }
        if let Some(commit) = &self.commit {
            command.push_str(&commit.options());
        }
        command.push_str(&self.faults.options());
        command
    }

    /// What histories are held against: what the system promises, set as it is, unless another level was asked for.
    pub(crate) fn promises(&self) -> Parameters {
        match self.system {
            System::Raft => Parameters::default(),
            System::Lock => self.promises_of_locks(),
            System::Real if self.lock.is_some() => self.promises_of_locks(),
            System::Real => Parameters { tells_copies: self.copy_read().is_some(), ..Parameters::default() },
            System::Commit => {
                let consistency = Some(AskedConsistency::Transactions(self.commit_settings().demanded()));
                Parameters { consistency, total: Some(Bank::default().total()), ..Parameters::default() }
            }
        }
    }

    fn promises_of_locks(&self) -> Parameters {
        let LockSettings { ttl_ms, fencing, careful, .. } = self.lock_settings();
        let permits = if self.workload == Workload::Semaphore { SEMAPHORE_PERMITS } else { 1 };
        // Locks of others may have no tokens by which the order of holds could be seen.
        let is_fenced = fencing || careful && self.system == System::Lock;
        let promises_leases = self.real.as_ref().is_none_or(|real| real.description.promises_leases);
        let ttl = if promises_leases { Duration::from_millis(ttl_ms) } else { Duration::ZERO };
        Parameters { ttl, is_fenced, permits, ..Parameters::default() }
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
            ("system", self.system_text()),
            ("workload", format!("{}: {}", self.workload, self.workload.description())),
            ("faults", self.nemesis_text() + &self.faults.to_string()),
            ("world", self.world.to_string()),
            ("nodes", self.nodes_text()),
            ("clients", format!("{}, {rate}", self.clients)),
            ("time limit", format!("{} ms, {} ms an operation", self.time_limit_ms, self.operation_deadline_ms)),
        ];
        let hosts = self.real.as_ref().and_then(|real| real.hosts.as_ref());
        rows.extend(hosts.map(|hosts| ("hosts", hosts.to_string())));
        match &self.real {
            Some(real) if real.settings.is_empty() => {}
            Some(real) => rows.push(("settings", real.settings_text())),
            None => rows.extend([
                ("sessions", if self.sessions { "yes: commands are repeated until answered" } else { "no" }.into()),
                ("reads", if self.lease_reads { "from a lease" } else { "by ReadIndex" }.into()),
            ]),
        }
        rows.push(("seed", self.seed.to_string()));
        rows.extend(self.lock.map(|lock| ("locks", lock.to_string())));
        rows.extend(self.commit.map(|commit| ("commitment", commit.to_string())));
        if let Some(simulation) = &self.simulation {
            rows.extend(simulation.rows());
        }
        if let Some(bug) = self.bug {
            rows.push(("planted bug", format!("{bug}: {}", bug.description().wrong)));
        }
        rows
    }

    /// The name of the system, in the names of folders and in titles.
    pub(crate) fn system_name(&self) -> String {
        self.real.as_ref().map_or_else(|| self.system.to_string(), |real| real.description.name.clone())
    }

    fn system_text(&self) -> String {
        match &self.real {
            Some(real) => format!("{}: {}", real.description.name, real.description.about),
            None => self.system.to_string(),
        }
    }

    fn nodes_text(&self) -> String {
        if self.real.is_some() && self.servers() < self.nodes {
            return format!("{}, and a store that the locks guard", self.servers());
        }
        self.nodes.to_string()
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
