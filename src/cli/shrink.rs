//! `rashomon shrink`: the smallest plan that still fails in the same way.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;
use indicatif::ProgressBar;
use rashomon_report::{TerminalOptions, terminal_summary};

use crate::cli::Failure;
use crate::cli::duration::parse_duration;
use crate::interrupt::on_interrupt;
use crate::plan::World;
use crate::plan_file::PlanFile;
use crate::results::RunFolder;
use crate::run::write_simulated;
use crate::shrink::{ShrinkOptions, Shrunk, shrink};
use crate::swarm::{all_cores, look_traced};

const EXAMPLES: &str = "\
Examples:
  rashomon test raft --world sim --bug RR-01 --count 1000     stops at the first run that is not valid
  rashomon shrink results/latest                              and this makes it small

What is kept is the violation: the same check must find the same kind of it. Operations, clients, faults, nodes and
disturbances of the network that it does not take are left out, and times are shortened. A smaller run is another run, so
other seeds are tried where the recorded one does not show the violation any more.";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ShrinkArgs {
    /// The folder of a simulated run that failed, or its plan
    run: PathBuf,
    /// When to be content with what is there
    #[arg(long, default_value = "60s", value_parser = parse_duration)]
    budget: Duration,
    /// Threads that run [default: all cores]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

/// Shrinks the run, and leaves what it came to in a folder beside it.
pub(crate) fn run(args: &ShrinkArgs) -> Result<ExitCode, Failure> {
    let plan = PlanFile::read(&args.run).map_err(Failure::Input)?.plan;
    if plan.world != World::Sim {
        let reason =
            anyhow!("{} is a run in the world {}: only simulated runs repeat exactly", args.run.display(), plan.world);
        return Err(Failure::Input(reason));
    }
    let stop = on_interrupt().map_err(Failure::Internal)?;
    let threads = args.threads.map_or_else(all_cores, usize::from);
    let options = ShrinkOptions { budget: args.budget, threads, stop: &stop };
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(200));
    let shrunk = shrink(&plan, &options, |size, runs| bar.set_message(format!("{size} after {runs} runs")));
    bar.finish_and_clear();
    let shrunk = shrunk.map_err(Failure::Input)?;
    write(&args.run, shrunk).map_err(Failure::Internal)?;
    Ok(ExitCode::SUCCESS)
}

/// Leaves the files of the shrunk run beside the other, and tells of it.
fn write(run: &Path, shrunk: Shrunk) -> anyhow::Result<()> {
    let Shrunk { mut plan, finding, from, to, runs } = shrunk;
    let folder = RunFolder::beside(run, "shrunk")?;
    let folder_text = folder.path().display().to_string();
    let command = format!("rashomon replay {folder_text}");
    plan.simulation.get_or_insert_default().command.clone_from(&command);
    let looked = look_traced(&plan).context("running the shrunk plan")?;
    let verdict = write_simulated(&plan, &folder, &looked)?;
    let report = folder.report().display().to_string();
    let options = TerminalOptions {
        colour: std::io::stdout().is_terminal(),
        columns: 100,
        paths: &[("report", &report), ("folder", &folder_text)],
    };
    print!("{}", terminal_summary(&verdict, &options));
    println!("\nshrunk      {}: {} ({runs} runs)", finding.check, finding.kind);
    println!("  from      {from}");
    println!("  to        {to}");
    Ok(())
}
