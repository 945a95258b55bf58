//! Long histories, small stacks, and budgets.

use std::time::{Duration, Instant};

use rashomon_checker::transactions::{
    AnomalyKind, Consistency, CycleClass, Order, Transaction, TransactionHistory, TransactionOptions,
    TransactionOutcome, TransactionProven, TransactionReport, TransactionStatistics, TransactionVerdict,
    TransactionWhy, check,
};
use rashomon_history::{Key, Value};

use crate::source::Source;

/// One that takes no time.
fn committed(position: usize) -> Transaction {
    let time = position as u64;
    let process = time % 20;
    Transaction { process, outcome: TransactionOutcome::Committed, invoked: time, completed: time, position }
}

/// Each transaction reads what the one before it appended; the first what the last one did, if it is closed.
fn chain(length: usize, is_closed: bool) -> TransactionHistory {
    let mut history = TransactionHistory::new();
    let key = |at: usize| Key::from(format!("k{at}"));
    for position in 0..length {
        history.begin(committed(position)).expect("a sound transaction");
        if position > 0 || is_closed {
            let before = key((position + length - 1) % length);
            history.read_list(&before, &[1.into()]).expect("a list");
        }
        history.append(&key(position), &1.into()).expect("a list");
    }
    history
}

fn on_a_small_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(128 * 1024).spawn_scoped(scope, work);
        thread.expect("a thread").join().expect("no overflow")
    })
}

#[test]
fn a_chain_of_a_million_transactions_needs_no_deep_stack() {
    let length = 1_000_000;
    for (is_closed, consistency) in [(false, Consistency::StrictSerializable), (true, Consistency::Serializable)] {
        let history = chain(length, is_closed);
        let options = TransactionOptions { consistency, ..TransactionOptions::default() };
        let report = on_a_small_stack(|| check(&history, &options));
        assert_eq!(report.verdict == TransactionVerdict::Invalid, is_closed);
        if is_closed {
            let anomaly = &report.anomalies[0];
            assert_eq!(anomaly.kind, AnomalyKind::Cycle(CycleClass::G1c, Order::Data));
            assert!(anomaly.explanation.len() < 10_000 && anomaly.explanation.contains("1000000 transactions"));
            assert_eq!(report.statistics.largest_component, length);
        }
    }
}

/// Transactions on a few keys, of which half read states that were replaced long ago: one component of nearly all.
fn chaos(length: usize, keys: usize) -> TransactionHistory {
    let mut source = Source::new(7);
    let mut history = TransactionHistory::new();
    let names: Vec<Key> = (0..keys).map(|key| Key::from(format!("k{key}"))).collect();
    let mut lists: Vec<Vec<Value>> = vec![Vec::new(); keys];
    for position in 0..length {
        history.begin(committed(position)).expect("a sound transaction");
        let (one, other) = (source.below(keys as u64) as usize, source.below(keys as u64) as usize);
        let age = if source.percent(50) { source.below(lists[one].len() as u64 + 1) as usize } else { 0 };
        history.read_list(&names[one], &lists[one][..lists[one].len() - age]).expect("a list");
        let value = Value::from(position as i64);
        history.append(&names[other], &value).expect("a list");
        lists[other].push(value);
    }
    history
}

fn within(budget: Duration, history: &TransactionHistory, consistency: Consistency) -> TransactionReport {
    let options = TransactionOptions { consistency, time_budget: Some(budget), ..TransactionOptions::default() };
    let started = Instant::now();
    let report = check(history, &options);
    let taken = started.elapsed();
    eprintln!("{consistency} within {budget:?}: {:?} in {taken:?}, {:?}", report.verdict, report.unsearched);
    // Generous, for machines that do other things as well.
    assert!(taken < budget * 2 + Duration::from_millis(300), "{taken:?} instead of {budget:?}");
    report
}

#[test]
fn a_dense_component_does_not_eat_more_than_its_time() {
    let history = chaos(20_000, 4);
    for budget in [20, 200].map(Duration::from_millis) {
        for consistency in [Consistency::StrictSerializable, Consistency::Serializable, Consistency::SnapshotIsolation]
        {
            let report = within(budget, &history, consistency);
            assert_ne!(report.verdict, TransactionVerdict::Valid, "{consistency}");
            assert!(
                report.verdict
                    == TransactionVerdict::Unknown {
                        why: TransactionWhy::TimeBudget,
                        proven: TransactionProven::EveryReadAlone
                    }
                    || !report.anomalies.is_empty()
            );
        }
    }
    // Without a limit on time the search is bounded all the same, and says so if it left anything out.
    let report = check(&history, &TransactionOptions::default());
    assert_eq!(report.verdict, TransactionVerdict::Invalid);
    assert!(report.statistics.check_seconds < 20.0);
}

#[test]
fn no_time_at_all_still_finds_what_needs_no_graph() {
    let mut history = chain(1_000, false);
    let report = within(Duration::ZERO, &history, Consistency::StrictSerializable);
    let why = TransactionWhy::TimeBudget;
    assert_eq!(report.verdict, TransactionVerdict::Unknown { why, proven: TransactionProven::EveryReadAlone });
    history.begin(committed(1_000)).expect("a sound transaction");
    history.read_list(&Key::from("k5"), &[1.into(), 2.into()]).expect("a list");
    let report = within(Duration::ZERO, &history, Consistency::StrictSerializable);
    assert_eq!(report.verdict, TransactionVerdict::Invalid);
    assert_eq!(report.anomalies[0].explanation, "process 0 read [1, 2] from k5, although nobody ever wrote 2 there.");
}

#[test]
fn a_memory_budget_that_is_too_small_says_what_would_do() {
    let history = chain(10_000, true);
    let options = |bytes| TransactionOptions { memory_budget_bytes: Some(bytes), ..TransactionOptions::default() };
    let report = check(&history, &options(100_000));
    let TransactionVerdict::Unknown { why: TransactionWhy::MemoryBudget { needed_bytes }, .. } = report.verdict else {
        panic!("{:?}", report.verdict)
    };
    assert!(needed_bytes > 100_000 && needed_bytes < 20_000_000, "{needed_bytes}");
    assert_eq!(check(&history, &options(needed_bytes)).verdict, TransactionVerdict::Invalid);
}

#[test]
fn the_same_history_has_the_same_report() {
    let history = chaos(2_000, 20);
    let report = || {
        let report = check(&history, &TransactionOptions::default());
        TransactionReport { statistics: TransactionStatistics::default(), ..report }
    };
    assert_eq!(report(), report());
}
