//! Exit codes, and errors that know theirs. The codes are documented in the README and never change.

use std::process::ExitCode;

use rashomon_report::Verdict;

/// Why the binary could not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Arguments or input files are wrong: the user can mend them. Exit code 254.
    Input(anyhow::Error),
    /// Something else went wrong. Exit code 255.
    Internal(anyhow::Error),
}

impl Failure {
    /// Prints the error on one line and gives its exit code.
    pub(crate) fn report(&self) -> ExitCode {
        let (error, code) = match self {
            Self::Input(error) => (error, 254),
            Self::Internal(error) => (error, 255),
        };
        eprintln!("rashomon: {error:#}");
        ExitCode::from(code)
    }
}

/// The exit code of a verdict.
pub(crate) fn of_verdict(verdict: Verdict, fail_on_unknown: bool) -> ExitCode {
    match verdict {
        Verdict::Unknown if !fail_on_unknown => ExitCode::SUCCESS,
        Verdict::Valid | Verdict::Invalid | Verdict::Unknown => ExitCode::from(verdict.exit_code()),
    }
}
