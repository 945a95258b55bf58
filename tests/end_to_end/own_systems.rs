//! The lock service and atomic commitment, in both worlds.

use crate::rashomon::{Run, ask, can_build_sandboxes};

fn simulated(arguments: &[&str], verdict: &str, code: i32) -> Run {
    let run = Run::new(&[arguments, &["--world", "sim", "--seed", "1"]].concat());
    run.expect_verdict(verdict, code);
    run
}

/// LK-01: who stands still for longer than its lease writes over what the next holder wrote, unless tokens are looked at.
#[test]
fn without_fencing_clients_that_stand_still_lose_updates_and_the_report_draws_who_held_what() {
    let lock_set = ["lock", "--workload", "lock-set", "--nemesis", "client"];
    let run = simulated(&[&lock_set[..], &["--count", "300", "--fencing", "false"]].concat(), "invalid", 1);
    let verdict = run.verdict();
    assert_eq!(verdict["anomalies"][0]["kind"], "lost", "{verdict}");
    let report = std::fs::read_to_string(run.folder().join("report.html")).unwrap();
    assert!(report.contains("the client stands still"), "the timeline of holds shades who stands still");
    let fenced = ask(&[&["test"], &lock_set[..], &["--count", "300", "--world", "sim", "--seed", "1"]].concat());
    assert_eq!(fenced.code, Some(0), "{}", fenced.stdout);
}

/// The limit of three-phase commit: cut off from each other, some commit and some abort.
#[test]
fn three_phase_commit_breaks_agreement_under_partitions_and_two_phase_commit_does_not() {
    let cut = ["--nemesis", "partition", "--count", "300"];
    let run = simulated(&[&["commit", "--protocol", "3pc"][..], &cut].concat(), "invalid", 1);
    let verdict = run.verdict();
    assert_eq!(verdict["anomalies"][0]["kind"], "agreement", "{verdict}");
    for protocol in ["2pc", "2pc-raft"] {
        let commit = ["test", "commit", "--protocol", protocol, "--world", "sim", "--seed", "1"];
        let right = ask(&[&commit[..], &cut].concat());
        assert_eq!(right.code, Some(0), "{protocol}: {}", right.stdout);
    }
}

#[test]
fn real_servers_keep_locks_and_transactions() {
    if !can_build_sandboxes() {
        return;
    }
    let lock = ["lock", "--nemesis", "none", "--clients", "3"];
    let commit = ["commit", "--nemesis", "kill", "--protocol", "2pc-raft"];
    for system in [&lock[..], &commit] {
        let run = Run::new(&[system, &["--time-limit", "8s", "--seed", "4"]].concat());
        run.expect_verdict("valid", 0);
    }
}
