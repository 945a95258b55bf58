//! Sets: the classes of every element, read off their definitions.

use std::collections::BTreeMap;

use rashomon_checker::properties::Property;
use rashomon_history::{Call, Key, Operation, Outcome, Returned, Value};

use super::histories::{Tally, check, count, interval, is_failed, is_ok, operation, outcome, over, shuffle, verdict};
use crate::source::Source;

fn random(source: &mut Source) -> Vec<Operation> {
    let mut history = Vec::new();
    let times = 8 + source.below(24);
    let seen_percent = *source.pick(&[50, 90]);
    let (unknown_percent, failed_percent) = *source.pick(&[(0, 0), (20, 10)]);
    if source.percent(60) {
        // Without these most elements are read that nobody added.
        for value in 0..3 {
            let call = Call::Add { key: "s".into(), value: value.into() };
            let outcome = outcome(source, Returned::Done, unknown_percent, 0);
            history.push(operation(10 + value as u64, call, outcome, 0, source.below(times)));
        }
    }
    for process in 0..source.below(6) {
        let (invoked, completed) = interval(source, times);
        let key = Key::from(*source.pick(&["s", "s", "s", "s", "s", "t"]));
        let value = Value::from(source.below(3) as i64);
        let mut seen: Vec<Value> = Vec::new();
        for value in 0..3 {
            if source.percent(seen_percent) {
                seen.push(value.into());
            }
        }
        if source.percent(3) && !seen.is_empty() {
            seen.push(seen[0].clone());
        }
        let (call, returned) = match source.below(10) {
            0..4 => (Call::Add { key, value }, Returned::Done),
            4..6 => (Call::Contains { key, value }, Returned::Flag(source.percent(seen_percent))),
            _ if seen.is_empty() => (Call::Read { key }, Returned::Value(Value::Nil)),
            _ => (Call::Read { key }, Returned::List(seen)),
        };
        history.push(operation(
            process,
            call,
            outcome(source, returned, unknown_percent, failed_percent),
            invoked,
            completed,
        ));
    }
    shuffle(source, &mut history);
    history
}

/// Whether the operation saw the element there, if it looked.
fn saw(operation: &Operation, element: &Value) -> Option<bool> {
    match (&operation.call, &operation.outcome) {
        (Call::Read { .. }, Outcome::Ok(Returned::List(seen))) => Some(seen.contains(element)),
        (Call::Read { .. }, Outcome::Ok(_)) => Some(false),
        (Call::Contains { value, .. }, Outcome::Ok(Returned::Flag(is_there))) if value == element => Some(*is_there),
        _ => None,
    }
}

fn is_add(operation: &Operation, element: &Value) -> bool {
    matches!(&operation.call, Call::Add { value, .. } if value == element)
}

/// The names under which an element is counted.
fn classes(set: &[&Operation], element: &Value) -> Vec<&'static str> {
    let mut classes = Vec::new();
    let seen: Vec<&Operation> = set.iter().copied().filter(|read| saw(read, element) == Some(true)).collect();
    let adds = set.iter().copied().filter(|add| is_add(add, element) && is_ok(add));
    let Some(known) = adds.chain(seen.iter().copied()).map(over).min() else { return classes };
    let missed: Vec<&Operation> =
        set.iter().copied().filter(|read| saw(read, element) == Some(false) && known < read.invoke_index).collect();
    let before = |one: &Operation, other: &Operation| over(one) < other.invoke_index;
    let is_lost = missed.iter().any(|miss| seen.iter().all(|seen| before(seen, miss)));
    let is_stable = missed.iter().all(|miss| seen.iter().any(|seen| before(miss, seen)));
    classes.extend(match (is_lost, seen.is_empty(), is_stable) {
        (true, _, _) => ["lost"].as_slice(),
        (false, true, _) => &["never-read"],
        (false, false, true) if missed.is_empty() => &["stable"],
        (false, false, true) => &["stable", "stale"],
        (false, false, false) => &["dubious"],
    });
    let first_seen = seen.iter().map(|read| over(read)).min();
    let is_tried = |failed: bool| {
        set.iter().any(|add| {
            is_add(add, element) && is_failed(add) == failed && first_seen.is_none_or(|seen| add.invoke_index <= seen)
        })
    };
    if first_seen.is_some() && !is_tried(false) {
        classes.push(if is_tried(true) { "aborted-read" } else { "unexpected" });
    }
    let is_twice = |read: &&Operation| match &read.outcome {
        Outcome::Ok(Returned::List(values)) => values.iter().filter(|value| *value == element).count() > 1,
        _ => false,
    };
    if set.iter().any(is_twice) {
        classes.push("duplicated");
    }
    classes
}

#[test]
fn elements_are_classed_by_definition() {
    let mut source = Source::new(25);
    let mut tally = Tally::default();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for round in 0..200_000 {
        let history = random(&mut source);
        let linearizable = round % 2 == 0;
        let report = check(&Property::SetFull { linearizable }, &history);
        let mut wanted: BTreeMap<&str, u64> = BTreeMap::new();
        for name in ["s", "t"] {
            let set: Vec<&Operation> = history
                .iter()
                .filter(|operation| operation.call.key().is_some_and(|key| key.as_str() == name))
                .collect();
            for element in 0..3 {
                for class in classes(&set, &element.into()) {
                    *wanted.entry(class).or_default() += 1;
                }
            }
        }
        let of = |name: &str| wanted.get(name).copied().unwrap_or(0);
        for name in ["stable", "stale", "lost", "dubious", "never-read", "unexpected", "aborted-read", "duplicated"] {
            assert_eq!(count(&report, name), of(name), "{name} of {history:#?}\n{report:#?}");
            *seen.entry(name).or_default() += usize::from(of(name) > 0);
        }
        let always = of("lost") + of("unexpected") + of("aborted-read") + of("duplicated");
        let missed = of("stale") + of("dubious");
        let expected = match (always, missed) {
            (1.., _) => "invalid",
            (0, 1..) if linearizable => "invalid",
            (0, _) if of("dubious") > 0 || of("stable") == 0 => "unknown",
            (0, _) => "valid",
        };
        assert_eq!(verdict(&report), expected, "{history:#?}\n{report:#?}");
        tally.add(&report);
    }
    eprintln!("{seen:?}");
    assert!(seen.values().all(|times| *times > 300), "{seen:?}");
    tally.assert_at_least(5_000);
}
