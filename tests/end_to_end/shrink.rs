//! Failures of planted bugs, found by a swarm and then shrunk.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::rashomon::{Answer, Run, ask, read_json};

/// The first failing run of a swarm of Raft with this bug, and the folder of what it was shrunk to.
fn shrunk(bug: &str) -> (Run, Answer, PathBuf) {
    shrunk_of("raft", &["--bug", bug])
}

/// The same of any system, set up as these arguments say.
fn shrunk_of(system: &str, arguments: &[&str]) -> (Run, Answer, PathBuf) {
    let swarm = [system, "--world", "sim", "--count", "2000", "--seed", "1"];
    let run = Run::new(&[&swarm, arguments].concat());
    run.expect_verdict("invalid", 1);
    let answer = ask(&["shrink", run.folder().to_str().unwrap(), "--budget", "30s"]);
    assert_eq!(answer.code, Some(0), "{arguments:?}: {}{}", answer.stdout, answer.stderr);
    let folder = PathBuf::from(format!("{}-shrunk", run.folder().display()));
    assert!(folder.is_dir(), "{}", answer.stdout);
    (run, answer, folder)
}

fn length(value: &Value) -> usize {
    value.as_array().map_or(0, Vec::len)
}

/// What the violation is, by the check that found it.
fn violation(verdict: &Value) -> (Value, Value) {
    let checkers = verdict["checkers"].as_array().unwrap();
    let checker = checkers.iter().find(|checker| checker["verdict"] == "invalid").unwrap();
    (checker["name"].clone(), verdict["anomalies"][0]["kind"].clone())
}

/// Those who ask in a shrunk plan, and what they ask, the readers and reads at the end included.
fn size(plan: &Value) -> (usize, usize) {
    let script = &plan["script"];
    let mut readers: Vec<_> =
        script["final_reads"].as_array().unwrap().iter().map(|read| read["node"].as_u64()).collect();
    readers.dedup();
    (length(&script["clients"]) + readers.len(), length(&script["operations"]) + length(&script["final_reads"]))
}

/// A shrunk run is small, fails as the other did, and its report draws the messages.
fn expect_small(run: &Run, answer: &Answer, folder: &Path) {
    let (clients, operations) = size(&read_json(&folder.join("plan.json")));
    assert!(clients <= 3 && operations <= 12, "{}", answer.stdout);
    let verdict = read_json(&folder.join("verdict.json"));
    assert_eq!(violation(&verdict), violation(&run.verdict()), "the same violation: {}", answer.stdout);
    let report = fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(report.contains("id=\"messages\""), "the report draws the messages: {}", answer.stdout);
    assert!(answer.stdout.contains("rashomon replay"), "{}", answer.stdout);
}

#[test]
fn failures_are_shrunk_to_at_most_three_clients_and_twelve_operations_that_fail_alike() {
    // What clients see, what only the servers know, and what takes a snapshot.
    for bug in ["RR-01", "RL-12", "RC-01", "RS-02"] {
        let (run, answer, folder) = shrunk(bug);
        expect_small(&run, &answer, &folder);
    }
}

#[test]
fn failures_of_locks_and_of_transactions_are_shrunk_to_plans_that_are_carried_out_again_exactly() {
    // Short leases and few clients: runs that are soon small.
    let unfenced =
        "--workload lock-set --nemesis client --fencing false --nodes 2 --clients 3 --ttl 200ms --time-limit 3s";
    let unfenced: Vec<&str> = unfenced.split(' ').collect();
    for (system, arguments, word) in [("lock", &unfenced[..], "acquire"), ("commit", &["--bug", "TC-02"], "txn")] {
        let (run, answer, folder) = shrunk_of(system, arguments);
        expect_small(&run, &answer, &folder);
        let plan = read_json(&folder.join("plan.json"));
        let operations = plan["script"]["operations"].as_array().unwrap();
        assert!(operations.iter().any(|operation| operation["f"] == word), "{plan}");
        let out = tempfile::tempdir().unwrap();
        let again = ask(&["replay", folder.to_str().unwrap(), "--out", out.path().to_str().unwrap()]);
        assert_eq!(again.code, Some(1), "{}{}", again.stdout, again.stderr);
        assert!(again.stdout.contains("byte for byte"), "{}", again.stdout);
        let verdict = |folder: &Path| violation(&read_json(&folder.join("verdict.json")));
        assert_eq!(verdict(&out.path().join("latest")), verdict(&folder));
    }
}

#[test]
fn what_clients_saw_in_a_shrunk_run_is_checked_alone() {
    let (_run, answer, folder) = shrunk("RR-02");
    let again = ask(&["check", folder.join("history.jsonl").to_str().unwrap()]);
    assert_eq!(again.code, Some(1), "{}\n{}", answer.stdout, again.stdout);
}

#[test]
fn a_shrunk_run_is_shrunk_again_to_no_more() {
    let (_run, _, folder) = shrunk("RR-01");
    let again = ask(&["shrink", folder.join("plan.json").to_str().unwrap(), "--budget", "10s", "--threads", "1"]);
    assert_eq!(again.code, Some(0), "{}{}", again.stdout, again.stderr);
    let (before, after) = (read_json(&folder.join("plan.json")), read_json(&folder.join("plan-shrunk/plan.json")));
    assert!(size(&after).1 <= size(&before).1, "{}", again.stdout);
}

#[test]
fn what_does_not_fail_or_does_not_repeat_is_not_shrunk() {
    let run = Run::new(&["raft", "--world", "sim", "--seed", "1", "--nemesis", "none", "--time-limit", "1s"]);
    run.expect_verdict("valid", 0);
    let answer = ask(&["shrink", run.folder().to_str().unwrap()]);
    assert_eq!(answer.code, Some(254), "{}", answer.stdout);
    assert!(answer.stderr.contains("the run is valid"), "{}", answer.stderr);

    let mut plan = read_json(&run.folder().join("plan.json"));
    plan["world"] = json!("netns");
    let file = run.folder().join("real.json");
    fs::write(&file, plan.to_string()).unwrap();
    let answer = ask(&["shrink", file.to_str().unwrap()]);
    assert_eq!(answer.code, Some(254), "{}", answer.stdout);
    assert!(answer.stderr.contains("only simulated runs repeat exactly"), "{}", answer.stderr);

    let answer = ask(&["shrink", run.folder().join("history.jsonl").to_str().unwrap()]);
    assert_eq!(answer.code, Some(254), "{}", answer.stderr);
}
