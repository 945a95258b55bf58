//! What `rashomon check` prints of one file.

use std::collections::BTreeMap;
use std::fmt;

use rashomon_history::{History, TimeNs};
use rashomon_report::{Anomaly, OperationRecord, Verdict};
use rashomon_workloads::Checked;
use serde::Serialize;

use crate::verdict::Judgement;

/// Operations of a witness that are shown; all stand in the JSON.
const MOST_OPERATIONS: usize = 20;

/// One object of `check --json`.
#[derive(Serialize)]
pub(super) struct Answer {
    pub(super) file: String,
    pub(super) verdict: Verdict,
    model: &'static str,
    operations: u64,
    algorithm: String,
    check_seconds: f64,
    peak_memory_bytes: Option<u64>,
    reason: String,
    pub(super) anomalies: Vec<Anomaly>,
    witness: Vec<OperationRecord>,
    /// Bytes of a torn last line, left out.
    torn_bytes: usize,
    /// Whether the packed file was cut off: then only its beginning was checked.
    is_cut: bool,
}

impl Answer {
    pub(super) fn new(file: &str, history: &History, check: &Checked) -> Self {
        let operations = history.operations();
        let Judgement { checker, anomalies } = Judgement::of(check, operations);
        Self {
            file: file.into(),
            verdict: checker.verdict,
            model: check.model.name(),
            operations: operations.len() as u64,
            algorithm: checker.algorithm,
            check_seconds: checker.seconds,
            peak_memory_bytes: checker.peak_memory_bytes,
            reason: checker.reason,
            witness: anomalies.first().map(|anomaly| anomaly.operations.clone()).unwrap_or_default(),
            anomalies,
            torn_bytes: history.torn_bytes(),
            is_cut: history.is_cut(),
        }
    }

    /// The anomalies after the first, counted by kind.
    fn further(&self) -> String {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for anomaly in self.anomalies.iter().skip(1) {
            *kinds.entry(&anomaly.kind).or_default() += 1;
        }
        kinds.into_iter().map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>().join(", ")
    }
}

/// Who did what when.
fn line(operation: &OperationRecord) -> String {
    let completed = operation.completed_ns.map_or_else(|| "never".to_owned(), TimeNs::exactly);
    let node = operation.node.as_deref().map(|node| format!(" at {node}")).unwrap_or_default();
    let invoked = operation.invoked_ns.exactly();
    format!("{invoked} .. {completed}  process {}{node}: {}", operation.process, operation.text)
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {} ({} operations, {}, {}, {:.3} s)",
            self.file, self.verdict, self.operations, self.model, self.algorithm, self.check_seconds
        )?;
        if self.is_cut {
            writeln!(f, "  the packed file is cut off: only what was whole was checked")?;
        }
        if self.torn_bytes > 0 {
            writeln!(f, "  the last line is torn: its {} bytes were left out", self.torn_bytes)?;
        }
        for line in self.reason.lines() {
            writeln!(f, "  {line}")?;
        }
        // In a cycle the transactions have names.
        let cycle = self.anomalies.first().and_then(|anomaly| anomaly.cycle.as_ref());
        let shown = cycle.map_or(&self.witness, |cycle| &cycle.transactions);
        for (place, operation) in shown.iter().take(MOST_OPERATIONS).enumerate() {
            let name = if cycle.is_some() { format!("T{}  ", place + 1) } else { String::new() };
            writeln!(f, "    {name}{}", line(operation))?;
        }
        if shown.len() > MOST_OPERATIONS {
            writeln!(f, "    and {} more operations; --json shows all", shown.len() - MOST_OPERATIONS)?;
        }
        if self.anomalies.len() > 1 {
            writeln!(f, "  further anomalies: {}", self.further())?;
        }
        Ok(())
    }
}
