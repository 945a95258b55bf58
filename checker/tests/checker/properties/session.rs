//! Session guarantees: every two operations of a process are compared.

use rashomon_checker::Options;
use rashomon_checker::models::check_append;
use rashomon_checker::properties::Property;
use rashomon_history::{Call, Key, MicroOp, Operation, Outcome, Returned, Seen, Value};

use super::histories::{
    Tally, check, count, is_earlier, is_failed, is_ok, operation, outcome, sessions, shuffle, verdict,
};
use crate::source::Source;

const NAMES: [&str; 4] = ["read-your-writes", "monotonic-reads", "monotonic-writes", "writes-follow-reads"];

/// How the versions of a read or write relate to those of an earlier one: 0 not at all.
fn broken(earlier: (bool, Option<u64>), later: (bool, Option<u64>)) -> (usize, bool) {
    // No number is an append that nobody saw: later than all that were.
    let number = |version: Option<u64>| version.unwrap_or(u64::MAX);
    match (earlier.0, later.0) {
        (true, false) => (0, number(later.1) < number(earlier.1)),
        (false, false) => (1, number(later.1) < number(earlier.1)),
        (true, true) => (2, number(later.1) <= number(earlier.1) && (earlier.1, later.1) != (None, None)),
        (false, true) => (3, number(later.1) <= number(earlier.1)),
    }
}

fn list(source: &mut Source) -> Vec<Operation> {
    let mut history = Vec::new();
    let mut lists: [Vec<Value>; 2] = [Vec::new(), Vec::new()];
    let stale_percent = *source.pick(&[0, 0, 10, 40]);
    let wrong_percent = *source.pick(&[0, 0, 0, 5]);
    // Any order of the appends, whoever made them when: breaks what stale reads alone don't.
    let is_wild = source.percent(30);
    let mut fixed: Vec<Value> = (0..8).map(Value::from).collect();
    shuffle(source, &mut fixed);
    for (number, (process, invoked, completed)) in sessions(source, 2, 8).into_iter().enumerate() {
        let object = source.below(2) as usize;
        let key = Key::from(["a", "b"][object]);
        let value = Value::from(number as i64);
        let mut seen = lists[object].clone();
        if is_wild {
            seen.clone_from(&fixed);
        }
        if is_wild || source.percent(stale_percent) {
            seen.truncate(source.below(seen.len() as u64 + 1) as usize);
        }
        if source.percent(wrong_percent) && seen.len() > 1 {
            seen.swap(0, 1);
        }
        let is_txn = source.percent(20);
        let (call, returned) = if source.percent(50) {
            let outcome = outcome(source, Returned::Done, 5, 5);
            if !matches!(outcome, Outcome::Fail(_)) && source.percent(90) {
                let place = if source.percent(stale_percent) { 0 } else { lists[object].len() };
                lists[object].insert(place, value.clone());
            }
            let append = MicroOp::Append { key: key.clone(), value: value.clone() };
            let (call, outcome) = match (is_txn, outcome) {
                (true, Outcome::Ok(_)) => {
                    (Call::Txn { ops: vec![append.clone()] }, Outcome::Ok(Returned::Txn(vec![append])))
                }
                (true, outcome) => (Call::Txn { ops: vec![append] }, outcome),
                (false, outcome) => (Call::Append { key, value }, outcome),
            };
            history.push(operation(process, call, outcome, invoked, completed));
            continue;
        } else if is_txn {
            let read = |seen| vec![MicroOp::Read { key: key.clone(), seen }];
            (Call::Txn { ops: read(None) }, Returned::Txn(read(Some(Seen::List(seen)))))
        } else if seen.is_empty() {
            (Call::Read { key }, Returned::Value(Value::Nil))
        } else {
            (Call::Read { key }, Returned::List(seen))
        };
        history.push(operation(process, call, outcome(source, returned, 5, 5), invoked, completed));
    }
    shuffle(source, &mut history);
    history
}

