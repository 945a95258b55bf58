//! Real systems: what becomes of runs that can't be, and runs of servers as they are installed.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::leftovers::{Host, eventually, expect_nothing_left, signal};
use crate::rashomon::{Answer, Run, ask, can_build_sandboxes, rashomon, read_json};

/// Whether this real system can be tested here; says why not.
fn can_have(system: &str) -> bool {
    if !can_build_sandboxes() {
        return false;
    }
    let answer = ask(&["install", system]);
    if answer.code != Some(0) {
        println!("skipped: {system} can't be had here:\n{}", answer.stderr);
    }
    answer.code == Some(0)
}

/// A description of a system that speaks as Redis does, with this at its end.
fn described(folder: &Path, install: &str, rest: &str) -> PathBuf {
    let text = format!(
        "name = \"probe\"\nabout = \"of a test\"\nprotocol = \"redis\"\nworkloads = [\"register\"]\nnodes = 1\nport = 6379\n\
         ready_s = 3\n[install]\n{install}\n\
         [settings]\nappendfsync = {{ usual = \"always\", values = [\"always\", \"no\"], about = \"of a test\" }}\n{rest}\n"
    );
    let path = folder.join("probe.toml");
    fs::write(&path, text).unwrap();
    path
}

fn test(folder: &Path, system: &str, more: &[&str]) -> Answer {
    let mut command = rashomon(&["test", system, "--time-limit", "2s", "--nemesis", "none"]);
    command.args(more).arg("--out").arg(folder.join("results")).output().expect("the binary starts").into()
}

fn expect(answer: &Answer, code: i32, words: &[&str]) {
    assert_eq!(answer.code, Some(code), "{}{}", answer.stdout, answer.stderr);
    for word in words {
        assert!(answer.stderr.contains(word), "should say {word:?}: {}", answer.stderr);
    }
}

const SHELL: &str = "debian = [\"rashomon-probe\"]\nbinaries = [\"sh\"]";

#[test]
fn what_is_asked_of_a_real_system_must_make_sense() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |more: &[&str], words: &[&str]| {
        let mut command = rashomon(&["test", "redis"]);
        command.args(more).arg("--out").arg(folder.path().join("results"));
        expect(&command.output().unwrap().into(), 254, words);
    };
    refused(&["--set", "fsync=no"], &["redis has no setting \"fsync\"", "appendfsync"]);
    refused(&["--set", "appendfsync=maybe"], &["can't be \"maybe\"", "always, everysec, no"]);
    refused(&["--set", "appendfsync"], &["NAME=VALUE"]);
    refused(&["--workload", "bank"], &["redis can't serve the workload bank", "register"]);
    refused(&["--nemesis", "partition"], &["partition means nothing to redis", "1 nodes", "kill, pause"]);
    refused(&["--bug", "RR-01"], &["--bug is for our own systems"]);
    refused(&["--world", "sim"], &["can't be simulated"]);
    refused(&["--world", "hosts"], &["--hosts"]);
    refused(&["--hosts", "here"], &["\"here\" must look like HOST:PORT"]);
    refused(&["--hosts", "a:1", "--nemesis", "kill"], &["kill needs --kill-command and --start-command"]);
    expect(&ask(&["test", "raft", "--set", "x=y"]), 254, &["raft is one of our own"]);
    expect(&ask(&["test", "raft", "--hosts", "a:1"]), 254, &["raft is one of our own"]);
    expect(&ask(&["test", "./nowhere.toml"]), 254, &["nowhere.toml", "No such file"]);
    let broken = folder.path().join("broken.toml");
    fs::write(&broken, "name = \"x\"\nabout = \n").unwrap();
    expect(&ask(&["test", broken.to_str().unwrap()]), 254, &["broken.toml does not describe a system", "line 2"]);
    assert!(!folder.path().join("results").exists(), "nothing was written");
}

#[test]
fn servers_that_are_missing_or_of_another_version_are_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let process = "[[process]]\ncommand = [\"sh\"]";
    let missing =
        described(folder.path(), "debian = [\"rashomon-probe\"]\nbinaries = [\"rashomon-no-such-server\"]", process);
    let name = missing.to_str().unwrap();
    let get_it = format!("rashomon install {name}");
    expect(&test(folder.path(), name, &[]), 255, &["`rashomon-no-such-server` is not installed", &get_it]);

    let version = "version = { command = [\"sh\", \"-c\", \"echo probe 1.9\"], wants = \"2.\" }";
    let wrong = described(folder.path(), &format!("{SHELL}\n{version}"), process);
    let words = ["is \"probe 1.9\"", "begins with 2.", &get_it];
    expect(&test(folder.path(), wrong.to_str().unwrap(), &[]), 255, &words);
    let nowhere = test(folder.path(), name, &["--binary", "sh=/nowhere/sh"]);
    expect(&nowhere, 255, &["--binary sh=/nowhere/sh", "No such file"]);
    assert!(!folder.path().join("results").exists(), "nothing was written");
}

