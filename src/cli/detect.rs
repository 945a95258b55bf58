//! `rashomon detect`: how soon the simulation finds each planted bug.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use rashomon_systems::planted::PlantedBug;

use crate::cli::Failure;
use crate::cli::duration::parse_duration;
use crate::detect::{Budget, Detected, Measured, Row, Trial, detect, markdown, put_into};
use crate::interrupt::on_interrupt;
use crate::plan::System;

const EXAMPLES: &str = "\
Examples:
  rashomon detect                                  every planted bug, 20 trials each
  rashomon detect --bug RC-01,RR-05 --trials 5
  rashomon detect --markdown docs/DETECTION.md     the same, and put the table into that page

A trial makes simulated runs, drawn without knowledge of the bug, until one is found to be wrong. Every run that found a bug
is then made with the right system, in which nothing must be found. How many runs a trial takes depends on the seed alone,
unless its budget in seconds ends it.";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DetectArgs {
    /// Bugs to look for, with commas between (`rashomon list bugs`) [default: all]
    #[arg(long, value_delimiter = ',')]
    bug: Vec<PlantedBug>,
    /// Trials a bug, each with a first seed of its own
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    trials: u64,
    /// The first seed of the first trial
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Real time after which a trial gives up
    #[arg(long, default_value = "60s", value_parser = parse_duration)]
    budget: Duration,
    /// Runs after which a trial gives up
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..))]
    runs: u64,
    /// Put the table into this page, between its two marks; a page that is not there is made
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

/// Exit code 0 when every bug was found in some trial and nothing in the right system, 1 when something was found there, 2
/// when a bug was missed or the measurement was stopped.
pub(crate) fn run(args: &DetectArgs) -> Result<ExitCode, Failure> {
    let stop = on_interrupt().map_err(Failure::Internal)?;
    let measured = measure(args, &stop).map_err(Failure::Internal)?;
    let rows = Row::all(&measured);
    let text = markdown(&rows, args.per_trial());
    println!("{text}");
    if let Some(file) = &args.markdown {
        write_page(file, &text).map_err(Failure::Input)?;
    }
    let right_is_right = rows.iter().all(|row| row.bug.is_some() || row.found == 0);
    let all_found = rows.iter().all(|row| row.bug.is_none() || row.found > 0) && !stop.load(Ordering::Relaxed);
    Ok(match (right_is_right, all_found) {
        (true, true) => ExitCode::SUCCESS,
        (true, false) => ExitCode::from(2),
        (false, _) => ExitCode::from(1),
    })
}

impl DetectArgs {
    fn per_trial(&self) -> Budget {
        Budget { runs: self.runs, time: self.budget }
    }

    fn trials(&self) -> Vec<(Trial, Budget)> {
        let all: Vec<PlantedBug> = PlantedBug::all().collect();
        let bugs = if self.bug.is_empty() { &all } else { &self.bug };
        let trials = |bug: &PlantedBug| {
            let (system, bug) = (System::of(*bug), Some(*bug));
            (0..self.trials).map(move |number| Trial { system, bug, number })
        };
        bugs.iter().flat_map(trials).map(|trial| (trial, self.per_trial())).collect()
    }
}

/// The trials of the bugs, and then the same runs with the right system.
fn measure(args: &DetectArgs, stop: &AtomicBool) -> Result<Measured> {
    let mut measured = with_progress(&args.trials(), args.seed, stop)?;
    let mut longest: BTreeMap<(System, u64), u64> = BTreeMap::new();
    for (trial, detected) in measured.iter().filter(|(_, detected)| detected.found.is_some()) {
        let runs = longest.entry((trial.system, trial.number)).or_default();
        *runs = detected.runs.max(*runs);
    }
    let control = longest.into_iter().map(|((system, number), runs)| {
        let budget = Budget { runs, time: Duration::MAX };
        (Trial { system, bug: None, number }, budget)
    });
    measured.extend(with_progress(&control.collect::<Vec<_>>(), args.seed, stop)?);
    Ok(measured)
}

fn with_progress(trials: &[(Trial, Budget)], first_seed: u64, stop: &AtomicBool) -> Result<Measured> {
    let bar = ProgressBar::new(trials.len() as u64);
    let style = ProgressStyle::with_template("{bar:30} {human_pos} of {human_len} trials, {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(200));
    let measured = detect(trials, first_seed, stop, |trial: Trial, detected: &Detected| {
        bar.inc(1);
        let what = trial.bug.map_or_else(|| format!("the right {}", trial.system), |bug| bug.to_string());
        let how = detected.found.as_ref().map_or("nothing".to_owned(), |(_, finding)| finding.kind.clone());
        bar.set_message(format!("{what}: {how} in {} runs", detected.runs));
    });
    bar.finish_and_clear();
    measured
}

fn write_page(file: &Path, text: &str) -> Result<()> {
    let page = if file.exists() {
        let page = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        put_into(&page, text).with_context(|| file.display().to_string())?
    } else {
        text.to_owned()
    };
    std::fs::write(file, page).with_context(|| format!("writing {}", file.display()))
}
