//! Queues: every way to say who took what is tried.

use std::collections::BTreeMap;

use rashomon_checker::properties::Property;
use rashomon_history::{Call, Key, Operation, Outcome, Returned, Value};

use super::histories::{Tally, check, count, interval, is_failed, is_ok, operation, outcome, over, shuffle, verdict};
use crate::source::Source;

fn random(source: &mut Source) -> Vec<Operation> {
    let mut history = Vec::new();
    let unknown_percent = *source.pick(&[0, 10, 35]);
    let values = *source.pick(&[2, 3, 20]);
    let times = 8 + source.below(16);
    for process in 0..source.below(8) {
        let (invoked, completed) = interval(source, times);
        let key = Key::from(*source.pick(&["a", "a", "a", "b"]));
        let value = Value::from(source.below(values) as i64);
        let enqueue = |key: Key| (Call::Enqueue { key, value: value.clone() }, Returned::Done);
        let (call, returned) = match source.below(9) {
            0..4 => enqueue(key),
            4..6 => (Call::Dequeue { key }, Returned::Value(value)),
            6 => (Call::Dequeue { key }, Returned::Value(Value::Nil)),
            7 => {
                let taken = (0..source.below(3)).map(|_| (source.below(values) as i64).into()).collect();
                (Call::Drain { key }, Returned::List(taken))
            }
            _ => (Call::Drain { key }, Returned::Value(Value::Nil)),
        };
        history.push(operation(process, call, outcome(source, returned, unknown_percent, 10), invoked, completed));
    }
    shuffle(source, &mut history);
    history
}

fn taken(operation: &Operation) -> Vec<&Value> {
    match (&operation.call, &operation.outcome) {
        (Call::Dequeue { .. } | Call::Drain { .. }, Outcome::Ok(Returned::Value(value))) if *value != Value::Nil => {
            vec![value]
        }
        (Call::Drain { .. }, Outcome::Ok(Returned::List(values))) => values.iter().collect(),
        _ => Vec::new(),
    }
}

fn finds_empty(operation: &Operation) -> bool {
    match (&operation.call, &operation.outcome) {
        (Call::Drain { .. }, Outcome::Ok(_)) => true,
        (Call::Dequeue { .. }, Outcome::Ok(Returned::Value(value))) => *value == Value::Nil,
        _ => false,
    }
}

fn put(operation: &Operation) -> Option<&Value> {
    match &operation.call {
        Call::Enqueue { value, .. } => Some(value),
        _ => None,
    }
}

/// What the definition says of one queue.
#[derive(Default, Debug)]
struct Expected {
    lost: u64,
    lost_without_drains: u64,
    unexpected: u64,
    aborted: u64,
    duplicated: u64,
    acknowledged: usize,
    out: usize,
    is_left: bool,
    has_repeated_values: bool,
}

fn expected(queue: &[&Operation]) -> Expected {
    let mut expected = Expected::default();
    let mut out: BTreeMap<&Value, u64> = BTreeMap::new();
    for dequeue in queue {
        for value in taken(dequeue) {
            let in_time = |failed: bool| {
                queue.iter().any(|enqueue| {
                    put(enqueue) == Some(value) && is_failed(enqueue) == failed && enqueue.invoke_index <= over(dequeue)
                })
            };
            if in_time(false) {
                *out.entry(value).or_default() += 1;
            } else if in_time(true) {
                expected.aborted += 1;
            } else {
                expected.unexpected += 1;
            }
        }
    }
    let tried: Vec<_> = queue.iter().filter(|enqueue| put(enqueue).is_some() && !is_failed(enqueue)).collect();
    let attempts = |value: &Value| tried.iter().filter(|enqueue| put(enqueue) == Some(value)).count() as u64;
    expected.has_repeated_values = tried.iter().filter_map(|enqueue| put(enqueue)).any(|value| attempts(value) > 1);
    expected.duplicated = out.iter().filter(|(value, times)| **times > attempts(value)).count() as u64;
    let acknowledged: Vec<&Operation> = tried.iter().copied().filter(|enqueue| is_ok(enqueue)).copied().collect();
    expected.acknowledged = acknowledged.len();
    expected.out = out.len();
    let empty_by = |enqueue: &Operation| {
        let after = queue.iter().filter(|other| finds_empty(other) && over(enqueue) < other.invoke_index);
        after.map(|other| over(other)).min()
    };
    let unknown = |is_drain: bool| -> Vec<u64> {
        let is_wanted = |operation: &&&Operation| {
            matches!(operation.outcome, Outcome::Info(_))
                && if is_drain {
                    matches!(operation.call, Call::Drain { .. })
                } else {
                    matches!(operation.call, Call::Dequeue { .. })
                }
        };
        queue.iter().filter(is_wanted).map(|operation| operation.invoke_index).collect()
    };
    let puts: Vec<(&Value, Option<u64>)> =
        acknowledged.iter().filter_map(|enqueue| Some((put(enqueue)?, empty_by(enqueue)))).collect();
    expected.is_left = puts.iter().any(|(value, by)| by.is_none() && !out.contains_key(value));
    expected.lost = least_lost(&puts, &mut out.clone(), &unknown(false), &unknown(true));
    expected.lost_without_drains = least_lost(&puts, &mut out, &unknown(false), &[]);
    expected
}

