//! The lock service and atomic commitment, in both worlds.

use crate::rashomon::{Run, ask, can_build_sandboxes, read_json};

fn simulated(arguments: &[&str], verdict: &str, code: i32) -> Run {
    let run = Run::new(&[arguments, &["--world", "sim", "--seed", "1"]].concat());
    run.expect_verdict(verdict, code);
    run
}

/// LK-01: who stands still for longer than its lease writes over what the next holder wrote, unless tokens are looked at.
#[test]
fn without_fencing_clients_that_stand_still_lose_updates_and_the_report_draws_who_held_what() {
    let lock_set = ["lock", "--workload", "lock-set", "--nemesis", "client"];
    let naive = ["--count", "300", "--fencing", "false", "--careful", "false"];
    let run = simulated(&[&lock_set[..], &naive].concat(), "invalid", 1);
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
    let remark = &verdict["remarks"][0];
    assert_eq!(remark["title"], "a known limit of three-phase commit", "{verdict}");
    assert!(remark["source"].as_str().unwrap().contains("Skeen"), "{remark}");
    let why = verdict["reason"].as_str().unwrap();
    assert!(
        why.contains("to commit, knowing that all had voted yes") && why.contains("to abort, not knowing"),
        "{why}"
    );
    let report = std::fs::read_to_string(run.folder().join("report.html")).unwrap();
    for told in [&run.answer.stdout, &report] {
        assert!(told.contains("a known limit of three-phase commit"), "{told}");
    }
    let planted = simulated(&[&["commit", "--protocol", "3pc", "--bug", "TP-03"][..], &cut].concat(), "invalid", 1);
    assert_eq!(planted.verdict().get("remarks"), None, "a planted bug is no limit of the protocol");
    for protocol in ["2pc", "2pc-raft"] {
        let commit = ["test", "commit", "--protocol", protocol, "--world", "sim", "--seed", "1"];
        let right = ask(&[&commit[..], &cut].concat());
        assert_eq!(right.code, Some(0), "{protocol}: {}", right.stdout);
    }
}

/// The first run of a simulated swarm without faults that is not as it should be.
fn held_against(isolation: &str, workload: &str, level: &str) -> Run {
    let commit = ["commit", "--protocol", "2pc", "--nemesis", "none", "--count", "40"];
    let held = ["--isolation", isolation, "--workload", workload, "--consistency", level];
    simulated(&[&commit[..], &held].concat(), "invalid", 1)
}

#[test]
fn each_level_of_isolation_keeps_itself_and_breaks_the_next_higher_one() {
    for (isolation, workload, own) in [
        ("read-committed", "long-fork", "read-committed"),
        ("read-committed", "write-skew", "read-committed"),
        ("snapshot", "write-skew", "strong-snapshot-isolation"),
        ("serializable", "write-skew", "strict-serializable"),
    ] {
        let commit = ["test", "commit", "--protocol", "2pc", "--nemesis", "none", "--count", "40", "--world", "sim"];
        let held = ["--isolation", isolation, "--workload", workload, "--consistency", own, "--seed", "1"];
        let answer = ask(&[&commit[..], &held].concat());
        assert_eq!(answer.code, Some(0), "{isolation}: {}", answer.stdout);
        assert!(answer.stdout.starts_with("40 valid, 0 invalid"), "{}", answer.stdout);
    }
    for (isolation, workload, level, anomaly, is_cycle) in [
        ("read-committed", "long-fork", "snapshot-isolation", "G-nonadjacent-item", true),
        ("read-committed", "write-skew", "snapshot-isolation", "lost-update", false),
        ("snapshot", "write-skew", "serializable", "G2-item", true),
    ] {
        let run = held_against(isolation, workload, level);
        let verdict = run.verdict();
        assert_eq!(verdict["anomalies"][0]["kind"], anomaly, "{verdict}");
        let remark = verdict["remarks"][0]["text"].as_str().unwrap();
        assert!(remark.contains(&format!("lets {anomaly} happen")), "{remark}");
        let report = std::fs::read_to_string(run.folder().join("report.html")).unwrap();
        assert!(report.contains(remark) && report.contains("can’t be one story"));
        assert_eq!(report.contains("id=\"cycle-1-arrow\""), is_cycle, "the cycle of {anomaly} is drawn");
        let plan = read_json(&run.folder().join("plan.json"));
        assert_eq!(plan["commit"]["consistency"], level);
        let out = tempfile::tempdir().unwrap();
        let again = ask(&["replay", run.folder().to_str().unwrap(), "--out", out.path().to_str().unwrap()]);
        assert_eq!(again.code, Some(1), "{}", again.stdout);
        assert!(again.stdout.contains("byte for byte") && again.stdout.contains(anomaly), "{}", again.stdout);
    }
}

