//! `rashomon test`: one run, or several.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;
use rashomon_nemesis::{FaultKind, Schedule, ScheduleOptions};
use rashomon_systems::raft::Bug;
use rashomon_workloads::Workload;

use crate::cli::duration::parse_duration;
use crate::cli::{Failure, many, netns};
use crate::plan::{PLAN_VERSION, Plan, SNAPSHOT_ENTRIES, System, World};

const EXAMPLES: &str = "\
Examples:
  rashomon test                                    five Raft servers under partitions, kills and pauses for 30 s
  rashomon test raft --bug RR-01                   the same with a planted bug: the verdict should be invalid
  rashomon test raft --workload append --nemesis kill --time-limit 1m
  rashomon test raft --seed 7 --count 10           ten runs, with the seeds 7 to 16

The servers run in a private sandbox of namespaces; nothing outside of it is touched. `rashomon doctor` says whether
this machine can do that. All that is drawn at random follows from the seed: the calls, the schedule of the faults.
How long things take does not, so a run of real servers never repeats exactly.";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TestArgs {
    /// The cluster to test (`rashomon list systems`)
    #[arg(default_value = "raft")]
    system: System,
    /// What the clients ask (`rashomon list workloads`)
    #[arg(long, default_value = "register")]
    workload: Workload,
    /// Faults to inject, with commas between: kinds of `rashomon list faults`, or `all` that the world can
    /// do, or `none`
    #[arg(long, default_value = "partition,kill,pause")]
    nemesis: String,
    /// Where the run happens: `netns`, a sandbox of real processes
    #[arg(long, default_value = "netns")]
    world: World,
    /// Servers, 1 to 9
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=9))]
    nodes: u16,
    /// Concurrent clients, 1 to 1000; each stays with one server
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    clients: u16,
    /// Calls a second of all clients together; 0 for as many as they can
    #[arg(long, default_value_t = 800)]
    rate: u32,
    /// How long clients ask and faults come, such as 30s or 2m
    #[arg(long, default_value = "30s", value_parser = parse_duration)]
    time_limit: Duration,
    /// How long one operation may take; after that its outcome is unknown. Where a server has several clients, those that
    /// write give up after a fifth of it, unless they have sessions
    #[arg(long, default_value = "1s", value_parser = parse_duration)]
    operation_deadline: Duration,
    /// All choices come from it; drawn when left out
    #[arg(long)]
    seed: Option<u64>,
    /// Plant a bug in the system (`rashomon list bugs`)
    #[arg(long)]
    bug: Option<Bug>,
    /// Give each client a session, and let it repeat commands whose outcome is open until an answer or the deadline
    #[arg(long)]
    sessions: bool,
    /// Let leaders answer reads from a lease instead of asking a majority
    #[arg(long)]
    lease_reads: bool,
    /// Servers take a snapshot after so many entries of the log
    #[arg(long, default_value_t = SNAPSHOT_ENTRIES, value_parser = clap::value_parser!(u64).range(10..))]
    snapshot_entries: u64,
    /// Runs, with the seed and those after it
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    /// Folder for the results
    #[arg(long, default_value = "results")]
    out: PathBuf,
    /// Whether a verdict of `unknown` exits with 2 instead of 0
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    fail_on_unknown: bool,
}

/// Runs what was asked, and gives the exit code of the worst verdict.
pub(crate) fn run(args: TestArgs) -> Result<ExitCode, Failure> {
    let faults = parse_nemesis(&args.nemesis, args.world)?;
    if args.time_limit < Duration::from_secs(1) {
        return Err(Failure::Input(anyhow!("--time-limit is {:?}: give it at least 1s", args.time_limit)));
    }
    if !args.system.workloads().contains(&args.workload) {
        return Err(Failure::Input(anyhow!("{} can't serve the workload {}", args.system, args.workload)));
    }
    let seed = args.seed.unwrap_or_else(fresh_seed);
    if args.count > 1 {
        return many::run_each(seed, args.count, args.fail_on_unknown);
    }
    let plan = args.plan(seed, faults)?;
    match plan.world {
        World::Netns => netns::run(&plan, &args.out, args.fail_on_unknown),
    }
}

impl TestArgs {
    fn plan(&self, seed: u64, nemesis: Vec<FaultKind>) -> Result<Plan, Failure> {
        let time_limit_ms = whole_millis(self.time_limit)?;
        let options = ScheduleOptions::new(self.nodes, nemesis.clone(), time_limit_ms);
        let schedule = Schedule::draw(&options, seed).map_err(|error| Failure::Input(error.into()))?;
        Ok(Plan {
            plan_version: PLAN_VERSION,
            rashomon_version: env!("CARGO_PKG_VERSION").into(),
            system: self.system,
            workload: self.workload,
            world: self.world,
            nodes: self.nodes,
            clients: self.clients,
            rate: self.rate,
            time_limit_ms,
            operation_deadline_ms: whole_millis(self.operation_deadline)?.max(1),
            seed,
            bug: self.bug,
            sessions: self.sessions,
            lease_reads: self.lease_reads,
            snapshot_entries: self.snapshot_entries,
            nemesis,
            schedule,
        })
    }
}

fn parse_nemesis(text: &str, world: World) -> Result<Vec<FaultKind>, Failure> {
    FaultKind::parse_list(text, world.place()).map_err(|error| Failure::Input(anyhow!("--nemesis: {error}")))
}

fn whole_millis(duration: Duration) -> Result<u64, Failure> {
    u64::try_from(duration.as_millis()).map_err(|_| Failure::Input(anyhow!("{duration:?} is too long")))
}

/// A seed that people can type again.
fn fresh_seed() -> u64 {
    let nanos = jiff::Timestamp::now().as_nanosecond();
    u64::try_from(nanos.rem_euclid(1_000_000_007)).unwrap_or(1)
}
