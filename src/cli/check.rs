//! `rashomon check`: recorded histories on their own.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::{Args, ValueEnum};
use rashomon_checker::{Algorithm as Method, Options};
use rashomon_history::{Call, History, Operation, Value, read_history};
use rashomon_report::{Anomaly, Verdict};
use rashomon_workloads::{Checked, Model as WorkloadModel};
use serde::Serialize;

use crate::cli::duration::parse_duration;
use crate::cli::{Failure, exit};
use crate::plan::Plan;
use crate::verdict::{anomaly, checker_report};

const EXAMPLES: &str = "\
Examples:
  rashomon check results/latest/history.jsonl           the model follows from the plan.json beside it
  rashomon check --model register --init 0 history.jsonl
  rashomon check --json *.jsonl                          one JSON object a file

The format of a history is described in docs/HISTORY.md.";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CheckArgs {
    /// Histories of JSON lines
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// What the history is held against; when left out it follows from the plan beside the file, or from the calls
    #[arg(long)]
    model: Option<Model>,
    /// What a register holds at first, as JSON
    #[arg(long, default_value = "null", value_parser = parse_value)]
    init: Value,
    /// How to check
    #[arg(long, default_value = "auto")]
    algorithm: Algorithm,
    /// Wall time for a file; the answer is `unknown` when it is spent
    #[arg(long, default_value = "60s", value_parser = parse_duration)]
    time_budget: Duration,
    /// Memory for a file, such as 512MiB; the answer is `unknown` when it is spent
    #[arg(long, default_value = "4GiB", value_parser = parse_bytes)]
    memory_budget: usize,
    /// Threads that check keys at the same time
    #[arg(long, default_value_t = available_threads(), value_parser = parse_threads)]
    threads: usize,
    /// Print one JSON object a file
    #[arg(long)]
    json: bool,
    /// Whether a verdict of `unknown` exits with 2 instead of 0
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    fail_on_unknown: bool,
}

/// The models by their names on the command line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Model {
    /// Registers by key: read, write, compare-and-set
    Register,
    /// Lists by key: append, read the whole list
    ListAppend,
    /// Sets by key: add, read the whole set
    Set,
}

/// How to check.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Algorithm {
    /// A fast path where its precondition holds, else the search
    Auto,
    /// The search alone
    Search,
    /// A fast path or nothing
    Fast,
}

impl Model {
    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::Register => "registers by key: read, write, cas, delete",
            Self::ListAppend => "lists by key: append, read of the whole list",
            Self::Set => "sets by key: add, read of the whole set",
        }
    }

    fn with_initial(self, initial: Value) -> WorkloadModel {
        match self {
            Self::Register => WorkloadModel::Register { initial },
            Self::ListAppend => WorkloadModel::ListAppend,
            Self::Set => WorkloadModel::Set,
        }
    }

    /// The model of the plan beside the history, or the one that the calls fit.
    fn guess(file: &Path, operations: &[Operation]) -> Self {
        let plan = file.parent().and_then(|folder| std::fs::read_to_string(folder.join("plan.json")).ok());
        let plan: Option<Plan> = plan.and_then(|text| serde_json::from_str(&text).ok());
        match plan {
            Some(plan) => plan.workload.model().into(),
            None if operations.iter().any(|operation| matches!(operation.call, Call::Append { .. })) => {
                Self::ListAppend
            }
            None if operations.iter().any(|operation| matches!(operation.call, Call::Add { .. })) => Self::Set,
            None => Self::Register,
        }
    }
}

impl From<WorkloadModel> for Model {
    fn from(model: WorkloadModel) -> Self {
        match model {
            WorkloadModel::Register { .. } => Self::Register,
            WorkloadModel::ListAppend => Self::ListAppend,
            WorkloadModel::Set => Self::Set,
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.with_initial(Value::Nil).name())
    }
}

/// Checks every file; the worst verdict gives the exit code.
pub(crate) fn run(args: &CheckArgs) -> Result<ExitCode, Failure> {
    let mut worst = Verdict::Valid;
    for file in &args.files {
        let history = read_history(file).map_err(|error| Failure::Input(error.into()))?;
        let answer = args.check(file, &history)?;
        if args.json {
            let line = serde_json::to_string(&answer).context("writing JSON").map_err(Failure::Internal)?;
            println!("{line}");
        } else {
            print!("{answer}");
        }
        worst = worst.worse(answer.verdict);
    }
    Ok(exit::of_verdict(worst, args.fail_on_unknown))
}