#[test]
fn a_server_that_dies_or_never_answers_is_told_with_the_end_of_its_log() {
    if !can_build_sandboxes() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let process = "[[process]]\ncommand = [\"sh\", \"-c\", \"echo can not read the database; exit 3\"]";
    let dies = described(folder.path(), SHELL, process);
    let answer = test(folder.path(), dies.to_str().unwrap(), &[]);
    expect(&answer, 255, &["n1 ended though nobody killed it", "exit status: 3", "| can not read the database"]);

    let process = "[[process]]\ncommand = [\"sh\", \"-c\", \"echo I only sleep; sleep 60\"]";
    let sleeps = described(folder.path(), SHELL, process);
    let answer = test(folder.path(), sleeps.to_str().unwrap(), &[]);
    expect(&answer, 255, &["not ready after 3 s", "n1 does not answer", "| I only sleep"]);
}

const REDIS: &str = "[[process]]\ncommand = [\"redis-server\", \"--port\", \"6379\", \"--protected-mode\", \"no\", \
                     \"--appendonly\", \"yes\", \"--appendfsync\", \"{{ settings.appendfsync }}\"]";

/// The packages that Redis is made of.
const INSTALL: &str = "debian = [\"redis-server\", \"redis-tools\"]\nbinaries = [\"redis-server\"]";

/// A command of a shell that runs the installed server of Redis.
fn redis_server() -> String {
    let answer = ask(&["install", "redis"]);
    match answer.stdout.trim().rsplit_once("unpacked in ") {
        Some((_, root)) => format!("LD_LIBRARY_PATH={root}/usr/lib/x86_64-linux-gnu {root}/usr/bin/redis-server"),
        None => "redis-server".into(),
    }
}

/// A program of the user's own.
fn own_program(folder: &Path) -> PathBuf {
    let path = folder.join("my-redis");
    fs::write(&path, format!("#!/bin/sh\n{} \"$@\"\n", redis_server().replace(" /", " exec /"))).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn a_taken_port_and_a_setup_that_fails_are_told_with_the_last_words() {
    if !can_have("redis") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let twice = described(folder.path(), INSTALL, &format!("{REDIS}\n{REDIS}"));
    let answer = test(folder.path(), twice.to_str().unwrap(), &[]);
    expect(
        &answer,
        255,
        &["n1 ended though nobody killed it", "Address already in use", "redis-server", "ended: exit"],
    );

    let setup = "[[setup]]\ncommand = [\"sh\", \"-c\", \"echo no quorum of {{ ip }}; exit 9\"]";
    let fails = described(folder.path(), INSTALL, &format!("{REDIS}\n{setup}"));
    let answer = test(folder.path(), fails.to_str().unwrap(), &[]);
    expect(&answer, 255, &["on n1 failed: exit status: 9", "| no quorum of 10.77.0.11"]);
}

#[test]
fn a_file_of_the_user_is_enough_for_a_run_and_its_replay() {
    if !can_have("redis") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let description = described(folder.path(), INSTALL, REDIS);
    let binary = format!("redis-server={}", own_program(folder.path()).display());
    let name = description.to_str().unwrap();
    let arguments = [name, "--binary", &binary, "--set", "appendfsync=no", "--nemesis", "pause", "--time-limit", "6s"];
    let run = Run::new(&arguments);
    run.expect_verdict("valid", 0);
    let command = run.verdict()["command"].as_str().unwrap().to_owned();
    for part in [name, &binary, "--set appendfsync=no", "--nodes 1"] {
        assert!(command.contains(part), "{command}");
    }
    let started = fs::read_to_string(run.folder().join("nodes/n1/command")).unwrap();
    assert!(started.contains("--appendfsync no"), "{started}");
    let report = fs::read_to_string(run.folder().join("report.html")).unwrap();
    for part in ["appendfsync no", "nodes/n1/node.log", "ms after the servers were started"] {
        assert!(report.contains(part), "the report tells {part}");
    }

    // The plan holds the description: the file is not needed any more.
    fs::remove_file(&description).unwrap();
    let out = folder.path().join("again");
    let again: Answer =
        rashomon(&["replay", run.folder().to_str().unwrap()]).arg("--out").arg(&out).output().unwrap().into();
    assert_eq!(again.code, Some(0), "{}{}", again.stdout, again.stderr);
    let plan = |folder: &Path| read_json(&folder.join("plan.json"));
    assert_eq!(plan(&out.join("latest")), plan(&run.folder()));
}

#[test]
fn locks_of_a_real_system_guard_a_store_of_ours() {
    if !can_have("redis") {
        return;
    }
    let run = Run::new(&["redis", "--workload", "lock", "--nemesis", "none", "--time-limit", "6s", "--seed", "1"]);
    run.expect_verdict("valid", 0);
    let resource = fs::read_to_string(run.folder().join("nodes/n2/command")).unwrap();
    assert!(resource.contains("node resource"), "{resource}");
    assert!(run.verdict()["command"].as_str().unwrap().contains("--nodes 1"), "the store is none of its nodes");
}

/// A Redis of the user's own, which ends with the test.
struct OwnRedis {
    port: u16,
    folder: tempfile::TempDir,
}

impl OwnRedis {
    fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let own = Self { port, folder: tempfile::tempdir().unwrap() };
        let started = Command::new("sh").args(["-c", &own.start_command()]).status().unwrap();
        assert!(started.success());
        assert!(eventually(std::time::Duration::from_secs(10), || std::net::TcpStream::connect(("127.0.0.1", port))
            .is_ok()));
        own
    }

    fn start_command(&self) -> String {
        let folder = self.folder.path().display();
        format!(
            "{} --daemonize yes --pidfile {folder}/pid --dir {folder} --port {} --appendonly yes --appendfsync always \
             --save '' > /dev/null",
            redis_server(),
            self.port
        )
    }

    fn kill_command(&self) -> String {
        format!("kill -9 $(cat {}/pid)", self.folder.path().display())
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        let _ = Command::new("sh").args(["-c", &self.kill_command()]).status();
    }
}

