//! The command line: one file a command.

mod check;
mod compare;
mod detect;
mod doctor;
mod duration;
mod exit;
mod install;
mod list;
mod many;
mod netns;
mod node;
mod replay;
mod shrink;
mod sim;
mod summary;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub(crate) use exit::Failure;

const EXIT_CODES: &str = "\
Exit codes:
  0    valid: every check that was made holds
  1    invalid: a violation was found; the report tells its story
  2    unknown: nothing wrong was found, but not enough was seen to say more
  254  bad arguments or input
  255  internal error";

#[derive(Parser)]
#[command(name = "rashomon", version, about, long_about = None, after_help = EXIT_CODES)]
/// Drives clients against a cluster while it is broken on purpose, and decides whether what they saw can be one story.
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a workload against a cluster while a nemesis breaks it, and check what the clients saw
    Test(test::TestArgs),
    /// Carry out the plan of a run again: exactly, in the simulation
    Replay(replay::ReplayArgs),
    /// Check recorded histories on their own
    Check(check::CheckArgs),
    /// Lay runs side by side, of several systems or of one: verdict, anomalies, availability, recovery, throughput, latency
    Compare(compare::CompareArgs),
    /// Measure how soon the simulation finds each planted bug
    Detect(detect::DetectArgs),
    /// Make a failing simulated run as small as it can be
    Shrink(shrink::ShrinkArgs),
    /// List what there is: systems, workloads, faults, bugs, models
    List(list::ListArgs),
    /// Say what this machine can and can't do, and the command that mends it
    Doctor,
    /// Fetch the servers of real systems: Redis, etcd, ZooKeeper
    Install(install::InstallArgs),
    /// Run one server of an own system, by hand
    Node(node::NodeArgs),
}

/// Parses the arguments, does what they say, and says how it went.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let is_help = !error.use_stderr();
            // Nothing can be done about a closed terminal.
            let _ = error.print();
            return if is_help { ExitCode::SUCCESS } else { ExitCode::from(254) };
        }
    };
    let result = match cli.command {
        Command::Test(args) => test::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Detect(args) => detect::run(&args),
        Command::Shrink(args) => shrink::run(&args),
        Command::List(args) => Ok(list::run(&args)),
        Command::Doctor => doctor::command(),
        Command::Install(args) => install::run(&args),
        Command::Node(args) => node::run(args),
    };
    result.unwrap_or_else(|failure| failure.report())
}
