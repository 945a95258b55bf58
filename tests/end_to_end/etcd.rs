//! etcd as it is installed: where nothing can be installed, these tests say so and end.

use crate::rashomon::{Run, ask, can_build_sandboxes};

fn can_run_etcd() -> bool {
    if !can_build_sandboxes() {
        return false;
    }
    let answer = ask(&["install", "etcd"]);
    if answer.code != Some(0) {
        println!("skipped: etcd can't be unpacked here:\n{}{}", answer.stdout, answer.stderr);
    }
    answer.code == Some(0)
}

/// E-2 of docs/FINDINGS.md.
#[test]
fn a_lock_of_etcd_is_granted_under_a_lease_that_is_over_without_any_fault() {
    if !can_run_etcd() {
        return;
    }
    let locks = ["etcd", "--workload", "lock", "--nemesis", "none", "--ttl", "2s", "--set", "keepalive=none"];
    let load = ["--clients", "10", "--rate", "10", "--operation-deadline", "10s", "--time-limit", "10s"];
    let run = Run::new(&[&locks[..], &load].concat());
    run.expect_verdict("invalid", 1);
    assert_eq!(run.verdict()["anomalies"][0]["kind"], "granted-without-hold", "{}", run.answer.stdout);
}

/// E-5 of docs/FINDINGS.md.
#[test]
fn etcd_is_linearizable_and_its_members_hold_the_same_after_faults() {
    if !can_run_etcd() {
        return;
    }
    let run = Run::new(&["etcd", "--workload", "register", "--nemesis", "partition,kill,pause", "--time-limit", "10s"]);
    run.expect_verdict("valid", 0);
    let checkers = run.verdict()["checkers"].clone();
    let copies = checkers.as_array().unwrap().iter().find(|checker| checker["name"] == "copies").expect("copies");
    assert_eq!(copies["verdict"], "valid", "{copies}");
}
