//! What a person reads of locks, of fencing tokens, and of decisions.

use std::time::Duration;

use rashomon_checker::properties::{AnomalyKind, Property, PropertyReport, PropertyVerdict};
use rashomon_history::{Call, Key, Operation, Outcome, Returned, Value};

use super::histories::{check, operation};

fn acquire(owner: &str) -> Call {
    Call::Acquire { key: "l1".into(), owner: owner.into(), permits: 1 }
}

fn release(owner: &str) -> Call {
    Call::Release { key: "l1".into(), owner: owner.into(), permits: 1 }
}

fn done(process: u64, call: Call, returned: Returned, from: u64, to: u64) -> Operation {
    operation(process, call, Outcome::Ok(returned), from, to)
}

fn leases(ttl_ms: u64) -> Property {
    Property::LeaseLock { ttl: Duration::from_millis(ttl_ms), permits: 1 }
}

fn positions(report: &PropertyReport) -> Vec<usize> {
    report.anomalies[0].operations.iter().map(|operation| operation.position).collect()
}

#[test]
fn a_lock_that_two_hold_is_told_with_why_each_still_held_it() {
    let history = [
        done(0, acquire("c0-1"), Returned::Token(1), 0, 5),
        done(0, Call::KeepAlive { owner: "c0-1".into() }, Returned::Done, 30, 32),
        done(1, acquire("c1-1"), Returned::Token(2), 40, 60),
        done(1, release("c1-1"), Returned::Done, 90, 95),
    ];
    let report = check(&leases(50), &history);
    assert_eq!((report.anomalies.len(), report.anomalies[0].kind), (1, AnomalyKind::DoubleHold));
    assert_eq!(report.anomalies[0].object.as_deref(), Some("l1"));
    assert_eq!(positions(&report), [0, 1, 2, 3]);
    assert_eq!(
        report.anomalies[0].explanation,
        "process 0 acquired l1 for \"c0-1\" with token 1, from 0.000 s to 0.005 s, and held it until 0.080 s by its lease, \
         which was renewed last when process 0 kept session \"c0-1\" alive, from 0.030 s to 0.032 s; and process 1 acquired l1 \
         for \"c1-1\" with token 2, from 0.040 s to 0.060 s, and held it until 0.090 s, when it asked to release it: both held \
         it for 20 ms."
    );
}

#[test]
fn a_grant_that_the_service_s_own_record_contradicts_is_told() {
    let history = [
        done(0, acquire("c0-1"), Returned::Token(7), 0, 5),
        done(0, release("c0-1"), Returned::Done, 80, 82),
        done(1, acquire("c1-1"), Returned::Token(0), 10, 85),
        done(2, acquire("c2-1"), Returned::Token(9), 90, 95),
    ];
    let report = check(&leases(50), &history);
    assert_eq!((report.anomalies.len(), report.anomalies[0].kind), (1, AnomalyKind::GrantedWithoutHold));
    assert_eq!(
        report.anomalies[0].explanation,
        "process 1 acquired l1 for \"c1-1\" with token 0, from 0.010 s to 0.085 s: the service granted the lock to a session that \
         did not hold it at that very moment, as its own record shows; its lease was over."
    );
}

#[test]
fn a_lease_that_is_over_holds_nothing() {
    let history = [
        done(0, acquire("c0-1"), Returned::Token(1), 0, 5),
        done(1, acquire("c1-1"), Returned::Token(2), 40, 60),
        operation(1, release("c1-1"), Outcome::Info("timed out".into()), 70, 75),
        done(2, acquire("c2-1"), Returned::Token(3), 71, 72),
    ];
    assert!(check(&leases(50), &history).verdict.is_valid());
    // Without leases nothing is certain of a lock that nobody released.
    let report = check(&leases(0), &history);
    assert!(matches!(report.verdict, PropertyVerdict::Unknown { .. }), "{report:#?}");
}

#[test]
fn what_is_lost_with_the_session_is_released_in_vain() {
    let history = [
        done(0, acquire("c0-1"), Returned::Token(1), 0, 5),
        operation(0, release("c0-1"), Outcome::Fail("not-held: by c0-1".into()), 10, 12),
    ];
    let report = check(&leases(50), &history);
    assert_eq!(
        report.anomalies[0].explanation,
        "process 0 acquired l1 for \"c0-1\" with token 1, from 0.000 s to 0.005 s, and had not released it when process 0 tried \
         to release l1 of \"c0-1\", from 0.010 s to 0.012 s, and failed, because it was not held; its session was alive: \
         process 0 acquired l1 for \"c0-1\" with token 1, from 0.000 s to 0.005 s."
    );
    assert_eq!(report.anomalies[0].kind, AnomalyKind::LostHold);
}

#[test]
fn a_semaphore_has_as_many_holders_as_permits() {
    let acquire = |owner: &str, permits| Call::Acquire { key: "p1".into(), owner: owner.into(), permits };
    let mut history = vec![
        done(0, acquire("c0-1", 2), Returned::Token(1), 0, 5),
        done(1, acquire("c1-1", 1), Returned::Token(2), 6, 8),
    ];
    let property = Property::LeaseLock { ttl: Duration::from_millis(50), permits: 3 };
    assert!(check(&property, &history).verdict.is_valid());
    history.push(done(2, acquire("c2-1", 2), Returned::Token(3), 9, 10));
    let report = check(&property, &history);
    assert_eq!(report.anomalies[0].kind, AnomalyKind::TooManyPermits);
    let told = &report.anomalies[0].explanation;
    assert!(told.ends_with("by its lease: together they held 5 of 3 permits for 40 ms."), "{told}");
}

#[test]
fn a_write_of_an_earlier_holder_is_told_with_the_write_of_its_successor() {
    let add = |process, value: i64, number, token, from| {
        let returned = Returned::Versioned { version: number, returned: Box::new(Returned::Token(token)) };
        done(process, Call::Add { key: "s1".into(), value: value.into() }, returned, from, from + 5)
    };
    let history = [add(0, 1, 1, 3, 0), add(1, 2, 2, 4, 10), add(0, 3, 3, 3, 20)];
    let report = check(&Property::Fencing, &history);
    assert_eq!(
        report.anomalies[0].explanation,
        "process 1 added 2 to s1 with token 4 (version 2), from 0.010 s to 0.015 s; the resource took after that: process 0 \
         added 3 to s1 with token 3 (version 3), from 0.020 s to 0.025 s, under an older token."
    );
}

#[test]
fn two_nodes_that_decide_differently_are_told_by_name() {
    let told = |node: &str, state: &str, from| {
        let entries = vec![(Key::from("17"), Value::from(state))];
        let mut read = done(0, Call::Read { key: "decisions".into() }, Returned::Map(entries), from, from + 5);
        read.node = Some(node.into());
        read.is_final = true;
        read
    };
    let report =
        check(&Property::Commit, &[told("n1", "commit", 0), told("n2", "abort", 10), told("n3", "prepared", 20)]);
    let told: Vec<&str> = report.anomalies.iter().map(|anomaly| anomaly.explanation.as_str()).collect();
    assert_eq!(
        told,
        [
            "process 0 (n1) read {17: \"commit\"}, from 0.000 s to 0.005 s: there transaction 17 is committed; process 0 (n2) \
             read {17: \"abort\"}, from 0.010 s to 0.015 s: there it is aborted; two nodes decided differently (AC1).",
            "process 0 (n3) read {17: \"prepared\"}, from 0.020 s to 0.025 s: when all faults were over, transaction 17 was \
             still prepared there (AC5).",
        ]
    );
}
