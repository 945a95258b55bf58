//! What a person reads, and what a program does.

use rashomon_checker::transactions::{
    AnomalyKind, Consistency, TransactionOptions, TransactionReport, TransactionVerdict, TransactionWhy, check,
    check_transactions,
};
use rashomon_history::parse_history;
use serde_json::{Value as Json, json};

use super::jepsen;

/// The report on transactions that follow each other, each by a process of its own.
fn report(transactions: &[Json], consistency: Consistency) -> TransactionReport {
    let events = |(process, value): (usize, &Json)| {
        let outcome = if value[0] == "fail" { "fail" } else { "ok" };
        let value = if value[0] == "fail" { value[1].clone() } else { value.clone() };
        json!({"process": process, "type": outcome, "value": value})
    };
    let events: Vec<Json> = transactions.iter().enumerate().map(events).collect();
    check(&jepsen::history(&events), &TransactionOptions { consistency, ..TransactionOptions::default() })
}

fn only(report: &TransactionReport) -> (&'static str, &str) {
    let [anomaly] = &report.anomalies[..] else { panic!("{report:#?}") };
    (anomaly.kind.name(), &anomaly.explanation)
}

#[test]
fn a_cycle_is_told_step_by_step() {
    let skew = [json!([["r", "x", []], ["append", "y", 1]]), json!([["r", "y", []], ["append", "x", 2]])];
    let report = report(&skew, Consistency::Serializable);
    assert_eq!(
        only(&report),
        (
            "G2-item",
            "T1 < T2, because T1 read [] from x, without 2, which T2 appended; no read ever saw it. \
             T2 < T1, because T2 read [] from y, without 1, which T1 appended; no read ever saw it: a contradiction."
        )
    );
    let json = serde_json::to_value(&report).expect("JSON");
    assert_eq!(json["verdict"], "invalid");
    assert_eq!(json["consistency"], "serializable");
    assert_eq!(json["counts"], json!([{"kind": "G2-item", "count": 1}]));
    assert_eq!(json["ruled_out"], json!(["repeatable-read"]));
    assert_eq!(json["also_ruled_out"], json!(["serializable", "strong-session-serializable", "strict-serializable"]));
    let cycle = &json["anomalies"][0]["cycle"];
    assert_eq!(cycle["transactions"][1]["text"], "process 1 read [] from y and appended 2 to x, from 1 to 1");
    assert_eq!(cycle["edges"][0]["kind"], "rw");
    assert_eq!((&cycle["edges"][1]["from"], &cycle["edges"][1]["to"]), (&json!(1), &json!(0)));
    assert_eq!(cycle["edges"][1]["key"], "y");
}

#[test]
fn an_anomaly_that_the_level_allows_is_told_and_does_not_count() {
    let skew = [json!([["r", "x", []], ["append", "y", 1]]), json!([["r", "y", []], ["append", "x", 2]])];
    let report = report(&skew, Consistency::SnapshotIsolation);
    assert_eq!(report.verdict, TransactionVerdict::Valid);
    assert!(!report.anomalies[0].is_forbidden);
}

#[test]
fn a_lost_append_is_told_as_one() {
    let report = report(&[json!([["append", "x", 1]]), json!([["r", "x", []]])], Consistency::StrictSerializable);
    let (kind, explanation) = only(&report);
    assert_eq!(kind, "G-single-item-realtime");
    assert_eq!(
        explanation,
        "T1 < T2, because T1 came back at 0, before T2 began at 1. \
         T2 < T1, because T2 read [] from x, without 1, which T1 appended; no read ever saw it: a contradiction."
    );
}

#[test]
fn a_stale_register_is_told_with_who_shows_the_order_of_its_values() {
    let stale = [json!([["w", "x", 1]]), json!([["w", "x", 2]]), json!([["r", "x", 1]])];
    let report = report(&stale, Consistency::StrictSerializable);
    assert_eq!(
        only(&report),
        (
            "G-single-item-realtime",
            "T1 < T2, because T1 came back at 1, before T2 began at 2. \
             T2 < T1, because T2 read 1 as the value of x, and T1 wrote 2 to it later: process 0 was done with 1, or what \
             directly followed it, at 0, before process 1 began at 1 and wrote or saw 2, or what directly followed it: \
             a contradiction."
        )
    );
}

#[test]
fn appends_of_one_transaction_keep_their_order() {
    let turned = [json!([["append", "x", 1], ["append", "x", 2]]), json!([["r", "x", [2, 1]]])];
    let (kind, explanation) = (AnomalyKind::IncompatibleOrder, "the other way round");
    let report_of = |reads: &[Json]| report(reads, Consistency::ReadCommitted);
    let report = report_of(&turned);
    assert!(report.anomalies.iter().any(|found| found.kind == kind && found.explanation.contains(explanation)));
    let lacking = [json!([["append", "x", 1], ["append", "x", 2]]), json!([["r", "x", [2]]])];
    let report = report_of(&lacking);
    assert!(report.anomalies.iter().any(|found| found.explanation.contains("without the first one")), "{report:#?}");
}

