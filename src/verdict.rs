//! What the checker says, in the words of `verdict.json`.

use std::time::Duration;

use rashomon_checker::properties::{PropertyReport, PropertyVerdict};
use rashomon_checker::transactions::{
    AnomalyKind, Consistency, Cycle, TransactionAnomaly, TransactionReport, TransactionVerdict,
};
use rashomon_checker::{Proven, Report, Verdict as Checked, Witness, WitnessOperation};
use rashomon_history::Operation;
use rashomon_report::{self as report, Anomaly, CheckerReport, CycleEdge, OperationRecord, Verdict};
use rashomon_workloads::{Answer, Checked as ModelCheck};

use crate::world::sim::{Check, Violation};

/// One check: as it stands in the list of checkers, and what it found, the clearest first.
pub(crate) struct Judgement {
    pub(crate) checker: CheckerReport,
    pub(crate) anomalies: Vec<Anomaly>,
}

impl Judgement {
    pub(crate) fn of(check: &ModelCheck, operations: &[Operation]) -> Self {
        let operations = check.operations.as_deref().unwrap_or(operations);
        match &check.answer {
            Answer::Linearizability(report) => linearizability(check.model.name(), report, operations),
            Answer::Transactions(report) => transactions(check.model.name(), report, operations),
            Answer::Property(report) => property(report, operations),
        }
    }

    /// A promise that no client can see broken, or that can't be seen in a history at all.
    pub(crate) fn of_violation(violation: &Violation) -> Self {
        let reason = format!("After {:.6} s: {}.", Duration::from_micros(violation.at.0).as_secs_f64(), violation.text);
        Self {
            checker: from_outside(violation.check, Verdict::Invalid, reason.clone()),
            anomalies: vec![Anomaly {
                kind: violation.kind.clone(),
                key: None,
                explanation: reason,
                operations: Vec::new(),
                cycle: None,
            }],
        }
    }

    /// The same promises, where they were kept to the end.
    pub(crate) fn of_kept(check: Check) -> Self {
        Self { checker: from_outside(check, Verdict::Valid, String::new()), anomalies: Vec::new() }
    }
}

fn from_outside(check: Check, verdict: Verdict, reason: String) -> CheckerReport {
    CheckerReport {
        name: check.name().into(),
        verdict,
        algorithm: check.how().into(),
        seconds: 0.0,
        operations: 0,
        peak_memory_bytes: None,
        reason,
    }
}

