//! `rashomon test --world sim`: one simulated run with all its files, or a swarm.

use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use rashomon_report::{Verdict, VerdictFile};

use crate::cli::summary::print_summary;
use crate::cli::{Failure, exit};
use crate::interrupt::on_interrupt;
use crate::plan::Plan;
use crate::results::RunFolder;
use crate::run::write_simulated;
use crate::swarm::{self, Fixed, SwarmOptions, SwarmReport, look, run_all, seed_of};

/// Of so many seeds that were not valid the command is printed.
const TOLD_SEEDS: usize = 10;

/// Simulates the plan, and leaves its files.
pub(crate) fn run(plan: &Plan, out: &Path, fail_on_unknown: bool) -> Result<ExitCode, Failure> {
    let (verdict, _) = write_run(plan, out).map_err(Failure::Internal)?;
    Ok(exit::of_verdict(verdict.verdict, fail_on_unknown))
}

/// Simulates the plan, writes its files and prints its summary.
pub(crate) fn write_run(plan: &Plan, out: &Path) -> anyhow::Result<(VerdictFile, RunFolder)> {
    let looked = look(plan)?;
    let folder = RunFolder::create(out, plan)?;
    let verdict = write_simulated(plan, &folder, &looked)?;
    print_summary(&verdict, &folder);
    Ok((verdict, folder))
}

/// Simulates many runs, and leaves the files of the first that is not valid.
pub(crate) fn run_many(
    fixed: &Fixed,
    first_seed: u64,
    options: &SwarmOptions,
    out: &Path,
    fail_on_unknown: bool,
) -> Result<ExitCode, Failure> {
    // What is fixed and can't be is told before anything runs.
    swarm::draw(fixed, first_seed).map_err(|error| Failure::Input(error.into()))?;
    let stop = on_interrupt().map_err(Failure::Internal)?;
    let bar = progress_bar(options.count);
    let show = |report: &SwarmReport| {
        bar.set_position(report.runs);
        bar.set_message(speed(report));
    };
    let report = run_all(fixed, first_seed, options, &stop, show).map_err(Failure::Internal)?;
    bar.finish_and_clear();
    tell(fixed, first_seed, &report);
    if stop.load(Ordering::Relaxed) && report.done_in_order < options.count {
        println!(
            "stopped; `--seed {} --count {}` goes on",
            seed_of(first_seed, report.done_in_order),
            options.count - report.done_in_order
        );
    }
    let first = report.violations.first().map(|(seed, _)| seed).or(report.unknown.first().map(|(seed, _)| seed));
    if let Some(seed) = first {
        println!("\nthe first of them, seed {seed}:\n");
        let plan = swarm::draw(fixed, *seed).context("drawing the plan again").map_err(Failure::Internal)?;
        write_run(&plan, out).map_err(Failure::Internal)?;
    }
    Ok(exit::of_verdict(verdict(fixed, &report), fail_on_unknown))
}

/// Invalid beats unknown. A swarm in which nothing happened, or whose faults never bit, shows nothing.
fn verdict(fixed: &Fixed, report: &SwarmReport) -> Verdict {
    let [acknowledged, ..] = report.operations;
    let unbitten = fixed
        .nemesis
        .iter()
        .flatten()
        .any(|kind| report.faults.kinds.get(kind).is_none_or(|summary| summary.bitten == 0));
    if !report.violations.is_empty() {
        Verdict::Invalid
    } else if !report.unknown.is_empty() || acknowledged == 0 || unbitten {
        Verdict::Unknown
    } else {
        Verdict::Valid
    }
}

fn progress_bar(count: u64) -> ProgressBar {
    let bar = ProgressBar::new(count);
    let style = ProgressStyle::with_template("{bar:30} {human_pos} of {human_len} runs, {msg}, {eta} to go");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn tell(fixed: &Fixed, first_seed: u64, report: &SwarmReport) {
    let [ok, fail, info] = report.operations;
    let valid = report.runs - (report.violations.len() + report.unknown.len()) as u64;
    println!(
        "{valid} valid, {} invalid, {} unknown of {} runs",
        report.violations.len(),
        report.unknown.len(),
        report.runs
    );
    println!("seeds       {first_seed} and those after it");
    println!("operations  {ok} ok, {fail} fail, {info} info");
    println!("faults      {}", report.faults);
    println!("speed       {}", speed(report));
    for (seed, finding) in report.violations.iter().take(TOLD_SEEDS) {
        println!("seed {seed}: {}: {}\n  {}", finding.check, finding.kind, fixed.command(*seed));
    }
    for (seed, reason) in report.unknown.iter().take(TOLD_SEEDS) {
        println!("seed {seed}: unknown: {reason}\n  {}", fixed.command(*seed));
    }
}

/// `120.3 runs/s, 840 virtual s/s, 163 k operations/s`.
#[expect(clippy::cast_precision_loss, reason = "for people")]
fn speed(report: &SwarmReport) -> String {
    let seconds = report.seconds.max(1e-9);
    let operations: u64 = report.operations.iter().sum();
    format!(
        "{:.1} runs/s, {:.0} virtual s/s, {:.1} k operations/s",
        report.runs as f64 / seconds,
        report.virtual_us as f64 / 1e6 / seconds,
        operations as f64 / 1e3 / seconds
    )
}