#[test]
fn servers_that_the_user_runs_are_broken_by_commands_of_the_user_alone() {
    let unreachable = ask(&["test", "redis", "--hosts", "127.0.0.1:1", "--nemesis", "none", "--out", "/tmp"]);
    expect(&unreachable, 255, &["n1 (127.0.0.1:1) can't be reached", "Connection refused"]);
    if !can_have("redis") {
        return;
    }
    let redis = OwnRedis::start();
    let hosts = format!("127.0.0.1:{}", redis.port);
    let (kill, start) = (redis.kill_command(), redis.start_command());
    let arguments = ["redis", "--hosts", &hosts, "--kill-command", &kill, "--start-command", &start];
    let run = Run::new(&[&arguments[..], &["--time-limit", "8s", "--seed", "1"]].concat());
    run.expect_verdict("valid", 0);
    let kills = &run.verdict()["statistics"]["faults"]["kill"];
    assert!(kills["bitten"].as_u64() >= Some(1), "{kills}");
    assert!(!run.folder().join("nodes").exists(), "nothing was started");
    // A second run finds the keys of the first, and is not confused.
    let again = Run::new(&["redis", "--hosts", &hosts, "--nemesis", "none", "--time-limit", "2s", "--seed", "1"]);
    again.expect_verdict("valid", 0);
}

fn start_sentinels(results: &Path) -> Child {
    let mut command = rashomon(&["test", "redis-sentinel", "--time-limit", "30s", "--seed", "1"]);
    command.arg("--out").arg(results).stdout(Stdio::null()).stderr(Stdio::null());
    command.process_group(0).spawn().unwrap()
}

#[test]
fn kill_9_of_the_controller_leaves_no_process_of_a_real_system() {
    if !can_have("redis-sentinel") {
        return;
    }
    let before = Host::look();
    let results = tempfile::tempdir().unwrap();
    let mut child = start_sentinels(results.path());
    let history = results.path().join("latest/history.jsonl");
    let is_driving = || fs::metadata(&history).is_ok_and(|file| file.len() > 20_000);
    assert!(eventually(std::time::Duration::from_secs(60), is_driving), "clients ask");
    signal(i32::try_from(child.id()).unwrap(), "-KILL");
    child.wait().unwrap();
    expect_nothing_left(results.path(), &before);
}