fn linearizability(name: &str, report: &Report, operations: &[Operation]) -> Judgement {
    let (verdict, reason) = match &report.verdict {
        Checked::Valid { .. } => (Verdict::Valid, String::new()),
        Checked::Invalid(witness) => (Verdict::Invalid, story(witness)),
        Checked::Unknown { why, proven, help } => {
            (Verdict::Unknown, format!("{why}; {}; what would help: {}", proven_text(proven), help.join("; ")))
        }
    };
    let anomaly = report.verdict.witness().map(|witness| Anomaly {
        kind: witness.kind.to_string(),
        key: Some(witness.object.clone()),
        explanation: story(witness),
        operations: records(&witness.operations, operations),
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

/// What is wrong, and how much of the history is not.
fn story(witness: &Witness) -> String {
    match &witness.prefix {
        Some(prefix) => format!("{} {}", witness.explanation, prefix.text),
        None => witness.explanation.clone(),
    }
}

fn transactions(name: &str, report: &TransactionReport, operations: &[Operation]) -> Judgement {
    let (verdict, reason) = match &report.verdict {
        TransactionVerdict::Valid => (Verdict::Valid, String::new()),
        TransactionVerdict::Invalid => (Verdict::Invalid, broken_levels(report)),
        TransactionVerdict::Unknown { why, proven } => (Verdict::Unknown, format!("{why}; {proven}")),
    };
    // What the level allows is no fault of the system's.
    let forbidden = report.anomalies.iter().filter(|anomaly| anomaly.is_forbidden);
    Judgement {
        checker: CheckerReport {
            name: name.into(),
            verdict,
            algorithm: format!("dependency graph, {}", report.consistency),
            seconds: report.statistics.check_seconds,
            operations: report.statistics.transactions as u64,
            peak_memory_bytes: Some(report.statistics.peak_memory_bytes as u64),
            reason,
        },
        anomalies: forbidden.map(|anomaly| transaction_anomaly(anomaly, operations)).collect(),
    }
}

/// The first anomaly in words, and which levels all of them rule out.
fn broken_levels(report: &TransactionReport) -> String {
    let names = |levels: &[Consistency]| levels.iter().map(|level| level.name()).collect::<Vec<_>>().join(", ");
    let is_ruled_out = |level: &Consistency| report.ruled_out.contains(level) || report.also_ruled_out.contains(level);
    let possible: Vec<Consistency> = Consistency::ALL.into_iter().filter(|level| !is_ruled_out(level)).collect();
    let is_strongest = |level: &Consistency| !possible.iter().any(|other| other != level && other.implies(*level));
    let strongest: Vec<Consistency> = possible.iter().copied().filter(is_strongest).collect();
    let first = report.anomalies.iter().find(|anomaly| anomaly.is_forbidden);
    let mut text = first.map_or(String::new(), |anomaly| anomaly.explanation.clone());
    let counts: Vec<String> = report.counts.iter().map(|found| counted_kind(found.count, found.kind)).collect();
    text += &format!("\nFound: {}. So the system is not {}", counts.join(", "), names(&report.ruled_out));
    text += if report.also_ruled_out.is_empty() { "." } else { ", nor anything stronger." };
    if !strongest.is_empty() {
        text += &format!(" The history does not rule out {}.", names(&strongest));
    }
    if let Some(unsearched) = &report.unsearched {
        text += &format!(
            "\nNot all was searched: {} components with {} transactions may hold further anomalies.",
            unsearched.components, unsearched.transactions
        );
    }
    text
}

/// `3 G2-item (write skew)`.
fn counted_kind(count: usize, kind: AnomalyKind) -> String {
    let (name, meaning) = (kind.name(), kind.meaning());
    if name.replace('-', " ") == meaning { format!("{count} {name}") } else { format!("{count} {name} ({meaning})") }
}

fn transaction_anomaly(anomaly: &TransactionAnomaly, operations: &[Operation]) -> Anomaly {
    Anomaly {
        kind: anomaly.kind.to_string(),
        key: anomaly.key.clone(),
        explanation: anomaly.explanation.clone(),
        operations: records(&anomaly.operations, operations),
        cycle: anomaly.cycle.as_ref().map(|cycle| drawn(cycle, operations)),
    }
}

fn drawn(cycle: &Cycle, operations: &[Operation]) -> report::Cycle {
    let transactions = cycle.transactions.iter().map(|transaction| (&operations[transaction.position]).into());
    let edges = cycle.edges.iter().map(|edge| CycleEdge {
        from: edge.from,
        to: edge.to,
        kind: edge.kind.to_string(),
        key: edge.key.clone(),
        why: edge.why.clone(),
    });
    report::Cycle { transactions: transactions.collect(), edges: edges.collect() }
}

fn property(report: &PropertyReport, operations: &[Operation]) -> Judgement {
    let counts: Vec<String> = report.counts.iter().map(|(what, count)| format!("{what} {count}")).collect();
    let (verdict, reason) = match &report.verdict {
        PropertyVerdict::Valid => (Verdict::Valid, counts.join(", ")),
        PropertyVerdict::Invalid => {
            let first = report.anomalies.first().map_or("", |anomaly| anomaly.explanation.as_str());
            (Verdict::Invalid, format!("{first}\nIn all: {}.", counts.join(", ")))
        }
        PropertyVerdict::Unknown { why } => (Verdict::Unknown, format!("{why}; {}", counts.join(", "))),
    };
    let anomaly = |anomaly: &rashomon_checker::properties::PropertyAnomaly| Anomaly {
        kind: anomaly.kind.to_string(),
        key: anomaly.object.clone(),
        explanation: anomaly.explanation.clone(),
        operations: records(&anomaly.operations, operations),
        cycle: None,
    };
    Judgement {
        checker: CheckerReport {
            name: report.property.into(),
            verdict,
            algorithm: "one pass".into(),
            seconds: report.statistics.check_seconds,
            operations: report.statistics.operations as u64,
            peak_memory_bytes: Some(report.statistics.peak_memory_bytes as u64),
            reason,
        },
        anomalies: report.anomalies.iter().map(anomaly).collect(),
    }
}

/// The operations of a witness, by their invocations.
fn records(witness: &[WitnessOperation], operations: &[Operation]) -> Vec<OperationRecord> {
    let mut positions: Vec<usize> = witness.iter().map(|operation| operation.position).collect();
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
