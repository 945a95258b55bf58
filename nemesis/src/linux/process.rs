//! Signals, and a look into `/proc` whether they did what they should.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// A process and all that it started, which share a process group.
///
/// The number may be given to others when the whole group is gone *and its leader was waited for*: whoever uses it must see
/// to that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProcessGroup(Pid);

/// Why a signal did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum SignalError {
    /// The kernel refused.
    #[error("can't send {signal} to process group {group}: {errno}")]
    Send {
        /// Which signal.
        signal: Signal,
        /// To whom.
        group: Pid,
        /// What the kernel said.
        errno: Errno,
    },
    /// Nobody was left to notice.
    #[error("process group {group} is dead")]
    Dead {
        /// Who was.
        group: Pid,
    },
    /// It was sent, but nothing came of it.
    #[error("process group {group} is not {expected} {deadline_ms} ms after {signal}: thread states {states}")]
    NoEffect {
        /// Which signal.
        signal: Signal,
        /// To whom.
        group: Pid,
        /// What should be.
        expected: &'static str,
        /// How long was waited.
        deadline_ms: u128,
        /// The states that were seen instead, as in `/proc/PID/stat`: `R`, `S`, `D`, `T`, ...
        states: String,
    },
}

const DEADLINE: Duration = Duration::from_secs(3);

impl ProcessGroup {
    /// The group whose leader has this number.
    #[must_use]
    pub fn led_by(leader: u32) -> Self {
        Self(Pid::from_raw(i32::try_from(leader).unwrap_or(i32::MAX)))
    }

    /// Sends SIGKILL.
    ///
    /// # Errors
    /// [`SignalError::Send`]; a group that is gone already is no error.
    pub fn kill(self) -> Result<(), SignalError> {
        match self.send(Signal::SIGKILL) {
            Err(SignalError::Send { errno: Errno::ESRCH, .. }) => Ok(()),
            sent => sent,
        }
    }

    /// Waits until no process of the group is left but ones that are dead and not waited for.
    ///
    /// # Errors
    /// [`SignalError::NoEffect`] after three seconds.
    pub fn await_dead(self) -> Result<(), SignalError> {
        self.await_states(Signal::SIGKILL, "dead", is_dead)
    }

    /// Sends SIGSTOP, and waits until every thread stands still.
    ///
    /// # Errors
    /// [`SignalError`], within three seconds; also where the whole group is dead.
    pub fn stop(self) -> Result<(), SignalError> {
        self.send(Signal::SIGSTOP)?;
        self.await_states(Signal::SIGSTOP, "stopped", |state| matches!(state, 'T' | 't') || is_dead(state))
    }

    /// Sends SIGCONT, and waits until no thread stands still.
    ///
    /// # Errors
    /// [`SignalError`], within three seconds; also where the whole group is dead.
    pub fn go_on(self) -> Result<(), SignalError> {
        self.send(Signal::SIGCONT)?;
        self.await_states(Signal::SIGCONT, "running", |state| !matches!(state, 'T' | 't'))
    }

    fn send(self, signal: Signal) -> Result<(), SignalError> {
        killpg(self.0, signal).map_err(|errno| SignalError::Send { signal, group: self.0, errno })
    }

    fn await_states(
        self,
        signal: Signal,
        expected: &'static str,
        is_expected: impl Fn(char) -> bool,
    ) -> Result<(), SignalError> {
        let began = Instant::now();
        loop {
            let states = self.thread_states();
            if signal != Signal::SIGKILL && states.keys().all(|state| is_dead(*state)) {
                return Err(SignalError::Dead { group: self.0 });
            }
            if states.keys().all(|state| is_expected(*state)) {
                return Ok(());
            }
            if began.elapsed() > DEADLINE {
                let states = states.iter().map(|(state, count)| format!("{count} {state}")).collect::<Vec<_>>();
                return Err(SignalError::NoEffect {
                    signal,
                    group: self.0,
                    expected,
                    deadline_ms: DEADLINE.as_millis(),
                    states: states.join(", "),
                });
            }
            sleep(Duration::from_millis(1));
        }
    }

    /// How many threads of the group are in which state.
    #[must_use]
    pub fn thread_states(self) -> BTreeMap<char, usize> {
        let mut states = BTreeMap::new();
        for process in numbered(Path::new("/proc")) {
            // A process or thread that ends while we look is no thread any more.
            let Some((_, group)) = read_stat(&process.join("stat")) else { continue };
            if group != self.0.as_raw() {
                continue;
            }
            for thread in numbered(&process.join("task")) {
                if let Some((state, _)) = read_stat(&thread.join("stat")) {
                    *states.entry(state).or_default() += 1;
                }
            }
        }
        states
    }
}

/// A zombie, or on its way there.
fn is_dead(state: char) -> bool {
    matches!(state, 'Z' | 'X')
}

fn numbered(folder: &Path) -> impl Iterator<Item = std::path::PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()))
        .map(|entry| entry.path())
}

/// State and process group from a `stat` file. The name before them is in parentheses and may hold anything.
fn read_stat(path: &Path) -> Option<(char, i32)> {
    parse_stat(&fs::read_to_string(path).ok()?)
}

fn parse_stat(stat: &str) -> Option<(char, i32)> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let group = fields.nth(1)?.parse().ok()?;
    Some((state, group))
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_confuse() {
        assert_eq!(parse_stat("42 (odd) S 1) T 7 4711 42 0 -1"), Some(('T', 4711)));
    }

    #[test]
    fn a_group_is_stopped_goes_on_and_dies_with_its_children() {
        // The shell starts a child of its own: the signals must reach both.
        let mut shell = Command::new("sh")
            .args(["-c", "sleep 60 & echo started; wait"])
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(shell.stdout.take().unwrap()), &mut line).unwrap();
        let group = ProcessGroup::led_by(shell.id());

        group.stop().unwrap();
        assert_eq!(group.thread_states(), BTreeMap::from([('T', 2)]));
        group.go_on().unwrap();
        assert!(!group.thread_states().contains_key(&'T'));
        group.stop().unwrap();
        group.kill().unwrap();
        group.await_dead().unwrap();
        shell.wait().unwrap();
        assert!(group.stop().is_err(), "a dead group can't be stopped");
        assert!(group.kill().is_ok(), "a dead group may be killed again");
    }
}
