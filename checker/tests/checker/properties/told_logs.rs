//! What a person reads of logs, sessions, bounds and forks.

use std::time::Duration;

use rashomon_checker::Options;
use rashomon_checker::properties::{AnomalyKind, Property, PropertyReport, PropertyVerdict, PropertyWhy};
use rashomon_history::{Call, MicroOp, Operation, Outcome, Record, Returned, Seen, Value};

use super::histories::{check, count, operation};

/// Operations one after the other, by the processes named.
fn in_turn(calls: &[(u64, Call, Returned)]) -> Vec<Operation> {
    let one = |(place, (process, call, returned)): (usize, &(u64, Call, Returned))| {
        let invoked = 2 * place as u64;
        operation(*process, call.clone(), Outcome::Ok(returned.clone()), invoked, invoked + 1)
    };
    calls.iter().enumerate().map(one).collect()
}

fn write(process: u64, value: i64) -> (u64, Call, Returned) {
    (process, Call::Write { key: "x".into(), value: value.into() }, Returned::Done)
}

fn read(process: u64, value: impl Into<Value>) -> (u64, Call, Returned) {
    (process, Call::Read { key: "x".into() }, Returned::Value(value.into()))
}

fn versioned((process, call, returned): (u64, Call, Returned), version: u64) -> (u64, Call, Returned) {
    (process, call, Returned::Versioned { version, returned: Box::new(returned) })
}

fn append(process: u64, value: i64) -> (u64, Call, Returned) {
    (process, Call::Append { key: "l".into(), value: value.into() }, Returned::Done)
}

fn read_list(process: u64, values: &[i64]) -> (u64, Call, Returned) {
    let values = values.iter().copied().map(Value::from).collect();
    (process, Call::Read { key: "l".into() }, Returned::List(values))
}

fn send(process: u64, value: i64, offset: u64) -> (u64, Call, Returned) {
    (process, Call::Send { key: "k".into(), value: value.into() }, Returned::Offset(offset))
}

fn poll(process: u64, records: &[(u64, i64)]) -> (u64, Call, Returned) {
    let record = |(offset, value): &(u64, i64)| Record { key: "k".into(), offset: *offset, value: (*value).into() };
    (process, Call::Poll { keys: vec!["k".into()] }, Returned::Records(records.iter().map(record).collect()))
}

fn told(report: &PropertyReport) -> Vec<(AnomalyKind, Vec<usize>)> {
    let positions =
        |operations: &[rashomon_checker::WitnessOperation]| operations.iter().map(|one| one.position).collect();
    report.anomalies.iter().map(|anomaly| (anomaly.kind, positions(&anomaly.operations))).collect()
}

#[test]
fn a_version_that_goes_down_is_told_with_where_it_came_from() {
    let history = in_turn(&[versioned(read(1, 7), 5), versioned(read(1, 6), 4), versioned(read(2, 6), 4)]);
    let report = check(&Property::Monotonic { values: false }, &history);
    assert_eq!(told(&report), [(AnomalyKind::NonMonotonic, vec![0, 1])]);
    assert_eq!(
        report.anomalies[0].explanation,
        "process 1 read 7 from x (version 5), from 0.000 s to 0.001 s; then process 1 read 6 from x (version 4), from \
         0.002 s to 0.003 s: the version went down from 5 to 4."
    );
}

#[test]
fn each_session_guarantee_is_reported_by_its_name() {
    let history = in_turn(&[append(1, 1), append(2, 2), read_list(3, &[1, 2]), read_list(2, &[1]), read_list(3, &[])]);
    let report = check(&Property::Session, &history);
    assert_eq!(told(&report), [(AnomalyKind::ReadYourWrites, vec![1, 3]), (AnomalyKind::MonotonicReads, vec![2, 4])]);
    assert_eq!(
        report.anomalies[0].explanation,
        "process 2 appended 2 to l, from 0.002 s to 0.003 s; then process 2 read [1] from l, from 0.006 s to 0.007 s: \
         version 1 of l after version 2."
    );
    let history = in_turn(&[append(1, 1), append(1, 2), read_list(2, &[2, 1])]);
    assert_eq!(told(&check(&Property::Session, &history)), [(AnomalyKind::MonotonicWrites, vec![0, 1])]);
    let history = in_turn(&[append(1, 1), read_list(2, &[1]), append(2, 2)]);
    assert!(check(&Property::Session, &history).verdict.is_valid());
    let history = in_turn(&[append(1, 1), read_list(1, &[])]);
    let report = check(&Property::Session, &history);
    assert!(report.anomalies[0].explanation.ends_with(": without what the process had put there."), "{report:#?}");
}

