//! One node: a process in a network namespace, its log and its data.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use rashomon_nemesis::Node;
use rashomon_nemesis::linux::{NetNamespace, ProcessGroup};
use tokio::sync::mpsc::UnboundedSender;

use super::SandboxError;

/// How to start a node.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct NodeCommand {
    /// The program; `/proc/self/exe` is this one, also when its file was replaced meanwhile.
    pub(crate) program: PathBuf,
    /// Its arguments.
    pub(crate) args: Vec<OsString>,
    /// Environment variables, beside those of this process.
    pub(crate) env: Vec<(OsString, OsString)>,
    /// The folder in which it runs; that of this process, where it is left out.
    pub(crate) folder: Option<PathBuf>,
}

impl fmt::Display for NodeCommand {
    /// One line for a shell.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(folder) = &self.folder {
            write!(f, "cd {} && ", quote(&folder.to_string_lossy()))?;
        }
        for (name, value) in &self.env {
            write!(f, "{}={} ", name.to_string_lossy(), quote(&value.to_string_lossy()))?;
        }
        // The link means something else to a shell.
        let own = (self.program == Path::new("/proc/self/exe")).then(|| fs::read_link(&self.program).ok()).flatten();
        f.write_str(&quote(&own.as_ref().unwrap_or(&self.program).to_string_lossy()))?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", quote(&arg.to_string_lossy())))
    }
}

fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// A node ended, and nobody had killed it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct UnexpectedExit {
    /// Which one.
    pub(crate) node: Node,
    /// How it ended: `exit status: 1`, `signal: 6 (SIGABRT)`.
    pub(crate) status: String,
    /// Where its whole log is.
    pub(crate) log: PathBuf,
    /// The end of its log.
    pub(crate) last_lines: Vec<String>,
}

impl fmt::Display for UnexpectedExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ended though nobody killed it ({}); the end of {}:", self.node, self.status, self.log.display())?;
        self.last_lines.iter().try_for_each(|line| write!(f, "\n  | {line}"))
    }
}

/// A node and its process, if it has one at the moment.
#[derive(Debug)]
pub(super) struct NodeProcess {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    node: Node,
    folder: PathBuf,
    life: Mutex<Life>,
    ended: Condvar,
    exits: UnboundedSender<UnexpectedExit>,
}

#[derive(Debug)]
struct Life {
    command: Option<NodeCommand>,
    starts: u32,
    state: State,
}

/// A process that was not waited for keeps its number. It is waited for only under the lock, when the state changes: so
/// whoever holds the lock and sees `Running` may send signals.
#[derive(Debug)]
enum State {
    NotStarted,
    Running { group: ProcessGroup, killed: bool },
    Ended { status: ExitStatus, group: ProcessGroup },
}

const KILL_DEADLINE: Duration = Duration::from_secs(5);
const LAST_LINES: usize = 15;

impl NodeProcess {
    pub(super) fn new(
        node: Node,
        folder: PathBuf,
        exits: UnboundedSender<UnexpectedExit>,
    ) -> Result<Self, SandboxError> {
        let data = folder.join("data");
        fs::create_dir_all(&data).map_err(SandboxError::io(format!("make {}", data.display())))?;
        let life = Mutex::new(Life { command: None, starts: 0, state: State::NotStarted });
        Ok(Self { shared: Arc::new(Shared { node, folder, life, ended: Condvar::new(), exits }) })
    }

    pub(super) fn data_folder(&self) -> PathBuf {
        self.shared.folder.join("data")
    }

    pub(super) fn log_path(&self) -> PathBuf {
        self.shared.log_path()
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.shared.lock().state, State::Running { .. })
    }

    /// Writes the command down and starts it.
    pub(super) fn launch(&self, command: NodeCommand, namespace: &NetNamespace) -> Result<(), SandboxError> {
        let file = self.shared.folder.join("command");
        fs::write(&file, format!("{command}\n")).map_err(SandboxError::io(format!("write {}", file.display())))?;
        self.shared.lock().command = Some(command);
        self.start(namespace)
    }

    pub(super) fn start(&self, namespace: &NetNamespace) -> Result<(), SandboxError> {
        let node = self.shared.node;
        let mut life = self.shared.lock();
        if matches!(life.state, State::Running { .. }) {
            return Err(SandboxError::Running { node });
        }
        let command = life.command.clone().ok_or(SandboxError::NotLaunched { node })?;
        let log = self.shared.open_log(life.starts + 1)?;
        let child =
            spawn(&command, namespace, log).map_err(SandboxError::io(format!("start {node} with `{command}`")))?;
        life.starts += 1;
        life.state = State::Running { group: ProcessGroup::led_by(child.id()), killed: false };
        self.shared.watch(child, &mut life)
    }

    /// Sends SIGKILL to the node and to all that it started.
    pub(super) fn send_kill(&self) -> Result<(), SandboxError> {
        let node = self.shared.node;
        let mut life = self.shared.lock();
        match &mut life.state {
            State::Running { group, killed } => {
                *killed = true;
                group.kill().map_err(|source| SandboxError::Signal { node, source })
            }
            State::NotStarted | State::Ended { .. } => Err(self.shared.not_running(&life)),
        }
    }

    /// Waits until the node, which was killed, and all that it started are gone.
    pub(super) fn await_dead(&self) -> Result<(), SandboxError> {
        let node = self.shared.node;
        let running = |life: &mut Life| matches!(life.state, State::Running { .. });
        let (life, waited) = self
            .shared
            .ended
            .wait_timeout_while(self.shared.lock(), KILL_DEADLINE, running)
            .unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return Err(SandboxError::NotDead { node, deadline_ms: KILL_DEADLINE.as_millis() });
        }
        match life.state {
            State::Ended { group, .. } => group.await_dead().map_err(|source| SandboxError::Signal { node, source }),
            State::NotStarted | State::Running { .. } => Ok(()),
        }
    }

    /// Stops the node; answers how many threads stand still.
    pub(super) fn pause(&self) -> Result<usize, SandboxError> {
        self.with_group(|group| {
            group.stop()?;
            Ok(group.thread_states().values().sum())
        })
    }

    /// Lets the node go on.
    pub(super) fn resume(&self) -> Result<(), SandboxError> {
        self.with_group(ProcessGroup::go_on)
    }

    fn with_group<T>(
        &self,
        act: impl FnOnce(ProcessGroup) -> Result<T, rashomon_nemesis::linux::SignalError>,
    ) -> Result<T, SandboxError> {
        let life = self.shared.lock();
        match life.state {
            State::Running { group, .. } => {
                act(group).map_err(|source| SandboxError::Signal { node: self.shared.node, source })
            }
            State::NotStarted | State::Ended { .. } => Err(self.shared.not_running(&life)),
        }
    }
}

