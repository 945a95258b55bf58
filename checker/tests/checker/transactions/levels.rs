//! The checker against brute force.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_checker::transactions::{
    AnomalyKind, Consistency, Order, TransactionOptions, TransactionOutcome, TransactionReport, TransactionVerdict,
    check,
};
use rashomon_history::{Key, MicroOp};

use super::brute::{cycles, is_serializable};
use super::random::{Small, Workload, forks, history, pack};
use crate::source::Source;

const LEVELS: [(Consistency, Order); 3] = [
    (Consistency::Serializable, Order::Data),
    (Consistency::StrongSessionSerializable, Order::Process),
    (Consistency::StrictSerializable, Order::Realtime),
];

fn lines(transactions: &[Small]) -> String {
    transactions.iter().map(|small| format!("{small:?}\n")).collect()
}

fn report(transactions: &[Small], consistency: Consistency) -> TransactionReport {
    check(&pack(transactions), &TransactionOptions { consistency, ..TransactionOptions::default() })
}

/// Compares verdicts with brute force on random histories. The checker may miss something only where `may_miss`.
fn compare(seed: u64, rounds: usize, workload: Workload, may_miss: impl Fn(&[Small]) -> bool) {
    let mut source = Source::new(seed);
    let (mut legal, mut illegal, mut missed) = (0, 0, 0);
    for round in 0..rounds {
        let transactions = history(&mut source, workload, 4);
        let (consistency, order) = LEVELS[round % LEVELS.len()];
        let report = report(&transactions, consistency);
        let is_legal = is_serializable(&transactions, order);
        match (&report.verdict, is_legal) {
            (TransactionVerdict::Valid, true) => legal += 1,
            (TransactionVerdict::Invalid, false) => illegal += 1,
            (TransactionVerdict::Valid, false) if may_miss(&transactions) => missed += 1,
            _ => panic!("{consistency}, legal: {is_legal}\n{report:?}\n{}", lines(&transactions)),
        }
    }
    eprintln!("{workload:?}: {legal} legal, {illegal} illegal, {missed} missed");
    assert!(legal > rounds / 5 && illegal > rounds / 8, "{legal} legal and {illegal} illegal");
    assert!(missed < rounds / 20, "{missed} missed");
}

/// How many writes the key with most has of which nobody knows what the transaction had read there before.
fn blind_writes_max(transactions: &[Small]) -> usize {
    let mut blind: BTreeMap<&Key, usize> = BTreeMap::new();
    for small in transactions.iter().filter(|small| !small.is(TransactionOutcome::Aborted)) {
        let mut known = BTreeSet::new();
        for micro_op in &small.micro_ops {
            match micro_op {
                MicroOp::Read { key, .. } if small.is(TransactionOutcome::Committed) => drop(known.insert(key)),
                MicroOp::Write { key, .. } if known.insert(key) => *blind.entry(key).or_default() += 1,
                MicroOp::Read { .. } | MicroOp::Write { .. } | MicroOp::Append { .. } => {}
            }
        }
    }
    blind.into_values().max().unwrap_or(0)
}

#[test]
fn lists_have_the_verdict_of_trying_all_orders() {
    compare(1, 200_000, Workload::Lists, |_| false);
}

#[test]
fn registers_that_are_read_before_they_are_written_have_the_verdict_of_trying_all_orders() {
    compare(2, 100_000, Workload::ReplacedRegisters, |history| blind_writes_max(history) > 1);
}

#[test]
fn no_legal_history_of_registers_is_called_invalid() {
    compare(3, 100_000, Workload::Registers, |history| blind_writes_max(history) > 1);
}

#[test]
fn single_registers_in_real_time_have_the_verdict_of_trying_all_orders() {
    let mut source = Source::new(5);
    let (mut legal, mut illegal) = (0, 0);
    while legal + illegal < 200_000 {
        let mut transactions = history(&mut source, Workload::Registers, 4);
        for small in &mut transactions {
            small.micro_ops.retain(|micro_op| match micro_op {
                MicroOp::Read { key, .. } | MicroOp::Write { key, .. } | MicroOp::Append { key, .. } => {
                    key.as_str() == "x"
                }
            });
        }
        let report = report(&transactions, Consistency::StrictSerializable);
        let is_legal = is_serializable(&transactions, Order::Realtime);
        let wanted = if is_legal { TransactionVerdict::Valid } else { TransactionVerdict::Invalid };
        assert_eq!(report.verdict, wanted, "{report:?}\n{}", lines(&transactions));
        if is_legal { legal += 1 } else { illegal += 1 }
    }
    eprintln!("{legal} legal, {illegal} illegal");
    assert!(illegal > 25_000, "only {illegal} illegal");
}

#[test]
fn cycles_of_lists_are_those_of_trying_all() {
    let mut source = Source::new(4);
    let mut seen: BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    let mut compared = 0;
    for round in 0..215_000 {
        let transactions = match round % 3 {
            0 => forks(&mut source),
            round => history(&mut source, Workload::Lists, 2 * round),
        };
        let report = report(&transactions, Consistency::StrictSerializable);
        let kinds: Vec<AnomalyKind> = report.counts.iter().map(|count| count.kind).collect();
        let is_odd = |kind: &AnomalyKind| {
            matches!(
                kind,
                AnomalyKind::NeverWritten
                    | AnomalyKind::DuplicateElements
                    | AnomalyKind::IncompatibleOrder
                    | AnomalyKind::AbortedRead
            )
        };
        if kinds.iter().any(is_odd) {
            continue;
        }
        compared += 1;
        let found: BTreeSet<AnomalyKind> =
            kinds.into_iter().filter(|kind| matches!(kind, AnomalyKind::Cycle(..))).collect();
        let wanted = cycles(&transactions);
        assert_eq!(closure(&found), closure(&wanted), "{report:?}\n{}", lines(&transactions));
        for kind in found {
            *seen.entry(kind.name()).or_default() += 1;
        }
    }
    eprintln!("{compared} compared: {seen:?}");
    assert!(compared >= 200_000, "only {compared}");
    assert!(seen.len() >= 14, "{seen:?}");
}

fn closure(kinds: &BTreeSet<AnomalyKind>) -> BTreeSet<AnomalyKind> {
    let all = Order::ALL.into_iter().flat_map(|order| {
        rashomon_checker::transactions::CycleClass::ALL.map(|class| AnomalyKind::Cycle(class, order))
    });
    all.filter(|implied| kinds.iter().any(|kind| kind.implies(*implied))).collect()
}
