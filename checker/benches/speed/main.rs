//! What a check takes, on histories generated from seeds. `cargo bench -p rashomon-checker [NAME...]`
//!
//! Each line: the best of five wall times of the check on one thread unless the name says otherwise, the checker's own
//! estimate of its peak memory, and the steps of its searches.

mod generate;
mod generate_transactions;
mod locks;
mod objects;
mod properties;
mod transactions;

use std::path::PathBuf;
use std::time::Duration;

use generate::{Recipe, queue, registers};
use rashomon_checker::models::{FencedMutex, KeyValue, Mutex, OwnedMutex, Register, Scope, Semaphore};
use rashomon_checker::queue::FifoQueue;
use rashomon_checker::{Algorithm, Checker, Model, Operation, Options, Report, Verdict};
use rashomon_history::{Call, History, Outcome, Returned, read_history};

const VALID: Recipe = Recipe { operations: 1_000, clients: 20, keys: 1, unknown_percent: 0, is_stale: false, seed: 1 };

fn cases() -> Vec<(&'static str, Recipe, Algorithm, usize)> {
    let search = Algorithm::Search;
    let auto = Algorithm::Auto;
    let many_keys = Recipe { operations: 1_000_000, clients: 50, keys: 1_000, ..VALID };
    vec![
        ("a 1k C=20 search", VALID, search, 1),
        ("a 1k C=50 search", Recipe { clients: 50, ..VALID }, search, 1),
        ("a 10k C=20 search", Recipe { operations: 10_000, ..VALID }, search, 1),
        ("a 100k C=50 search", Recipe { operations: 100_000, clients: 50, ..VALID }, search, 1),
        ("a 10k C=50", Recipe { operations: 10_000, clients: 50, ..VALID }, auto, 1),
        ("a 100k C=50", Recipe { operations: 100_000, clients: 50, ..VALID }, auto, 1),
        ("a 1M C=50", Recipe { operations: 1_000_000, clients: 50, ..VALID }, auto, 1),
        ("b 1k C=10 search", Recipe { clients: 10, is_stale: true, ..VALID }, search, 1),
        ("b 1k C=50 search", Recipe { clients: 50, is_stale: true, ..VALID }, search, 1),
        ("b 100k C=50", Recipe { operations: 100_000, clients: 50, is_stale: true, ..VALID }, auto, 1),
        ("c 10k C=10 search", Recipe { operations: 10_000, clients: 10, unknown_percent: 5, ..VALID }, search, 1),
        (
            "c 10k C=10 stale",
            Recipe { operations: 10_000, clients: 10, unknown_percent: 5, is_stale: true, ..VALID },
            auto,
            1,
        ),
        ("d 1M", many_keys, auto, 1),
        ("d 1M, 2 threads", many_keys, auto, 2),
        ("d 1M search", many_keys, search, 1),
        ("e 1M C=50", Recipe { operations: 1_000_000, clients: 50, ..VALID }, auto, 1),
    ]
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    println!("{:<30} {:>9} {:>11} {:>10} {:>12}", "history", "verdict", "ms", "MB", "steps");
    for (name, recipe, algorithm, threads) in cases() {
        if !wanted.is_empty() && !wanted.iter().any(|part| name.contains(part.as_str())) {
            continue;
        }
        let options = Options { time_budget: Some(Duration::from_secs(10)), algorithm, threads, ..Options::default() };
        if name.starts_with('e') {
            run(name, Checker::new(FifoQueue::default()).options(options), &queue(&recipe));
        } else {
            run(name, Checker::new(Register { initial: 0.into() }).options(options), &registers(&recipe));
        }
    }
    run_locks(&wanted);
    for (name, file, scope) in [
        ("kv c10-ok, whole map", "c10-ok", Scope::Map),
        ("kv c10-bad, whole map", "c10-bad", Scope::Map),
        ("kv c50-ok", "c50-ok", Scope::Key),
    ] {
        if !wanted.is_empty() && !wanted.iter().any(|part| name.contains(part.as_str())) {
            continue;
        }
        let Some(folder) = std::env::var_os("RASHOMON_DATA").map(PathBuf::from) else {
            println!("{name:<30} skipped: RASHOMON_DATA does not say where the data is");
            continue;
        };
        let file = folder.join("porcupine/kv").join(file).with_extension("txt");
        let history = read_history(&file).expect("a readable history");
        let checker = Checker::new(KeyValue { scope }).algorithm(Algorithm::Search);
        run(name, checker.time_budget(Duration::from_secs(10)), &as_own(history));
    }
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()));
    objects::run_all(is_wanted);
    properties::run_all(is_wanted, ROUNDS);
    let cases: Vec<_> = transactions::cases().into_iter().filter(|(name, _)| is_wanted(name)).collect();
    if !cases.is_empty() {
        println!(
            "transactions: ms to pack, check, explain; MB of the history, of the check, of the process; components"
        );
    }
    for (name, recipe) in cases {
        transactions::run(name, recipe);
    }
}

fn run_locks(wanted: &[String]) {
    let one = Recipe { operations: 1_000_000, clients: 50, ..VALID };
    let many = Recipe { keys: 1_000, ..one };
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()));
    for (name, recipe) in [
        ("1M C=50, 1 lock", one),
        ("1M C=50, 1000 locks", many),
        ("1M C=50, 5% unknown", Recipe { unknown_percent: 5, ..one }),
    ] {
        if is_wanted(&format!("locks {name}")) {
            let history = locks::locks(&recipe);
            let budget = Duration::from_secs(10);
            run(&format!("fenced {name}"), Checker::new(FencedMutex).time_budget(budget), &history);
            run(&format!("owned {name}"), Checker::new(OwnedMutex).time_budget(budget), &history);
            run(&format!("mutex {name}"), Checker::new(Mutex).time_budget(budget), &history);
            run(&format!("semaphore {name}"), Checker::new(Semaphore { permits: 1 }).time_budget(budget), &history);
        }
    }
}

/// The same for a checker that knows nothing of recorded histories.
fn as_own(history: History) -> Vec<Operation<Call, Returned>> {
    let operation = |recorded: rashomon_history::Operation| {
        let (process, invoked) = (recorded.process.0, recorded.invoke_index);
        match (recorded.outcome, recorded.complete_index) {
            (Outcome::Ok(returned), Some(completed)) => {
                Operation::new(process, recorded.call, returned, invoked, completed)
            }
            _ => Operation::unknown(process, recorded.call, invoked),
        }
    };
    history.into_operations().into_iter().map(operation).collect()
}

/// Rounds of which the best counts.
const ROUNDS: usize = 5;

fn run<M: Model>(name: &str, checker: Checker<M>, history: &[Operation<M::Call, M::Return>]) {
    let reports = (0..ROUNDS).map(|_| checker.check(history).expect("a sound history"));
    let best = reports.min_by(|left, right| left.statistics.check_seconds.total_cmp(&right.statistics.check_seconds));
    if let Some(best) = best {
        print(name, &best);
    }
}

fn print(name: &str, report: &Report) {
    let verdict = match &report.verdict {
        Verdict::Valid { .. } => "valid",
        Verdict::Invalid(_) => "invalid",
        Verdict::Unknown { .. } => "unknown",
    };
    let statistics = &report.statistics;
    let megabytes = statistics.peak_memory_bytes as f64 / 1e6;
    println!(
        "{name:<30} {verdict:>9} {:>11.2} {megabytes:>10.1} {:>12}",
        statistics.check_seconds * 1e3,
        statistics.steps
    );
}
