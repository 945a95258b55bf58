//! What a person reads of a property.

use rashomon_checker::properties::{AnomalyKind, BankRules, Property, PropertyReport, PropertyVerdict, TOLD_MAX};
use rashomon_checker::{CheckError, Options};
use rashomon_history::{Call, Key, Operation, Outcome, Returned, Value};

use super::histories::{check, count, operation};

/// Operations one after the other, each by a process of its own.
fn in_turn(calls: &[(Call, Outcome)]) -> Vec<Operation> {
    let one = |(place, (call, outcome)): (usize, &(Call, Outcome))| {
        operation(place as u64, call.clone(), outcome.clone(), 2 * place as u64, 2 * place as u64 + 1)
    };
    calls.iter().enumerate().map(one).collect()
}

fn ok(returned: Returned) -> Outcome {
    Outcome::Ok(returned)
}

fn add(value: i64) -> (Call, Outcome) {
    (Call::Add { key: "s".into(), value: value.into() }, ok(Returned::Done))
}

fn read(values: &[i64]) -> (Call, Outcome) {
    (Call::Read { key: "s".into() }, ok(Returned::List(values.iter().copied().map(Value::from).collect())))
}

fn positions(report: &PropertyReport) -> Vec<usize> {
    report.anomalies[0].operations.iter().map(|operation| operation.position).collect()
}

#[test]
fn a_lost_element_is_told_with_the_read_that_missed_it() {
    let history = in_turn(&[add(7), read(&[7]), add(8), read(&[8])]);
    let report = check(&Property::SetFull { linearizable: false }, &history);
    assert!(report.verdict.is_invalid());
    assert_eq!((report.anomalies.len(), report.anomalies[0].kind), (1, AnomalyKind::Lost));
    assert_eq!(report.anomalies[0].object.as_deref(), Some("s"));
    assert_eq!(positions(&report), [0, 3]);
    assert_eq!(
        report.anomalies[0].explanation,
        "process 0 added 7 to s, from 0.000 s to 0.001 s; but process 3 read [8] from s, from 0.006 s to 0.007 s, without \
         7. The last that saw it: process 1 read [7] from s, from 0.002 s to 0.003 s."
    );
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!((&json["property"], &json["verdict"]), (&"set-full".into(), &"invalid".into()));
    assert_eq!(json["anomalies"][0]["kind"], "lost");
    assert_eq!(json["counts"]["lost"], 1);
}

#[test]
fn a_stale_element_is_allowed_unless_the_set_must_be_linearizable() {
    let history = in_turn(&[add(7), read(&[]), read(&[7])]);
    let report = check(&Property::SetFull { linearizable: false }, &history);
    assert!(report.verdict.is_valid() && report.anomalies.is_empty());
    assert_eq!(report.allowed[0].kind, AnomalyKind::Stale);
    assert_eq!(report.statistics.latencies_ns["stable"].max, 1_000_000);
    assert_eq!(
        report.allowed[0].explanation,
        "process 0 added 7 to s, from 0.000 s to 0.001 s; but process 1 read [] from s, from 0.002 s to 0.003 s, without \
         7, 1 ms after it was known to be there; later it was there: process 2 read [7] from s, from 0.004 s to 0.005 s."
    );
    let report = check(&Property::SetFull { linearizable: true }, &history);
    assert!(report.verdict.is_invalid() && report.allowed.is_empty());
    assert_eq!(positions(&report), [0, 1]);
}

#[test]
fn anomalies_are_counted_beyond_those_that_are_told() {
    let mut calls: Vec<_> = (0..100).map(add).collect();
    calls.push(read(&[]));
    let report = check(&Property::SetFull { linearizable: false }, &in_turn(&calls));
    assert_eq!((report.anomalies.len(), count(&report, "lost")), (TOLD_MAX, 100));
}

#[test]
fn a_value_of_a_queue_found_empty_is_lost() {
    let enqueue = |value: i64| (Call::Enqueue { key: "q".into(), value: value.into() }, ok(Returned::Done));
    let dequeue = |value: Value| (Call::Dequeue { key: "q".into() }, ok(Returned::Value(value)));
    let history = in_turn(&[enqueue(1), enqueue(2), dequeue(2.into()), dequeue(Value::Nil)]);
    let report = check(&Property::TotalQueue { exactly_once: false }, &history);
    assert_eq!(positions(&report), [0, 3]);
    assert_eq!(
        report.anomalies[0].explanation,
        "process 0 put 1 into q, from 0.000 s to 0.001 s; then process 3 found q empty, from 0.006 s to 0.007 s. Nobody \
         ever took it."
    );
    let report = check(&Property::TotalQueue { exactly_once: false }, &history[..3]);
    let PropertyVerdict::Unknown { why } = &report.verdict else { panic!("{report:#?}") };
    assert!(why.to_string().starts_with("1 acknowledged values did not come out"), "{why}");
}

