//! ZooKeeper in the sandbox, and what was run there beside what was run of ours.

use std::fs;

use tempfile::tempdir;

use crate::rashomon::{Run, ask, can_build_sandboxes};

/// Whether ZooKeeper can be run here: it is unpacked where it is missing. Says why not.
fn can_run_zookeeper() -> bool {
    if !can_build_sandboxes() {
        return false;
    }
    let answer = ask(&["install", "zookeeper"]);
    if answer.code != Some(0) {
        println!("skipped: there is no ZooKeeper, and it can't be fetched:\n{}", answer.stderr);
    }
    answer.code == Some(0)
}

#[test]
fn a_follower_that_is_cut_off_serves_old_reads() {
    if !can_run_zookeeper() {
        return;
    }
    let plain = ["zookeeper", "--set", "reads=plain", "--nemesis", "partition", "--time-limit", "20s"];
    let run = Run::new(&[&plain[..], &["--seed", "1"]].concat());
    run.expect_verdict("invalid", 1);
    let kinds = run.verdict()["anomalies"].to_string();
    assert!(kinds.contains("stale read"), "{kinds}");
}

#[test]
fn reads_after_a_write_of_ones_own_and_all_writes_are_valid_while_servers_stand_still() {
    if !can_run_zookeeper() {
        return;
    }
    // After kills a server of 3.8.0 may lack what was committed: docs/FINDINGS.md, Z-5.
    let run =
        Run::new(&["zookeeper", "--set", "reads=quorum", "--nemesis", "pause", "--time-limit", "12s", "--seed", "2"]);
    run.expect_verdict("valid", 0);
    assert!(run.verdict()["statistics"]["faults"]["pause"]["bitten"].as_u64() >= Some(1));
}

#[test]
fn counters_queues_and_locks_are_valid_without_faults() {
    if !can_run_zookeeper() {
        return;
    }
    // A sync that the leader is asked for waits for nothing: docs/FINDINGS.md, Z-2.
    let calm = ["zookeeper", "--set", "reads=quorum", "--nemesis", "none", "--seed", "3"];
    // Who dies with a lock leaves it to its session, and the others wait for that.
    for (workload, time_limit) in [("counter", "4s"), ("queue", "4s"), ("fenced-lock", "12s")] {
        Run::new(&[&calm[..], &["--workload", workload, "--time-limit", time_limit]].concat())
            .expect_verdict("valid", 0);
    }
}

#[test]
fn systems_are_laid_side_by_side() {
    if !can_run_zookeeper() {
        return;
    }
    let results = tempdir().expect("room on the disk");
    let out = results.path().to_str().expect("a plain path");
    let systems =
        ["compare", "raft", "zookeeper+reads=quorum", "--nemesis", "none", "--time-limit", "3s", "--seed", "4"];
    let answer = ask(&[&systems[..], &["--out", out]].concat());
    assert_eq!(answer.code, Some(0), "{}{}", answer.stdout, answer.stderr);
    for name in ["raft ", "zookeeper+reads=quorum "] {
        let row = answer.stdout.lines().find(|line| line.starts_with(name));
        assert!(row.is_some_and(|row| row.contains(" valid ")), "{name}: {}", answer.stdout);
    }
    let page = answer.stdout.lines().find_map(|line| line.strip_prefix("page  ")).expect("it says where the page is");
    let page = fs::read_to_string(page).expect("a page");
    assert!(page.contains("/report.html\"") && page.matches("<svg").count() == 2);

    // The same runs once more, from their folders.
    let folder = |number: &str| {
        fs::canonicalize(fs::read_dir(out).unwrap().flatten().next().unwrap().path().join(number).join("latest"))
    };
    let [first, second] = ["1", "2"].map(|number| folder(number).unwrap().to_str().unwrap().to_owned());
    let again = ask(&["compare", &first, &second, "--page", &format!("{out}/again.html")]);
    assert_eq!(again.code, Some(0), "{}{}", again.stdout, again.stderr);
    assert!(fs::read_to_string(results.path().join("again.html")).unwrap().contains("zookeeper+reads=quorum"));
    let mixed = ask(&["compare", &first, "raft"]);
    assert_eq!(mixed.code, Some(254), "{}", mixed.stderr);
}
