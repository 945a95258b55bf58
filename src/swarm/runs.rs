//! Runs a swarm on all cores, and counts.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::Result;
use rashomon_history::Outcome;
use rashomon_nemesis::Summary;

use crate::swarm::{Finding, Fixed, Found, draw, look};

/// How a swarm runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SwarmOptions {
    /// Runs, with the first seed and those after it.
    pub(crate) count: u64,
    /// Whether to go on after a violation.
    pub(crate) keep_going: bool,
    /// Threads; as many as there are cores where nothing is said.
    pub(crate) threads: Option<u16>,
}

/// What came of a swarm.
#[derive(Clone, Debug, Default)]
pub(crate) struct SwarmReport {
    /// Runs that were carried out and checked.
    pub(crate) runs: u64,
    /// Violations by seed.
    pub(crate) violations: Vec<(u64, Finding)>,
    /// Runs without a verdict, by seed, with the reason.
    pub(crate) unknown: Vec<(u64, String)>,
    /// Operations that ended `ok`, `fail` and `info`.
    pub(crate) operations: [u64; 3],
    /// Time that passed in the simulated worlds.
    pub(crate) virtual_us: u64,
    /// What became of the faults.
    pub(crate) faults: Summary,
    /// All runs of seeds before the first one by so many are done.
    pub(crate) done_in_order: u64,
    /// Real time.
    pub(crate) seconds: f64,
}

impl SwarmReport {
    fn add(&mut self, seed: u64, found: Found, other: &Self) {
        self.runs += 1;
        self.virtual_us += other.virtual_us;
        self.operations.iter_mut().zip(other.operations).for_each(|(sum, count)| *sum += count);
        self.faults.add(&other.faults);
        match found {
            Found::Nothing => {}
            Found::Violation(finding) => self.violations.push((seed, finding)),
            Found::Unknown(reason) => self.unknown.push((seed, reason)),
        }
    }
}

/// The seed of the run `number` of a swarm that begins with `first_seed`.
pub(crate) fn seed_of(first_seed: u64, number: u64) -> u64 {
    first_seed.wrapping_add(number)
}

/// Carries out the runs of a swarm until all are done, `stop` is set, or, unless it shall keep going, one is not valid. Which
/// run is the first that is not valid does not depend on the number of threads.
///
/// # Errors
/// What is fixed makes no sense, or a history can't be checked.
pub(crate) fn run_all(
    fixed: &Fixed,
    first_seed: u64,
    options: &SwarmOptions,
    stop: &AtomicBool,
    progress: impl Fn(&SwarmReport) + Sync,
) -> Result<SwarmReport> {
    let began = Instant::now();
    let next = AtomicU64::new(0);
    // Runs from this number on need not be made.
    let end = AtomicU64::new(options.count);
    let state = Mutex::new((SwarmReport::default(), InOrder::default()));
    let work = || -> Result<()> {
        while !stop.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= end.load(Ordering::Relaxed) {
                return Ok(());
            }
            let seed = seed_of(first_seed, number);
            let plan = draw(fixed, seed)?;
            let looked = look(&plan)?;
            if looked.found != Found::Nothing && !options.keep_going {
                end.fetch_min(number + 1, Ordering::Relaxed);
            }
            let history = looked.simulated.recording.history();
            let mut operations = [0; 3];
            for operation in history.operations() {
                operations[match operation.outcome {
                    Outcome::Ok(_) => 0,
                    Outcome::Fail(_) => 1,
                    Outcome::Info(_) => 2,
                }] += 1;
            }
            let one = SwarmReport {
                operations,
                virtual_us: looked.simulated.lasted.0,
                faults: looked.simulated.faults.clone(),
                ..SwarmReport::default()
            };
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            let (report, in_order) = &mut *state;
            report.add(seed, looked.found, &one);
            report.done_in_order = in_order.done(number);
            report.seconds = began.elapsed().as_secs_f64();
            progress(report);
        }
        Ok(())
    };
    on_threads(options.threads.map_or_else(all_cores, usize::from), work)?;
    let (mut report, _) = state.into_inner().unwrap_or_else(PoisonError::into_inner);
    report.violations.sort_by_key(|(seed, _)| seed.wrapping_sub(first_seed));
    report.unknown.sort_by_key(|(seed, _)| seed.wrapping_sub(first_seed));
    report.seconds = began.elapsed().as_secs_f64();
    Ok(report)
}

/// Does the same work on so many threads until all of them are done; the first error is told.
pub(crate) fn on_threads(threads: usize, work: impl Fn() -> Result<()> + Copy + Send) -> Result<()> {
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// As many as the machine has.
pub(crate) fn all_cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Knows up to which number all runs are done, though they end in any order.
#[derive(Default)]
struct InOrder {
    done: u64,
    ahead: std::collections::BTreeSet<u64>,
}

impl InOrder {
    fn done(&mut self, number: u64) -> u64 {
        self.ahead.insert(number);
        while self.ahead.remove(&self.done) {
            self.done += 1;
        }
        self.done
    }
}
