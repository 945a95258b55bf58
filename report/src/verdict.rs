//! `verdict.json`: what a run came to, for programs. `docs/VERDICT.md` describes every field.

use rashomon_history::{Operation, Outcome, ProcessId, TimeNs};
use serde::{Deserialize, Serialize};

use crate::cycle::Cycle;
use crate::describe;
use crate::statistics::Statistics;

/// The version of the schema of `verdict.json`. It grows when a field changes its meaning or goes away; new fields come
/// without a new version, so a reader must pass over fields that it does not know.
pub const SCHEMA_VERSION: u32 = 1;

/// What a check or a run came to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The stories of all clients can be one story.
    Valid,
    /// They can't be.
    Invalid,
    /// Nobody can say: the run did too little, or the check ran out of its budget.
    Unknown,
}

impl Verdict {
    /// The exit status of a command that came to this verdict: 0, 1 or 2.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Valid => 0,
            Self::Invalid => 1,
            Self::Unknown => 2,
        }
    }

    /// The verdict over both: invalid beats unknown, and unknown beats valid.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        match (self, other) {
            (Self::Invalid, _) | (_, Self::Invalid) => Self::Invalid,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Valid, Self::Valid) => Self::Valid,
        }
    }

    /// The word for it: `valid`, `invalid`, `unknown`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Unknown => "unknown",
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An [`Outcome`] without what came back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutcomeKind {
    /// It happened.
    Ok,
    /// It certainly did not happen.
    Fail,
    /// Nobody knows.
    Info,
}

impl OutcomeKind {
    /// The word of the history for it: `ok`, `fail`, `info`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Fail => "fail",
            Self::Info => "info",
        }
    }
}

impl From<&Outcome> for OutcomeKind {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Ok(_) => Self::Ok,
            Outcome::Fail(_) => Self::Fail,
            Outcome::Info(_) => Self::Info,
        }
    }
}

/// The whole of `verdict.json`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct VerdictFile {
    /// [`SCHEMA_VERSION`] when it was written.
    pub schema_version: u32,
    /// The version of the binary that wrote it.
    pub rashomon_version: String,
    /// What the run came to.
    pub verdict: Verdict,
    /// Why, in one paragraph for people.
    pub reason: String,
    /// What a reader must know to take the verdict rightly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Remark>,
    /// When the run began: UTC, RFC 3339. `None` where only a history was checked.
    #[serde(default)]
    pub began: Option<String>,
    /// The command that runs it again, to be pasted into a shell.
    pub command: String,
    /// What each checker said.
    pub checkers: Vec<CheckerReport>,
    /// The fewest operations found that can't be one story: those of the first anomaly. Empty where there is none.
    pub witness: Vec<OperationRecord>,
    /// What was found wrong, the clearest first.
    pub anomalies: Vec<Anomaly>,
    /// What a run must have done for its `valid` to mean something.
    pub guards: Vec<Guard>,
    /// The figures of the run.
    pub statistics: Statistics,
}

/// What a reader must know to take a verdict rightly: that a violation is a known limit of what was run, that a system had to
/// wait. It changes no verdict.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Remark {
    /// In a few words: `a known limit of three-phase commit`.
    pub title: String,
    /// In sentences.
    pub text: String,
    /// Where it is written, where it is: paper and section.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// What one checker said.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CheckerReport {
    /// The model or property: `cas-register`, `set`, ...
    pub name: String,
    /// What it came to.
    pub verdict: Verdict,
    /// How it was found out.
    pub algorithm: String,
    /// How long the check took; reading the history is left out.
    pub seconds: f64,
    /// Operations that were checked.
    pub operations: u64,
    /// The most memory that the check held at a time, where it was measured.
    pub peak_memory_bytes: Option<u64>,
    /// Why, for people. Empty where there is nothing to add to `valid`.
    pub reason: String,
}

/// One thing that is wrong with a history.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Anomaly {
    /// The name of its kind: `stale-read`, `lost-update`, `not-linearizable`, ...
    pub kind: String,
    /// The object that it is about, where it is about one.
    pub key: Option<String>,
    /// What is wrong, in sentences that need no knowledge of the checker.
    pub explanation: String,
    /// The operations that show it, in an order that can be followed.
    pub operations: Vec<OperationRecord>,
    /// The transactions and why each comes before the next, where the anomaly is a cycle of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycle: Option<Cycle>,
}

/// One operation of a history, for people and for finding it again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OperationRecord {
    /// Position of the invocation in the history.
    pub index: u64,
    /// Who asked.
    pub process: ProcessId,
    /// The node that was asked, where it is known.
    pub node: Option<String>,
    /// The call and what became of it: `read x: 12`.
    pub text: String,
    /// What became of it, in a word.
    pub outcome: OutcomeKind,
    /// When it was asked.
    pub invoked_ns: TimeNs,
    /// When the answer came; `None` where none came.
    pub completed_ns: Option<TimeNs>,
}

impl From<&Operation> for OperationRecord {
    fn from(operation: &Operation) -> Self {
        Self {
            index: operation.invoke_index,
            process: operation.process,
            node: operation.node.as_deref().map(Into::into),
            text: describe::operation(operation),
            outcome: (&operation.outcome).into(),
            invoked_ns: operation.invoked,
            completed_ns: operation.completed,
        }
    }
}

/// One thing that a run must have done for its verdict to mean something.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Guard {
    /// What is demanded, in a few words: `every fault was seen to bite`.
    pub name: String,
    /// Whether it was so.
    pub held: bool,
    /// The figures: `6 of 6 faults`.
    pub detail: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Verdict; 3] = [Verdict::Valid, Verdict::Invalid, Verdict::Unknown];

    #[test]
    fn exit_codes_are_those_of_the_agreement() {
        assert_eq!(ALL.map(Verdict::exit_code), [0, 1, 2]);
    }

    #[test]
    fn invalid_beats_unknown_and_unknown_beats_valid() {
        for verdict in ALL {
            assert_eq!(verdict.worse(verdict), verdict);
            assert_eq!(Verdict::Invalid.worse(verdict), Verdict::Invalid);
            assert_eq!(verdict.worse(Verdict::Invalid), Verdict::Invalid);
            assert_eq!(Verdict::Valid.worse(verdict), verdict);
            assert_eq!(verdict.worse(Verdict::Valid), verdict);
        }
    }

    /// What a reader of the file may rely on. When this fails, the schema changed: add fields freely (and here, and in
    /// `docs/VERDICT.md`); for anything else raise [`SCHEMA_VERSION`].
    #[test]
    fn the_schema_is_stable() {
        let (file, _) = crate::tests::stale_read();
        let text = serde_json::to_string_pretty(&file).unwrap() + "\n";
        if std::env::var_os("RASHOMON_BLESS").is_some() {
            std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verdict.json"), &text).unwrap();
        }
        let golden = include_str!("../tests/verdict.json");
        assert_eq!(text, golden, "the schema of verdict.json changed");
        assert_eq!(serde_json::from_str::<VerdictFile>(golden).unwrap(), file);
    }

    #[test]
    fn a_newer_file_is_read_passing_over_what_is_not_known() {
        let mut newer: serde_json::Value = serde_json::from_str(include_str!("../tests/verdict.json")).unwrap();
        newer["added_later"] = "whatever".into();
        newer["statistics"]["added_later"] = 7.into();
        let file: VerdictFile = serde_json::from_value(newer).unwrap();
        assert_eq!(file.verdict, Verdict::Invalid);
    }
}
