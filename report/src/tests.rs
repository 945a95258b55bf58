//! Small histories, written as the lines of their file.

use std::path::Path;

use rashomon_history::{History, TimeNs, parse_history};
use serde_json::{Value, json};

use crate::{
    Anomaly, CheckerReport, Guard, Leadership, OperationRecord, Remark, SCHEMA_VERSION, Statistics, Verdict,
    VerdictFile,
};

pub(crate) const MS: u64 = 1_000_000;

/// Lines in any order; sorted by time when the history is made.
#[derive(Default)]
pub(crate) struct Story {
    lines: Vec<(u64, Value)>,
}

impl Story {
    #[expect(clippy::too_many_arguments, reason = "one line of a story reads best as one line")]
    pub(crate) fn ok(&mut self, process: u64, node: &str, from: u64, to: u64, f: &str, key: &str, value: &str) {
        self.open_with(process, node, from, f, key, value);
        self.line(
            to,
            json!({"process": process, "type": "ok", "f": f, "key": key, "value": parsed(value), "node": node}),
        );
    }

    #[expect(clippy::too_many_arguments, reason = "one line of a story reads best as one line")]
    pub(crate) fn info(
        &mut self,
        process: u64,
        node: &str,
        from: u64,
        to: u64,
        f: &str,
        key: &str,
        value: &str,
        why: &str,
    ) {
        self.open_with(process, node, from, f, key, value);
        let value = parsed(value);
        self.line(
            to,
            json!({"process": process, "type": "info", "f": f, "key": key, "value": value, "node": node, "error": why}),
        );
    }

    #[expect(clippy::too_many_arguments, reason = "one line of a story reads best as one line")]
    pub(crate) fn fail(
        &mut self,
        process: u64,
        node: &str,
        from: u64,
        to: u64,
        f: &str,
        key: &str,
        value: &str,
        why: &str,
    ) {
        self.open_with(process, node, from, f, key, value);
        let value = parsed(value);
        self.line(
            to,
            json!({"process": process, "type": "fail", "f": f, "key": key, "value": value, "node": node, "error": why}),
        );
    }

    pub(crate) fn open(&mut self, process: u64, node: &str, from: u64, f: &str, key: &str) {
        self.open_with(process, node, from, f, key, "null");
    }

    pub(crate) fn fault(&mut self, time: u64, fault: u64, f: &str, phase: &str, detail: &str) {
        self.line(
            time,
            json!({"process": "nemesis", "type": "info", "fault": fault, "f": f, "phase": phase, "detail": detail}),
        );
    }

    /// A call in the fields of its line, and what came back in those of its completion.
    pub(crate) fn does(&mut self, process: u64, from: u64, to: u64, call: &Value, came_back: &Value) {
        let line = |more: &Value| {
            let mut line = call.clone();
            line["process"] = process.into();
            for (name, value) in more.as_object().into_iter().flatten() {
                line[name] = value.clone();
            }
            line
        };
        self.line(from, line(&json!({"type": "invoke"})));
        self.line(to, line(came_back));
    }

    pub(crate) fn history(&self) -> History {
        let mut lines = self.lines.clone();
        lines.sort_by_key(|(time, _)| *time);
        let text: String = lines.iter().map(|(_, line)| format!("{line}\n")).collect();
        parse_history(Path::new("story"), text.as_bytes()).unwrap()
    }

    fn open_with(&mut self, process: u64, node: &str, from: u64, f: &str, key: &str, value: &str) {
        let value = if f == "read" { Value::Null } else { parsed(value) };
        self.line(
            from,
            json!({"process": process, "type": "invoke", "f": f, "key": key, "value": value, "node": node}),
        );
    }

    fn line(&mut self, time: u64, mut line: Value) {
        line["time"] = time.into();
        self.lines.push((time, line));
    }
}

/// JSON, or the text itself.
fn parsed(value: &str) -> Value {
    serde_json::from_str(value).unwrap_or_else(|_| Value::from(value))
}

/// A run in which a read is stale: its verdict and its history.
pub(crate) fn stale_read() -> (VerdictFile, History) {
    let mut story = Story::default();
    story.ok(0, "n1", MS, 2 * MS, "write", "x", "1");
    story.fault(5 * MS, 0, "partition", "begin", "n2 | n1 n3");
    story.fault(6 * MS, 0, "partition", "bites", "12 packets dropped");
    story.ok(0, "n1", 10 * MS, 20 * MS, "write", "x", "2");
    story.ok(1, "n2", 30 * MS, 40 * MS, "read", "x", "1");
    story.fault(45 * MS, 0, "partition", "end", "");
    let history = story.history();
    let witness: Vec<OperationRecord> = history.operations()[1..].iter().map(Into::into).collect();
    let explanation = "Process 1 read 1 although 2 had been acknowledged before it asked.";
    let file = VerdictFile {
        schema_version: SCHEMA_VERSION,
        rashomon_version: "0.1.0".into(),
        verdict: Verdict::Invalid,
        reason: explanation.into(),
        remarks: Vec::new(),
        began: Some("2026-11-21T10:00:00Z".into()),
        command: "rashomon test raft --workload register --seed 7".into(),
        checkers: vec![CheckerReport {
            name: "cas-register".into(),
            verdict: Verdict::Invalid,
            algorithm: "unique-values".into(),
            seconds: 0.25,
            operations: 3,
            peak_memory_bytes: Some(3 << 19),
            reason: "key x is not linearizable".into(),
        }],
        witness: witness.clone(),
        anomalies: vec![Anomaly {
            kind: "stale-read".into(),
            key: Some("x".into()),
            explanation: explanation.into(),
            operations: witness,
            cycle: None,
        }],
        guards: vec![Guard { name: "enough operations were acknowledged".into(), held: true, detail: "3 of 1".into() }],
        statistics: Statistics::of(
            &history,
            &[
                Leadership { time_ns: TimeNs(0), node: "n2".into(), term: 1 },
                Leadership { time_ns: TimeNs(8 * MS), node: "n1".into(), term: 2 },
            ],
        ),
    };
    (file, history)
}

/// A remark on a verdict.
pub(crate) fn remark() -> Remark {
    let source = Some("Skeen 1981".into());
    Remark { title: "a known limit".into(), text: "It never waits.".into(), source }
}
