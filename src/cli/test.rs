//! `rashomon test`: one run, or several.

mod choice;
mod host_args;
mod real_args;
mod system_args;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;
use rashomon_nemesis::{FaultKind, Schedule, ScheduleOptions};
use rashomon_systems::planted::PlantedBug;
use rashomon_workloads::Workload;

use crate::cli::duration::parse_duration;
use crate::cli::{Failure, many, netns, sim};
use crate::plan::{
    CommitSettings, FaultSettings, FaultTarget, LockSettings, PLAN_VERSION, Plan, SNAPSHOT_ENTRIES, System, World,
};
use crate::swarm::{self, Fixed, FixedCommit, FixedLock, SwarmOptions};
use choice::Choice;
use host_args::HostArgs;
use real_args::RealArgs;
pub(crate) use real_args::programs;
use system_args::{CommitArgs, LockArgs};

/// Of a run of real servers, where nothing else is asked for.
const USUAL_TIME_LIMIT: Duration = Duration::from_secs(30);

const EXAMPLES: &str = "\
Examples:
  rashomon test                                    five Raft servers under partitions, kills and pauses for 30 s
  rashomon test raft --bug RR-01                   the same with a planted bug: the verdict should be invalid
  rashomon test raft --workload append --nemesis kill --time-limit 1m
  rashomon test raft --seed 7 --count 10           ten runs, with the seeds 7 to 16
  rashomon test raft --world sim --count 10000     ten thousand simulated runs, each drawn from its seed
  rashomon test redis --set appendfsync=no         a real system, once `rashomon install` has fetched it
  rashomon test ./valkey.toml                      another one, which a file of yours describes
  rashomon test etcd --hosts a:2379,b:2379,c:2379  clients only, against servers that you run

In the world netns the servers run in a private sandbox of namespaces; nothing outside of it is touched. `rashomon doctor`
says whether this machine can do that. All that is drawn at random follows from the seed: the calls, the schedule of the
faults. How long things take does not, so a run of real servers never repeats exactly.

In the world sim the same servers run in a simulated network, on simulated disks and clocks, in virtual time. Whatever is
not given - sizes, rates, faults, latencies - is drawn from the seed, and the same seed gives the same run, byte for byte.";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TestArgs {
    /// The cluster to test (`rashomon list systems`), or the path of a TOML file that describes one (docs/EXTENDING.md)
    #[arg(default_value = "raft")]
    system: Choice,
    /// What the clients ask (`rashomon list workloads`) [default: register; drawn in the world sim]
    #[arg(long)]
    workload: Option<Workload>,
    /// Faults to inject, with commas between: kinds of `rashomon list faults`, or `all` that the world can do, or
    /// `none` [default: partition,kill,pause; drawn in the world sim]
    #[arg(long)]
    nemesis: Option<String>,
    /// Whom faults are aimed at: `any`, or `leader`, whoever leads or coordinates when a fault begins
    #[arg(long, default_value = "any")]
    fault_target: FaultTarget,
    /// How long each fault lasts, such as 5s [default: 1.5s to 3.5s; drawn in the world sim]
    #[arg(long, value_parser = parse_duration)]
    fault_duration: Option<Duration>,
    /// Where the run happens: `netns`, a sandbox of real processes; `sim`, a simulation in virtual time; or, with --hosts, `hosts`
    #[arg(long, default_value = "netns")]
    world: World,
    /// Servers, 1 to 9 [default: 5; drawn in the world sim]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=9))]
    nodes: Option<u16>,
    /// Concurrent clients, 1 to 1000; each stays with one server [default: 10; drawn in the world sim]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1000))]
    clients: Option<u16>,
    /// Calls a second of all clients together; 0 for as many as they can [default: 800; drawn in the world sim]
    #[arg(long)]
    rate: Option<u32>,
    /// How long clients ask and faults come, such as 30s or 2m [default: 30s; drawn in the world sim]
    #[arg(long, value_parser = parse_duration)]
    time_limit: Option<Duration>,
    /// How long one operation may take; after that its outcome is unknown. Where a server has several clients, those that
    /// write give up after a fifth of it, unless they have sessions [default: 1s; drawn in the world sim]
    #[arg(long, value_parser = parse_duration)]
    operation_deadline: Option<Duration>,
    /// All choices come from it; drawn when left out
    #[arg(long)]
    seed: Option<u64>,
    /// Plant a bug in the system (`rashomon list bugs`)
    #[arg(long)]
    bug: Option<PlantedBug>,
    /// Give each client a session, and let it repeat commands whose outcome is open until an answer or the deadline
    /// [default: no; drawn in the world sim, where --sessions=false leaves them out]
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    sessions: Option<bool>,
    /// Let leaders answer reads from a lease instead of asking a majority [default: no; drawn in the world sim]
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    lease_reads: Option<bool>,
    /// Servers take a snapshot after so many entries of the log [default: 1000; drawn in the world sim]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    snapshot_entries: Option<u64>,
    #[command(flatten)]
    lock: LockArgs,
    #[command(flatten)]
    commit: CommitArgs,
    #[command(flatten)]
    real: RealArgs,
    /// Runs, with the seed and those after it
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    /// In the world sim: go on after a run that is not valid instead of stopping there
    #[arg(long)]
    keep_going: bool,
    /// In the world sim: threads that run [default: all cores]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Folder for the results
    #[arg(long, default_value = "results")]
    out: PathBuf,
    /// Whether a verdict of `unknown` exits with 2 instead of 0
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    fail_on_unknown: bool,
    #[command(flatten)]
    host: HostArgs,
}

