//! The simulated world: one thread, virtual time, everything drawn from the seed of the plan.
//!
//! The same lifecycle as of a real run: set up, drive while the nemesis breaks, heal, settle, final reads. What a real run
//! can only wait for is demanded here: a healed majority must answer within a bound, and all replicas must come to the same
//! state. Servers, clients, generators, schedules and the nemesis' decisions are the code of the real world.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod clients;
mod commit;
mod hands;
mod kv;
mod lock;
mod operator;
mod run;
mod servers;
mod settle;
mod system;
mod trace;
mod transfers;
mod watcher;

use rashomon_history::{Call, Recording};
use rashomon_nemesis::Summary;
use rashomon_report::Leadership;
use rashomon_report::lamport::Lamport;
use rashomon_systems::raft::ConfigError;
use rashomon_systems::server::Micros;

use crate::plan::{Plan, System};
use crate::run::Lifecycle;

/// A promise that was seen broken by who looks on from outside, not by the clients.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Violation {
    /// Which check saw it.
    pub(crate) check: Check,
    /// Which promise: `election-safety`, `no-leader`, ...
    pub(crate) kind: String,
    /// What was seen.
    pub(crate) text: String,
    /// When.
    pub(crate) at: Micros,
}

/// The checks of a simulated run beside that of the history.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Check {
    /// What must hold inside the servers at every moment.
    Invariants,
    /// What must come to pass when the faults are over.
    Liveness,
}

impl Check {
    /// The name in verdicts and tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Invariants => "inner invariants",
            Self::Liveness => "liveness",
        }
    }

    /// How it looks.
    pub(crate) fn how(self) -> &'static str {
        match self {
            Self::Invariants => "looking on at every step of every server",
            Self::Liveness => "healing a majority, and waiting",
        }
    }
}

/// What a simulated run came to, before its history is checked.
pub(crate) struct Simulated {
    pub(crate) recording: Recording,
    /// Whose each process is, by its number.
    pub(crate) processes: Vec<u64>,
    /// When the clients began.
    pub(crate) clients_began: Micros,
    /// What the workload wants each node asked at the end, whether the run came that far or not.
    pub(crate) final_reads: Vec<Call>,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) leaders: Vec<Leadership>,
    /// The messages, where they were asked for.
    pub(crate) lamport: Option<Lamport>,
    pub(crate) faults: Summary,
    pub(crate) violation: Option<Violation>,
    /// How long it took in the world's time.
    pub(crate) lasted: Micros,
}

impl Simulated {
    /// The checks from outside that looked on to the end and saw nothing wrong. Where broken disks took the majority, nothing
    /// was demanded after the faults.
    pub(crate) fn kept(&self) -> Vec<Check> {
        match (&self.violation, self.lifecycle.majority_lost) {
            (Some(_), _) => Vec::new(),
            (None, true) => vec![Check::Invariants],
            (None, false) => vec![Check::Invariants, Check::Liveness],
        }
    }
}

/// Whether the servers of the plan can be set as it says.
///
/// # Errors
/// [`ConfigError`] where they can't.
pub(crate) fn check_settings(plan: &Plan) -> Result<(), ConfigError> {
    servers::raft_config(plan, plan.nodes).check()
}

/// Carries out the plan. The same plan gives the same run, byte for byte.
pub(crate) fn simulate(plan: &Plan) -> Simulated {
    match plan.system {
        System::Raft => run::Run::<kv::RaftKv>::new(plan).carry_out(),
        System::Lock => run::Run::<lock::LockService>::new(plan).carry_out(),
        System::Commit => run::Run::<commit::Commitment>::new(plan).carry_out(),
        System::Real => unreachable!("plans of real systems in a simulated world are refused"),
    }
}

/// The same, and every message is written down: for small runs.
pub(crate) fn simulate_traced(plan: &Plan) -> Simulated {
    match plan.system {
        System::Raft => run::Run::<kv::RaftKv>::new(plan).traced().carry_out(),
        System::Lock => run::Run::<lock::LockService>::new(plan).traced().carry_out(),
        System::Commit => run::Run::<commit::Commitment>::new(plan).traced().carry_out(),
        System::Real => unreachable!("plans of real systems in a simulated world are refused"),
    }
}