/// What a list read saw, if the operation is one that came back.
fn saw(operation: &Operation) -> Option<&[Value]> {
    match (&operation.call, &operation.outcome) {
        (Call::Read { .. }, Outcome::Ok(Returned::List(seen))) => Some(seen),
        (Call::Read { .. }, Outcome::Ok(_)) => Some(&[]),
        (_, Outcome::Ok(Returned::Txn(ops))) => match ops.as_slice() {
            [MicroOp::Read { seen: Some(Seen::List(seen)), .. }] => Some(seen),
            _ => None,
        },
        _ => None,
    }
}

fn appended(operation: &Operation) -> Option<&Value> {
    match &operation.call {
        Call::Append { value, .. } => Some(value),
        Call::Txn { ops } => match ops.as_slice() {
            [MicroOp::Append { value, .. }] => Some(value),
            _ => None,
        },
        _ => None,
    }
}

fn key_of(operation: &Operation) -> &str {
    match &operation.call {
        Call::Txn { ops } => ops[0].key().as_str(),
        call => call.key().map_or("", Key::as_str),
    }
}

#[test]
fn guarantees_on_lists_are_compared_pair_by_pair() {
    let mut source = Source::new(27);
    let (mut tally, mut seen) = (Tally::default(), [0; 4]);
    for _ in 0..200_000 {
        let history = list(&mut source);
        let report = check(&Property::Session, &history);
        let (mut wanted, mut compared, mut without_order) = ([0; 4], false, false);
        for key in ["a", "b"] {
            let own: Vec<&Operation> = history.iter().filter(|operation| key_of(operation) == key).collect();
            let is_list = |operation: &&Operation| {
                let is_txn = matches!(operation.call, Call::Txn { .. });
                let is_put = !is_failed(operation) && appended(operation).is_some();
                is_put || saw(operation).is_some_and(|seen| is_txn || !seen.is_empty())
            };
            if !own.iter().any(is_list) {
                // Nobody can say that it is one, if nobody put anything there.
                continue;
            }
            let reads: Vec<&[Value]> = own.iter().filter_map(|operation| saw(operation)).collect();
            let longest = reads.iter().max_by_key(|read| read.len()).copied().unwrap_or(&[]);
            if !reads.iter().all(|read| longest.starts_with(read)) {
                without_order = true;
                continue;
            }
            let version = |operation: &Operation| -> Option<(bool, Option<u64>)> {
                match (saw(operation), appended(operation)) {
                    (Some(seen), _) => Some((false, Some(seen.len() as u64))),
                    (None, Some(value)) if is_ok(operation) => {
                        let place = longest.iter().position(|other| other == value);
                        Some((true, place.map(|place| place as u64 + 1)))
                    }
                    _ => None,
                }
            };
            for later in &own {
                let Some(now) = version(later) else { continue };
                let mut guarantees = [false; 4];
                for earlier in own.iter().filter(|earlier| is_earlier(earlier, later)) {
                    let Some(before) = version(earlier) else { continue };
                    let (guarantee, is_broken) = broken(before, now);
                    guarantees[guarantee] |= is_broken;
                    compared |= (before, now) != ((true, None), (true, None));
                }
                for guarantee in 0..4 {
                    wanted[guarantee] += u64::from(guarantees[guarantee]);
                }
            }
        }
        assert_eq!(NAMES.map(|name| count(&report, name)), wanted, "{history:#?}");
        (0..4).for_each(|guarantee| seen[guarantee] += usize::from(wanted[guarantee] > 0));
        let expected = match wanted {
            [0, 0, 0, 0] if without_order || !compared => "unknown",
            [0, 0, 0, 0] => "valid",
            _ => "invalid",
        };
        assert_eq!(verdict(&report), expected, "{history:#?}");
        // A linearizable list gives all guarantees.
        if report.verdict.is_invalid() && !history.iter().any(|operation| matches!(operation.call, Call::Txn { .. })) {
            assert!(check_append(&history, &Options::default()).unwrap().verdict.is_invalid(), "{history:#?}");
        }
        tally.add(&report);
    }
    eprintln!("{seen:?}");
    assert!(seen.iter().all(|times| *times > 2_000), "{seen:?}");
    tally.assert_at_least(20_000);
}

