//! The report of a history that was checked on its own.

use std::time::Duration;

use rashomon_history::{History, Operation};
use rashomon_report::{ReportInput, SCHEMA_VERSION, Statistics, VerdictFile, render};
use rashomon_workloads::Checked;

use crate::verdict::Judgement;

/// The page, whole. Leases last so long, where that is known.
pub(super) fn page(file: &str, history: &History, operations: &[Operation], check: &Checked, ttl: Duration) -> String {
    let Judgement { checker, anomalies } = Judgement::of(check, operations);
    let verdict = VerdictFile {
        schema_version: SCHEMA_VERSION,
        rashomon_version: env!("CARGO_PKG_VERSION").into(),
        verdict: checker.verdict,
        reason: match checker.reason.as_str() {
            "" => format!("All {} operations can be one story of the model {}.", checker.operations, check.model),
            reason => reason.into(),
        },
        remarks: Vec::new(),
        began: None,
        command: format!("rashomon check --model {} {file}", check.model),
        witness: anomalies.first().map(|anomaly| anomaly.operations.clone()).unwrap_or_default(),
        checkers: vec![checker],
        anomalies,
        guards: Vec::new(),
        statistics: Statistics::of_operations(history, operations, &[]),
    };
    let plan = [("history", file.to_owned()), ("model", check.model.description().to_owned())];
    let title = format!("{file} {}", check.model);
    let lease_ttl = Some(ttl).filter(|ttl| !ttl.is_zero());
    render(&ReportInput {
        title: &title,
        verdict: &verdict,
        history,
        plan: &plan,
        links: &[],
        lamport: None,
        lease_ttl,
    })
}
