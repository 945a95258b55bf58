//! What the command line fixes of a simulated run.

use rashomon_checker::transactions::Consistency;
use rashomon_nemesis::FaultKind;
use rashomon_systems::commit::{Isolation, Protocol};
use rashomon_systems::planted::PlantedBug;
use rashomon_workloads::Workload;

use crate::plan::{FaultSettings, System};

/// What the command line fixes; the rest is drawn.
#[derive(Clone, Debug)]
pub(crate) struct Fixed {
    pub(crate) system: System,
    pub(crate) bug: Option<PlantedBug>,
    pub(crate) workload: Option<Workload>,
    pub(crate) nemesis: Option<Vec<FaultKind>>,
    pub(crate) faults: FaultSettings,
    pub(crate) nodes: Option<u16>,
    pub(crate) clients: Option<u16>,
    pub(crate) rate: Option<u32>,
    pub(crate) time_limit_ms: Option<u64>,
    pub(crate) operation_deadline_ms: Option<u64>,
    pub(crate) sessions: Option<bool>,
    pub(crate) lease_reads: Option<bool>,
    pub(crate) snapshot_entries: Option<u64>,
    pub(crate) lock: FixedLock,
    pub(crate) commit: FixedCommit,
}

/// What is fixed of atomic commitment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FixedCommit {
    pub(crate) protocol: Option<Protocol>,
    pub(crate) isolation: Option<Isolation>,
    pub(crate) consistency: Option<Consistency>,
}

/// What is fixed of a lock service.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FixedLock {
    pub(crate) ttl_ms: Option<u64>,
    pub(crate) fencing: Option<bool>,
    pub(crate) careful: Option<bool>,
    pub(crate) tries: Option<bool>,
}

impl Fixed {
    /// Nothing is fixed but the system, and the bug that is planted in it.
    pub(crate) fn nothing_but(system: System, bug: Option<PlantedBug>) -> Self {
        Self {
            system,
            bug,
            workload: None,
            nemesis: None,
            faults: FaultSettings::default(),
            nodes: None,
            clients: None,
            rate: None,
            time_limit_ms: None,
            operation_deadline_ms: None,
            sessions: None,
            lease_reads: None,
            snapshot_entries: None,
            lock: FixedLock::default(),
            commit: FixedCommit::default(),
        }
    }

    /// Servers, where nothing else is asked for.
    pub(crate) fn usual_nodes(&self) -> u16 {
        match self.commit.protocol {
            Some(Protocol::TwoPhaseRaft) => 6,
            Some(Protocol::TwoPhase | Protocol::ThreePhase) | None => self.system.usual_nodes(),
        }
    }

    /// The fewest servers that can do what is asked for.
    pub(crate) fn fewest_nodes(&self) -> u16 {
        match (self.system, self.commit.protocol) {
            (System::Raft | System::Real, _) => 1,
            (System::Commit, Some(Protocol::TwoPhaseRaft)) => 4,
            (System::Lock | System::Commit, _) => 2,
        }
    }

    /// The command that draws the plan of this seed again.
    pub(crate) fn command(&self, seed: u64) -> String {
        let mut command = format!("rashomon test {} --world sim", self.system);
        let mut option = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                command.push_str(&format!(" --{name} {value}"));
            }
        };
        let names = |kinds: &Vec<FaultKind>| match kinds.as_slice() {
            [] => "none".to_owned(),
            kinds => kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        };
        option("workload", self.workload.map(|workload| workload.to_string()));
        option("nemesis", self.nemesis.as_ref().map(names));
        option("nodes", self.nodes.map(|nodes| nodes.to_string()));
        option("clients", self.clients.map(|clients| clients.to_string()));
        option("rate", self.rate.map(|rate| rate.to_string()));
        option("time-limit", self.time_limit_ms.map(|ms| format!("{ms}ms")));
        option("operation-deadline", self.operation_deadline_ms.map(|ms| format!("{ms}ms")));
        option("sessions", self.sessions.map(|on| on.to_string()));
        option("lease-reads", self.lease_reads.map(|on| on.to_string()));
        option("snapshot-entries", self.snapshot_entries.map(|entries| entries.to_string()));
        option("ttl", self.lock.ttl_ms.map(|ms| format!("{ms}ms")));
        option("fencing", self.lock.fencing.map(|on| on.to_string()));
        option("careful", self.lock.careful.map(|on| on.to_string()));
        option("tries", self.lock.tries.map(|on| on.to_string()));
        option("protocol", self.commit.protocol.map(|protocol| protocol.to_string()));
        option("isolation", self.commit.isolation.map(|isolation| isolation.to_string()));
        option("consistency", self.commit.consistency.map(|level| level.to_string()));
        option("bug", self.bug.map(|bug| bug.to_string()));
        command.push_str(&self.faults.options());
        command.push_str(&format!(" --seed {seed}"));
        command
    }
}
