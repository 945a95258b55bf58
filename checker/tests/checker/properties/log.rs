//! Logs: every definition read off the whole history.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_checker::properties::Property;
use rashomon_history::{Call, Key, Operation, Outcome, Record, Returned, Value};

use super::histories::{
    Tally, check, count, is_earlier, is_failed, is_ok, operation, outcome, over, sessions, shuffle, verdict,
};
use crate::source::Source;

fn random(source: &mut Source) -> Vec<Operation> {
    let mut history = Vec::new();
    let mut logs: [Vec<Value>; 2] = [Vec::new(), Vec::new()];
    let wrong_percent = *source.pick(&[0, 0, 3, 15]);
    let repeated_percent = *source.pick(&[0, 30]);
    let mut ends = [[0; 2]; 3];
    for (number, (process, invoked, completed)) in sessions(source, 3, 12).into_iter().enumerate() {
        let log = usize::from(source.percent(10));
        let key = Key::from(["a", "b"][log]);
        let value = Value::from(if source.percent(repeated_percent) { source.below(2) } else { number as u64 } as i64);
        let (call, outcome) = match source.below(10) {
            0..5 => {
                let offset = if source.percent(wrong_percent) { source.below(4) } else { logs[log].len() as u64 };
                let returned = if source.percent(90) { Returned::Offset(offset) } else { Returned::Done };
                let outcome = outcome(source, returned, 10, 10);
                if !matches!(outcome, Outcome::Fail(_)) || source.percent(wrong_percent) {
                    logs[log].push(value.clone());
                }
                (Call::Send { key, value }, outcome)
            }
            5..9 => {
                let mut records = Vec::new();
                let end = &mut ends[process as usize][log];
                if source.percent(wrong_percent) {
                    *end = source.below(logs[log].len() as u64 + 1) as usize;
                }
                while *end < logs[log].len() && records.len() < 3 {
                    if !source.percent(wrong_percent) {
                        let value = logs[log][*end].clone();
                        let value =
                            if source.percent(wrong_percent) { (source.below(12) as i64).into() } else { value };
                        records.push(Record { key: key.clone(), offset: *end as u64, value });
                    }
                    *end += 1;
                }
                (Call::Poll { keys: vec![key] }, outcome(source, Returned::Records(records), 5, 5))
            }
            _ => {
                let outcome = outcome(source, Returned::Done, 5, 30);
                if matches!(outcome, Outcome::Ok(_)) {
                    ends[process as usize] = [source.below(3) as usize, 0];
                }
                (Call::Assign { keys: vec![key] }, outcome)
            }
        };
        history.push(operation(process, call, outcome, invoked, completed));
    }
    shuffle(source, &mut history);
    history
}

fn records(operation: &Operation) -> &[Record] {
    match &operation.outcome {
        Outcome::Ok(Returned::Records(records)) => records,
        _ => &[],
    }
}

fn sent<'a>(operation: &'a Operation, log: &str) -> Option<(&'a Value, Option<u64>)> {
    let offset = match operation.outcome {
        Outcome::Ok(Returned::Offset(offset)) => Some(offset),
        _ => None,
    };
    match &operation.call {
        Call::Send { key, value } if key.as_str() == log => Some((value, offset)),
        _ => None,
    }
}

