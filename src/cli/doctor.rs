//! `rashomon doctor`: what this machine can and can't do, and the one command that mends it. It does not look for files, it
//! tries: a throw-away sandbox with two nodes, a real partition, a real kill.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::sys::statvfs::statvfs;
use nix::unistd::geteuid;
use rashomon_external::description::Install;
use rashomon_external::{Description, Installer};
use rashomon_nemesis::{Direction, Grudge, Hands, HandsError, Node};

use super::Failure;
use crate::world::netns::{Entered, Inside, NodeCommand, Sandbox, SandboxError, enter};

/// The exit code where something is missing.
const MISSING: u8 = 255;

/// Prints what can be done here. Exit code 0 where a run is possible, 255 where something is missing.
///
/// Must be called while this process has one thread, and returns in two processes, see [`enter`].
pub(crate) fn command() -> Result<ExitCode, Failure> {
    let here = [user(), machine(), disk(&results_folder())];
    for finding in here.into_iter().chain(real_systems()) {
        println!("{finding}");
    }
    let folder = std::env::temp_dir().join(format!("rashomon-doctor-{}", std::process::id()));
    match enter() {
        Ok(Entered::Inside(inside)) => {
            let findings = try_sandbox(&inside, &folder);
            let is_fine = findings.iter().all(|finding| finding.state != State::Missing);
            findings.iter().for_each(|finding| println!("{finding}"));
            Ok(ExitCode::from(if is_fine { 0 } else { MISSING }))
        }
        Ok(Entered::Finished(code)) => {
            // What is not there need not be removed.
            let _ = fs::remove_dir_all(&folder);
            let sum = if code == 0 { "`rashomon test` works here." } else { "`rashomon test` does not work here yet." };
            println!("\n{sum}");
            Ok(ExitCode::from(code))
        }
        Err(error) => {
            println!("{}", Finding::missing("sandbox", &error));
            println!("\n`rashomon test` does not work here yet.");
            Ok(ExitCode::from(MISSING))
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Ok,
    /// It works, but one should know.
    Note,
    /// No run is possible without it.
    Missing,
}

/// One thing that was tried.
#[derive(PartialEq, Eq, Debug)]
struct Finding {
    state: State,
    what: &'static str,
    seen: String,
    mend: Option<&'static str>,
}

impl Finding {
    fn ok(what: &'static str, seen: impl Into<String>) -> Self {
        Self { state: State::Ok, what, seen: seen.into(), mend: None }
    }

    fn note(what: &'static str, seen: impl Into<String>) -> Self {
        Self { state: State::Note, ..Self::ok(what, seen) }
    }

    fn missing(what: &'static str, error: &SandboxError) -> Self {
        Self { state: State::Missing, mend: error.mend(), ..Self::ok(what, error.to_string()) }
    }

    fn of_hands(what: &'static str, done: Result<String, HandsError>) -> Self {
        match done {
            Ok(seen) => Self::ok(what, seen),
            Err(error) => Self { state: State::Missing, ..Self::ok(what, error.to_string()) },
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Ok => "ok",
            State::Note => "note",
            State::Missing => "missing",
        };
        write!(f, "{state:<8} {:<10} {}", self.what, self.seen)?;
        // Some errors name the command themselves.
        match self.mend {
            Some(mend) if !self.seen.contains(mend) => write!(f, "\n{:19} mend it with: {mend}", ""),
            Some(_) | None => Ok(()),
        }
    }
}

fn user() -> Finding {
    let user = geteuid();
    if user.is_root() {
        Finding::ok("user", "root")
    } else {
        Finding::ok("user", format!("an ordinary user ({user}); the sandbox is in a user namespace"))
    }
}

fn machine() -> Finding {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let megabytes = |field: &str| kilobytes_of(&memory, field).map_or_else(|| "?".into(), |kb| (kb / 1024).to_string());
    let seen =
        format!("{cores} cores, {} of {} MiB memory available", megabytes("MemAvailable"), megabytes("MemTotal"));
    if cores < 2 {
        Finding::note("machine", format!("{seen}; elections may be slow"))
    } else {
        Finding::ok("machine", seen)
    }
}

fn kilobytes_of(meminfo: &str, field: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// What real systems can be tested, those with the same programs together.
fn real_systems() -> Vec<Finding> {
    let mut by_install: Vec<(&Install, Vec<&str>)> = Vec::new();
    for Description { name, install, .. } in Description::built_in() {
        match by_install.iter_mut().find(|(known, _)| *known == install) {
            Some((_, names)) => names.push(name),
            None => by_install.push((install, vec![name])),
        }
    }
    let installer = Installer::new();
    let finding = |(install, names): (&Install, Vec<&str>)| {
        let names = names.join(", ");
        let found = installer.as_ref().map_err(ToString::to_string);
        let found = found.and_then(|installer| installer.find(install, &BTreeMap::new()).map_err(|e| e.to_string()));
        match found {
            Ok(programs) => Finding::ok("servers", format!("{names}: {programs}")),
            Err(error) => {
                let mend = Some("rashomon install");
                Finding { mend, ..Finding::note("servers", format!("{names} can't be tested: {error}")) }
            }
        }
    };
    by_install.into_iter().map(finding).collect()
}

/// Where runs land by default, or would.
fn results_folder() -> PathBuf {
    let results = PathBuf::from("results");
    if results.is_dir() { results } else { PathBuf::from(".") }
}

const SYNCS: usize = 20;
const ROOM_MIB: u64 = 1024;

/// How long the disk of the results takes to make a page durable, and how much room it has.
fn disk(folder: &Path) -> Finding {
    let name = folder.canonicalize().unwrap_or_else(|_| folder.into()).display().to_string();
    let (median, slowest) = match sync_times(folder) {
        Ok(times) => (times[times.len() / 2], times[times.len() - 1]),
        Err(error) => {
            let seen = format!("{name} can't be written ({error}); give `rashomon test` another folder with --out");
            return Finding::note("disk", seen);
        }
    };
    let free_mib = statvfs(folder).map_or(0, |stat| stat.blocks_available() * stat.fragment_size() / (1024 * 1024));
    let seen = format!("{name}: fsync {median:.1?}, at most {slowest:.1?}; {free_mib} MiB free");
    if free_mib < ROOM_MIB {
        Finding::note("disk", format!("{seen}; a long run may need more"))
    } else if median < Duration::from_micros(20) {
        Finding::note("disk", format!("{seen}; so fast is no real disk: nothing there survives a crash of the machine"))
    } else {
        Finding::ok("disk", seen)
    }
}

/// Sorted.
fn sync_times(folder: &Path) -> io::Result<Vec<Duration>> {
    let path = folder.join(format!(".rashomon-doctor-{}", std::process::id()));
    let measure = || {
        let mut file = File::create_new(&path)?;
        let mut times = Vec::with_capacity(SYNCS);
        for _ in 0..SYNCS {
            file.write_all(&[0; 4096])?;
            let began = Instant::now();
            file.sync_data()?;
            times.push(began.elapsed());
        }
        times.sort_unstable();
        Ok(times)
    };
    let times = measure();
    // Where it could not be made there is nothing to remove.
    let _ = fs::remove_file(&path);
    times
}

/// Builds a sandbox with two nodes, and does to them all that a nemesis does.
fn try_sandbox(inside: &Inside, folder: &Path) -> Vec<Finding> {
    let began = Instant::now();
    let built = match Sandbox::build(inside, 2, folder) {
        Ok((sandbox, _)) => sandbox,
        Err(error) => return vec![Finding::missing("sandbox", &error)],
    };
    let how = if inside.in_user_namespace { " in a user namespace" } else { "" };
    let seen = format!("two nodes on a bridge{how}, built in {:.0?}", began.elapsed());
    let mut findings = vec![Finding::ok("sandbox", seen)];
    findings.push(match built.tcp_rto_max_ms() {
        Some(limit) => Finding::ok("tcp", format!("tries again at least every {limit} ms after a partition")),
        None => {
            Finding::note("tcp", "this kernel has no tcp_rto_max_ms: connections may come back seconds after a heal")
        }
    });
    findings.push(Finding::of_hands("partition", try_partition(&built)));
    findings.push(match launch(&built) {
        Ok(()) => Finding::ok("nodes", "processes run in their namespaces"),
        Err(error) => Finding::missing("nodes", &error),
    });
    let first = BTreeSet::from([Node(1)]);
    findings.push(Finding::of_hands("pause", both(built.pause(&first), || built.resume(&first))));
    findings.push(Finding::of_hands("kill", both(built.kill(&first), || built.start(&first))));
    findings
}

fn try_partition(sandbox: &Sandbox) -> Result<String, HandsError> {
    let grudge = Grudge::around(&BTreeSet::from([Node(1)]), 2, Direction::Both);
    both(sandbox.cut(&grudge), || sandbox.cut(&Grudge::default()))
}

fn launch(sandbox: &Sandbox) -> Result<(), SandboxError> {
    let sleep = NodeCommand { program: "sleep".into(), args: vec!["60".into()], ..NodeCommand::default() };
    sandbox.nodes().try_for_each(|node| sandbox.launch(node, sleep.clone()))
}

fn both(
    first: Result<String, HandsError>,
    second: impl FnOnce() -> Result<String, HandsError>,
) -> Result<String, HandsError> {
    Ok(format!("{}; {}", first?, second()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_names_the_command_that_mends_it_once() {
        let found =
            Finding { state: State::Missing, what: "sandbox", seen: "no bridge".into(), mend: Some("modprobe it") };
        assert_eq!(found.to_string(), "missing  sandbox    no bridge\n                    mend it with: modprobe it");
        let told = Finding { seen: "no bridge; modprobe it".into(), ..found };
        assert_eq!(told.to_string(), "missing  sandbox    no bridge; modprobe it");
    }

    #[test]
    fn memory_is_read() {
        let meminfo = "MemTotal:       24600000 kB\nMemAvailable:   20000000 kB\n";
        assert_eq!(kilobytes_of(meminfo, "MemAvailable"), Some(20_000_000));
        assert_eq!(kilobytes_of(meminfo, "MemUnknown"), None);
    }

    #[test]
    fn the_disk_is_measured_and_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let times = sync_times(folder.path()).unwrap();
        assert_eq!(times.len(), SYNCS);
        assert!(times.is_sorted() && times[0] > Duration::ZERO);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let nowhere = disk(&folder.path().join("nowhere"));
        assert_eq!(nowhere.state, State::Note);
        assert!(nowhere.seen.contains("--out"), "{nowhere}");
    }
}