#[test]
fn a_duplicate_of_a_queue_is_allowed_unless_each_value_must_come_once() {
    let value = Value::from(1);
    let dequeue = (Call::Dequeue { key: "q".into() }, ok(Returned::Value(value.clone())));
    let enqueue = (Call::Enqueue { key: "q".into(), value }, ok(Returned::Done));
    let history = in_turn(&[enqueue, dequeue.clone(), dequeue]);
    let report = check(&Property::TotalQueue { exactly_once: false }, &history);
    assert!(report.verdict.is_valid() && report.allowed[0].kind == AnomalyKind::Duplicated);
    let report = check(&Property::TotalQueue { exactly_once: true }, &history);
    assert_eq!(positions(&report), [0, 1, 2]);
    assert!(
        report.anomalies[0].explanation.starts_with("1 came out 2 times but was put in 1 times at most: process 0")
    );
}

#[test]
fn a_read_of_a_counter_is_told_with_its_bounds() {
    let increment = |by: i64| (Call::Increment { key: "c".into(), by }, ok(Returned::Done));
    let read = |seen: i64| (Call::Read { key: "c".into() }, ok(Returned::Value(seen.into())));
    let report = check(&Property::CounterBounds, &in_turn(&[increment(3), read(2), increment(-1), read(5)]));
    let told: Vec<&str> = report.anomalies.iter().map(|anomaly| anomaly.explanation.as_str()).collect();
    assert_eq!(
        told,
        [
            "process 1 read 2 from c, from 0.002 s to 0.003 s, but what had been acknowledged before made at least 3.",
            "process 3 read 5 from c, from 0.006 s to 0.007 s, but all that had been asked for by then made at most 2.",
        ]
    );
}

#[test]
fn a_bank_that_does_not_add_up_is_told_with_the_read_that_says_how_much_there_was() {
    let map = |a: i64, b: i64| ok(Returned::Map(vec![("a".into(), a.into()), ("b".into(), b.into())]));
    let everything = || Call::Read { key: Key::from("") };
    let transfer = (Call::Transfer { from: "a".into(), to: "b".into(), amount: 5 }, ok(Returned::Done));
    let history = in_turn(&[(everything(), map(10, 0)), transfer, (everything(), map(5, 0))]);
    let report = check(&Property::Bank(BankRules::default()), &history);
    assert_eq!(positions(&report), [0, 2]);
    assert_eq!(
        report.anomalies[0].explanation,
        "process 2 read {a: 5, b: 0}, from 0.004 s to 0.005 s, which makes 5 in all; the bank holds 10: process 0 read \
         {a: 10, b: 0}, from 0.000 s to 0.001 s."
    );
}

#[test]
fn an_identifier_given_twice_is_told_with_both_who_got_it() {
    let generate = |id: i64| (Call::Generate { key: "".into() }, ok(Returned::Value(id.into())));
    let report = check(&Property::UniqueIds, &in_turn(&[generate(1), generate(2), generate(1)]));
    assert_eq!(positions(&report), [0, 2]);
}

#[test]
fn a_call_that_is_none_of_the_propertys_is_refused_by_name() {
    let history = in_turn(&[(Call::Dequeue { key: "q".into() }, ok(Returned::Value(1.into())))]);
    for property in Property::all() {
        if matches!(property, Property::TotalQueue { .. }) || property.known_calls() == "all calls" {
            continue;
        }
        let error = property.check(&history, &Options::default()).unwrap_err();
        let CheckError::NotOfTheModel { position: 0, model, .. } = error else { panic!("{error}") };
        assert_eq!(model, property.name());
    }
}

#[test]
fn nothing_is_decided_on_an_empty_history() {
    for property in Property::all() {
        let report = check(&property, &[]);
        assert!(matches!(report.verdict, PropertyVerdict::Unknown { .. }), "{report:#?}");
    }
}
