//! `rashomon check`: recorded histories on their own.

mod answer;
mod page;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use rashomon_checker::{Algorithm as Method, Options};
use rashomon_history::{self as history, History, IndependentKeys, Operation, ReadOptions, Value};
use rashomon_report::Verdict;
use rashomon_workloads::{AskedConsistency, Checked, Model, ModelError, Parameters};

use crate::cli::duration::parse_duration;
use crate::cli::{Failure, exit};
use crate::plan::Plan;
use crate::verdict::Judgement;
use answer::Answer;
use page::page;

const EXAMPLES: &str = "\
Examples:
  rashomon check results/latest/history.jsonl           the model follows from the plan.json beside it
  rashomon check --model register --init 0 history.jsonl
  rashomon check --json *.jsonl                          one JSON object a file
  rashomon check store/latest/history.edn                Jepsen's histories, and porcupine's
  zcat old.gz | rashomon check -                         from the standard input; old.gz itself can be given too

The formats of histories are described in docs/HISTORY.md.";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CheckArgs {
    /// Histories, packed by gzip or zstd or not; - for the standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// How the histories are written down; found out from their content when left out
    #[arg(long, default_value = "auto")]
    format: Format,
    /// Whether the values of Jepsen's operations are [key value]
    #[arg(long, default_value = "auto")]
    independent_keys: Keys,
    /// What the history is held against; when left out it follows from the plan beside the file, or from the calls
    #[arg(long, value_parser = model_parser(), hide_possible_values = true)]
    model: Option<Model>,
    /// What a register holds at first, as JSON
    #[arg(long, default_value = "null", value_parser = parse_value)]
    init: Value,
    /// What the system promises: linearizable, or of transactions strict-serializable, serializable, snapshot-isolation,
    /// read-committed, ...; when left out the strongest that the model knows
    #[arg(long)]
    consistency: Option<AskedConsistency>,
    /// Versions of a versioned-register may grow by more than one
    #[arg(long)]
    version_gaps: bool,
    /// How often an owner may hold a reentrant lock at a time
    #[arg(long, default_value_t = 2, value_name = "N")]
    holds: u32,
    /// The permits of a semaphore
    #[arg(long, default_value_t = 1, value_name = "N")]
    permits: u32,
    /// How long the leases of lock sessions last at least, for lease-lock
    #[arg(long, default_value = "0s", value_parser = parse_duration)]
    ttl: Duration,
    /// The total of all accounts of a bank; when left out that of the first read
    #[arg(long, value_name = "N")]
    total: Option<i64>,
    /// Accounts of a bank may be overdrawn
    #[arg(long)]
    negative_balances: bool,
    /// How old the value of a read may be for stale-read-bound
    #[arg(long, default_value = "1s", value_parser = parse_duration)]
    delta: Duration,
    /// What comes out of a queue twice breaks total-queue
    #[arg(long)]
    exactly_once: bool,
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
    /// Write the report of a single history to this file, as HTML
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Print one JSON object a file
    #[arg(long)]
    json: bool,
    /// Whether a verdict of `unknown` exits with 2 instead of 0
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    fail_on_unknown: bool,
}

/// How a history is written down: `docs/HISTORY.md`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    /// Find out
    Auto,
    /// JSON lines, an event a line, as rashomon writes them
    Jsonl,
    /// Jepsen's operations in EDN
    Edn,
    /// Jepsen's operations in JSON
    JepsenJson,
    /// JSON lines of {client, input, output, call, return}
    Operations,
    /// Porcupine's logs of etcd
    PorcupineEtcd,
    /// Porcupine's key-value histories
    PorcupineKv,
}

/// Whether the values of Jepsen's operations are `[key value]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Keys {
    /// Find out
    Auto,
    /// They are
    Yes,
    /// They are not
    No,
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

