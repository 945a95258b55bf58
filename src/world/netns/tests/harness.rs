//! Starts this test binary again, to play a scenario in a sandbox.

use std::env;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

const SCENARIO: &str = "RASHOMON_TEST_SCENARIO";
const FOLDER: &str = "RASHOMON_TEST_FOLDER";
/// Every process of a sandbox has it in its environment.
pub(super) const MARK: &str = "RASHOMON_TEST_MARK";
/// The exit code of a scenario that this machine can't play, with the reason on stderr.
pub(super) const SKIPPED: i32 = 77;

/// What is played inside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scenario {
    Network,
    Partitions,
    Processes,
    UnexpectedExit,
    Nemesis,
    ExitSeven,
    RunForEver,
}

impl Scenario {
    const ALL: [Self; 7] = [
        Self::Network,
        Self::Partitions,
        Self::Processes,
        Self::UnexpectedExit,
        Self::Nemesis,
        Self::ExitSeven,
        Self::RunForEver,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Partitions => "partitions",
            Self::Processes => "processes",
            Self::UnexpectedExit => "unexpected-exit",
            Self::Nemesis => "nemesis",
            Self::ExitSeven => "exit-seven",
            Self::RunForEver => "run-for-ever",
        }
    }
}

pub(super) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// The scenario that this process was started for.
pub(super) fn scenario_of_this_process() -> Option<Scenario> {
    let name = env::var(SCENARIO).ok()?;
    Scenario::ALL.into_iter().find(|scenario| scenario.name() == name)
}

/// The folder of nodes for this process.
pub(super) fn folder_of_this_process() -> std::path::PathBuf {
    env::var_os(FOLDER).expect("the harness gives a folder").into()
}

/// A process that will play a scenario.
pub(super) struct Start {
    command: Command,
    mark: String,
    _folder: TempDir,
}

/// Prepares to play a scenario in a sandbox of its own.
pub(super) fn inside(scenario: Scenario) -> Start {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let mark = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let folder = tempfile::tempdir().unwrap();
    let mut start = Start { command: Command::new("unset"), mark, _folder: folder };
    start.program(&env::current_exe().unwrap());
    let folder = start._folder.path().to_path_buf();
    start.folder(&folder);
    start.command.env(SCENARIO, scenario.name()).env(MARK, &start.mark);
    start
}

impl Start {
    /// Takes a copy of the test binary instead. To be called before anything else.
    pub(super) fn program(&mut self, program: &Path) -> &mut Self {
        let mut command = Command::new(program);
        command.envs(self.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.command = command;
        self
    }

    pub(super) fn folder(&mut self, folder: &Path) -> &mut Self {
        self.command.env(FOLDER, folder);
        self
    }

    pub(super) fn command(&mut self) -> &mut Command {
        &mut self.command
    }

    pub(super) fn mark(&self) -> &str {
        &self.mark
    }

    pub(super) fn spawn(&mut self) -> Child {
        self.command.spawn().unwrap()
    }

    /// What came of it; `None`, with the reason printed, where this machine can't play it.
    pub(super) fn output(&mut self) -> Option<Output> {
        let output = self.command.output().unwrap();
        if output.status.code() == Some(SKIPPED) {
            println!("skipped: {}", String::from_utf8_lossy(&output.stderr));
            return None;
        }
        Some(output)
    }

    /// Plays it to a good end. Answers whether this machine could.
    pub(super) fn succeeds(&mut self) -> bool {
        let Some(output) = self.output() else { return false };
        let said = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
        assert!(output.status.success(), "{}: {said}", output.status);
        assert!(said.contains("played to the end"), "{said}");
        true
    }
}
