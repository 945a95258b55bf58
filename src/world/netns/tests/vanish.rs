//! Whatever dies, at whatever moment: nothing is left.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::harness::{MARK, SKIPPED, Scenario, Start, inside};

/// Who is killed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Victim {
    Outer,
    Init,
    Controller,
}

/// A sandbox that runs until it is killed, and what it may not leave behind.
struct Doomed {
    start: Start,
    outer: Child,
    host: Host,
}

/// What a sandbox could leave on the host. Others may mount and unmount there meanwhile, so only what is of our kind counts.
#[derive(PartialEq, Eq, Debug)]
struct Host {
    interfaces: BTreeSet<String>,
    mounts: BTreeSet<String>,
}

impl Host {
    fn look() -> Self {
        let ours = ["rashomon", "n1", "n2", "n3", "n4", "n5"];
        let devices = fs::read_to_string("/proc/net/dev").unwrap();
        let names = devices.lines().filter_map(|line| Some(line.split_once(':')?.0.trim()));
        let interfaces = names.filter(|name| ours.contains(name)).map(str::to_owned).collect();
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let of_our_kind = |line: &&str| line.contains(" /proc ") || line.contains(" - nsfs ");
        Self { interfaces, mounts: mounts.lines().filter(of_our_kind).map(str::to_owned).collect() }
    }
}

impl Doomed {
    fn spawn(prepare: impl FnOnce(&mut Start)) -> Self {
        let host = Host::look();
        let mut start = inside(Scenario::RunForEver);
        prepare(&mut start);
        let outer = start.spawn();
        Self { start, outer, host }
    }