#[test]
fn a_value_written_twice_proves_nothing() {
    for [put, read] in [["append", "x"], ["w", "x"]] {
        let seen = if put == "w" { json!(1) } else { json!([1]) };
        let twice = [
            json!([["r", read, null], [put, "x", 1]]),
            json!([["r", "y", null], [put, "x", 1]]),
            json!([["r", "x", seen.clone()], [put, "x", 2]]),
        ];
        let report = report(&twice, Consistency::StrictSerializable);
        let TransactionVerdict::Unknown { why, .. } = &report.verdict else { panic!("{report:#?}") };
        assert_eq!(*why, TransactionWhy::ValueNotUnique { key: "x".into(), value: "1".into() });
    }
    // What certainly failed does not count: it was tried again.
    let again = [json!(["fail", [["append", "x", 1]]]), json!([["append", "x", 1]]), json!([["r", "x", [1]]])];
    assert_eq!(report(&again, Consistency::StrictSerializable).verdict, TransactionVerdict::Valid);
}

#[test]
fn two_updates_of_a_value_written_twice_need_not_be_lost() {
    let twice = [
        json!([["w", "x", 1]]),
        json!([["r", "x", 1], ["w", "x", 2]]),
        json!([["w", "x", 1]]),
        json!([["r", "x", 1], ["w", "x", 3]]),
    ];
    let verdict = report(&twice, Consistency::StrictSerializable).verdict;
    assert!(matches!(verdict, TransactionVerdict::Unknown { .. }), "{verdict:?}");
    let nil =
        [json!([["r", "x", null], ["w", "x", 2]]), json!([["w", "x", null]]), json!([["r", "x", null], ["w", "x", 3]])];
    let verdict = report(&nil, Consistency::StrictSerializable).verdict;
    assert!(matches!(verdict, TransactionVerdict::Unknown { .. }), "{verdict:?}");
}

#[test]
fn values_that_each_follow_another_are_cyclic() {
    let cyclic = [json!([["r", "x", 1], ["w", "x", 2]]), json!([["r", "x", 2], ["w", "x", 1]])];
    let report = report(&cyclic, Consistency::ReadCommitted);
    let kinds: Vec<&str> = report.counts.iter().map(|count| count.kind.name()).collect();
    assert_eq!(kinds, ["cyclic-versions", "G1c"]);
    assert_eq!(report.ruled_out, [Consistency::ReadCommitted]);
}

#[test]
fn unknown_outcomes_that_nobody_saw_are_counted_apart() {
    let events = [
        json!({"process": 0, "type": "info", "value": [["append", "x", 1]]}),
        json!({"process": 1, "type": "info", "value": [["append", "x", 2], ["append", "y", 3]]}),
        json!({"process": 2, "type": "ok", "value": [["r", "x", [2]]]}),
    ];
    let statistics = check(&jepsen::history(&events), &TransactionOptions::default()).statistics;
    assert_eq!((statistics.committed, statistics.unknown, statistics.unknown_seen), (1, 2, 1));
}

#[test]
fn recorded_transactions_are_told_with_their_nodes_and_times() {
    let text = r#"
{"time":0,"process":0,"type":"invoke","f":"txn","value":[["r","x",null],["append","x",1]]}
{"time":5000000,"process":0,"type":"ok","f":"txn","value":[["r","x",null],["append","x",1]]}
{"time":6000000,"process":1,"type":"invoke","f":"txn","value":[["r","x",null]]}
{"time":9000000,"process":1,"type":"ok","f":"txn","value":[["r","x",[1,2]]]}
"#;
    let history = parse_history("history.jsonl".as_ref(), text.trim_start().as_bytes()).expect("a history");
    let report = check_transactions(history.operations(), &TransactionOptions::default()).expect("transactions");
    assert_eq!(only(&report), ("never-written", "process 1 read [1, 2] from x, although nobody ever wrote 2 there."));
    assert_eq!(report.anomalies[0].operations[0].text, "process 1 read [1, 2] from x, from 0.006 s to 0.009 s");
}

#[test]
fn a_stronger_level_forbids_all_that_a_weaker_one_does() {
    use rashomon_checker::transactions::{CycleClass, Order};
    let cycles = Order::ALL.into_iter().flat_map(|order| CycleClass::ALL.map(|class| AnomalyKind::Cycle(class, order)));
    let kinds: Vec<AnomalyKind> = cycles.chain([AnomalyKind::Internal, AnomalyKind::LostUpdate]).collect();
    for strong in Consistency::ALL {
        assert_eq!(strong.name().parse(), Ok(strong));
        for weak in Consistency::ALL.into_iter().filter(|weak| strong.implies(*weak)) {
            assert!(kinds.iter().all(|kind| strong.forbids(*kind) || !weak.forbids(*kind)), "{strong} {weak}");
        }
        for kind in &kinds {
            let implied = kinds.iter().filter(|other| kind.implies(**other));
            assert!(
                implied.into_iter().all(|other| strong.forbids(*kind) || !strong.forbids(*other)),
                "{strong} {kind}"
            );
        }
    }
    assert!("nothing".parse::<Consistency>().is_err());
}
