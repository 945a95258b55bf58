//! Long forks: every two reads are compared.

use rashomon_checker::properties::Property;
use rashomon_history::{Call, Key, MicroOp, Operation, Outcome, Returned, Seen, Value};

use super::histories::{Tally, check, count, interval, is_failed, operation, outcome, over, shuffle, verdict};
use crate::source::Source;

const KEYS: [&str; 4] = ["a", "b", "c", "d"];

fn random(source: &mut Source) -> Vec<Operation> {
    let mut history = Vec::new();
    let groups: &[&[&str]] = match source.below(3) {
        0 => &[&KEYS[..2], &KEYS[2..]],
        1 => &[&KEYS[..3], &KEYS[3..]],
        _ => &[&KEYS[..2], &KEYS[1..3], &KEYS],
    };
    let is_twice = source.percent(5);
    let is_wrong = source.percent(10);
    for (place, key) in KEYS.iter().enumerate() {
        let (invoked, completed) = interval(source, 10);
        let invoked = if is_wrong { invoked } else { 0 };
        let (key, value) = (Key::from(*key), Value::from(1));
        let call = match source.percent(50) {
            true => Call::Txn { ops: vec![MicroOp::Write { key, value }] },
            false => Call::Write { key, value },
        };
        let failed_percent = if is_wrong { 20 } else { 0 };
        let outcome = outcome(source, Returned::Done, 20, failed_percent);
        history.push(operation(place as u64, call.clone(), outcome.clone(), invoked, completed));
        if is_twice && source.percent(20) {
            history.push(operation(20 + place as u64, call, outcome, invoked, completed));
        }
    }
    for process in 0..source.below(5) {
        let (invoked, completed) = interval(source, 10);
        let mut keys = source.pick(groups).to_vec();
        shuffle(source, &mut keys);
        let nil_percent = *source.pick(&[10, 50]);
        let seen: Vec<(Key, Value)> = keys
            .iter()
            .map(|key| (Key::from(*key), if source.percent(nil_percent) { Value::Nil } else { 1.into() }))
            .collect();
        let ops = |shows: bool| {
            let read = |(key, value): &(Key, Value)| MicroOp::Read {
                key: key.clone(),
                seen: shows.then(|| Seen::Value(value.clone())),
            };
            seen.iter().map(read).collect::<Vec<_>>()
        };
        let (call, returned) = match seen.as_slice() {
            [(key, value)] if source.percent(50) => (Call::Read { key: key.clone() }, Returned::Value(value.clone())),
            _ => (Call::Txn { ops: ops(false) }, Returned::Txn(ops(true))),
        };
        history.push(operation(10 + process, call, outcome(source, returned, 5, 5), invoked, completed));
    }
    shuffle(source, &mut history);
    history
}

/// The keys that a read saw, and whether they were written.
fn saw(operation: &Operation) -> Option<Vec<(&str, bool)>> {
    match (&operation.call, &operation.outcome) {
        (Call::Read { key }, Outcome::Ok(Returned::Value(value))) => Some(vec![(key.as_str(), *value != Value::Nil)]),
        (Call::Txn { .. }, Outcome::Ok(Returned::Txn(ops))) => {
            let saw = |op: &'_ MicroOp| match op {
                MicroOp::Read { seen: Some(Seen::Value(value)), .. } => *value != Value::Nil,
                other => panic!("{other}"),
            };
            Some(ops.iter().map(|op| (op.key().as_str(), saw(op))).collect())
        }
        _ => None,
    }
}

fn writes<'a>(history: &'a [Operation], key: &'a str) -> impl Iterator<Item = &'a Operation> {
    history.iter().filter(move |operation| match &operation.call {
        Call::Write { key: written, .. } => written.as_str() == key,
        Call::Txn { ops } => matches!(&ops[0], MicroOp::Write { key: written, .. } if written.as_str() == key),
        _ => false,
    })
}

fn is_fork(left: &[(&str, bool)], right: &[(&str, bool)]) -> bool {
    let sees = |read: &[(&str, bool)], wanted: (&str, bool)| read.contains(&wanted);
    KEYS.iter().any(|one| {
        KEYS.iter().any(|other| {
            sees(left, (one, true))
                && sees(left, (other, false))
                && sees(right, (one, false))
                && sees(right, (other, true))
        })
    })
}

#[test]
fn reads_are_compared_with_all_others() {
    let mut source = Source::new(32);
    let (mut tally, mut forks) = (Tally::default(), 0);
    for _ in 0..200_000 {
        let history = random(&mut source);
        let report = check(&Property::LongFork, &history);
        let is_twice = KEYS.iter().any(|key| writes(&history, key).filter(|write| !is_failed(write)).count() > 1);
        if is_twice {
            assert_eq!(verdict(&report), "unknown", "{history:#?}");
            tally.add(&report);
            continue;
        }
        let reads: Vec<Vec<(&str, bool)>> = history.iter().filter_map(saw).collect();
        let has_fork = reads.iter().any(|left| reads.iter().any(|right| is_fork(left, right)));
        assert_eq!(count(&report, "long-fork") > 0, has_fork, "{history:#?}");
        forks += usize::from(has_fork);
        let (mut aborted, mut unexpected) = (0, 0);
        for read in &history {
            for (key, _) in saw(read).unwrap_or_default().iter().filter(|(_, is_written)| *is_written) {
                let in_time = |failed: bool| {
                    writes(&history, key).any(|write| is_failed(write) == failed && write.invoke_index <= over(read))
                };
                aborted += u64::from(!in_time(false) && in_time(true));
                unexpected += u64::from(!in_time(false) && !in_time(true));
            }
        }
        let names = ["aborted-read", "unexpected"];
        assert_eq!(names.map(|name| count(&report, name)), [aborted, unexpected], "{history:#?}");
        let is_partial = |read: &&Vec<(&str, bool)>| {
            read.iter().any(|(_, is_written)| *is_written) && read.iter().any(|(_, is_written)| !is_written)
        };
        let expected = if has_fork || aborted + unexpected > 0 {
            "invalid"
        } else if reads.iter().filter(is_partial).count() < 2 {
            "unknown"
        } else {
            "valid"
        };
        assert_eq!(verdict(&report), expected, "{history:#?}");
        tally.add(&report);
    }
    eprintln!("{forks} forks");
    assert!(forks > 8_000);
    tally.assert_at_least(10_000);
}