/// Checks every file; the worst verdict gives the exit code.
pub(crate) fn run(args: &CheckArgs) -> Result<ExitCode, Failure> {
    if args.report.is_some() && args.files.len() > 1 {
        return Err(Failure::Input(anyhow!("--report writes one page: give it one history, not {}", args.files.len())));
    }
    let mut worst = Verdict::Valid;
    for file in &args.files {
        let history = args.reading().read(file).map_err(|error| Failure::Input(error.into()))?;
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
        let name = file.display().to_string();
        let check = self.gravest(file, operations).map_err(|error| Failure::Input(anyhow!("{name}: {error}")))?;
        if let Some(path) = &self.report {
            std::fs::write(path, page(&name, history, operations, &check, self.ttl))
                .with_context(|| format!("writing the report {}", path.display()))
                .map_err(Failure::Input)?;
        }
        Ok(Answer::new(&name, history, &check))
    }

    /// What the model says; of the several checks of a plan beside the history, the one with the worst answer.
    fn gravest(&self, file: &Path, operations: &[Operation]) -> Result<Checked, ModelError> {
        let plan = if self.model.is_none() { plan_beside(file) } else { None };
        let Some(plan) = plan else {
            let model = self.model.unwrap_or_else(|| Model::guess(operations));
            return model.check(&self.parameters(), operations, &self.options());
        };
        let promises = Parameters { consistency: self.consistency.or(plan.promises().consistency), ..plan.promises() };
        let checks = plan.workload.check(&promises, operations, &self.options())?;
        let verdict = |check: &Checked| Judgement::of(check, operations).checker.verdict;
        let worst = checks.iter().fold(Verdict::Valid, |worst, check| worst.worse(verdict(check)));
        checks
            .into_iter()
            .find(|check| verdict(check) == worst)
            .map_or_else(|| Model::guess(operations).check(&self.parameters(), operations, &self.options()), Ok)
    }

    fn reading(&self) -> ReadOptions {
        ReadOptions {
            format: match self.format {
                Format::Auto => None,
                Format::Jsonl => Some(history::Format::Jsonl),
                Format::Edn => Some(history::Format::Edn),
                Format::JepsenJson => Some(history::Format::JepsenJson),
                Format::Operations => Some(history::Format::Operations),
                Format::PorcupineEtcd => Some(history::Format::PorcupineEtcd),
                Format::PorcupineKv => Some(history::Format::PorcupineKv),
            },
            keys: match self.independent_keys {
                Keys::Auto => IndependentKeys::Auto,
                Keys::Yes => IndependentKeys::Always,
                Keys::No => IndependentKeys::Never,
            },
        }
    }

    fn parameters(&self) -> Parameters {
        Parameters {
            initial: self.init.clone(),
            consistency: self.consistency,
            version_gaps: self.version_gaps,
            holds_max: self.holds,
            permits: self.permits,
            ttl: self.ttl,
            is_fenced: true,
            tells_copies: false,
            total: self.total,
            negative_balances_allowed: self.negative_balances,
            delta: self.delta,
            exactly_once: self.exactly_once,
        }
    }

    fn options(&self) -> Options {
        Options {
            time_budget: Some(self.time_budget),
            memory_budget_bytes: Some(self.memory_budget),
            algorithm: match self.algorithm {
                Algorithm::Auto => Method::Auto,
                Algorithm::Search => Method::Search,
                Algorithm::Fast => Method::Fast,
            },
            threads: self.threads,
        }
    }
}

/// The plan that was saved with the history.
fn plan_beside(file: &Path) -> Option<Plan> {
    let folder = if file == Path::new("-") { None } else { file.parent() };
    let plan = folder.and_then(|folder| std::fs::read_to_string(folder.join("plan.json")).ok());
    plan.and_then(|text| serde_json::from_str(&text).ok())
}

fn model_parser() -> impl TypedValueParser<Value = Model> {
    let names = Model::ALL.iter().map(|model| model.name()).chain(["cas-register"]);
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Model>())
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
