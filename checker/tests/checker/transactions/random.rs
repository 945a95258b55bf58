//! Random small histories of transactions.

use std::fmt;

use rashomon_checker::transactions::{Transaction, TransactionHistory, TransactionOutcome};
use rashomon_history::{Key, MicroOp, Seen, Value};

use crate::source::Source;

/// One transaction of a small history.
#[derive(Clone)]
pub(crate) struct Small {
    pub(crate) transaction: Transaction,
    pub(crate) micro_ops: Vec<MicroOp>,
}

impl fmt::Debug for Small {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Transaction { process, outcome, invoked, completed, .. } = self.transaction;
        write!(f, "process {process} from {invoked} to {completed} {outcome:?}:")?;
        self.micro_ops.iter().try_for_each(|micro_op| write!(f, " {micro_op},"))
    }
}

impl Small {
    pub(crate) fn is(&self, outcome: TransactionOutcome) -> bool {
        self.transaction.outcome == outcome
    }

    /// Whether it was over before the other began.
    pub(crate) fn precedes(&self, other: &Self) -> bool {
        self.is(TransactionOutcome::Committed) && self.transaction.completed < other.transaction.invoked
    }

    /// Whether the process made it before the other.
    pub(crate) fn precedes_in_process(&self, other: &Self) -> bool {
        self.transaction.process == other.transaction.process && self.precedes(other)
    }
}

/// What the histories are about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Workload {
    Lists,
    Registers,
    /// Registers that are written only by who has read them before.
    ReplacedRegisters,
}

/// Puts a small history into the checker's form.
pub(crate) fn pack(transactions: &[Small]) -> TransactionHistory {
    let mut history = TransactionHistory::new();
    for small in transactions {
        history.begin(small.transaction).expect("a sound transaction");
        for micro_op in &small.micro_ops {
            history.add(micro_op).expect("a sound micro-operation");
        }
    }
    history
}

/// Two to five transactions over one to three keys, with up to `micro_ops_max` micro-operations each. They ran one after the other, or on snapshots of different age; then
/// some of what they saw is spoilt.
pub(crate) fn history(source: &mut Source, workload: Workload, micro_ops_max: u64) -> Vec<Small> {
    let length = 2 + source.below(4);
    let keys = if micro_ops_max < 3 { 3 } else { 1 + source.below(3).min(source.below(3)) };
    let times = 3 * length;
    let mut next_value = 0;
    let mut moments: Vec<u64> = (0..length).map(|_| source.below(times)).collect();
    moments.sort_unstable();
    // The state after each transaction: the elements of each key.
    let mut states: Vec<Vec<Vec<i64>>> = vec![vec![Vec::new(); keys as usize]];
    let is_stale = source.percent(60);
    let mut transactions = Vec::new();
    for (position, moment) in moments.into_iter().enumerate() {
        let outcome = match source.below(10) {
            0 => TransactionOutcome::Aborted,
            1 | 2 => TransactionOutcome::Unknown,
            _ => TransactionOutcome::Committed,
        };
        let width = if source.percent(50) { 2 } else { times };
        let invoked = moment - source.below(moment + 1).min(source.below(width));
        let completed = moment + source.below(times - moment).min(source.below(width));
        let mut age = if is_stale && source.percent(60) { source.below(states.len() as u64) as usize } else { 0 };
        let mut seen = states[states.len() - 1 - age].clone();
        if source.percent(20) {
            // Every key as of another time.
            for (key, elements) in seen.iter_mut().enumerate() {
                age = source.below(states.len() as u64) as usize;
                elements.clone_from(&states[states.len() - 1 - age][key]);
            }
        }
        let mut after = states[states.len() - 1].clone();
        let mut micro_ops = Vec::new();
        let mut has_read = [false; 3];
        for _ in 0..1 + source.below(micro_ops_max) {
            let key = source.below(keys) as usize;
            let name = Key::from(["x", "y", "z"][key]);
            let must_read = workload == Workload::ReplacedRegisters && !has_read[key];
            if must_read || source.percent(50) {
                has_read[key] = true;
                micro_ops.push(MicroOp::Read { key: name, seen: Some(show(&seen[key], workload)) });
            } else {
                next_value += 1;
                seen[key].push(next_value);
                after[key].push(next_value);
                let value = Value::from(next_value);
                micro_ops.push(match workload {
                    Workload::Lists => MicroOp::Append { key: name, value },
                    Workload::Registers | Workload::ReplacedRegisters => MicroOp::Write { key: name, value },
                });
            }
        }
        let happens = match outcome {
            TransactionOutcome::Committed => true,
            TransactionOutcome::Aborted => source.percent(3),
            TransactionOutcome::Unknown => source.percent(60),
        };
        if happens {
            states.push(after);
        }
        let process = source.below(3);
        let transaction = Transaction { process, outcome, invoked, completed, position };
        transactions.push(Small { transaction, micro_ops });
    }
    if source.percent(50) {
        for _ in 0..1 + source.below(2) {
            spoil(source, &mut transactions);
        }
    }
    run_one_at_a_time(&mut transactions);
    transactions
}

