//! Redis as it is installed: where nothing can be installed, these tests say so and end.

use crate::rashomon::{Run, ask, can_build_sandboxes};

fn can_run_redis() -> bool {
    if !can_build_sandboxes() {
        return false;
    }
    let answer = ask(&["install", "redis"]);
    if answer.code != Some(0) {
        println!("skipped: Redis can't be unpacked here:\n{}{}", answer.stdout, answer.stderr);
    }
    answer.code == Some(0)
}

/// R-14 of docs/FINDINGS.md.
#[test]
fn one_redis_that_syncs_every_command_keeps_what_it_acknowledged() {
    if !can_run_redis() {
        return;
    }
    let run = Run::new(&["redis", "--workload", "register", "--nemesis", "kill", "--time-limit", "8s"]);
    run.expect_verdict("valid", 0);
    let faults = &run.verdict()["statistics"]["faults"]["kill"];
    assert!(faults["bitten"].as_u64().unwrap() > 0, "{faults}");
}

/// R-6 of docs/FINDINGS.md.
#[test]
fn a_holder_that_stands_still_for_longer_than_its_lease_loses_updates_unless_it_looks_at_its_lease() {
    if !can_run_redis() {
        return;
    }
    let locks =
        ["redis", "--workload", "lock-set", "--nemesis", "client", "--ttl", "100ms", "--fault-duration", "250ms"];
    let load = ["--clients", "3", "--rate", "400", "--time-limit", "12s"];
    let naive = Run::new(&[&locks[..], &load].concat());
    naive.expect_verdict("invalid", 1);
    assert_eq!(naive.verdict()["anomalies"][0]["kind"], "lost", "{}", naive.answer.stdout);
    let careful = Run::new(&[&locks[..], &load, &["--careful", "true"]].concat());
    careful.expect_verdict("valid", 0);
}