impl CheckArgs {
    fn check(&self, file: &Path, history: &History) -> Result<Answer, Failure> {
        let operations = history.operations();
        let model = self.model.unwrap_or_else(|| Model::guess(file, operations));
        let algorithm = match self.algorithm {
            Algorithm::Auto => Method::Auto,
            Algorithm::Search => Method::Search,
            Algorithm::Fast => Method::Fast,
        };
        let options = Options {
            time_budget: Some(self.time_budget),
            memory_budget_bytes: Some(self.memory_budget),
            algorithm,
            threads: self.threads,
        };
        let check = model
            .with_initial(self.init.clone())
            .check(operations, &options)
            .map_err(|error| Failure::Input(anyhow!("{}: {error}; choose another --model", file.display())))?;
        Ok(Answer::new(file, history, operations, &check))
    }
}

/// One object of `check --json`.
#[derive(Serialize)]
struct Answer {
    file: String,
    verdict: Verdict,
    model: &'static str,
    operations: u64,
    algorithm: String,
    check_seconds: f64,
    peak_memory_bytes: Option<u64>,
    reason: String,
    anomalies: Vec<Anomaly>,
    witness: Vec<rashomon_report::OperationRecord>,
    /// Bytes of a torn last line, left out.
    torn_bytes: usize,
}

impl Answer {
    fn new(file: &Path, history: &History, operations: &[Operation], check: &Checked) -> Self {
        let checker = checker_report(check);
        let anomalies: Vec<Anomaly> = anomaly(check, operations).into_iter().collect();
        Self {
            file: file.display().to_string(),
            verdict: checker.verdict,
            model: check.model,
            operations: operations.len() as u64,
            algorithm: checker.algorithm,
            check_seconds: checker.seconds,
            peak_memory_bytes: checker.peak_memory_bytes,
            reason: checker.reason,
            witness: anomalies.first().map(|anomaly| anomaly.operations.clone()).unwrap_or_default(),
            anomalies,
            torn_bytes: history.torn_bytes(),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {} ({} operations, {}, {}, {:.3} s)",
            self.file, self.verdict, self.operations, self.model, self.algorithm, self.check_seconds
        )?;
        if self.torn_bytes > 0 {
            writeln!(f, "  the last line is torn: its {} bytes were left out", self.torn_bytes)?;
        }
        if !self.reason.is_empty() {
            writeln!(f, "  {}", self.reason)?;
        }
        for operation in &self.witness {
            let completed = operation.completed_ns.map_or_else(|| "never".to_owned(), |time| time.to_string());
            let node = operation.node.as_deref().unwrap_or("?");
            writeln!(
                f,
                "    {} .. {completed}  process {} at {node}: {}",
                operation.invoked_ns, operation.process, operation.text
            )?;
        }
        Ok(())
    }
}

fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn parse_threads(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|threads| (1..=1024).contains(threads))
        .ok_or_else(|| "write a number from 1 to 1024".into())
}

fn parse_value(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("{text:?} is no value ({error}): write null, 7 or \"text\""))
}

fn parse_bytes(text: &str) -> Result<usize, String> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: usize = match unit.trim() {
        "" | "B" => 1,
        "KiB" | "K" => 1 << 10,
        "MiB" | "M" => 1 << 20,
        "GiB" | "G" => 1 << 30,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return Err(format!("{text:?} is no size: write 512MiB or 4GiB")),
    };
    let number: usize = number.parse().map_err(|_| format!("{text:?} is no size: write 512MiB or 4GiB"))?;
    number.checked_mul(factor).ok_or_else(|| format!("{text:?} is more than this machine can count"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        assert_eq!(parse_bytes("512MiB"), Ok(512 << 20));
        assert_eq!(parse_bytes("4GiB"), Ok(4 << 30));
        assert_eq!(parse_bytes("1000"), Ok(1000));
        for nonsense in ["", "GiB", "4 apples", "-1", "99999999999999999999", "99999999999GiB"] {
            assert!(parse_bytes(nonsense).is_err(), "{nonsense}");
        }
    }
}