/// Runs what was asked, and gives the exit code of the worst verdict.
pub(crate) fn run(args: &TestArgs) -> Result<ExitCode, Failure> {
    let seed = args.seed.unwrap_or_else(fresh_seed);
    let (fixed, plan) = match &args.system {
        Choice::Own(system) => {
            let fixed = args.fixed(*system)?;
            let plan = args.plan(&fixed, seed);
            (fixed, plan)
        }
        Choice::Real { description, named } => {
            let fixed = args.given(System::Real)?;
            let plan = Ok(real_args::plan(args, &fixed, description, named, seed)?);
            (fixed, plan)
        }
    };
    match args.world {
        World::Netns | World::Hosts if args.count > 1 => many::run_each(seed, args.count, args.fail_on_unknown),
        World::Netns | World::Hosts => netns::run(&plan?, &args.out, args.fail_on_unknown),
        World::Sim if args.count > 1 => {
            let options = SwarmOptions { count: args.count, keep_going: args.keep_going, threads: args.threads };
            sim::run_many(&fixed, seed, &options, &args.out, args.fail_on_unknown)
        }
        World::Sim => {
            let plan = swarm::draw(&fixed, seed).map_err(|error| Failure::Input(error.into()))?;
            sim::run(&plan, &args.out, args.fail_on_unknown)
        }
    }
}

impl TestArgs {
    /// What the command line says, whatever the system.
    fn given(&self, system: System) -> Result<Fixed, Failure> {
        if let Some(limit) = self.time_limit.filter(|limit| *limit < Duration::from_secs(1)) {
            return Err(Failure::Input(anyhow!("--time-limit is {limit:?}: give it at least 1s")));
        }
        Ok(Fixed {
            system,
            bug: self.bug,
            workload: self.workload,
            nemesis: None,
            faults: self.faults()?,
            nodes: self.nodes,
            clients: self.clients,
            rate: self.rate,
            time_limit_ms: self.time_limit.map(whole_millis).transpose()?,
            operation_deadline_ms: self.operation_deadline.map(whole_millis).transpose()?.map(|ms| ms.max(1)),
            sessions: self.sessions,
            lease_reads: self.lease_reads,
            snapshot_entries: self.snapshot_entries,
            lock: self.lock.fixed()?,
            commit: self.commit.fixed(),
        })
    }

    /// What the command line fixes of a run of one of our own systems.
    fn fixed(&self, system: System) -> Result<Fixed, Failure> {
        let fixed = Fixed {
            workload: self.workload.map(|workload| served(system, workload)).transpose()?,
            nemesis: self.nemesis.as_deref().map(|names| parse_nemesis(names, self.world)).transpose()?,
            ..self.given(system)?
        };
        if self.world == World::Hosts || !self.host.is_empty() {
            return Err(Failure::Input(anyhow!("--hosts is for real systems, and {system} is one of our own")));
        }
        if !self.real.is_empty() {
            return Err(Failure::Input(anyhow!(
                "--set and --binary are for real systems, and {system} is one of our own"
            )));
        }
        if let Some(nodes) = fixed.nodes.filter(|nodes| *nodes < fixed.fewest_nodes()) {
            let fewest = fixed.fewest_nodes();
            return Err(Failure::Input(anyhow!("--nodes is {nodes}: {system} needs at least {fewest} here")));
        }
        if let Some(bug) = fixed.bug.filter(|bug| System::of(*bug) != system) {
            let of = System::of(bug);
            return Err(Failure::Input(anyhow!("{bug} is a bug of {of}: rashomon test {of} --bug {bug}")));
        }
        Ok(fixed)
    }