pub(super) fn spawn(command: &NodeCommand, namespace: &NetNamespace, log: File) -> std::io::Result<Child> {
    let mut process = Command::new(&command.program);
    process
        .args(&command.args)
        .envs(command.env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        // A group of its own: the terminal's Ctrl-C is for the controller, and signals reach what the node starts.
        .process_group(0);
    if let Some(folder) = &command.folder {
        process.current_dir(folder);
    }
    namespace.enter_with(&mut process).spawn()
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log_path(&self) -> PathBuf {
        self.folder.join("node.log")
    }

    fn not_running(&self, life: &Life) -> SandboxError {
        let status = match &life.state {
            State::NotStarted | State::Running { .. } => "it was not started".into(),
            State::Ended { status, .. } => status.to_string(),
        };
        SandboxError::NotRunning { node: self.node, status, log: self.log_path() }
    }

    fn open_log(&self, start: u32) -> Result<File, SandboxError> {
        let path = self.log_path();
        let open = || {
            let mut log = OpenOptions::new().create(true).append(true).open(&path)?;
            writeln!(log, "--- start {start} of {} ---", self.node)?;
            Ok(log)
        };
        open().map_err(SandboxError::io::<std::io::Error>(format!("write {}", path.display())))
    }

    /// Waits for the process on a thread of its own, whatever the rest of the program is doing.
    fn watch(self: &Arc<Self>, child: Child, life: &mut Life) -> Result<(), SandboxError> {
        let shared = Arc::clone(self);
        let pid = child.id();
        let watching = std::thread::Builder::new()
            .name(format!("watch {}", self.node))
            .spawn(move || shared.await_end(child))
            .map(drop);
        if watching.is_err() {
            // Nobody would notice its end: it must not run.
            let _ = ProcessGroup::led_by(pid).kill();
            life.state = State::NotStarted;
        }
        watching.map_err(SandboxError::io(format!("watch {}", self.node)))
    }

    fn await_end(&self, mut child: Child) {
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX));
        let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        while waitid(Id::Pid(pid), look) == Err(nix::errno::Errno::EINTR) {}
        let mut life = self.lock();
        let status = child.wait().unwrap_or_else(|_| ExitStatus::from_raw(0));
        let State::Running { group, killed } = life.state else { return };
        life.state = State::Ended { status, group };
        drop(life);
        self.ended.notify_all();
        if !killed {
            let log = self.log_path();
            let last_lines = last_lines(&log);
            // Where nobody listens any more the run is over.
            let _ = self.exits.send(UnexpectedExit { node: self.node, status: status.to_string(), log, last_lines });
        }
    }
}

/// The end of a log, for people.
pub(crate) fn last_lines(log: &Path) -> Vec<String> {
    read_last_lines(log, LAST_LINES)
}

fn read_last_lines(path: &Path, count: usize) -> Vec<String> {
    const ENOUGH_BYTES: u64 = 16 * 1024;
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(ENOUGH_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(ENOUGH_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_a_line_for_a_shell() {
        let command = NodeCommand {
            program: "/usr/bin/redis-server".into(),
            args: ["--port", "6379", "--requirepass", "it's secret", ""].map(OsString::from).to_vec(),
            env: vec![("LANG".into(), "C".into())],
            folder: None,
        };
        assert_eq!(command.to_string(), r"LANG=C /usr/bin/redis-server --port 6379 --requirepass 'it'\''s secret' ''");
    }

    #[test]
    fn the_command_of_this_binary_can_be_repeated_by_hand() {
        let command =
            NodeCommand { program: "/proc/self/exe".into(), args: vec!["node".into()], ..NodeCommand::default() };
        let own = std::env::current_exe().unwrap();
        assert_eq!(command.to_string(), format!("{} node", quote(&own.to_string_lossy())));
    }

    #[test]
    fn the_end_of_a_long_log_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("node.log");
        let text: String = (0..5000).map(|line| format!("line {line}\n")).collect();
        fs::write(&log, text).unwrap();
        assert_eq!(read_last_lines(&log, 2), ["line 4998", "line 4999"]);
        assert!(read_last_lines(&folder.path().join("none"), 2).is_empty());
    }
}
