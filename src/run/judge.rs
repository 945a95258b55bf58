//! From the history of a run to its verdict.

use rashomon_history::{History, Operation, TimeNs};
use rashomon_report::statistics::fault_intervals;
use rashomon_report::{CheckerReport, Guard, Leadership, SCHEMA_VERSION, Statistics, Verdict, VerdictFile};
use rashomon_workloads::Workload;

use crate::plan::Plan;
use crate::run::guards::{Lifecycle, guards};
use crate::run::remarks::remarks;
use crate::verdict::Judgement;

/// What the runner knows of a run that is over.
pub(crate) struct Evidence<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) history: &'a History,
    pub(crate) operations: &'a [Operation],
    pub(crate) leaders: &'a [Leadership],
    pub(crate) lifecycle: &'a Lifecycle,
    /// When a promise was seen broken that no client can see.
    pub(crate) violated: Option<TimeNs>,
    /// UTC, RFC 3339.
    pub(crate) began: &'a str,
}

/// Joins what the checks say, the gravest first, with the guards against an empty verdict. `idle` are checks that may have had
/// nothing to decide on, and had nothing: they are told, and decide nothing.
pub(crate) fn judge(evidence: &Evidence<'_>, judgements: Vec<Judgement>, idle: Vec<CheckerReport>) -> VerdictFile {
    let statistics = Statistics::of_operations(evidence.history, evidence.operations, evidence.leaders);
    let faults = fault_intervals(evidence.history);
    let guards = guards(evidence.plan, &statistics, evidence.operations, &faults, evidence.lifecycle);
    let (checkers, anomalies): (Vec<_>, Vec<_>) =
        judgements.into_iter().map(|judgement| (judgement.checker, judgement.anomalies)).unzip();
    let anomalies = anomalies.concat();
    let remarks = remarks(&anomalies, &faults, &statistics, evidence);
    let guarded = if guards.iter().all(|guard| guard.held) { Verdict::Valid } else { Verdict::Unknown };
    let verdict = checkers.iter().fold(guarded, |verdict, checker| verdict.worse(checker.verdict));
    VerdictFile {
        schema_version: SCHEMA_VERSION,
        rashomon_version: env!("CARGO_PKG_VERSION").into(),
        verdict,
        reason: reason(evidence.plan.workload, verdict, &checkers, &guards, &statistics),
        remarks,
        began: Some(evidence.began.into()),
        command: evidence.plan.command(),
        witness: anomalies.first().map(|anomaly| anomaly.operations.clone()).unwrap_or_default(),
        checkers: [checkers, idle].concat(),
        anomalies,
        guards,
        statistics,
    }
}

fn reason(
    workload: Workload,
    verdict: Verdict,
    checkers: &[CheckerReport],
    guards: &[Guard],
    statistics: &Statistics,
) -> String {
    let Some(checker) = checkers.iter().find(|checker| checker.verdict == verdict).or(checkers.first()) else {
        return "Nothing was checked.".into();
    };
    match verdict {
        Verdict::Invalid => checker.reason.clone(),
        Verdict::Valid => {
            let faults: u64 = statistics.faults.values().map(|counts| counts.bitten).sum();
            let (names, operations) = (checkers.iter(), statistics.operations.total);
            let names = names.map(|checker| checker.name.as_str()).collect::<Vec<_>>().join(", ");
            let story = if Workload::KEY_VALUE.contains(&workload) {
                "fit one order in which each takes effect between its invocation and its completion".to_owned()
            } else {
                format!("break nothing that was promised ({names})")
            };
            format!("All {operations} operations {story}, under {faults} faults that were seen to bite.")
        }
        Verdict::Unknown => {
            let mut reasons = Vec::new();
            if checker.verdict == Verdict::Unknown {
                reasons.push(format!("The check gave no answer: {}.", checker.reason));
            } else {
                reasons.push("No violation was found, but the run shows too little to be called valid.".to_owned());
            }
            for guard in guards.iter().filter(|guard| !guard.held) {
                reasons.push(format!("Not so: {} ({}).", guard.name, guard.detail));
            }
            reasons.join(" ")
        }
    }
}
