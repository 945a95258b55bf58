//! What the checker says, in the words of `verdict.json`.

use rashomon_checker::{Proven, Report, Verdict as Checked};
use rashomon_history::Operation;
use rashomon_report::{Anomaly, CheckerReport, OperationRecord, Verdict};
use rashomon_workloads::Checked as WorkloadCheck;

/// One check, as it stands in the list of checkers.
pub(crate) fn checker_report(check: &WorkloadCheck) -> CheckerReport {
    let report = &check.report;
    CheckerReport {
        name: check.model.into(),
        verdict: verdict(report),
        algorithm: report.algorithm.to_string(),
        seconds: report.statistics.check_seconds,
        operations: report.statistics.operations as u64,
        peak_memory_bytes: Some(report.statistics.peak_memory_bytes as u64),
        reason: reason(report),
    }
}

/// What is wrong with the history, if anything is.
pub(crate) fn anomaly(check: &WorkloadCheck, operations: &[Operation]) -> Option<Anomaly> {
    let witness = check.report.verdict.witness()?;
    let mut positions: Vec<usize> = witness.operations.iter().map(|operation| operation.position).collect();
    positions.sort_by_key(|&position| (operations[position].invoked, position));
    Some(Anomaly {
        kind: witness.kind.to_string(),
        key: Some(witness.object.clone()),
        explanation: witness.explanation.clone(),
        operations: positions.into_iter().map(|position| OperationRecord::from(&operations[position])).collect(),
        cycle: None,
    })
}

fn verdict(report: &Report) -> Verdict {
    match report.verdict {
        Checked::Valid { .. } => Verdict::Valid,
        Checked::Invalid(_) => Verdict::Invalid,
        Checked::Unknown { .. } => Verdict::Unknown,
    }
}

fn reason(report: &Report) -> String {
    match &report.verdict {
        Checked::Valid { .. } => String::new(),
        Checked::Invalid(witness) => witness.explanation.clone(),
        Checked::Unknown { why, proven } => format!("{why}; {}", proven_text(proven)),
    }
}

fn proven_text(proven: &Proven) -> String {
    let mut text = format!(
        "proven so far: {} of {} keys are linearizable, with {} operations",
        proven.objects_valid, proven.objects, proven.operations_valid
    );
    if let Some(prefix) = &proven.prefix {
        text.push_str(&format!(", and the first {} operations on key {}", prefix.operations, prefix.object));
    }
    text
}
