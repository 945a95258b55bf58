//! `rashomon check`: what histories of other objects are held against, and what is said of them.

use serde_json::Value;
use tempfile::TempDir;

use crate::rashomon::{Answer, ask};

/// Operations that came back, one after the other: process, call, what came back.
fn history(operations: &[(u64, &str, &str)]) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::new();
    for (place, (process, call, returned)) in operations.iter().enumerate() {
        let (invoked, completed) = (place * 2_000_000, place * 2_000_000 + 1_000_000);
        text += &format!("{{\"time\":{invoked},\"process\":{process},\"type\":\"invoke\",{call}}}\n");
        text += &format!("{{\"time\":{completed},\"process\":{process},\"type\":\"ok\",{returned}}}\n");
    }
    let path = folder.path().join("history.jsonl");
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

fn check(operations: &[(u64, &str, &str)], more: &[&str]) -> Answer {
    let (_folder, path) = history(operations);
    let mut arguments = vec!["check", path.as_str()];
    arguments.extend(more);
    ask(&arguments)
}

fn json(answer: &Answer) -> Value {
    serde_json::from_str(&answer.stdout).unwrap_or_else(|error| panic!("{error}: {}", answer.stdout))
}

/// Two transactions that each missed what the other one wrote, and one that read both.
const WRITE_SKEW: &str = r#"
{"time":1000000,"process":0,"type":"invoke","f":"txn","value":[["r","x",null],["append","y",1]]}
{"time":2000000,"process":1,"type":"invoke","f":"txn","value":[["r","y",null],["append","x",2]]}
{"time":3000000,"process":0,"type":"ok","f":"txn","value":[["r","x",null],["append","y",1]]}
{"time":4000000,"process":1,"type":"ok","f":"txn","value":[["r","y",null],["append","x",2]]}
{"time":5000000,"process":2,"type":"invoke","f":"txn","value":[["r","x",null],["r","y",null]]}
{"time":6000000,"process":2,"type":"ok","f":"txn","value":[["r","x",[2]],["r","y",[1]]]}
"#;

fn write_skew(more: &[&str]) -> Answer {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.jsonl");
    std::fs::write(&path, WRITE_SKEW.trim_start()).unwrap();
    let mut arguments = vec!["check", path.to_str().unwrap()];
    arguments.extend(more);
    ask(&arguments)
}

#[test]
fn transactions_are_held_against_the_level_that_is_asked_for() {
    for level in ["strict-serializable", "serializable", "repeatable-read"] {
        let answer = write_skew(&["--consistency", level]);
        assert_eq!(answer.code, Some(1), "{level}: {}", answer.stderr);
        assert!(answer.stdout.contains("G2-item"), "{level}: {}", answer.stdout);
    }
    for level in ["snapshot-isolation", "read-committed", "read-uncommitted"] {
        let answer = write_skew(&["--consistency", level]);
        assert_eq!(answer.code, Some(0), "{level}: {} {}", answer.stdout, answer.stderr);
    }
}

#[test]
fn a_cycle_of_transactions_is_told_step_by_step_and_drawn() {
    let page = tempfile::tempdir().unwrap();
    let page = page.path().join("report.html");
    let answer = write_skew(&["--report", page.to_str().unwrap()]);
    assert_eq!(answer.code, Some(1), "{}", answer.stderr);
    for expected in ["T1 < T2, because", "T2 < T1, because", "a contradiction", "So the system is not repeatable-read"]
    {
        assert!(answer.stdout.contains(expected), "{expected:?} is not in {}", answer.stdout);
    }
    let page = std::fs::read_to_string(page).unwrap();
    assert_eq!(page.matches("T1 before T2: rw").count() + page.matches("T2 before T1: rw").count(), 2);

    let anomaly = json(&write_skew(&["--json"]))["anomalies"][0].clone();
    assert_eq!(anomaly["kind"], "G2-item");
    assert_eq!(anomaly["cycle"]["edges"].as_array().map(Vec::len), Some(2), "{anomaly}");
}

