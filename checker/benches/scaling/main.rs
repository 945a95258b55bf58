//! Time and memory of the fast paths over the length of the history: `cargo bench -p rashomon-checker --bench scaling`
//!
//! Each length is checked in a process of its own, so that its peak memory is known. The exponent is that of the time
//! between one length and the next: 1 where ten times the operations take ten times as long.

#[path = "../speed/generate.rs"]
mod generate;

use std::process::Command;

use generate::{Recipe, queue, registers};
use rashomon_checker::models::Register;
use rashomon_checker::queue::FifoQueue;
use rashomon_checker::{Checker, Model, Operation};

const LENGTHS: [usize; 4] = [10_000, 100_000, 1_000_000, 10_000_000];
const FAST_PATHS: [&str; 4] = ["register", "register-unknown", "register-keys", "queue"];
/// Rounds of which the best counts.
const ROUNDS: usize = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if let [fast_path, length, rounds] = &arguments[..] {
        let (length, rounds) = (length.parse().expect("a length"), rounds.parse().expect("a number of rounds"));
        return measure(fast_path, length, rounds);
    }
    println!(
        "{:<18} {:>10} {:>11} {:>9} {:>12} {:>12}",
        "fast path", "operations", "ms", "exponent", "history MB", "with check MB"
    );
    for fast_path in FAST_PATHS {
        let mut before: Option<f64> = None;
        for length in LENGTHS {
            let history = figures(fast_path, length, 0);
            let checked = figures(fast_path, length, ROUNDS);
            let exponent = before.map_or(String::new(), |before| format!("{:.2}", (checked.0 / before).log10()));
            println!(
                "{fast_path:<18} {length:>10} {:>11.2} {exponent:>9} {:>12.1} {:>12.1}",
                checked.0, history.1, checked.1
            );
            before = Some(checked.0);
        }
    }
}

/// Milliseconds and peak megabytes of a process that generates the history and checks it so many times.
fn figures(fast_path: &str, length: usize, rounds: usize) -> (f64, f64) {
    let this = std::env::current_exe().expect("the path of this program");
    let output = Command::new(this)
        .args([fast_path, &length.to_string(), &rounds.to_string()])
        .output()
        .expect("this program runs again");
    let text = String::from_utf8(output.stdout).expect("text");
    let mut numbers = text.split_whitespace().map(|number| number.parse().expect("a number"));
    (numbers.next().expect("milliseconds"), numbers.next().expect("megabytes"))
}

fn measure(fast_path: &str, operations: usize, rounds: usize) {
    let recipe = Recipe { operations, clients: 50, keys: 1, unknown_percent: 0, is_stale: false, seed: 1 };
    let register = || Checker::new(Register { initial: 0.into() });
    let ms = match fast_path {
        "register" => best_ms(&register(), &registers(&recipe), rounds),
        "register-unknown" => best_ms(&register(), &registers(&Recipe { unknown_percent: 5, ..recipe }), rounds),
        "register-keys" => best_ms(&register(), &registers(&Recipe { keys: 1_000, ..recipe }), rounds),
        "queue" => best_ms(&Checker::new(FifoQueue::default()), &queue(&recipe), rounds),
        other => panic!("{other} is none of {FAST_PATHS:?}"),
    };
    println!("{ms} {}", peak_megabytes());
}

fn best_ms<M: Model>(checker: &Checker<M>, history: &[Operation<M::Call, M::Return>], rounds: usize) -> f64 {
    let check = |_| {
        let report = checker.check(history).expect("a sound history");
        assert!(report.verdict.is_valid(), "{:?}", report.verdict.witness());
        report.statistics.check_seconds * 1e3
    };
    (0..rounds).map(check).fold(f64::INFINITY, f64::min)
}

/// The most memory that this process had at a time.
fn peak_megabytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a Linux system");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("the peak of the resident memory");
    let kilobytes: f64 = line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).expect("kilobytes");
    kilobytes * 1024.0 / 1e6
}