    /// Waits until the sandbox is built and nodes run; `None` where this machine can't.
    fn await_ready(&mut self) -> Option<BufReader<ChildStderr>> {
        let mut said = BufReader::new(self.outer.stderr.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        if line.trim() == "ready" {
            return Some(said);
        }
        assert_eq!(self.outer.wait().unwrap().code(), Some(SKIPPED), "{line}");
        println!("skipped: {line}");
        None
    }

    fn outer_pid(&self) -> u32 {
        self.outer.id()
    }

    /// The number of the victim, seen from here; none where it does not live yet.
    fn find(&self, victim: Victim) -> Option<u32> {
        let init = || child_of(self.outer_pid(), "1");
        match victim {
            Victim::Outer => Some(self.outer_pid()),
            Victim::Init => init(),
            Victim::Controller => init().and_then(|init| child_of(init, "2")),
        }
    }

    /// Kills, and waits until everything of the sandbox is gone.
    fn kill(&mut self, victim: Victim) {
        let members = self.members();
        // One that is not born yet can't be killed; then it is the outer process.
        send(self.find(victim).unwrap_or(self.outer_pid()), Signal::SIGKILL);
        self.await_nothing_left(&members);
    }

    /// Everybody who is in a namespace of this sandbox now. A namespace lives as long as somebody is in it, or has it open,
    /// or a mount names it. Its number is no good afterwards: the kernel gives it to the next one.
    fn members(&self) -> BTreeSet<Process> {
        let namespaces = namespaces_of(&processes_marked(self.start.mark()));
        let is_member = |pid: &u32| !namespaces_of(&[*pid]).is_disjoint(&namespaces);
        all_processes().into_iter().filter(is_member).filter_map(Process::find).collect()
    }

    fn await_nothing_left(&mut self, members: &BTreeSet<Process>) {
        let began = Instant::now();
        loop {
            // Nobody else waits for the outer process.
            let _ = self.outer.try_wait().unwrap();
            let left = processes_marked(self.start.mark());
            let alive: Vec<&Process> = members.iter().filter(|member| member.is_alive()).collect();
            let host = Host::look();
            if left.is_empty() && alive.is_empty() && host == self.host {
                return;
            }
            let told = format!("processes {left:?}, members {alive:?}, {host:?} instead of {:?}", self.host);
            assert!(began.elapsed() < Duration::from_secs(10), "left behind: {told}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A process; a number alone may be given to another one later.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Process {
    pid: u32,
    started: u64,
}

impl Process {
    fn find(pid: u32) -> Option<Self> {
        Some(Self { pid, started: stat_field(pid, 22)?.parse().ok()? })
    }

    /// Whether it does anything yet. The dead init of a killed outer process is the host's to bury, which may take its time.
    fn is_alive(&self) -> bool {
        let is_dead = stat_field(self.pid, 3).is_none_or(|state| state == "Z" || state == "X");
        !is_dead && Self::find(self.pid) == Some(*self)
    }
}

/// A field of `/proc/PID/stat`, by its number in proc(5), from 3 on.
fn stat_field(pid: u32, number: usize) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_ascii_whitespace().nth(number - 3).map(str::to_owned)
}

fn send(pid: u32, signal: Signal) {
    // Whoever is dead already needs no signal.
    let _ = kill(Pid::from_raw(i32::try_from(pid).unwrap()), signal);
}

impl Drop for Doomed {
    /// A test that fails leaves nothing behind either.
    fn drop(&mut self) {
        let _ = self.outer.kill();
        let _ = self.outer.wait();
    }
}

fn all_processes() -> Vec<u32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn processes_marked(mark: &str) -> Vec<u32> {
    let marked = format!("{MARK}={mark}\0");
    let is_marked = |pid: &u32| {
        let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environ.windows(marked.len()).any(|part| part == marked.as_bytes())
    };
    all_processes().into_iter().filter(is_marked).collect()
}

/// The namespaces of processes, but for those that this process is in too.
fn namespaces_of(pids: &[u32]) -> BTreeSet<String> {
    let of = |pid: &str| -> BTreeSet<String> {
        let kinds = ["net", "mnt", "pid", "pid_for_children", "user", "uts", "ipc"].into_iter();
        kinds
            .filter_map(|kind| {
                Some(fs::read_link(format!("/proc/{pid}/ns/{kind}")).ok()?.to_string_lossy().into_owned())
            })
            .collect()
    };
    let own = of("self");
    pids.iter().flat_map(|pid| of(&pid.to_string())).filter(|namespace| !own.contains(namespace)).collect()
}

/// The child of `parent` that has this number inside of the sandbox: the init is 1, the controller 2. Orphans are children of
/// the init, too.
fn child_of(parent: u32, number_inside: &str) -> Option<u32> {
    let parent = parent.to_string();
    let has_number = |pid: &u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
        numbers.split_ascii_whitespace().last() == Some(number_inside)
    };
    let is_child = |pid: &u32| stat_field(*pid, 4).as_deref() == Some(&parent);
    all_processes().into_iter().filter(is_child).find(has_number)
}

fn kills_at_many_moments(victim: Victim) {
    let mut doomed = Doomed::spawn(|_| {});
    if doomed.await_ready().is_none() {
        return;
    }
    let marked = processes_marked(doomed.start.mark());
    assert!(!doomed.host.mounts.is_empty(), "a mounted /proc would be seen");
    assert!(marked.len() >= 13, "outer, init, controller, five nodes and five orphans are seen: {marked:?}");
    assert!(namespaces_of(&marked).len() >= 5, "they are in namespaces of their own");
    assert!(doomed.members().len() >= 13, "the namespaces tell who is a member, too");
    doomed.kill(victim);
    // A sandbox takes some 60 ms to be built: most of these moments are in the midst of it.
    for moment in 0..10 {
        let mut doomed = Doomed::spawn(|_| {});
        std::thread::sleep(Duration::from_millis(moment * 9));
        doomed.kill(victim);
    }
}

#[test]
fn killing_the_outer_process_leaves_nothing_behind() {
    kills_at_many_moments(Victim::Outer);
}

#[test]
fn killing_the_init_leaves_nothing_behind() {
    kills_at_many_moments(Victim::Init);
}

#[test]
fn killing_the_controller_leaves_nothing_behind() {
    kills_at_many_moments(Victim::Controller);
}

#[test]
fn a_killed_controller_is_told_with_exit_code_255() {
    let mut doomed = Doomed::spawn(|_| {});
    let Some(mut said) = doomed.await_ready() else { return };
    send(doomed.find(Victim::Controller).unwrap(), Signal::SIGKILL);
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert_eq!(line, "rashomon: the controller was killed by SIGKILL; nothing of the sandbox is left\n");
    assert_eq!(doomed.outer.wait().unwrap().code(), Some(255));
}

#[test]
fn a_signal_to_the_outer_process_lets_the_controller_end_in_order() {
    let mut doomed = Doomed::spawn(|_| {});
    let Some(mut said) = doomed.await_ready() else { return };
    let members = doomed.members();
    send(doomed.outer_pid(), Signal::SIGTERM);
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert_eq!(line, "terminated\n");
    assert_eq!(doomed.outer.wait().unwrap().code(), Some(Signal::SIGTERM as i32));
    doomed.await_nothing_left(&members);
}

#[test]
fn a_second_signal_kills_a_controller_that_takes_too_long() {
    let mut doomed = Doomed::spawn(|start| {
        start.command().env("RASHOMON_TEST_STUBBORN", "1");
    });
    let Some(mut said) = doomed.await_ready() else { return };
    send(doomed.outer_pid(), Signal::SIGTERM);
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert_eq!(line, "terminated\n");
    let members = doomed.members();
    // Signals that come together count as one, so the second has to come later.
    std::thread::sleep(Duration::from_millis(600));
    send(doomed.outer_pid(), Signal::SIGTERM);
    assert_eq!(doomed.outer.wait().unwrap().code(), Some(255));
    doomed.await_nothing_left(&members);
}
