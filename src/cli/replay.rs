//! `rashomon replay`: a plan again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;

use crate::cli::{Failure, exit, netns, sim};
use crate::plan::World;
use crate::plan_file::PlanFile;

const EXAMPLES: &str = "\
Examples:
  rashomon replay results/latest
  rashomon replay tests/seeds/right-append.json

A plan is all that a run was made from. One of the world sim is carried out again exactly: the history is the same, byte
for byte, and this says so. One of the world netns draws the same operations and the same faults at the same times; how
long real servers take over them nobody can repeat.";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReplayArgs {
    /// The folder of a run, or a plan
    run: PathBuf,
    /// Folder for the results
    #[arg(long, default_value = "results")]
    out: PathBuf,
    /// Whether a verdict of `unknown` exits with 2 instead of 0
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    fail_on_unknown: bool,
}

/// Carries out the plan again; the verdict gives the exit code.
pub(crate) fn run(args: &ReplayArgs) -> Result<ExitCode, Failure> {
    let file = PlanFile::read(&args.run).map_err(Failure::Input)?;
    if let Some(version) = file.other_version() {
        eprintln!("rashomon {version} drew this plan, and this is {}: the run may differ", env!("CARGO_PKG_VERSION"));
    }
    match file.plan.world {
        World::Netns | World::Hosts => {
            eprintln!("the same operations and faults again; real servers take their own time, so the run will differ");
            netns::run(&file.plan, &args.out, args.fail_on_unknown)
        }
        World::Sim => {
            let (verdict, folder) = sim::write_run(&file.plan, &args.out).map_err(Failure::Internal)?;
            match file.history() {
                Some(before) => println!("{}", compare(&before, &folder.history()).map_err(Failure::Internal)?),
                None => println!("there is no history beside the plan to compare with"),
            }
            Ok(exit::of_verdict(verdict.verdict, args.fail_on_unknown))
        }
    }
}

/// Whether both histories are the same, in a sentence.
fn compare(before: &Path, now: &Path) -> Result<String> {
    let read = |path: &Path| fs::read(path).with_context(|| format!("reading {}", path.display()));
    let name = before.display();
    let (before, now) = (read(before)?, read(now)?);
    if before == now {
        return Ok(format!("the history is that of {name}, byte for byte"));
    }
    let same = before.split(|byte| *byte == b'\n').zip(now.split(|byte| *byte == b'\n')).take_while(|(a, b)| a == b);
    Ok(format!("the history is another one than {name}: they part at line {}", same.count() + 1))
}
