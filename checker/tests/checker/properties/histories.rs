//! Small recorded histories, and what is seen over many of them.

use rashomon_checker::Options;
use rashomon_checker::properties::{Property, PropertyReport, PropertyVerdict};
use rashomon_history::{Call, Operation, Outcome, ProcessId, Returned, TimeNs};

use crate::source::Source;

/// An operation whose events stand at these positions, a millisecond each.
pub(super) fn operation(process: u64, call: Call, outcome: Outcome, invoked: u64, completed: u64) -> Operation {
    const MILLISECOND: u64 = 1_000_000;
    Operation {
        process: ProcessId(process),
        node: None,
        is_final: false,
        call,
        outcome,
        invoked: TimeNs(invoked * MILLISECOND),
        completed: Some(TimeNs(completed * MILLISECOND)),
        invoke_index: invoked,
        complete_index: Some(completed),
    }
}

/// An interval below `times`, short or long.
pub(super) fn interval(source: &mut Source, times: u64) -> (u64, u64) {
    let width = if source.percent(50) { 3 } else { times };
    let invoked = source.below(times);
    (invoked, invoked + source.below(times - invoked).min(source.below(width)))
}

/// Intervals of processes that do one thing after the other, at most this many in all: process, invocation, completion. By
/// invocation, which are all different.
pub(super) fn sessions(source: &mut Source, processes: u64, most: u64) -> Vec<(u64, u64, u64)> {
    let mut intervals: Vec<(u64, u64, u64)> = Vec::new();
    for process in 0..processes {
        let mut time = 0;
        for _ in 0..1 + source.below(most / processes) {
            let invoked = time + 1 + source.below(4);
            let completed = invoked + 1 + source.below(4);
            // Events of different processes have different positions.
            intervals.push((process, invoked * processes + process, completed * processes + process));
            time = completed;
        }
    }
    intervals.sort_by_key(|(_, invoked, _)| *invoked);
    intervals
}

/// Whether one was before the other in the same process.
pub(super) fn is_earlier(one: &Operation, other: &Operation) -> bool {
    one.process == other.process && one.invoke_index < other.invoke_index
}

/// `ok` with this, or one of the other outcomes.
pub(super) fn outcome(source: &mut Source, returned: Returned, unknown_percent: u64, failed_percent: u64) -> Outcome {
    match source.below(100) {
        percent if percent < unknown_percent => Outcome::Info("timed out".into()),
        percent if percent < unknown_percent + failed_percent => Outcome::Fail("refused".into()),
        _ => Outcome::Ok(returned),
    }
}

/// The checker must not depend on the order in which it gets the operations.
pub(super) fn shuffle<T>(source: &mut Source, all: &mut [T]) {
    for index in (1..all.len()).rev() {
        all.swap(index, source.below(index as u64 + 1) as usize);
    }
}

pub(super) fn is_ok(operation: &Operation) -> bool {
    matches!(operation.outcome, Outcome::Ok(_))
}

pub(super) fn is_failed(operation: &Operation) -> bool {
    matches!(operation.outcome, Outcome::Fail(_))
}

/// When it came back: after all else if nobody knows whether it happened.
pub(super) fn over(operation: &Operation) -> u64 {
    match operation.outcome {
        Outcome::Ok(_) | Outcome::Fail(_) => operation.complete_index.unwrap_or(u64::MAX),
        Outcome::Info(_) => u64::MAX,
    }
}

pub(super) fn check(property: &Property, history: &[Operation]) -> PropertyReport {
    property.check(history, &Options::default()).unwrap_or_else(|error| panic!("{error}: {history:#?}"))
}

/// How many there are of a kind, by its name.
pub(super) fn count(report: &PropertyReport, name: &str) -> u64 {
    *report.counts.get(name).unwrap_or_else(|| panic!("no {name} in {report:#?}"))
}

#[derive(Default, Debug)]
pub(super) struct Tally {
    pub(super) valid: usize,
    pub(super) invalid: usize,
    pub(super) unknown: usize,
}

impl Tally {
    pub(super) fn add(&mut self, report: &PropertyReport) {
        match report.verdict {
            PropertyVerdict::Valid => self.valid += 1,
            PropertyVerdict::Invalid => self.invalid += 1,
            PropertyVerdict::Unknown { .. } => self.unknown += 1,
        }
    }

    pub(super) fn assert_at_least(&self, each: usize) {
        eprintln!("{self:?}");
        assert!(self.valid >= each && self.invalid >= each && self.unknown >= each, "{self:?}");
    }
}

/// The verdict by name.
pub(super) fn verdict(report: &PropertyReport) -> &'static str {
    match report.verdict {
        PropertyVerdict::Valid => "valid",
        PropertyVerdict::Invalid => "invalid",
        PropertyVerdict::Unknown { .. } => "unknown",
    }
}
