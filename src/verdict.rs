//! What the checker says, in the words of `verdict.json`.

use rashomon_checker::{Proven, Report, Verdict as Checked};
use rashomon_history::Operation;
use rashomon_report::{Anomaly, CheckerReport, OperationRecord, Verdict};
use rashomon_workloads::{Answer, Checked as ModelCheck};

/// One check: as it stands in the list of checkers, and what it found, the clearest first.
pub(crate) struct Judgement {
    pub(crate) checker: CheckerReport,
    pub(crate) anomalies: Vec<Anomaly>,
}

impl Judgement {
    pub(crate) fn of(check: &ModelCheck, operations: &[Operation]) -> Self {
        match &check.answer {
            Answer::Linearizability(report) => linearizability(check.model.name(), report, operations),
        }
    }
}

fn linearizability(name: &str, report: &Report, operations: &[Operation]) -> Judgement {
    let (verdict, reason) = match &report.verdict {
        Checked::Valid { .. } => (Verdict::Valid, String::new()),
        Checked::Invalid(witness) => (Verdict::Invalid, witness.explanation.clone()),
        Checked::Unknown { why, proven, help } => {
            (Verdict::Unknown, format!("{why}; {}; what would help: {}", proven_text(proven), help.join("; ")))
        }
    };
    let anomaly = report.verdict.witness().map(|witness| Anomaly {
        kind: witness.kind.to_string(),
        key: Some(witness.object.clone()),
        explanation: match &witness.prefix {
            Some(prefix) => format!("{} {}", witness.explanation, prefix.text),
            None => witness.explanation.clone(),
        },
        operations: records(witness.operations.iter().map(|operation| operation.position), operations),
        cycle: None,
    });
    Judgement {
        checker: CheckerReport {
            name: name.into(),
            verdict,
            algorithm: report.algorithm.to_string(),
            seconds: report.statistics.check_seconds,
            operations: report.statistics.operations as u64,
            peak_memory_bytes: Some(report.statistics.peak_memory_bytes as u64),
            reason,
        },
        anomalies: anomaly.into_iter().collect(),
    }
}

/// The operations at these positions, by their invocations.
fn records(positions: impl Iterator<Item = usize>, operations: &[Operation]) -> Vec<OperationRecord> {
    let mut positions: Vec<usize> = positions.collect();
    positions.sort_by_key(|&position| (operations[position].invoked, position));
    positions.into_iter().map(|position| OperationRecord::from(&operations[position])).collect()
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
