//! The bound on stale reads: every read is held against every write.

use std::time::Duration;

use rashomon_checker::Options;
use rashomon_checker::models::{check_append, check_register};
use rashomon_checker::properties::Property;
use rashomon_history::{Call, Key, Operation, Outcome, Returned, Value};

use super::histories::{Tally, check, count, interval, is_failed, is_ok, operation, outcome, over, shuffle, verdict};
use crate::source::Source;

/// Whether `began` was invoked late enough after this moment, in positions of a millisecond.
fn is_late(over: u64, began: &Operation, delta: u64) -> bool {
    over < began.invoke_index && (delta == 0 || began.invoke_index - over > delta)
}

fn registers(source: &mut Source) -> Vec<Operation> {
    let mut history = Vec::new();
    let times = 8 + source.below(24);
    let is_unique = source.percent(70);
    for process in 0..1 + source.below(7) {
        let (invoked, completed) = interval(source, times);
        let key = Key::from(*source.pick(&["x", "x", "x", "y"]));
        let value = Value::from(if is_unique { process } else { source.below(3) } as i64);
        let seen = match source.below(8) {
            0 => Value::Nil,
            seen => (seen as i64 - 1).into(),
        };
        let (call, returned) = match source.below(10) {
            0..4 => (Call::Write { key, value }, Returned::Done),
            4 => (Call::Cas { key, from: seen, to: value }, Returned::Swapped),
            5 => {
                let returned = Returned::NotSwapped { current: source.percent(70).then_some(seen) };
                (Call::Cas { key, from: 99.into(), to: value }, returned)
            }
            6 if !is_unique => (Call::Delete { key }, Returned::Done),
            _ => (Call::Read { key }, Returned::Value(seen)),
        };
        history.push(operation(process, call, outcome(source, returned, 15, 10), invoked, completed));
    }
    shuffle(source, &mut history);
    history
}

fn written(operation: &Operation) -> Option<Value> {
    match (&operation.call, &operation.outcome) {
        (_, Outcome::Fail(_) | Outcome::Ok(Returned::NotSwapped { .. })) => None,
        (Call::Write { value, .. } | Call::Cas { to: value, .. }, _) => Some(value.clone()),
        (Call::Delete { .. }, _) => Some(Value::Nil),
        _ => None,
    }
}

fn seen(operation: &Operation) -> Option<&Value> {
    match (&operation.call, &operation.outcome) {
        (Call::Read { .. }, Outcome::Ok(Returned::Value(value))) => Some(value),
        (Call::Cas { from, .. }, Outcome::Ok(Returned::Swapped)) => Some(from),
        (Call::Cas { .. }, Outcome::Ok(Returned::NotSwapped { current })) => current.as_ref(),
        _ => None,
    }
}

/// When a write of a register was certainly over.
fn write_over(register: &[&Operation], write: &Operation) -> u64 {
    let value = written(write);
    let is_unique = register.iter().filter(|other| written(other) == value).count() == 1 && value != Some(Value::Nil);
    let reads =
        register.iter().filter(|read| seen(read).is_some() && seen(read) == value.as_ref()).map(|read| over(read));
    let first_seen = reads.min().filter(|seen| is_unique && *seen >= write.invoke_index);
    over(write).min(first_seen.unwrap_or(u64::MAX))
}

#[test]
fn reads_of_registers_are_held_against_every_write() {
    let mut source = Source::new(29);
    let mut tally = Tally::default();
    for _ in 0..200_000 {
        let history = registers(&mut source);
        let delta = *source.pick(&[0, 0, 3, 8]);
        let report = check(&Property::StaleReadBound { delta: Duration::from_millis(delta) }, &history);
        let (mut stale, mut decided) = (0, 0);
        for name in ["x", "y"] {
            let register: Vec<&Operation> = history
                .iter()
                .filter(|operation| operation.call.key().is_some_and(|key| key.as_str() == name))
                .collect();
            let writes = || register.iter().filter(|write| written(write).is_some());
            for read in &register {
                let Some(value) = seen(read) else { continue };
                let own = writes().filter(|write| written(write).as_ref() == Some(value));
                let seen_over = own.map(|write| write_over(&register, write)).max();
                let late = || writes().filter(|write| is_late(write_over(&register, write), read, delta));
                decided += u64::from(late().next().is_some());
                stale += u64::from(late().any(|write| seen_over.is_none_or(|seen| seen < write.invoke_index)));
            }
        }
        assert_eq!((count(&report, "stale"), count(&report, "decided")), (stale, decided), "{delta} {history:#?}");
        let expected = match (stale, decided) {
            (1.., _) => "invalid",
            (0, 0) => "unknown",
            (0, 1..) => "valid",
        };
        assert_eq!(verdict(&report), expected, "{history:#?}");
        if stale > 0 {
            let report = check_register(&history, &Options::default()).unwrap();
            assert!(report.verdict.is_invalid(), "{history:#?}");
        }
        tally.add(&report);
    }
    tally.assert_at_least(7_000);
}