/// What stands wrongly in one log, by the names of the anomalies.
fn anomalies(history: &[Operation], log: &str) -> BTreeMap<&'static str, u64> {
    let mut found = BTreeMap::new();
    let mut add = |name: &'static str, more: u64| *found.entry(name).or_default() += more;
    let sends = || history.iter().filter_map(|send| sent(send, log).map(|(value, offset)| (send, value, offset)));
    let polled: Vec<(&Operation, &Record)> = history
        .iter()
        .flat_map(|poll| records(poll).iter().map(move |record| (poll, record)))
        .filter(|(_, record)| record.key.as_str() == log)
        .collect();
    let told: BTreeSet<(u64, &Value)> = sends()
        .filter_map(|(_, value, offset)| Some((offset?, value)))
        .chain(polled.iter().map(|(_, record)| (record.offset, &record.value)))
        .collect();
    let offsets: BTreeSet<u64> = told.iter().map(|(offset, _)| *offset).collect();
    let at = |offset: u64| told.iter().filter(|(other, _)| *other == offset).count();
    add("inconsistent-offset", offsets.iter().filter(|offset| at(**offset) > 1).count() as u64);
    let values: BTreeSet<&Value> = told.iter().map(|(_, value)| *value).collect();
    for value in values {
        let stands = told.iter().filter(|(_, other)| *other == value).count();
        let tried = sends().filter(|(send, other, _)| *other == value && !is_failed(send)).count();
        add("duplicated", u64::from(tried > 0 && stands > tried));
        let Some(first) = polled.iter().filter(|(_, record)| record.value == *value).map(|(poll, _)| over(poll)).min()
        else {
            continue;
        };
        let in_time = |failed: bool| {
            sends().any(|(send, other, _)| other == value && is_failed(send) == failed && send.invoke_index <= first)
        };
        match (in_time(false), in_time(true)) {
            (true, _) => {}
            (false, true) => add("aborted-read", 1),
            (false, false) => add("unexpected", 1),
        }
    }
    let end = polled.iter().map(|(_, record)| record.offset).max();
    for (_, value, offset) in sends().filter(|(send, ..)| is_ok(send)) {
        let seen: BTreeSet<u64> =
            polled.iter().filter(|(_, record)| record.value == *value).map(|(_, record)| record.offset).collect();
        let acknowledged = sends().filter(|(send, other, _)| *other == value && is_ok(send)).count();
        let is_seen = offset.is_some_and(|offset| seen.contains(&offset)) || seen.len() >= acknowledged;
        let is_passed = offset.is_some_and(|offset| end.is_some_and(|end| offset < end));
        add("lost", u64::from(!is_seen && is_passed));
        add("unseen", u64::from(!is_seen && !is_passed));
        add("seen", u64::from(!seen.is_empty()));
    }
    for (later, _, offset) in sends() {
        let before = sends().filter(|(earlier, _, before)| is_earlier(earlier, later) && before.is_some());
        let last = before.max_by_key(|(earlier, ..)| earlier.invoke_index).and_then(|(.., before)| before);
        let goes_back = matches!((last, offset), (Some(before), Some(offset)) if offset <= before);
        add("nonmonotonic-send", u64::from(goes_back));
    }
    for process in 0..3 {
        let mut own: Vec<&Operation> = history.iter().filter(|operation| operation.process.0 == process).collect();
        own.sort_by_key(|operation| operation.invoke_index);
        let mut last: Option<u64> = None;
        for operation in own {
            if is_ok(operation) && matches!(operation.call, Call::Assign { .. }) {
                last = None;
            }
            for record in records(operation).iter().filter(|record| record.key.as_str() == log) {
                if let Some(last) = last {
                    let is_between = |offset: &&u64| last < **offset && **offset < record.offset;
                    add("nonmonotonic-poll", u64::from(record.offset <= last));
                    add("poll-skip", u64::from(offsets.iter().any(|offset| is_between(&offset))));
                }
                last = Some(record.offset);
            }
        }
    }
    found
}

#[test]
fn logs_are_held_against_their_definitions() {
    let mut source = Source::new(31);
    let (mut tally, mut seen) = (Tally::default(), BTreeMap::new());
    for _ in 0..200_000 {
        let history = random(&mut source);
        let report = check(&Property::Log, &history);
        let (left, right) = (anomalies(&history, "a"), anomalies(&history, "b"));
        let of = |name: &str| left.get(name).unwrap_or(&0) + right.get(name).unwrap_or(&0);
        let names = [
            "inconsistent-offset",
            "duplicated",
            "aborted-read",
            "unexpected",
            "lost",
            "nonmonotonic-send",
            "nonmonotonic-poll",
            "poll-skip",
        ];
        for name in names.into_iter().chain(["unseen"]) {
            assert_eq!(count(&report, name), of(name), "{name} of {history:#?}\n{report:#?}");
            *seen.entry(name).or_insert(0) += usize::from(of(name) > 0);
        }
        let expected = if names.iter().any(|name| of(name) > 0) {
            "invalid"
        } else if of("seen") == 0 {
            "unknown"
        } else {
            "valid"
        };
        assert_eq!(verdict(&report), expected, "{history:#?}");
        tally.add(&report);
    }
    eprintln!("{seen:?}");
    assert!(seen.values().all(|times| *times > 700), "{seen:?}");
    tally.assert_at_least(20_000);
}
