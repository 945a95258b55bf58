//! Histories as they are recorded, and what a person reads of them.

use rashomon_checker::models::{Bag, Counter, Queue, check_append, check_history, check_register, check_set};
use rashomon_checker::{CheckError, Kind, Options, Report, Used, Witness};
use rashomon_history::{Operation, parse_history};

/// Lines of `process type f key value`, a millisecond apart, as a recorded history.
fn recorded(lines: &str) -> Vec<Operation> {
    let mut text = String::new();
    for (index, line) in lines.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
        let fields: Vec<&str> = line.splitn(5, ' ').collect();
        let value = fields.get(4).map_or(String::new(), |value| format!(r#","value":{value}"#));
        text += &format!(
            r#"{{"index":{index},"time":{},"process":{},"type":"{}","f":"{}","key":"{}","node":"n{}"{value}}}"#,
            index * 1_000_000,
            fields[0],
            fields[1],
            fields[2],
            fields[3],
            fields[0]
        );
        text.push('\n');
    }
    parse_history("history.jsonl".as_ref(), text.as_bytes()).expect("a sound history").into_operations()
}

fn witness(report: &Report) -> &Witness {
    report.verdict.witness().unwrap_or_else(|| panic!("{report:#?}"))
}

#[test]
fn a_stale_read_is_told_with_its_writes() {
    let history = recorded(
        "1 invoke write x 7
         1 ok write x 7
         2 invoke read x
         2 ok read x 7
         1 invoke write x 9
         1 ok write x 9
         3 invoke read x
         3 ok read x 7",
    );
    let report = check_register(&history, &Options::default()).unwrap();
    let witness = witness(&report);
    assert_eq!(report.algorithm, Used::Fast);
    assert_eq!(witness.kind, Kind::StaleRead);
    assert_eq!(witness.operations.iter().map(|operation| operation.position).collect::<Vec<_>>(), [0, 2, 3]);
    assert!(witness.is_minimal);
    assert_eq!(
        witness.explanation,
        "process 3 (n3) read 7 from x, from 0.006 s to 0.007 s, although process 1 (n1) wrote 9 to x by 0.005 s and 7 \
         came before 9: process 1 (n1) wrote 7 to x by 0.001 s, and process 1 (n1) wrote 9 to x only from 0.004 s on. So \
         7 had been overwritten."
    );
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["verdict"], "invalid");
    assert_eq!(json["detail"]["kind"], "stale-read");
    assert_eq!(json["algorithm"], "fast");
}

#[test]
fn a_failed_operation_never_happened_and_is_named_where_it_was_seen() {
    let history = recorded(
        "1 invoke write x 7
         1 fail write x 7
         2 invoke read x
         2 ok read x null",
    );
    assert!(check_register(&history, &Options::default()).unwrap().verdict.is_valid());
    let history = recorded(
        "1 invoke write x 7
         1 fail write x 7
         2 invoke read x
         2 ok read x 7",
    );
    let report = check_register(&history, &Options::default()).unwrap();
    assert_eq!(witness(&report).kind, Kind::FailedWriteSeen);
    assert_eq!(witness(&report).operations.len(), 2);
    assert!(witness(&report).explanation.contains("certainly failed"), "{:#?}", report.verdict);
}

#[test]
fn two_compare_and_sets_from_one_value_are_a_lost_update() {
    let history = recorded(
        "1 invoke cas x [null,1]
         2 invoke cas x [null,2]
         1 ok cas x [null,1]
         2 ok cas x [null,2]",
    );
    let report = check_register(&history, &Options::default()).unwrap();
    assert_eq!(witness(&report).kind, Kind::LostUpdate);
    assert_eq!(witness(&report).operations.len(), 2);
}

#[test]
fn a_write_of_unknown_outcome_may_come_much_later() {
    let history = recorded(
        "1 invoke write x 7
         1 info write x 7
         2 invoke write x 8
         2 ok write x 8
         3 invoke read x
         3 ok read x 7",
    );
    assert!(check_register(&history, &Options::default()).unwrap().verdict.is_valid());
}