#[test]
fn a_write_that_no_version_follows_is_not_decided_on() {
    let report = check(&Property::Session, &in_turn(&[write(1, 1), read(1, 1)]));
    let PropertyVerdict::Unknown { why: PropertyWhy::Undecided { reason } } = &report.verdict else {
        panic!("{report:#?}")
    };
    assert_eq!(reason, "the order of versions is not known for 1 of 1 objects, x among them");
}

#[test]
fn a_value_that_stands_for_two_versions_says_nothing_about_either() {
    let seven = [write(1, 7), versioned(read(2, 7), 5), versioned(read(2, 7), 6)];
    let mut calls = seven.to_vec();
    calls.extend([versioned(read(3, 9), 7), read(3, 7)]);
    assert!(check(&Property::Session, &in_turn(&calls)).verdict.is_valid());
    calls.remove(2);
    let report = check(&Property::Session, &in_turn(&calls));
    assert_eq!(told(&report), [(AnomalyKind::MonotonicReads, vec![2, 3])]);

    let twice = [append(1, 1), append(2, 2), read_list(3, &[1, 2, 1]), read_list(1, &[1, 2])];
    assert!(!check(&Property::Session, &in_turn(&twice)).verdict.is_invalid());
    let once = [append(1, 1), append(2, 2), read_list(3, &[2, 1]), read_list(1, &[2])];
    assert!(check(&Property::Session, &in_turn(&once)).verdict.is_invalid());
}

#[test]
fn a_read_is_stale_once_the_bound_is_over() {
    let history = in_turn(&[write(1, 1), write(2, 2), read(3, 1), read(3, 1)]);
    let of = |delta_ms: u64| check(&Property::StaleReadBound { delta: Duration::from_millis(delta_ms) }, &history);
    assert_eq!(told(&of(0)), [(AnomalyKind::Stale, vec![0, 1, 2]), (AnomalyKind::Stale, vec![0, 1, 3])]);
    let report = of(2);
    assert_eq!(told(&report), [(AnomalyKind::Stale, vec![0, 1, 3])]);
    assert_eq!(
        report.anomalies[0].explanation,
        "process 3 read 1 from x, from 0.006 s to 0.007 s, 3 ms after this was over: process 2 wrote 2 to x, from 0.002 s \
         to 0.003 s. What it saw was older: process 1 wrote 1 to x, from 0.000 s to 0.001 s."
    );
    assert!(of(4).verdict.is_valid());
    assert!(matches!(of(6).verdict, PropertyVerdict::Unknown { .. }));
}

#[test]
fn a_record_that_all_polls_went_past_is_lost() {
    let history = in_turn(&[send(1, 10, 0), send(1, 11, 1), send(1, 12, 2), poll(2, &[(0, 10)]), poll(2, &[(2, 12)])]);
    let report = check(&Property::Log, &history);
    assert_eq!(told(&report), [(AnomalyKind::Lost, vec![1, 4]), (AnomalyKind::PollSkip, vec![1, 3, 4])]);
    assert_eq!(
        report.anomalies[0].explanation,
        "process 1 sent 11 to k, to offset 1, from 0.002 s to 0.003 s; no poll brought it, although one came to offset 2: \
         process 2 asked to poll k and got [k@2: 12], from 0.008 s to 0.009 s."
    );
    // A process that assigns itself logs anew starts where it likes.
    let assign = (2, Call::Assign { keys: vec!["k".into()] }, Returned::Done);
    let mut calls = vec![send(1, 10, 0), send(1, 11, 1), poll(2, &[(0, 10), (1, 11)]), assign, poll(2, &[(0, 10)])];
    assert!(check(&Property::Log, &in_turn(&calls)).verdict.is_valid());
    calls.remove(3);
    let report = check(&Property::Log, &in_turn(&calls));
    assert_eq!(told(&report), [(AnomalyKind::NonmonotonicPoll, vec![2, 3])]);
}

