//! Runs the binary and looks at what it leaves.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// The binary under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_rashomon");

/// A command of the binary.
pub(crate) fn rashomon(arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(arguments);
    command
}

/// What the binary answered.
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Runs the binary to its end.
pub(crate) fn ask(arguments: &[&str]) -> Answer {
    rashomon(arguments).output().expect("the binary starts").into()
}

/// Whether this machine lets us build sandboxes; says why not.
pub(crate) fn can_build_sandboxes() -> bool {
    let answer = ask(&["doctor"]);
    if answer.code != Some(0) {
        println!("skipped: this machine can't build sandboxes:\n{}", answer.stdout);
    }
    answer.code == Some(0)
}

/// One `rashomon test`, and the folder that it left.
pub(crate) struct Run {
    pub(crate) answer: Answer,
    results: TempDir,
}

impl Run {
    /// Runs `rashomon test` with these arguments and a results folder of its own.
    pub(crate) fn new(arguments: &[&str]) -> Self {
        let results = tempfile::tempdir().expect("room on the disk");
        let mut command = rashomon(&["test"]);
        command.args(arguments).arg("--out").arg(results.path());
        let answer = command.output().expect("the binary starts").into();
        Self { answer, results }
    }

    /// The folder of the run.
    pub(crate) fn folder(&self) -> PathBuf {
        self.results.path().join("latest").canonicalize().unwrap_or_else(|error| {
            panic!("the run left no folder ({error}):\n{}\n{}", self.answer.stdout, self.answer.stderr)
        })
    }

    /// `verdict.json`.
    pub(crate) fn verdict(&self) -> Value {
        read_json(&self.folder().join("verdict.json"))
    }

    /// Fails with all that is known if the verdict is another one.
    pub(crate) fn expect_verdict(&self, verdict: &str, code: i32) {
        let all = || format!("{}\n{}", self.answer.stdout, self.answer.stderr);
        assert_eq!(self.answer.code, Some(code), "{}", all());
        assert_eq!(self.verdict()["verdict"], verdict, "{}", all());
    }
}

/// Reads a file of a run.
pub(crate) fn read_json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
