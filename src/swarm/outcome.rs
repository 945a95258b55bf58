//! One simulated run and what was found in it.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::time::Duration;

use rashomon_checker::Options;
use rashomon_report::Verdict;
use rashomon_workloads::Checked;

use crate::plan::Plan;
use crate::verdict::Judgement;
use crate::world::sim::{Simulated, simulate, simulate_traced};

/// Simulated histories are short; whatever takes longer than this is told as unknown, not waited for.
const CHECK_TIME: Duration = Duration::from_secs(15);
const CHECK_MEMORY_BYTES: usize = 1 << 30;

/// What is wrong with a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Finding {
    /// Which check found it: `inner invariants`, `liveness`, or the model of the workload.
    pub(crate) check: String,
    /// What it is: `election-safety`, `no-leader`, `stale-read`, ...
    pub(crate) kind: String,
    /// In words.
    pub(crate) text: String,
}

impl Finding {
    /// Whether both are the same violation, though in different runs.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        (&self.check, &self.kind) == (&other.check, &other.kind)
    }
}

/// What a run came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    /// Nothing wrong.
    Nothing,
    /// Something wrong.
    Violation(Finding),
    /// The check of the history gave no answer.
    Unknown(String),
}

/// A run that was carried out and checked.
pub(crate) struct Looked {
    pub(crate) simulated: Simulated,
    /// The checks of the history; none where another check spoke before.
    pub(crate) checks: Vec<Checked>,
    pub(crate) found: Found,
}

/// Carries out a simulated plan and checks what was seen.
///
/// # Errors
/// The model of the workload can't check such a history: a mistake of ours.
pub(crate) fn look(plan: &Plan) -> anyhow::Result<Looked> {
    check(plan, simulate(plan))
}

/// The same, and every message is written down: for small runs.
///
/// # Errors
/// As of [`look`].
pub(crate) fn look_traced(plan: &Plan) -> anyhow::Result<Looked> {
    check(plan, simulate_traced(plan))
}

fn check(plan: &Plan, simulated: Simulated) -> anyhow::Result<Looked> {
    if let Some(violation) = &simulated.violation {
        let check = violation.check.name().to_owned();
        let found = Finding { check, kind: violation.kind.clone(), text: violation.text.clone() };
        return Ok(Looked { found: Found::Violation(found), checks: Vec::new(), simulated });
    }
    let options = Options {
        time_budget: Some(CHECK_TIME),
        memory_budget_bytes: Some(CHECK_MEMORY_BYTES),
        threads: 1,
        ..Options::default()
    };
    let operations = simulated.recording.history().operations();
    let checks = plan.workload.check(&plan.promises(), operations, &options)?;
    // A small run may show too little of one thing; what all of them must show is asked of the whole swarm.
    let judgements =
        checks.iter().filter(|check| !check.is_empty()).map(|check| Judgement::of(check, operations)).collect();
    Ok(Looked { found: found(judgements), checks, simulated })
}

/// The gravest of what the checks say, and of those as grave the first.
fn found(judgements: Vec<Judgement>) -> Found {
    let worst = judgements.iter().fold(Verdict::Valid, |worst, judgement| worst.worse(judgement.checker.verdict));
    let Some(judgement) = judgements.into_iter().find(|judgement| judgement.checker.verdict == worst) else {
        return Found::Nothing;
    };
    match worst {
        Verdict::Valid => Found::Nothing,
        Verdict::Unknown => Found::Unknown(judgement.checker.reason),
        Verdict::Invalid => {
            let kind = judgement.anomalies.first().map_or_else(String::new, |anomaly| anomaly.kind.clone());
            Found::Violation(Finding { check: judgement.checker.name, kind, text: judgement.checker.reason })
        }
    }
}
