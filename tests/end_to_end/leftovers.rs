//! After a run, after Ctrl-C, and after `kill -9` of the controller at any moment, nothing of it is left.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::rashomon::{ask, can_build_sandboxes, rashomon};

/// What a run could leave on the host: interfaces, mounts, rules, and processes that carry its mark.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Host {
    interfaces: BTreeSet<String>,
    named_namespaces: BTreeSet<String>,
    mounts: BTreeSet<String>,
    rules: String,
}

impl Host {
    pub(crate) fn look() -> Self {
        let names = |folder: &str| {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        };
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let rules = std::process::Command::new("iptables-save").output();
        Self {
            interfaces: names("/sys/class/net"),
            named_namespaces: names("/run/netns"),
            mounts: mounts.lines().filter(|mount| !is_of_another_test(mount)).map(str::to_owned).collect(),
            rules: rules.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default(),
        }
    }
}

/// Small disks of tests that run at the same time.
fn is_of_another_test(mount: &str) -> bool {
    let target = mount.split(' ').nth(1).unwrap_or_default();
    Path::new(target).starts_with(std::env::temp_dir())
}

/// The processes whose command line names the results folder of this test, or that run in it: some name themselves.
fn processes_of(results: &Path) -> Vec<(u32, String)> {
    let mark = results.to_str().unwrap();
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid: u32| {
        let command = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        let is_inside = fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| folder.starts_with(results));
        (is_inside || command.contains(mark)).then_some((pid, command))
    })
    .collect()
}

/// Waits until `holds`, and says whether it came to hold.
pub(crate) fn eventually(deadline: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let give_up = Instant::now() + deadline;
    while !holds() {
        if Instant::now() > give_up {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}

fn start(results: &Path, seed: u64) -> Child {
    let mut command = rashomon(&["test", "raft", "--nodes", "3", "--time-limit", "20s", "--seed", &seed.to_string()]);
    command.arg("--out").arg(results).stdout(Stdio::null()).stderr(Stdio::null());
    // A group of its own, so that a signal can reach it as Ctrl-C does.
    command.process_group(0).spawn().unwrap()
}

pub(crate) fn expect_nothing_left(results: &Path, before: &Host) {
    let gone = eventually(Duration::from_secs(5), || processes_of(results).is_empty());
    assert!(gone, "processes are left: {:?}", processes_of(results));
    assert_eq!(&Host::look(), before);
}

pub(crate) fn signal(pid: i32, signal: &str) {
    let status = std::process::Command::new("kill").args([signal, "--", &pid.to_string()]).status().unwrap();
    assert!(status.success(), "kill {signal} {pid}");
}

/// Moments from the first instant to the middle of the faults, in milliseconds.
fn moments() -> impl Iterator<Item = u64> {
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().subsec_nanos();
    println!("the moments follow from {seed}");
    let mut state = u64::from(seed) | 1;
    (0..20).map(move |number| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        // Half of them within the set-up, which is the hardest time to vanish in.
        if number % 2 == 0 { state % 600 } else { state % 6000 }
    })
}

#[test]
fn kill_9_of_the_controller_at_any_moment_leaves_nothing_but_a_readable_history() {
    if !can_build_sandboxes() {
        return;
    }
    let before = Host::look();
    for (number, moment_ms) in moments().enumerate() {
        let results = tempfile::tempdir().unwrap();
        let mut child = start(results.path(), number as u64);
        std::thread::sleep(Duration::from_millis(moment_ms));
        signal(i32::try_from(child.id()).unwrap(), "-KILL");
        child.wait().unwrap();
        expect_nothing_left(results.path(), &before);
        let history = results.path().join("latest/history.jsonl");
        if fs::metadata(&history).is_ok_and(|file| file.len() > 0) {
            let answer = ask(&["check", history.to_str().unwrap()]);
            let only_begun = answer.stderr.contains("the history is empty");
            assert!(answer.code == Some(0) || only_begun, "after {moment_ms} ms: {}{}", answer.stdout, answer.stderr);
        }
    }
}

#[test]
fn ctrl_c_ends_the_run_in_order_and_leaves_nothing() {
    if !can_build_sandboxes() {
        return;
    }
    let before = Host::look();
    let results = tempfile::tempdir().unwrap();
    let mut child = start(results.path(), 77);
    let history = results.path().join("latest/history.jsonl");
    let is_driving = || fs::metadata(&history).is_ok_and(|file| file.len() > 20_000);
    assert!(eventually(Duration::from_secs(20), is_driving), "clients ask");
    signal(-i32::try_from(child.id()).unwrap(), "-INT");
    let ended = eventually(Duration::from_secs(30), || child.try_wait().unwrap().is_some());
    assert!(ended, "the run did not end");
    assert_eq!(child.wait().unwrap().code(), Some(2), "an interrupted run is unknown");
    let verdict = crate::rashomon::read_json(&results.path().join("latest/verdict.json"));
    assert!(verdict["reason"].as_str().unwrap().contains("interrupted"), "{}", verdict["reason"]);
    expect_nothing_left(results.path(), &before);
}
