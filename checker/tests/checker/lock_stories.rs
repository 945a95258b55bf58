//! What a person reads of a lock that failed.

use rashomon_checker::models::{FencedMutex, HistoryModel, Mutex, OwnedMutex, ReentrantFencedMutex, check_history};
use rashomon_checker::{Kind, Options, Used, Witness};
use rashomon_history::{Operation, parse_history};

/// Lines of `process type f token`, a millisecond apart, on one lock; the owner is the process.
fn recorded(lines: &str) -> Vec<Operation> {
    let mut text = String::new();
    for (index, line) in lines.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
        let fields: Vec<&str> = line.split(' ').collect();
        let token = fields.get(3).map_or(String::new(), |token| format!(r#","token":{token}"#));
        let (process, kind, f, time) = (fields[0], fields[1], fields[2], index * 1_000_000);
        text += &format!(r#"{{"time":{time},"process":{process},"type":"{kind}","f":"{f}","key":"l"{token}}}"#);
        text.push('\n');
    }
    parse_history("history.jsonl".as_ref(), text.as_bytes()).expect("a sound history").into_operations()
}

fn witness<M: HistoryModel>(model: &M, lines: &str) -> Witness {
    let report = check_history(model, &recorded(lines), &Options::default()).expect("operations of a lock");
    assert_eq!(report.algorithm, Used::Fast);
    let witness = report.verdict.witness().unwrap_or_else(|| panic!("{report:#?}")).clone();
    assert!(witness.is_minimal, "{witness:#?}");
    witness
}

fn positions(witness: &Witness) -> Vec<usize> {
    witness.operations.iter().map(|operation| operation.position).collect()
}

#[test]
fn two_holders_at_once_are_told_by_their_acquires() {
    let witness = witness(
        &OwnedMutex,
        "1 invoke acquire
         1 ok acquire
         2 invoke acquire
         2 ok acquire
         1 invoke release
         1 ok release
         2 invoke release
         2 ok release",
    );
    assert_eq!((witness.kind, positions(&witness)), (Kind::DoubleGrant, vec![0, 1]));
    assert_eq!(
        witness.explanation,
        "process 1 acquired l for 1 by 0.001 s and released it only from 0.004 s on; process 2 acquired l for 2 by 0.003 \
         s and released it only from 0.006 s on. So at 0.003 s they held two owners at once."
    );
}

#[test]
fn a_refused_try_never_happened_and_a_timed_out_release_may_have() {
    let lines = "1 invoke acquire
         1 ok acquire
         2 invoke acquire
         2 fail acquire
         1 invoke release
         1 info release
         2 invoke acquire
         2 ok acquire";
    assert!(check_history(&OwnedMutex, &recorded(lines), &Options::default()).unwrap().verdict.is_valid());
    let granted: Vec<&str> = lines.lines().take(4).collect();
    assert_eq!(witness(&OwnedMutex, &granted.join("\n").replace("fail", "ok")).kind, Kind::DoubleGrant);
}

#[test]
fn a_release_by_another_is_foreign_only_where_owners_matter() {
    let lines = "1 invoke acquire
         1 ok acquire
         2 invoke release
         2 ok release";
    assert!(check_history(&Mutex, &recorded(lines), &Options::default()).unwrap().verdict.is_valid());
    let witness = witness(&OwnedMutex, lines);
    assert_eq!((witness.kind, positions(&witness)), (Kind::ForeignRelease, vec![1]));
    assert!(witness.explanation.contains("had nothing left to release"), "{}", witness.explanation);
}

#[test]
fn tokens_grow_with_the_holds() {
    let lines = "1 invoke acquire
         1 ok acquire 7
         1 invoke release
         1 ok release
         2 invoke acquire
         2 ok acquire 7
         2 invoke release
         2 ok release";
    assert_eq!(witness(&FencedMutex, lines).kind, Kind::TokenReused);
    let smaller = witness(&FencedMutex, &lines.replacen("acquire 7", "acquire 8", 1));
    assert_eq!((smaller.kind, positions(&smaller)), (Kind::TokenNotMonotone, vec![0, 1, 2]));
    assert!(smaller.explanation.contains("the later hold has the smaller token"), "{}", smaller.explanation);
    let report =
        check_history(&FencedMutex, &recorded(&lines.replacen("acquire 7", "acquire 6", 1)), &Options::default());
    assert!(report.unwrap().verdict.is_valid());
}

#[test]
fn a_token_stays_as_long_as_the_hold() {
    let witness = witness(
        &ReentrantFencedMutex { limit: 2 },
        "1 invoke acquire
         1 ok acquire 3
         1 invoke acquire
         1 ok acquire 4",
    );
    assert_eq!((witness.kind, positions(&witness)), (Kind::TokenChanged, vec![0, 1]));
}

#[test]
fn a_lock_of_anybody_is_held_by_one() {
    let witness = witness(
        &Mutex,
        "1 invoke acquire
         1 ok acquire
         2 invoke acquire
         2 ok acquire",
    );
    assert_eq!((witness.kind, positions(&witness)), (Kind::DoubleGrant, vec![0, 1]));
}