#[test]
fn a_lock_that_two_hold_is_invalid() {
    let acquire = |owner: u64| (owner, r#""f":"acquire","key":"l""#, r#""f":"acquire","key":"l""#);
    let release = |owner: u64| (owner, r#""f":"release","key":"l""#, r#""f":"release","key":"l""#);
    assert_eq!(check(&[acquire(0), release(0), acquire(1)], &[]).code, Some(0));
    let answer = check(&[acquire(0), acquire(1)], &[]);
    assert_eq!(answer.code, Some(1), "{}", answer.stderr);
    assert!(answer.stdout.contains(", mutex,"), "{}", answer.stdout);
    // Two permits for two owners.
    assert_eq!(check(&[acquire(0), acquire(1)], &["--model", "semaphore", "--permits", "2"]).code, Some(0));
    assert_eq!(check(&[acquire(0), acquire(1)], &["--model", "semaphore"]).code, Some(1));
    assert_eq!(check(&[acquire(0), acquire(0)], &["--model", "reentrant-mutex"]).code, Some(0));
    assert_eq!(check(&[acquire(0), acquire(0)], &["--model", "reentrant-mutex", "--holds", "1"]).code, Some(1));
}

#[test]
fn fencing_tokens_must_grow() {
    let acquire = |owner, token| {
        let returned =
            if token == 7 { r#""f":"acquire","key":"l","token":7"# } else { r#""f":"acquire","key":"l","token":5"# };
        (owner, r#""f":"acquire","key":"l""#, returned)
    };
    let release = (0, r#""f":"release","key":"l""#, r#""f":"release","key":"l""#);
    assert_eq!(check(&[acquire(0, 5), release, acquire(1, 7)], &[]).code, Some(0));
    let answer = check(&[acquire(0, 7), release, acquire(1, 5)], &[]);
    assert_eq!(answer.code, Some(1), "{}", answer.stderr);
    assert!(answer.stdout.contains("fenced-mutex"), "{}", answer.stdout);
}

#[test]
fn a_queue_gives_back_in_order_unless_it_is_a_bag() {
    let enqueue_1 = (0, r#""f":"enqueue","key":"q","value":1"#, r#""f":"enqueue","key":"q","value":1"#);
    let enqueue_2 = (0, r#""f":"enqueue","key":"q","value":2"#, r#""f":"enqueue","key":"q","value":2"#);
    let take_2 = (1, r#""f":"dequeue","key":"q""#, r#""f":"dequeue","key":"q","value":2"#);
    let answer = check(&[enqueue_1, enqueue_2, take_2], &[]);
    assert_eq!(answer.code, Some(1), "{}", answer.stderr);
    assert_eq!(check(&[enqueue_1, enqueue_2, take_2], &["--model", "bag"]).code, Some(0));
}

#[test]
fn a_bank_that_loses_money_is_told_with_its_totals() {
    let everything = r#""f":"read""#;
    let before = (0, everything, r#""f":"read","value":{"a":10,"b":10}"#);
    let after = (1, everything, r#""f":"read","value":{"a":5,"b":10}"#);
    let answer = check(&[before, after], &["--model", "bank", "--json"]);
    assert_eq!(answer.code, Some(1), "{}", answer.stderr);
    let found = json(&answer);
    assert_eq!(found["anomalies"][0]["kind"], "wrong-total", "{found}");
    let transfer = r#""f":"transfer","value":{"from":"a","to":"b","amount":3}"#;
    let moved = (1, everything, r#""f":"read","value":{"a":7,"b":13}"#);
    assert_eq!(check(&[before, (0, transfer, transfer), moved], &[]).code, Some(0));
    assert_eq!(check(&[before, (0, transfer, transfer), moved], &["--total", "30"]).code, Some(1));
}

#[test]
fn a_property_with_nothing_to_decide_on_is_unknown_and_says_why() {
    let add = (0, r#""f":"add","key":"s","value":1"#, r#""f":"add","key":"s","value":1"#);
    let answer = check(&[add], &["--model", "set-full"]);
    assert_eq!(answer.code, Some(2), "{} {}", answer.stdout, answer.stderr);
    assert!(answer.stdout.contains("nothing to decide on"), "{}", answer.stdout);
}

#[test]
fn a_level_that_the_model_does_not_know_is_a_bad_argument() {
    let write = (0, r#""f":"write","key":"x","value":1"#, r#""f":"write","key":"x","value":1"#);
    let answer = check(&[write], &["--model", "register", "--consistency", "snapshot-isolation"]);
    assert_eq!(answer.code, Some(254));
    assert!(answer.stderr.contains("the model register can't be checked for snapshot-isolation"), "{}", answer.stderr);
    let answer = check(&[write], &["--consistency", "nice"]);
    assert_eq!(answer.code, Some(254));
    assert!(answer.stderr.contains("strict-serializable"), "it lists what is known: {}", answer.stderr);
}

#[test]
fn a_counter_counts_every_increment_once() {
    let increment = (0, r#""f":"increment","key":"c","value":2"#, r#""f":"increment","key":"c","value":2"#);
    let read = |value: &'static str| (1, r#""f":"read","key":"c""#, value);
    let two = read(r#""f":"read","key":"c","value":2"#);
    let four = read(r#""f":"read","key":"c","value":4"#);
    assert_eq!(check(&[increment, two], &[]).code, Some(0));
    assert_eq!(check(&[increment, four], &[]).code, Some(1));
    assert_eq!(check(&[increment, four], &["--init", "2"]).code, Some(0));
}

#[test]
fn versions_tell_the_order_of_writes() {
    let write = |value: &'static str| (0, r#""f":"write","key":"x","value":7"#, value);
    let first = write(r#""f":"write","key":"x","value":7,"version":1"#);
    let third = write(r#""f":"write","key":"x","value":7,"version":3"#);
    let answer = check(&[first, third], &[]);
    assert_eq!(answer.code, Some(1), "{} {}", answer.stdout, answer.stderr);
    assert!(answer.stdout.contains("versioned-register"), "{}", answer.stdout);
    assert_eq!(check(&[first, third], &["--version-gaps"]).code, Some(0));
    assert_eq!(check(&[third, first], &["--version-gaps"]).code, Some(1));
}