/// Shards that voted yes can only wait: nothing is wrong, and nothing is committed until the coordinator is back.
#[test]
fn two_phase_commit_blocks_without_its_coordinator_and_a_group_of_coordinators_does_not() {
    let down = ["--nemesis", "kill", "--fault-target", "leader", "--fault-duration", "5s", "--time-limit", "12s"];
    let load = ["--workload", "commit", "--clients", "10", "--rate", "150", "--operation-deadline", "1s"];
    let longest_gap_s = |protocol: &str| {
        let run = simulated(&[&["commit", "--protocol", protocol][..], &down, &load].concat(), "valid", 0);
        let verdict = run.verdict();
        let gap = &verdict["statistics"]["longest_without_ok"];
        let [from, to] = ["from_ns", "to_ns"].map(|end| gap[end].as_u64().unwrap());
        ((to - from) as f64 / 1e9, run)
    };
    let (gap_s, run) = longest_gap_s("2pc");
    assert!((5.0..8.0).contains(&gap_s), "{gap_s} s");
    let verdict = run.verdict();
    let remark = &verdict["remarks"][0];
    assert_eq!(remark["title"], "two-phase commit blocks while its coordinator is down", "{verdict}");
    assert!(
        remark["text"].as_str().unwrap().contains("no node waited for a decision, and no lock was held"),
        "{remark}"
    );
    assert!(run.answer.stdout.contains("an ok again"), "{}", run.answer.stdout);
    for fault in verdict["statistics"]["availability"].as_array().unwrap() {
        assert!(fault["ok_after_ns"].as_u64().unwrap() < 3_000_000_000, "{fault}");
    }
    let (gap_s, run) = longest_gap_s("2pc-raft");
    assert!(gap_s < 3.0, "{gap_s} s");
    assert_eq!(run.verdict().get("remarks"), None);
}

#[test]
fn real_servers_keep_locks_and_transactions() {
    if !can_build_sandboxes() {
        return;
    }
    let lock = ["lock", "--nemesis", "none", "--clients", "3"];
    let down = ["--nemesis", "kill", "--fault-target", "leader", "--fault-duration", "3s", "--clients", "20"];
    let commit = |protocol| [&["commit", "--protocol", protocol], &down[..]].concat();
    for (system, blocks) in [(lock.to_vec(), false), (commit("2pc-raft"), false), (commit("2pc"), true)] {
        let run = Run::new(&[&system[..], &["--time-limit", "8s", "--seed", "4"]].concat());
        run.expect_verdict("valid", 0);
        let verdict = run.verdict();
        let title = verdict["remarks"][0]["title"].as_str();
        assert_eq!(title, blocks.then_some("two-phase commit blocks while its coordinator is down"), "{verdict}");
    }
}

#[test]
fn a_short_simulated_run_is_valid_though_one_of_its_checks_had_nothing_to_decide_on() {
    let mut idle = 0;
    for seed in 16..24_u32 {
        let run = Run::new(&["lock", "--world", "sim", "--seed", &seed.to_string()]);
        run.expect_verdict("valid", 0);
        let verdict = run.verdict();
        let checkers = verdict["checkers"].as_array().unwrap();
        let said =
            |name: &str| checkers.iter().find(|checker| checker["name"] == name).map(|checker| &checker["verdict"]);
        assert_eq!((said("inner invariants"), said("liveness")), (Some(&"valid".into()), Some(&"valid".into())));
        let unknown = checkers.iter().filter(|checker| checker["verdict"] == "unknown");
        idle += unknown.filter(|checker| checker["reason"].as_str().unwrap().contains("nothing to decide on")).count();
    }
    assert!(idle > 0, "no check of any seed had nothing to decide on");
}
