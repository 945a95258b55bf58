//! Several runs of one command line: each in a process, and so in a sandbox, of its own.

use std::process::{Command, ExitCode};

use anyhow::{Context, anyhow};

use crate::cli::Failure;

/// Runs the command line of this process again with each seed from `first_seed` on; the worst exit code wins.
pub(crate) fn run_each(first_seed: u64, count: u64, fail_on_unknown: bool) -> Result<ExitCode, Failure> {
    let arguments = without_count_and_seed(std::env::args().skip(1));
    let mut tally = Tally::default();
    for seed in (0..count).map(|number| first_seed.wrapping_add(number)) {
        eprintln!("run {} of {count}, seed {seed}", tally.runs() + 1);
        let status = Command::new("/proc/self/exe")
            .args(&arguments)
            .args(["--count", "1", "--seed", &seed.to_string(), "--fail-on-unknown", "true"])
            .status()
            .context("starting a run")
            .map_err(Failure::Internal)?;
        match status.code() {
            Some(0) => tally.valid += 1,
            Some(1) => tally.invalid += 1,
            Some(2) => tally.unknown += 1,
            Some(code) => return Ok(ExitCode::from(u8::try_from(code).unwrap_or(255))),
            None => return Err(Failure::Internal(anyhow!("the run with seed {seed} was killed: {status}"))),
        }
    }
    println!("{} valid, {} invalid, {} unknown of {count} runs", tally.valid, tally.invalid, tally.unknown);
    Ok(tally.exit_code(fail_on_unknown))
}

#[derive(Default)]
struct Tally {
    valid: u64,
    invalid: u64,
    unknown: u64,
}

impl Tally {
    fn runs(&self) -> u64 {
        self.valid + self.invalid + self.unknown
    }

    /// Invalid beats unknown, and unknown beats valid.
    fn exit_code(&self, fail_on_unknown: bool) -> ExitCode {
        if self.invalid > 0 {
            ExitCode::from(1)
        } else if self.unknown > 0 && fail_on_unknown {
            ExitCode::from(2)
        } else {
            ExitCode::SUCCESS
        }
    }
}

/// The same arguments less `--count`, `--seed` and `--fail-on-unknown`, which each run gets anew.
fn without_count_and_seed(arguments: impl Iterator<Item = String>) -> Vec<String> {
    let own = ["--count", "--seed", "--fail-on-unknown"];
    let mut kept = Vec::new();
    let mut skip_value = false;
    for argument in arguments {
        if std::mem::take(&mut skip_value) {
            continue;
        }
        if own.contains(&argument.as_str()) {
            skip_value = true;
        } else if !own.iter().any(|name| argument.starts_with(&format!("{name}="))) {
            kept.push(argument);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_run_gets_its_own_seed() {
        let arguments = ["test", "raft", "--seed", "4", "--count=3", "--bug", "RR-01"].map(String::from);
        assert_eq!(without_count_and_seed(arguments.into_iter()), ["test", "raft", "--bug", "RR-01"]);
    }

    #[test]
    fn invalid_beats_unknown_and_unknown_beats_valid() {
        let code = |valid, invalid, unknown, fail| format!("{:?}", Tally { valid, invalid, unknown }.exit_code(fail));
        assert_eq!(code(5, 1, 1, true), format!("{:?}", ExitCode::from(1)));
        assert_eq!(code(5, 0, 1, true), format!("{:?}", ExitCode::from(2)));
        assert_eq!(code(5, 0, 1, false), format!("{:?}", ExitCode::SUCCESS));
        assert_eq!(code(5, 0, 0, true), format!("{:?}", ExitCode::SUCCESS));
    }
}