    fn faults(&self) -> Result<FaultSettings, Failure> {
        let duration_ms = self.fault_duration.map(whole_millis).transpose()?.map(|ms| ms.max(1));
        let faults = FaultSettings { target: self.fault_target, duration_ms };
        let usual = (self.world != World::Sim).then_some(USUAL_TIME_LIMIT);
        match self.time_limit.or(usual).map(whole_millis).transpose()? {
            Some(limit_ms) if faults.least_time_ms() > limit_ms => Err(Failure::Input(anyhow!(
                "--fault-duration is {} ms: with a quarter of that before it no fault fits into the time limit of {limit_ms} ms",
                duration_ms.unwrap_or_default()
            ))),
            Some(_) | None => Ok(faults),
        }
    }

    /// The plan of a run of our own servers.
    fn plan(&self, fixed: &Fixed, seed: u64) -> Result<Plan, Failure> {
        let default_faults = || vec![FaultKind::Partition, FaultKind::Kill, FaultKind::Pause];
        let nemesis = fixed.nemesis.clone().unwrap_or_else(default_faults);
        let (nodes, time_limit_ms) = (
            fixed.nodes.unwrap_or(fixed.usual_nodes()),
            fixed.time_limit_ms.unwrap_or(whole_millis(USUAL_TIME_LIMIT)?),
        );
        let (usual_clients, usual_rate) = fixed.system.usual_load();
        let clients = fixed.clients.unwrap_or(usual_clients);
        let options = ScheduleOptions { clients, ..ScheduleOptions::new(nodes, nemesis.clone(), time_limit_ms) };
        let options = fixed.faults.apply(options);
        let schedule = Schedule::draw(&options, seed).map_err(|error| Failure::Input(error.into()))?;
        Ok(Plan {
            plan_version: PLAN_VERSION,
            rashomon_version: env!("CARGO_PKG_VERSION").into(),
            system: fixed.system,
            workload: fixed.workload.unwrap_or(fixed.system.workloads()[0]),
            world: World::Netns,
            nodes,
            clients,
            rate: fixed.rate.unwrap_or(usual_rate),
            time_limit_ms,
            operation_deadline_ms: fixed.operation_deadline_ms.unwrap_or(1000),
            seed,
            bug: fixed.bug,
            sessions: fixed.sessions.unwrap_or(false),
            lease_reads: fixed.lease_reads.unwrap_or(false),
            lock: (fixed.system == System::Lock).then(|| fixed.lock.or_usual()),
            commit: (fixed.system == System::Commit).then(|| fixed.commit.or_usual()),
            real: None,
            snapshot_entries: fixed.snapshot_entries.unwrap_or(SNAPSHOT_ENTRIES),
            nemesis,
            faults: fixed.faults,
            schedule,
            script: None,
            simulation: None,
        })
    }
}

/// The workload as this system of ours serves it.
fn served(system: System, workload: Workload) -> Result<Workload, Failure> {
    let served = system.workloads();
    workload.among(served).ok_or_else(|| {
        let known = served.iter().map(|workload| workload.name()).collect::<Vec<_>>().join(", ");
        Failure::Input(anyhow!("{system} can't serve the workload {workload}; it serves {known}"))
    })
}

/// What is not fixed is as usual.
impl FixedCommit {
    fn or_usual(self) -> CommitSettings {
        CommitSettings {
            protocol: self.protocol.unwrap_or_default(),
            isolation: self.isolation.unwrap_or_default(),
            consistency: self.consistency,
        }
    }
}

/// What is not fixed is as usual.
impl FixedLock {
    fn or_usual(self) -> LockSettings {
        let usual = LockSettings::default();
        LockSettings {
            ttl_ms: self.ttl_ms.unwrap_or(usual.ttl_ms),
            fencing: self.fencing.unwrap_or(usual.fencing),
            careful: self.careful.unwrap_or(usual.careful),
            tries: self.tries.unwrap_or(usual.tries),
        }
    }
}

fn parse_nemesis(text: &str, world: World) -> Result<Vec<FaultKind>, Failure> {
    FaultKind::parse_list(text, world.place()).map_err(|error| Failure::Input(anyhow!("--nemesis: {error}")))
}

fn whole_millis(duration: Duration) -> Result<u64, Failure> {
    u64::try_from(duration.as_millis()).map_err(|_| Failure::Input(anyhow!("{duration:?} is too long")))
}

/// A seed that people can type again.
pub(crate) fn fresh_seed() -> u64 {
    let nanos = jiff::Timestamp::now().as_nanosecond();
    u64::try_from(nanos.rem_euclid(1_000_000_007)).unwrap_or(1)
}
