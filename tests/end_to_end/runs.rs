//! Runs of the right Raft in the sandbox.

use std::fs;
use std::process::Command;

use crate::rashomon::{Answer, Run, can_build_sandboxes, rashomon};

/// Long enough for each kind of fault to come at least once.
const SHORT: &str = "12s";

fn valid_run(workload: &str, seed: &str, more: &[&str]) -> Run {
    let arguments = ["raft", "--workload", workload, "--time-limit", SHORT, "--seed", seed];
    let run = Run::new(&[&arguments, more].concat());
    run.expect_verdict("valid", 0);
    run
}

#[test]
fn a_register_run_is_valid_and_leaves_its_files() {
    if !can_build_sandboxes() {
        return;
    }
    let run = valid_run("register", "1", &[]);
    let folder = run.folder();
    for file in ["plan.json", "history.jsonl", "verdict.json", "report.html"] {
        let length = fs::metadata(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}")).len();
        assert!(length > 200, "{file} has {length} bytes");
    }
    for node in 1..=5 {
        let log = fs::read_to_string(folder.join(format!("nodes/n{node}/node.log"))).unwrap();
        assert!(!log.is_empty(), "n{node} logged nothing");
    }
    let verdict = run.verdict();
    let statistics = &verdict["statistics"];
    assert!(statistics["operations"]["ok"].as_u64() > Some(500), "{statistics}");
    for kind in ["partition", "kill", "pause"] {
        let counts = &statistics["faults"][kind];
        assert!(counts["bitten"].as_u64() >= Some(1) && counts["bitten"] == counts["injected"], "{kind}: {counts}");
    }
    assert!(statistics["leader_changes"].as_u64() >= Some(1), "{statistics}");
    let report = fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(report.contains("valid") && report.contains("--seed 1"), "the report says what was run");
    assert!(!report.contains("src=\"http") && !report.contains("href=\"http"), "the report needs no network");
    assert!(run.answer.stdout.contains("report.html"), "{}", run.answer.stdout);
    let again = crate::rashomon::ask(&["check", folder.join("history.jsonl").to_str().unwrap()]);
    assert_eq!(again.code, Some(0), "check agrees: {}{}", again.stdout, again.stderr);
}

#[test]
fn members_and_leaders_come_and_go_while_clients_are_answered() {
    if !can_build_sandboxes() {
        return;
    }
    let run = valid_run("register", "5", &["--nemesis", "membership"]);
    let counts = &run.verdict()["statistics"]["faults"]["membership"];
    assert!(counts["bitten"].as_u64() >= Some(2) && counts["bitten"] == counts["injected"], "{counts}");
    let history = fs::read_to_string(run.folder().join("history.jsonl")).unwrap();
    assert!(history.contains(" removed by n") && history.contains("it had caught up and votes"), "the history tells");
}

#[test]
fn an_append_run_with_sessions_is_valid() {
    if can_build_sandboxes() {
        valid_run("append", "2", &["--sessions"]);
    }
}

#[test]
fn a_set_run_is_valid() {
    if can_build_sandboxes() {
        valid_run("set", "3", &[]);
    }
}

#[test]
fn three_nodes_without_faults_are_valid() {
    if !can_build_sandboxes() {
        return;
    }
    let run = Run::new(&["raft", "--nodes", "3", "--nemesis", "none", "--time-limit", "3s", "--seed", "4"]);
    run.expect_verdict("valid", 0);
    assert!(run.verdict()["statistics"]["faults"].as_object().is_some_and(serde_json::Map::is_empty));
}

#[test]
fn a_run_that_shows_too_little_is_unknown() {
    if !can_build_sandboxes() {
        return;
    }
    let run = Run::new(&["raft", "--rate", "2", "--clients", "1", "--nemesis", "none", "--time-limit", "2s"]);
    run.expect_verdict("unknown", 2);
    let reason = run.verdict()["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("enough was acknowledged"), "{reason}");
}

#[test]
fn two_runs_at_the_same_time_do_not_disturb_each_other() {
    if !can_build_sandboxes() {
        return;
    }
    let arguments = ["raft", "--nodes", "3", "--time-limit", "12s", "--rate", "300"];
    std::thread::scope(|scope| {
        let runs = ["5", "6"].map(|seed| {
            let arguments = [&arguments[..], &["--seed", seed]].concat();
            scope.spawn(move || Run::new(&arguments))
        });
        for run in runs {
            run.join().unwrap().expect_verdict("valid", 0);
        }
    });
}

#[test]
fn results_that_cant_be_written_are_an_internal_error_and_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "in the way").unwrap();
    let answer = crate::rashomon::ask(&["test", "--time-limit", "1s", "--out", file.to_str().unwrap()]);
    assert_eq!(answer.code, Some(255), "{}", answer.stdout);
    assert_eq!(answer.stderr.lines().count(), 1, "{}", answer.stderr);
    assert!(answer.stderr.contains("results folder"), "{}", answer.stderr);
    assert_eq!(fs::read_to_string(&file).unwrap(), "in the way");
}

/// Mounted while it lives.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None`, with the reason printed, where we may not mount.
    fn mount(megabytes: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={megabytes}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path()).output();
        if mounted.as_ref().is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        println!("skipped: a small disk can't be mounted here: {mounted:?}");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_is_an_internal_error_that_says_so() {
    if !can_build_sandboxes() {
        return;
    }
    // Full at the start of the servers, and full while the history grows.
    for (megabytes, arguments) in
        [(2, &["--nodes", "3"][..]), (60, &["--nodes", "1", "--rate", "0", "--time-limit", "60s"])]
    {
        let Some(disk) = SmallDisk::mount(megabytes) else { return };
        let mut command = rashomon(&["test", "raft", "--nemesis", "none", "--clients", "20"]);
        let answer: Answer = command.args(arguments).arg("--out").arg(disk.0.path()).output().unwrap().into();
        assert_eq!(answer.code, Some(255), "{megabytes} MB: {}{}", answer.stdout, answer.stderr);
        assert!(answer.stderr.contains("No space left"), "{megabytes} MB: {}", answer.stderr);
    }
}

#[test]
fn a_taken_port_is_one_clear_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let data = tempfile::tempdir().unwrap();
    let answer = crate::rashomon::ask(&[
        "node",
        "raft",
        "--id",
        "1",
        "--peer",
        &format!("1={address}"),
        "--client",
        "1=127.0.0.1:0",
        "--data",
        data.path().join("n1").to_str().unwrap(),
    ]);
    assert_eq!(answer.code, Some(255), "{}", answer.stderr);
    assert!(answer.stderr.contains(&address.to_string()), "{}", answer.stderr);
    assert!(answer.stderr.contains("in use"), "{}", answer.stderr);
    assert!(!data.path().join("n1").exists(), "nothing is left behind");
}