#[test]
fn an_acknowledged_append_that_is_gone_is_lost() {
    let history = recorded(
        "1 invoke append x 1
         1 ok append x 1
         2 invoke append x 2
         2 ok append x 2
         3 invoke read x
         3 ok read x [1]",
    );
    let report = check_append(&history, &Options::default()).unwrap();
    let witness = witness(&report);
    assert_eq!(witness.kind, Kind::LostWrite);
    assert_eq!(witness.operations.iter().map(|operation| operation.position).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(
        witness.explanation,
        "process 2 (n2) appended 2 to x, which came back at 0.003 s, but process 3 (n3) read [1] from x from 0.004 s on, \
         without 2. No read ever saw it."
    );
}

#[test]
fn an_append_applied_twice_is_a_duplicate() {
    let history = recorded(
        "1 invoke append x 1
         1 ok append x 1
         3 invoke read x
         3 ok read x [1,1]",
    );
    let report = check_append(&history, &Options::default()).unwrap();
    assert_eq!(witness(&report).kind, Kind::Duplicate);
    assert_eq!(witness(&report).operations.len(), 2);
}

#[test]
fn reads_that_disagree_about_the_order_are_incompatible() {
    let history = recorded(
        "1 invoke append x 1
         2 invoke append x 2
         1 ok append x 1
         2 ok append x 2
         3 invoke read x
         3 ok read x [1,2]
         4 invoke read x
         4 ok read x [2,1]",
    );
    let report = check_append(&history, &Options::default()).unwrap();
    assert_eq!(witness(&report).kind, Kind::IncompatibleReads);
    assert_eq!(witness(&report).operations.len(), 4);
    assert!(witness(&report).is_minimal);
}

#[test]
fn a_set_forgets_nothing() {
    let history = recorded(
        "1 invoke add s 1
         1 ok add s 1
         2 invoke add s 2
         3 invoke read s
         3 ok read s [2,1]
         4 invoke read s
         4 ok read s [1]
         2 ok add s 2",
    );
    let report = check_set(&history, &Options::default()).unwrap();
    let witness = witness(&report);
    assert_eq!(witness.kind, Kind::StaleRead);
    assert_eq!(witness.operations.iter().map(|operation| operation.position).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn an_element_that_is_gone_is_told_with_those_who_put_it_there() {
    let history = recorded(
        "1 invoke add s 1
         1 ok add s 1
         2 invoke add s 2
         2 ok add s 2
         2 invoke remove s 2
         2 ok remove s 2
         3 invoke contains s 1
         3 ok contains s 1,\"found\":false",
    );
    let report = check_set(&history, &Options::default()).unwrap();
    assert_eq!(report.algorithm, Used::Fast);
    assert_eq!(witness(&report).kind, Kind::LostWrite);
    assert_eq!(witness(&report).object, "1 in s");
    assert!(witness(&report).is_minimal);
    assert_eq!(
        witness(&report).explanation,
        "process 3 (n3) did not find 1 in s, from 0.006 s to 0.007 s, although 1 was there at every moment meanwhile: \
         process 1 (n1) added 1 to s from 0.000 s to 0.001 s."
    );
}

#[test]
fn a_queue_gives_back_what_came_first() {
    let lines = "1 invoke enqueue q 1
         1 ok enqueue q 1
         1 invoke enqueue q 2
         1 ok enqueue q 2
         2 invoke dequeue q
         2 ok dequeue q 2";
    let history = recorded(lines);
    let report = check_history(&Queue, &history, &Options::default()).unwrap();
    assert_eq!(witness(&report).kind, Kind::OrderViolation);
    assert_eq!(
        witness(&report).explanation,
        "process 1 (n1) put 1 into q by 0.001 s, before process 1 (n1) put 2 into q from 0.002 s on; but process 2 (n2) took \
         2 from q by 0.005 s, and nobody ever took the first."
    );
    assert!(check_history(&Bag, &history, &Options::default()).unwrap().verdict.is_valid());
    let twice = recorded(&format!("{lines}\n3 invoke dequeue q\n3 ok dequeue q 2"));
    for report in [check_history(&Queue, &twice, &Options::default()), check_history(&Bag, &twice, &Options::default())]
    {
        assert_eq!(witness(&report.unwrap()).kind, Kind::Duplicate);
    }
}

#[test]
fn a_counter_shows_what_was_added_and_no_more() {
    let check = |lines: &str| check_history(&Counter::default(), &recorded(lines), &Options::default()).unwrap();
    let lost = check(
        "1 invoke increment c 1
         1 ok increment c 1
         2 invoke increment c 1
         2 ok increment c 1
         3 invoke read c
         3 ok read c 1",
    );
    assert_eq!(witness(&lost).kind, Kind::LostWrite);
    assert_eq!(
        witness(&lost).explanation,
        "process 3 (n3) read 1 from c from 0.004 s on, although 0 was there at first, and operations had added 2 before."
    );
    let twice = check(
        "1 invoke increment c 1
         1 ok increment c 1
         2 invoke increment c 1
         2 info increment c 1
         3 invoke read c
         3 ok read c 3",
    );
    assert_eq!(witness(&twice).kind, Kind::WrongSum);
    assert!(witness(&twice).explanation.contains("no more than 2"), "{:#?}", twice.verdict);
    assert_eq!(witness(&twice).operations.iter().map(|operation| operation.position).collect::<Vec<_>>(), [1, 2]);
    let same = check(
        "1 invoke increment c 1
         2 invoke increment c 1
         1 ok increment c 1,\"current\":1
         2 ok increment c 1,\"current\":1",
    );
    assert_eq!(witness(&same).kind, Kind::LostUpdate);
    assert_eq!(same.algorithm, Used::Fast);
}

#[test]
fn objects_are_checked_apart_and_the_first_invalid_one_is_told_whatever_the_threads() {
    let mut lines = String::new();
    for key in 0..20 {
        let seen = if key % 7 == 3 { 99 } else { key };
        lines += &format!("1 invoke write k{key} {key}\n1 ok write k{key} {key}\n2 invoke read k{key}\n");
        lines += &format!("2 ok read k{key} {seen}\n");
    }
    let history = recorded(&lines);
    for threads in [1, 2, 4] {
        let report = check_register(&history, &Options { threads, ..Options::default() }).unwrap();
        assert_eq!(witness(&report).object, "k3", "with {threads} threads");
        assert_eq!(report.statistics.objects, 20);
    }
}

#[test]
fn a_call_of_another_type_is_refused_by_name() {
    let history = recorded("1 invoke append x 1\n1 ok append x 1");
    let error = check_register(&history, &Options::default()).unwrap_err();
    assert!(matches!(error, CheckError::NotOfTheModel { position: 0, .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("appended 1 to x") && text.contains("register"), "{text}");
}

#[test]
fn an_empty_history_is_valid() {
    let report = check_register(&[], &Options::default()).unwrap();
    assert!(report.verdict.is_valid());
    assert_eq!(report.statistics.objects, 0);
}
