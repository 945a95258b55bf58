//! One check: from a history to a report.

use std::time::Instant;

use crate::advice;
use crate::budget::Budget;
use crate::decide::{Answer, Check, Decision, Open};
use crate::explain;
use crate::model::Model;
use crate::narrator::Narrator;
use crate::operation::{CheckError, Entry};
use crate::options::{Algorithm, Options};
use crate::partition::{Refusal, partition};
use crate::report::{Linearization, Proven, ProvenPrefix, Report, Statistics, Used, Verdict, Why};
use crate::search::Stopped;
use crate::workers::Workers;

/// Checks operations wherever they come from. `entry` makes the one at a position below `positions`, or nothing where it
/// is to be left out.
pub(crate) fn check_operations<'a, M, F>(
    model: &M,
    positions: usize,
    entry: F,
    options: &Options,
    narrator: &'a dyn Narrator,
) -> Result<Report, CheckError>
where
    M: Model,
    F: Fn(usize) -> Result<Option<Entry<'a, M::Call, M::Return>>, CheckError> + Sync,
    M::Call: 'a,
    M::Return: 'a,
{
    let started = Instant::now();
    if positions > (u32::MAX / 4) as usize {
        return Err(CheckError::TooLong { operations: positions });
    }
    let deadline = options.time_budget.map(|budget| started + budget);
    let memory_bytes = options.memory_budget_bytes.unwrap_or(usize::MAX);
    let workers = Workers::new(options.threads);
    let budget = Budget { deadline, memory_bytes, steps: u64::MAX };
    let parts = match partition(model, positions, entry, narrator, &workers, &budget) {
        Ok(parts) => parts,
        Err(Refusal::Unsound(error)) => return Err(error),
        Err(Refusal::Stopped(why)) => return Ok(nothing_proven(why, positions, started)),
    };
    let check = Check { model, options, deadline, parts: &parts, workers: &workers };
    let decisions = check.decide_all();
    let check_time = started.elapsed();
    let mut statistics = Statistics {
        operations: parts.iter().map(|part| part.partition.len()).sum(),
        objects: parts.len(),
        steps: decisions.iter().map(|decision| decision.steps).sum(),
        configurations: decisions.iter().map(|decision| decision.configurations).sum(),
        peak_memory_bytes: check.peak_memory_bytes(&decisions),
        check_seconds: check_time.as_secs_f64(),
        explain_seconds: 0.0,
    };
    let invalid = decisions.iter().enumerate().find_map(|(number, decision)| match &decision.answer {
        Answer::Invalid(found) => Some((number, found)),
        Answer::Valid(_) | Answer::Open(_) => None,
    });
    // What became of the objects behind it depends on the threads.
    let looked_at = invalid.map_or(decisions.len(), |(number, _)| number + 1);
    let algorithm = used(&decisions[..looked_at], options.algorithm);
    let verdict = if let Some((number, found)) = invalid {
        let part = &parts[number];
        let pace = explain::Pace::new(started, check_time, statistics.operations, options);
        Verdict::Invalid(explain::witness(model, part, found, &pace))
    } else {
        verdict(&check, decisions)
    };
    statistics.explain_seconds = (started.elapsed() - check_time).as_secs_f64();
    Ok(Report { verdict, algorithm, statistics })
}

/// The report where the budget was spent before the operations were apart.
fn nothing_proven(why: Stopped, operations: usize, started: Instant) -> Report {
    let check_seconds = started.elapsed().as_secs_f64();
    Report {
        verdict: Verdict::Unknown { why: reason(why), proven: Proven::default(), help: advice::too_large(why) },
        algorithm: Used::Fast,
        statistics: Statistics { operations, check_seconds, ..Statistics::default() },
    }
}

fn used(decisions: &[Decision], algorithm: Algorithm) -> Used {
    let any = |searched| decisions.iter().any(|decision| decision.is_decided() && decision.searched == searched);
    match (any(false), any(true), algorithm) {
        (true, true, _) => Used::FastAndSearch,
        (true, false, _) | (false, false, Algorithm::Auto | Algorithm::Fast) => Used::Fast,
        (false, true, _) | (false, false, Algorithm::Search) => Used::Search,
    }
}

/// The verdict, where no object is invalid.
fn verdict<M: Model>(check: &Check<'_, '_, M>, decisions: Vec<Decision>) -> Verdict {
    let parts = check.parts;
    let open = decisions.iter().zip(parts).find_map(|(decision, part)| match decision.answer {
        Answer::Open(open) => Some((open, decision.no_rule, part)),
        Answer::Valid(_) | Answer::Invalid(_) => None,
    });
    let Some((first_open, no_rule, part)) = open else {
        let order = decisions.into_iter().zip(parts).filter_map(|(decision, part)| match decision.answer {
            Answer::Valid(order) => Some(Linearization { object: part.object.to_string(), order }),
            Answer::Invalid(_) | Answer::Open(_) => None,
        });
        return Verdict::Valid { order: order.collect() };
    };
    let is_valid = |(decision, _): &(&Decision, _)| matches!(decision.answer, Answer::Valid(_));
    let valid = || decisions.iter().zip(parts).filter(is_valid);
    let mut proven = Proven {
        objects_valid: valid().count(),
        objects: parts.len(),
        operations_valid: valid().map(|(_, part)| part.partition.len()).sum(),
        prefix: None,
    };
    let why = match first_open {
        Open::NotLookedAt => Why::TimeBudget,
        Open::NoFastPath(reason) => Why::NoFastPath { reason },
        Open::Stopped { why, suspects: [stuck_at, _], completed } => {
            let until = part.position(stuck_at);
            proven.prefix = Some(ProvenPrefix { object: part.object.to_string(), operations: completed, until });
            reason(why)
        }
    };
    let help = advice::for_object(check, &why, no_rule, &part.partition);
    Verdict::Unknown { why, proven, help }
}

fn reason(why: Stopped) -> Why {
    match why {
        Stopped::Late | Stopped::StepsSpent => Why::TimeBudget,
        Stopped::OutOfMemory => Why::MemoryBudget,
        Stopped::TooConcurrent { open } => Why::TooConcurrent { open },
    }
}