fn least_lost<'a>(
    puts: &[(&'a Value, Option<u64>)],
    out: &mut BTreeMap<&'a Value, u64>,
    takers: &[u64],
    drains: &[u64],
) -> u64 {
    let [(value, empty_by), rest @ ..] = puts else { return 0 };
    let mut least = u64::MAX;
    if out.get(value).is_some_and(|times| *times > 0) {
        *out.entry(value).or_default() -= 1;
        least = least.min(least_lost(rest, out, takers, drains));
        *out.entry(value).or_default() += 1;
    }
    let Some(empty_by) = empty_by else { return least.min(least_lost(rest, out, takers, drains)) };
    for place in 0..takers.len() {
        if takers[place] <= *empty_by {
            let others = [&takers[..place], &takers[place + 1..]].concat();
            least = least.min(least_lost(rest, out, &others, drains));
        }
    }
    if drains.iter().any(|drain| drain <= empty_by) {
        return least.min(least_lost(rest, out, takers, drains));
    }
    least.min(1 + least_lost(rest, out, takers, drains))
}

#[test]
fn queues_lose_what_nobody_can_have_taken() {
    let mut source = Source::new(24);
    let (mut tally, mut lost, mut hidden) = (Tally::default(), 0, 0);
    for round in 0..200_000 {
        let history = random(&mut source);
        let queue = |name: &str| -> Vec<&Operation> {
            history.iter().filter(|operation| operation.call.key().is_some_and(|key| key.as_str() == name)).collect()
        };
        let queues = [expected(&queue("a")), expected(&queue("b"))];
        let sum = |of: fn(&Expected) -> u64| queues.iter().map(of).sum::<u64>();
        let exactly_once = round % 2 == 0;
        let report = check(&Property::TotalQueue { exactly_once }, &history);
        let names = ["lost", "unexpected", "aborted-read", "duplicated"];
        let wanted = [
            sum(|queue| queue.lost),
            sum(|queue| queue.unexpected),
            sum(|queue| queue.aborted),
            sum(|queue| queue.duplicated),
        ];
        assert_eq!(names.map(|name| count(&report, name)), wanted, "{history:#?}");
        lost += usize::from(wanted[0] > 0);
        let is_invalid = wanted[..3].iter().any(|number| *number > 0) || exactly_once && wanted[3] > 0;
        let nothing = queues.iter().all(|queue| queue.acknowledged == 0) || queues.iter().all(|queue| queue.out == 0);
        let is_hidden = queues.iter().any(|queue| queue.lost_without_drains > queue.lost);
        hidden += usize::from(is_hidden && !is_invalid);
        if is_invalid {
            assert_eq!(verdict(&report), "invalid", "{history:#?}");
        } else if !queues.iter().any(|queue| queue.has_repeated_values) {
            let is_unknown = nothing || is_hidden || queues.iter().any(|queue| queue.is_left);
            assert_eq!(verdict(&report), if is_unknown { "unknown" } else { "valid" }, "{history:#?}");
        }
        tally.add(&report);
    }
    eprintln!("{lost} lost, {hidden} hidden by drains");
    assert!(lost > 10_000 && hidden > 500);
    tally.assert_at_least(2_500);
}