fn lists(source: &mut Source) -> Vec<Operation> {
    let mut history = Vec::new();
    let times = 8 + source.below(24);
    let seen_percent = *source.pick(&[60, 95]);
    for process in 0..1 + source.below(7) {
        let (invoked, completed) = interval(source, times);
        let key = Key::from("l");
        let value = Value::from(source.below(3) as i64);
        let mut seen: Vec<Value> = Vec::new();
        for value in 0..3 {
            if source.percent(seen_percent) {
                seen.push(value.into());
            }
        }
        let (call, returned) = match source.percent(50) {
            true => (Call::Append { key, value }, Returned::Done),
            false if seen.is_empty() => (Call::Read { key }, Returned::Value(Value::Nil)),
            false => (Call::Read { key }, Returned::List(seen)),
        };
        history.push(operation(process, call, outcome(source, returned, 15, 10), invoked, completed));
    }
    shuffle(source, &mut history);
    history
}

fn list(operation: &Operation) -> Option<&[Value]> {
    match (&operation.call, &operation.outcome) {
        (Call::Read { .. }, Outcome::Ok(Returned::List(seen))) => Some(seen),
        (Call::Read { .. }, Outcome::Ok(_)) => Some(&[]),
        _ => None,
    }
}

#[test]
fn reads_of_lists_are_held_against_every_append() {
    let mut source = Source::new(30);
    let mut tally = Tally::default();
    for _ in 0..200_000 {
        let history = lists(&mut source);
        let delta = *source.pick(&[0, 0, 3, 8]);
        let report = check(&Property::StaleReadBound { delta: Duration::from_millis(delta) }, &history);
        let (mut stale, mut decided) = (0, 0);
        for element in 0..3 {
            let element = Value::from(element);
            let reads = || history.iter().filter_map(|read| Some((read, list(read)?)));
            let is_append = |operation: &&Operation| {
                is_ok(operation) && matches!(&operation.call, Call::Append { value, .. } if *value == element)
            };
            let appends = history.iter().filter(is_append).map(over);
            let saw = reads().filter(|(_, seen)| seen.contains(&element)).map(|(read, _)| over(read));
            let Some(known) = appends.chain(saw).min() else { continue };
            let late = || reads().filter(|(read, _)| is_late(known, read, delta));
            decided += u64::from(late().next().is_some());
            stale += u64::from(late().any(|(_, seen)| !seen.contains(&element)));
        }
        assert_eq!((count(&report, "stale"), count(&report, "decided")), (stale, decided), "{delta} {history:#?}");
        let expected = match (stale, decided) {
            (1.., _) => "invalid",
            (0, 0) => "unknown",
            (0, 1..) => "valid",
        };
        assert_eq!(verdict(&report), expected, "{history:#?}");
        if stale > 0 {
            assert!(check_append(&history, &Options::default()).unwrap().verdict.is_invalid(), "{history:#?}");
        }
        tally.add(&report);
    }
    tally.assert_at_least(20_000);
}

#[test]
fn what_failed_is_not_expected_to_be_seen() {
    let write = Call::Write { key: "x".into(), value: 1.into() };
    let read = Call::Read { key: "x".into() };
    let history = [
        operation(0, write, Outcome::Fail("refused".into()), 0, 1),
        operation(1, read, Outcome::Ok(Returned::Value(Value::Nil)), 2, 3),
    ];
    assert!(is_failed(&history[0]));
    assert_eq!(verdict(&check(&Property::StaleReadBound { delta: Duration::ZERO }, &history)), "unknown");
}
