//! The worst histories under a budget of one second and 256 MB. `cargo bench -p rashomon-checker --bench worst [NAME...]`
//!
//! Every history has a process of its own, so that the most memory it ever held is its own too. Each line: the verdict, the
//! wall time of the check with its explanation, the checker's own estimate of its peak memory, and that of the process
//! before the check (which is the history) and after it.

#[path = "../speed/generate.rs"]
mod generate;
mod models;

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use generate::{Recipe, queue, registers};
use models::{Silent, Slow};
use rashomon_checker::models::Register;
use rashomon_checker::queue::FifoQueue;
use rashomon_checker::{Algorithm, Checker, Model, Operation, Verdict};

const TIME_BUDGET: Duration = Duration::from_secs(1);
const MEMORY_BUDGET_BYTES: usize = 256_000_000;
/// The answer has to be there by then.
const LATEST: Duration = Duration::from_millis(1_100);

const A: Recipe = Recipe { operations: 1_000, clients: 50, keys: 1, unknown_percent: 0, is_stale: false, seed: 1 };
const B: Recipe = Recipe { is_stale: true, ..A };

/// Which model decides it, on how many threads.
#[derive(Clone, Copy)]
enum By {
    Register(Algorithm),
    /// A register that promises nothing.
    Silent,
    /// A register of which every step takes a millisecond.
    Slow,
    Queue(Algorithm),
}

fn cases() -> Vec<(&'static str, Recipe, By, usize)> {
    let (auto, search) = (By::Register(Algorithm::Auto), By::Register(Algorithm::Search));
    vec![
        ("b 1k C=50, promises nothing", B, By::Silent, 1),
        ("b 10k C=20, promises nothing", Recipe { operations: 10_000, clients: 20, ..B }, By::Silent, 1),
        ("b 100k C=300, promises nothing", Recipe { operations: 100_000, clients: 300, ..B }, By::Silent, 1),
        ("c 1k C=50, promises nothing", Recipe { unknown_percent: 5, ..B }, By::Silent, 1),
        ("b 10k 10 keys, 2 threads", Recipe { operations: 10_000, keys: 10, ..B }, By::Silent, 2),
        ("b 1k C=50, slow steps", B, By::Slow, 1),
        ("a 1k C=50, slow steps", A, By::Slow, 1),
        ("b 1k C=50, search", B, search, 1),
        ("c 10k C=50, search", Recipe { operations: 10_000, unknown_percent: 5, ..B }, search, 1),
        ("a 1M C=50, search", Recipe { operations: 1_000_000, ..A }, search, 1),
        ("b 1M C=50, search", Recipe { operations: 1_000_000, ..B }, search, 1),
        ("a 1M C=50", Recipe { operations: 1_000_000, ..A }, auto, 1),
        ("b 1M C=50", Recipe { operations: 1_000_000, ..B }, auto, 1),
        ("b 5M C=50", Recipe { operations: 5_000_000, ..B }, auto, 1),
        ("d 1M, 1000 keys, 2 threads", Recipe { operations: 1_000_000, keys: 1_000, ..A }, auto, 2),
        ("d 3M, 1M keys", Recipe { operations: 3_000_000, keys: 1_000_000, ..A }, auto, 1),
        ("e 10k C=50, search", Recipe { operations: 10_000, ..A }, By::Queue(Algorithm::Search), 1),
        ("e 1M C=50", Recipe { operations: 1_000_000, ..A }, By::Queue(Algorithm::Auto), 1),
    ]
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [flag, name] = &arguments[..]
        && flag == "--alone"
    {
        return alone(name);
    }
    println!(
        "{:<32} {:>8} {:>8} {:>12} {:>12} {:>12}",
        "history", "verdict", "ms", "estimated MB", "before MB", "after MB"
    );
    let own = std::env::current_exe().expect("a name");
    let mut is_kept = true;
    for (name, ..) in cases() {
        if arguments.is_empty() || arguments.iter().any(|part| name.contains(part.as_str())) {
            is_kept &= Command::new(&own).args(["--alone", name]).status().expect("a process").success();
        }
    }
    if is_kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Checks one history in this process. It fails if the answer came too late.
fn alone(name: &str) -> ExitCode {
    let Some((_, recipe, by, threads)) = cases().into_iter().find(|(other, ..)| *other == name) else {
        return ExitCode::FAILURE;
    };
    let initial = || Register { initial: 0.into() };
    match by {
        By::Register(algorithm) => {
            run(name, Checker::new(initial()).algorithm(algorithm), &registers(&recipe), threads)
        }
        By::Silent => run(name, Checker::new(Silent(initial())), &registers(&recipe), threads),
        By::Slow => run(name, Checker::new(Slow(initial())).algorithm(Algorithm::Search), &registers(&recipe), threads),
        By::Queue(algorithm) => {
            run(name, Checker::new(FifoQueue::default()).algorithm(algorithm), &queue(&recipe), threads)
        }
    }
}

fn run<M: Model>(
    name: &str,
    checker: Checker<M>,
    history: &[Operation<M::Call, M::Return>],
    threads: usize,
) -> ExitCode {
    let checker = checker.time_budget(TIME_BUDGET).memory_budget(MEMORY_BUDGET_BYTES).threads(threads);
    // From here on the most memory counts that is held from here on. Where the system refuses, making the history counts too.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let before = most_memory_bytes();
    let started = Instant::now();
    let report = checker.check(history).expect("a sound history");
    let taken = started.elapsed();
    let verdict = match &report.verdict {
        Verdict::Valid { .. } => "valid",
        Verdict::Invalid(_) => "invalid",
        Verdict::Unknown { .. } => "unknown",
    };
    println!(
        "{name:<32} {verdict:>8} {:>8.0} {:>12.1} {:>12.1} {:>12.1}",
        taken.as_secs_f64() * 1e3,
        report.statistics.peak_memory_bytes as f64 / 1e6,
        before as f64 / 1e6,
        most_memory_bytes() as f64 / 1e6
    );
    if taken <= LATEST { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The most memory that this process ever held; 0 where the system does not say.
fn most_memory_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
}