#[test]
fn a_record_that_no_poll_came_to_is_unseen_but_allowed() {
    let history = in_turn(&[send(1, 10, 0), send(1, 11, 1), poll(2, &[(0, 10)])]);
    let report = check(&Property::Log, &history);
    assert!(report.verdict.is_valid() && report.anomalies.is_empty());
    assert_eq!((report.allowed[0].kind, count(&report, "unseen")), (AnomalyKind::Unseen, 1));
}

#[test]
fn two_values_at_one_offset_are_told_with_both_who_say_so() {
    let history = in_turn(&[send(1, 10, 0), poll(2, &[(0, 99)])]);
    let report = check(&Property::Log, &history);
    let kinds: Vec<AnomalyKind> = report.anomalies.iter().map(|anomaly| anomaly.kind).collect();
    assert_eq!(kinds, [AnomalyKind::Unexpected, AnomalyKind::InconsistentOffset]);
    assert_eq!(
        report.anomalies[1].explanation,
        "process 1 sent 10 to k, to offset 0, from 0.000 s to 0.001 s, with 10 at offset 0; but process 2 asked to poll k \
         and got [k@0: 99], from 0.002 s to 0.003 s, with 99 at offset 0."
    );
}

#[test]
fn a_long_fork_is_told_with_both_writes() {
    let write = |process: u64, key: &str| {
        let ops = vec![MicroOp::Write { key: key.into(), value: 1.into() }];
        (process, Call::Txn { ops: ops.clone() }, Returned::Txn(ops))
    };
    let reads = |process: u64, x: Option<i64>, y: Option<i64>| {
        let ops = |shows: bool| {
            let read = |(key, value): (&str, Option<i64>)| {
                let seen = Seen::Value(value.map_or(Value::Nil, Value::from));
                MicroOp::Read { key: key.into(), seen: shows.then_some(seen) }
            };
            [("x", x), ("y", y)].map(read).to_vec()
        };
        (process, Call::Txn { ops: ops(false) }, Returned::Txn(ops(true)))
    };
    let history = in_turn(&[write(1, "x"), write(2, "y"), reads(3, Some(1), None), reads(4, None, Some(1))]);
    let report = check(&Property::LongFork, &history);
    assert_eq!(told(&report), [(AnomalyKind::LongFork, vec![0, 1, 2, 3])]);
    assert_eq!(
        report.anomalies[0].explanation,
        "process 3 committed read x: 1, read y: nil, from 0.004 s to 0.005 s and saw what process 1 committed write x = 1, \
         but not what process 2 committed write y = 1; process 4 committed read x: nil, read y: 1, from 0.006 s to 0.007 s \
         and saw what process 2 committed write y = 1, but not what process 1 committed write x = 1."
    );
}

#[test]
fn budgets_are_kept_and_named() {
    let calls: Vec<_> = (0..20_000).map(|value| append(value as u64 % 5, value)).collect();
    let history = in_turn(&calls);
    let property = Property::StaleReadBound { delta: Duration::ZERO };
    let late = Options { time_budget: Some(Duration::ZERO), ..Options::default() };
    let report = property.check(&history, &late).unwrap();
    assert_eq!(report.verdict, PropertyVerdict::Unknown { why: PropertyWhy::TimeBudget });
    let small = Options { memory_budget_bytes: Some(300_000), ..Options::default() };
    let report = property.check(&history, &small).unwrap();
    assert_eq!(report.verdict, PropertyVerdict::Unknown { why: PropertyWhy::MemoryBudget });
}
