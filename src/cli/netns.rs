//! `rashomon test` of real processes, in the sandbox or on hosts of the user: from a plan to a verdict on the terminal.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use rashomon_report::VerdictFile;

use crate::cli::summary::print_summary;
use crate::cli::test::programs;
use crate::cli::{Failure, exit};
use crate::plan::Plan;
use crate::results::RunFolder;
use crate::run;
use crate::world::Ground;
use crate::world::netns::{Entered, enter};

/// Runs the plan in a new sandbox, or against hosts of the user. Must be called while this process has one thread.
///
/// It returns in two processes, see [`enter`]: both end with the same exit code.
pub(crate) fn run(plan: &Plan, out: &Path, fail_on_unknown: bool) -> Result<ExitCode, Failure> {
    if let Some(hosts) = plan.real.as_ref().and_then(|real| real.hosts.clone()) {
        let verdict = run_on(plan, out, &Ground::Hosts(hosts)).map_err(Failure::Internal)?;
        return Ok(exit::of_verdict(verdict.verdict, fail_on_unknown));
    }
    let programs = programs(plan)?;
    match enter().context("making a sandbox").map_err(Failure::Internal)? {
        Entered::Finished(code) => Ok(ExitCode::from(code)),
        Entered::Inside(inside) => {
            let verdict = run_on(plan, out, &Ground::Sandbox { inside, programs }).map_err(Failure::Internal)?;
            Ok(exit::of_verdict(verdict.verdict, fail_on_unknown))
        }
    }
}

fn run_on(plan: &Plan, out: &Path, ground: &Ground) -> Result<VerdictFile> {
    let folder = RunFolder::create(out, plan)?;
    let runtime = tokio::runtime::Runtime::new().context("starting the controller's threads")?;
    let verdict = runtime
        .block_on(run::run(plan, &folder, ground))
        .with_context(|| format!("the run did not come to a verdict; what it saw is in {}", folder.path().display()))?;
    print_summary(&verdict, &folder);
    Ok(verdict)
}