/// Transactions that append to one of two lists or read both, each as of some time: long forks and write skew.
pub(crate) fn forks(source: &mut Source) -> Vec<Small> {
    let lists: [Vec<i64>; 2] = [vec![1], vec![2]];
    let mut transactions = Vec::new();
    for position in 0..5 {
        let invoked = source.below(8);
        let completed = invoked + source.below(4);
        let (process, outcome) = (source.below(3), TransactionOutcome::Committed);
        let mut micro_ops = Vec::new();
        for (key, elements) in lists.iter().enumerate() {
            let name = Key::from(["x", "y"][key]);
            if position == key {
                micro_ops.push(MicroOp::Append { key: name, value: elements[0].into() });
            } else if source.percent(if position < 2 { 30 } else { 70 }) {
                let length = source.below(2) as usize;
                micro_ops.push(MicroOp::Read { key: name, seen: Some(show(&elements[..length], Workload::Lists)) });
            }
        }
        if position >= 2 && source.percent(20) {
            micro_ops.push(MicroOp::Append { key: "z".into(), value: (position as i64).into() });
        } else if position >= 2 && source.percent(20) {
            micro_ops.push(MicroOp::Read { key: "z".into(), seen: Some(Seen::Value(Value::Nil)) });
        }
        transactions
            .push(Small { transaction: Transaction { process, outcome, invoked, completed, position }, micro_ops });
    }
    run_one_at_a_time(&mut transactions);
    transactions
}

fn show(elements: &[i64], workload: Workload) -> Seen {
    match workload {
        Workload::Lists => Seen::List(elements.iter().map(|element| Value::from(*element)).collect()),
        Workload::Registers | Workload::ReplacedRegisters => {
            Seen::Value(elements.last().map_or(Value::Nil, |last| Value::from(*last)))
        }
    }
}

/// Changes what one transaction saw.
fn spoil(source: &mut Source, transactions: &mut [Small]) {
    let index = source.below(transactions.len() as u64) as usize;
    for micro_op in &mut transactions[index].micro_ops {
        if let MicroOp::Read { seen: Some(Seen::List(seen)), .. } = micro_op {
            match source.below(6) {
                0 | 1 => drop(seen.pop()),
                2 if seen.len() > 1 => seen.swap(0, 1),
                3 if !seen.is_empty() => seen.push(seen[0].clone()),
                _ => {}
            }
        } else if let MicroOp::Read { seen: Some(Seen::Value(value)), .. } = micro_op
            && let Value::Int(number) = value
            && source.percent(50)
        {
            *value = if *number == 1 { Value::Nil } else { Value::Int(*number - 1) };
        }
    }
}

/// Makes every process sequential: one that would overlap an earlier one of its process, or follow one of unknown
/// outcome, is made by a process of its own.
fn run_one_at_a_time(transactions: &mut [Small]) {
    let mut next_process = 3;
    for index in 0..transactions.len() {
        let overlaps = |other: &Small, small: &Small| {
            other.transaction.process == small.transaction.process && !other.precedes(small) && !small.precedes(other)
        };
        if (0..index).any(|other| overlaps(&transactions[other], &transactions[index])) {
            transactions[index].transaction.process = next_process;
            next_process += 1;
        }
    }
}
