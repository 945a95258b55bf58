//! Decisions and effects of transactions, read off their definitions.

use std::collections::BTreeMap;
use std::sync::Arc;

use rashomon_checker::properties::{DECISIONS, Property};
use rashomon_history::{Call, Key, MicroOp, Operation, Outcome, Returned, Seen, Value};

use super::histories::{Tally, check, count, is_failed, is_ok, operation, outcome, sessions, shuffle, verdict};
use crate::source::Source;

const STATES: [&str; 3] = ["commit", "abort", "prepared"];
const LISTS: [&str; 2] = ["a", "b"];

fn random(source: &mut Source) -> Vec<Operation> {
    let mut history = Vec::new();
    let odd_percent = *source.pick(&[0, 5, 30]);
    for (number, (process, invoked, completed)) in sessions(source, 3, 15).into_iter().enumerate() {
        let node: Arc<str> = (*source.pick(&["n1", "n2"])).into();
        let is_late = number > 6;
        let (call, returned) = match source.below(if is_late { 6 } else { 3 }) {
            0 => {
                let decision = |id: u64| {
                    let odd = source.percent(odd_percent);
                    let state = if odd { *source.pick(&STATES) } else { STATES[id as usize % 2] };
                    (Key::from(id.to_string()), state.into())
                };
                let entries = (0..1 + number as u64 / 4).map(decision).collect();
                (Call::Read { key: DECISIONS.into() }, Returned::Map(entries))
            }
            1 | 2 => {
                let value = if source.percent(odd_percent / 4) { 1 } else { number as i64 };
                let append = |key: &str| MicroOp::Append { key: key.into(), value: value.into() };
                let ops = LISTS.map(append).to_vec();
                (Call::Txn { ops: ops.clone() }, Returned::Txn(ops))
            }
            _ => {
                let mut values: Vec<Value> = Vec::new();
                let wanted = 100 - odd_percent;
                for value in 0..number as i64 {
                    let is_there = if source.percent(wanted) { value % 7 != 0 } else { source.percent(50) };
                    if is_there {
                        values.push(value.into());
                    }
                }
                let key = Key::from(*source.pick(&LISTS));
                let seen = if values.is_empty() { Seen::Value(Value::Nil) } else { Seen::List(values) };
                let read = |seen| vec![MicroOp::Read { key: key.clone(), seen }];
                (Call::Txn { ops: read(None) }, Returned::Txn(read(Some(seen))))
            }
        };
        let outcome = outcome(source, returned, 15, 10);
        let mut done = operation(process, call, outcome, invoked, completed);
        done.node = Some(node);
        done.is_final = is_late && source.percent(70);
        history.push(done);
    }
    shuffle(source, &mut history);
    history
}

fn decisions(operation: &Operation) -> &[(Key, Value)] {
    match &operation.outcome {
        Outcome::Ok(Returned::Map(entries)) => entries,
        _ => &[],
    }
}

/// What a transaction put where.
fn put(operation: &Operation) -> Vec<(&Key, &Value)> {
    let Call::Txn { ops } = &operation.call else { return Vec::new() };
    let appends = ops.iter().filter_map(|op| match op {
        MicroOp::Append { key, value } => Some((key, value)),
        MicroOp::Read { .. } | MicroOp::Write { .. } => None,
    });
    appends.collect()
}

/// Whether the operation saw the element in the list; `None` if it did not read it.
fn saw(operation: &Operation, (list, element): (&Key, &Value)) -> Option<bool> {
    let Outcome::Ok(Returned::Txn(ops)) = &operation.outcome else { return None };
    ops.iter().find_map(|op| match op {
        MicroOp::Read { key, seen: Some(Seen::List(values)) } if key == list => Some(values.contains(element)),
        MicroOp::Read { key, seen: Some(_) } if key == list => Some(false),
        MicroOp::Read { .. } | MicroOp::Write { .. } | MicroOp::Append { .. } => None,
    })
}

fn over(operation: &Operation) -> u64 {
    if is_ok(operation) || is_failed(operation) { operation.complete_index.unwrap_or(u64::MAX) } else { u64::MAX }
}

/// The numbers of the anomalies: two decisions, none, lost, aborted, in part.
fn anomalies(history: &[Operation]) -> [u64; 5] {
    let mut found = [0; 5];
    let mut told: BTreeMap<&Key, [bool; 2]> = BTreeMap::new();
    let mut last: BTreeMap<&str, &Operation> = BTreeMap::new();
    for operation in history {
        for (id, state) in decisions(operation) {
            for (place, name) in STATES[..2].iter().enumerate() {
                told.entry(id).or_default()[place] |= *state == Value::from(*name);
            }
        }
        let is_told = matches!(&operation.call, Call::Read { .. }) && is_ok(operation) && operation.is_final;
        if let Some(node) = operation.node.as_deref().filter(|_| is_told) {
            let last = last.entry(node).or_insert(operation);
            if last.invoke_index < operation.invoke_index {
                *last = operation;
            }
        }
    }
    found[0] = told.values().filter(|told| **told == [true; 2]).count() as u64;
    let prepared = last.values().flat_map(|last| decisions(last)).filter(|(_, state)| *state == "prepared".into());
    found[1] = prepared.count() as u64;
    for txn in history {
        let put_by = |element: (&Key, &Value)| history.iter().filter(|other| put(other).contains(&element)).count();
        let elements: Vec<_> = put(txn).into_iter().filter(|element| put_by(*element) == 1).collect();
        let seen = history.iter().filter(|read| elements.iter().any(|element| saw(read, *element) == Some(true)));
        let seen_over = seen.map(over).min();
        let last_read = |element: (&Key, &Value)| {
            let reads = history.iter().filter(|read| read.is_final && saw(read, element).is_some());
            reads.max_by_key(|read| read.invoke_index).filter(|read| saw(read, element) == Some(false))
        };
        let is_missed_after = |since: u64| {
            elements.iter().filter_map(|element| last_read(*element)).any(|read| since < read.invoke_index)
        };
        match &txn.outcome {
            Outcome::Ok(_) => found[2] += u64::from(is_missed_after(over(txn))),
            Outcome::Fail(_) => found[3] += u64::from(seen_over.is_some()),
            Outcome::Info(_) => found[4] += u64::from(seen_over.is_some_and(is_missed_after)),
        }
    }
    found
}

#[test]
fn decisions_and_effects_are_those_of_whole_transactions() {
    let mut source = Source::new(71);
    let mut tally = Tally::default();
    let names = ["disagreement", "undecided", "lost", "aborted-read", "partial"];
    let mut seen = [0; 5];
    for _ in 0..60_000 {
        let history = random(&mut source);
        let report = check(&Property::Commit, &history);
        let expected = anomalies(&history);
        assert_eq!(names.map(|name| count(&report, name)), expected, "{history:#?}\n{report:#?}");
        for (seen, expected) in seen.iter_mut().zip(expected) {
            *seen += usize::from(expected > 0);
        }
        if expected != [0; 5] {
            assert_eq!(verdict(&report), "invalid");
        }
        tally.add(&report);
    }
    eprintln!("{seen:?}");
    assert!(seen.iter().all(|times| *times > 300), "{seen:?}");
    tally.assert_at_least(1_000);
}
