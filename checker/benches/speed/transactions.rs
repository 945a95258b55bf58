//! Transactions from seeds: clients in a closed loop, one to four micro-operations each, over ten active keys that are
//! replaced after 32 writes, as Elle's generator does by default.

use std::time::Instant;

use rashomon_checker::transactions::{
    Transaction, TransactionHistory, TransactionOptions, TransactionOutcome, TransactionReport, TransactionVerdict,
    check,
};
use rashomon_history::{Key, MicroOp, Seen, Value};

use crate::generate::Source;

/// What to generate.
#[derive(Clone, Copy)]
pub(crate) struct Recipe {
    transactions: usize,
    is_list: bool,
    /// Transactions of unknown outcome, in percent; half of them take effect.
    unknown_percent: u64,
    /// Of ten thousand reads, how many see what had been replaced long before.
    stale_of_10_000: u64,
    /// Whether one read near the end sees that.
    has_stale_read: bool,
}

const CLIENTS: u64 = 20;
const KEYS: usize = 10;
const WRITES_MAX: usize = 32;

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

/// A key that is in use: all that was written to it, and when each write was over.
struct Active {
    name: Key,
    written: Vec<(Value, u64)>,
}

struct Generator {
    recipe: Recipe,
    source: Source,
    active: Vec<Active>,
    names: usize,
    next_value: i64,
}

type Generated = Vec<(Transaction, Vec<MicroOp>)>;

fn generate(recipe: Recipe) -> Generated {
    let mut generator = Generator { recipe, source: Source(1), active: Vec::new(), names: 0, next_value: 0 };
    for _ in 0..KEYS {
        let key = generator.fresh();
        generator.active.push(key);
    }
    let mut free: Vec<u64> = (0..CLIENTS).map(|_| generator.source.below(1_000)).collect();
    let mut processes: Vec<u64> = (0..CLIENTS).collect();
    let mut transactions = Vec::with_capacity(recipe.transactions);
    for position in 0..recipe.transactions {
        let client = (0..CLIENTS as usize).min_by_key(|client| free[*client]).unwrap_or(0);
        let invoked = free[client];
        let completed = invoked + 2 + generator.source.below(2_000);
        free[client] = completed + 1;
        let is_unknown = generator.source.below(100) < recipe.unknown_percent;
        let is_last_stale = recipe.has_stale_read && position == recipe.transactions / 100 * 99;
        let outcome = if is_unknown { TransactionOutcome::Unknown } else { TransactionOutcome::Committed };
        let process = processes[client];
        let transaction = Transaction { process, outcome, invoked, completed, position };
        if is_unknown {
            processes[client] += CLIENTS;
        }
        let happens = !is_unknown || generator.source.below(2) == 0;
        transactions.push((transaction, generator.micro_ops(&transaction, happens, is_last_stale)));
    }
    transactions
}

impl Generator {
    fn fresh(&mut self) -> Active {
        self.names += 1;
        Active { name: Key::from(format!("k{}", self.names)), written: Vec::new() }
    }

    /// Every transaction takes effect at its invocation, so that the order of the invocations is a legal one.
    fn micro_ops(&mut self, transaction: &Transaction, happens: bool, is_stale: bool) -> Vec<MicroOp> {
        let mut micro_ops = Vec::new();
        for _ in 0..1 + self.source.below(4) {
            // Each key is drawn half as often as the next one.
            let index = (1 + self.source.below((1 << KEYS) - 1)).ilog2() as usize;
            if self.active[index].written.len() >= WRITES_MAX {
                self.active[index] = self.fresh();
            }
            let name = self.active[index].name.clone();
            if is_stale || self.source.below(2) == 0 {
                let is_stale = is_stale || self.source.below(10_000) < self.recipe.stale_of_10_000;
                micro_ops
                    .push(MicroOp::Read { key: name, seen: Some(self.seen(index, transaction.invoked, is_stale)) });
            } else {
                self.next_value += 1;
                let value = Value::from(self.next_value);
                if happens {
                    self.active[index].written.push((value.clone(), transaction.completed));
                }
                micro_ops.push(if self.recipe.is_list {
                    MicroOp::Append { key: name, value }
                } else {
                    MicroOp::Write { key: name, value }
                });
            }
        }
        micro_ops
    }

    fn seen(&self, index: usize, now: u64, is_stale: bool) -> Seen {
        let mut written = &self.active[index].written[..];
        if is_stale && let Some(place) = written.iter().rposition(|(_, completed)| *completed < now) {
            written = &written[..place];
        }
        if self.recipe.is_list {
            Seen::List(written.iter().map(|(value, _)| value.clone()).collect())
        } else {
            Seen::Value(written.last().map_or(Value::Nil, |(value, _)| value.clone()))
        }
    }
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
