//! What checks of transactions take.

use std::time::Instant;

use rashomon_checker::transactions::{
    TransactionHistory, TransactionOptions, TransactionReport, TransactionVerdict, check,
};

use crate::generate_transactions::{Generated, Recipe, generate};

pub(crate) fn cases() -> Vec<(&'static str, Recipe)> {
    let list =
        Recipe { transactions: 100_000, is_list: true, unknown_percent: 0, stale_of_10_000: 0, has_stale_read: false };
    let register = Recipe { is_list: false, ..list };
    let million = |recipe| Recipe { transactions: 1_000_000, ..recipe };
    let stale = |recipe| Recipe { has_stale_read: true, ..recipe };
    vec![
        ("list-append 10k", Recipe { transactions: 10_000, ..list }),
        ("list-append 100k", list),
        ("list-append 100k stale", stale(list)),
        ("list-append 100k 5% info", Recipe { unknown_percent: 5, ..list }),
        ("list-append 100k weak", Recipe { stale_of_10_000: 1_000, ..list }),
        ("list-append 1M", million(list)),
        ("list-append 1M stale", million(stale(list))),
        ("list-append 1M weak", million(Recipe { stale_of_10_000: 1_000, ..list })),
        ("rw-register 100k", register),
        ("rw-register 100k stale", stale(register)),
        ("rw-register 1M", million(register)),
        ("rw-register 1M stale", million(stale(register))),
        ("rw-register 1M weak", million(Recipe { stale_of_10_000: 1_000, ..register })),
    ]
}

/// The best of three times, of packing the history and of checking it.
pub(crate) fn run(name: &str, recipe: Recipe) {
    const ROUNDS: usize = 3;
    let generated = generate(recipe);
    let mut pack_seconds = f64::INFINITY;
    let mut history = TransactionHistory::new();
    for _ in 0..ROUNDS {
        let started = Instant::now();
        history = pack(&generated);
        pack_seconds = pack_seconds.min(started.elapsed().as_secs_f64());
    }
    drop(generated);
    let reports = (0..ROUNDS).map(|_| check(&history, &TransactionOptions::default()));
    let best = reports.min_by(|left, right| left.statistics.check_seconds.total_cmp(&right.statistics.check_seconds));
    if let Some(best) = best {
        print(name, pack_seconds, &history, &best);
    }
}

fn pack(generated: &Generated) -> TransactionHistory {
    let mut history = TransactionHistory::new();
    for (transaction, micro_ops) in generated {
        history.begin(*transaction).expect("a sound transaction");
        for micro_op in micro_ops {
            history.add(micro_op).expect("a sound micro-operation");
        }
    }
    history
}

fn print(name: &str, pack_seconds: f64, history: &TransactionHistory, report: &TransactionReport) {
    let verdict = match &report.verdict {
        TransactionVerdict::Valid => "valid",
        TransactionVerdict::Invalid => "invalid",
        TransactionVerdict::Unknown { .. } => "unknown",
    };
    let statistics = &report.statistics;
    println!(
        "{name:<26} {verdict:>8} {:>10.1} {:>10.1} {:>10.1} {:>10.1} {:>10.1} {:>10.1}  {} of {}",
        pack_seconds * 1e3,
        statistics.check_seconds * 1e3,
        statistics.explain_seconds * 1e3,
        history.memory_bytes() as f64 / 1e6,
        statistics.peak_memory_bytes as f64 / 1e6,
        process_peak_megabytes(),
        statistics.components,
        statistics.largest_component,
    );
    let counts: Vec<String> = report.counts.iter().map(|count| format!("{} {}", count.count, count.kind)).collect();
    if !counts.is_empty() {
        println!("    {}{}", counts.join(", "), if report.unsearched.is_some() { ", and more" } else { "" });
    }
}

/// The most memory that the process, with the history as it was generated, ever held.
fn process_peak_megabytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1e3
}