/// Registers whose server numbers the writes, and reports the number with some of the operations. Also the numbers of those
/// operations, reported or not.
fn registers(source: &mut Source) -> Vec<(Operation, Option<(bool, u64)>)> {
    let mut history = Vec::new();
    let mut writes: Vec<Value> = vec![Value::Nil];
    let stale_percent = *source.pick(&[0, 0, 10, 40]);
    let is_wild = source.percent(30);
    let reported_percent = if is_wild { 100 } else { *source.pick(&[0, 60, 100, 100]) };
    for (number, (process, invoked, completed)) in sessions(source, 2, 8).into_iter().enumerate() {
        let value = Value::from(number as i64);
        let key = Key::from("x");
        let newest = writes.len() as u64 - 1;
        let version = if source.percent(stale_percent) { source.below(newest + 1) } else { newest };
        let seen = writes[version as usize].clone();
        let (call, version, returned, is_write) = match source.below(10) {
            0..5 => (Call::Read { key }, version, Returned::Value(seen), false),
            5 => {
                let returned = Returned::NotSwapped { current: Some(seen) };
                (Call::Cas { key, from: 77.into(), to: value.clone() }, version, returned, false)
            }
            _ => (Call::Write { key, value: value.clone() }, newest + 1, Returned::Done, true),
        };
        let version = if is_wild { source.below(5) } else { version };
        let returned = match source.percent(reported_percent) {
            true => Returned::Versioned { version, returned: Box::new(returned) },
            false => returned,
        };
        let outcome = outcome(source, returned, 5, 5);
        if is_write && !matches!(outcome, Outcome::Fail(_)) {
            writes.push(value);
        }
        let of = matches!(outcome, Outcome::Ok(_)).then_some((is_write, version));
        history.push((operation(process, call, outcome, invoked, completed), of));
    }
    shuffle(source, &mut history);
    history
}

#[test]
fn guarantees_on_registers_are_compared_by_versions() {
    let mut source = Source::new(28);
    let (mut tally, mut seen) = (Tally::default(), [0; 4]);
    for _ in 0..200_000 {
        let history = registers(&mut source);
        let operations: Vec<Operation> = history.iter().map(|(operation, _)| operation.clone()).collect();
        let report = check(&Property::Session, &operations);
        // A version is known if it was reported with the operation, or anywhere with a value that was written.
        let is_reported = |operation: &Operation| matches!(&operation.outcome, Outcome::Ok(Returned::Versioned { .. }));
        let reported: Vec<u64> = history
            .iter()
            .filter(|(operation, _)| is_reported(operation))
            .filter_map(|(_, of)| of.map(|(_, version)| version))
            .collect();
        let known = |(operation, of): &(Operation, Option<(bool, u64)>)| {
            let of = (*of)?;
            (is_reported(operation) || of.1 > 0 && reported.contains(&of.1)).then_some(of)
        };
        let (mut wanted, mut compared) = ([0; 4], false);
        for later in &history {
            let Some(now) = known(later) else { continue };
            let mut guarantees = [false; 4];
            for earlier in history.iter().filter(|earlier| is_earlier(&earlier.0, &later.0)) {
                let Some(before) = known(earlier) else { continue };
                compared = true;
                let (guarantee, is_broken) = broken((before.0, Some(before.1)), (now.0, Some(now.1)));
                guarantees[guarantee] |= is_broken;
            }
            for guarantee in 0..4 {
                wanted[guarantee] += u64::from(guarantees[guarantee]);
            }
        }
        assert_eq!(NAMES.map(|name| count(&report, name)), wanted, "{history:#?}");
        (0..4).for_each(|guarantee| seen[guarantee] += usize::from(wanted[guarantee] > 0));
        let is_used = history.iter().any(|(_, of)| of.is_some_and(|(is_write, version)| is_write || version > 0));
        let is_silent = reported.is_empty() && is_used;
        let expected = match wanted {
            [0, 0, 0, 0] if is_silent || !compared => "unknown",
            [0, 0, 0, 0] => "valid",
            _ => "invalid",
        };
        assert_eq!(verdict(&report), expected, "{history:#?}");
        tally.add(&report);
    }
    eprintln!("{seen:?}");
    assert!(seen.iter().all(|times| *times > 2_000), "{seen:?}");
    tally.assert_at_least(5_000);
}
