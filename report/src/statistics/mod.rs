//! The figures of a run, from its history.

mod availability;
mod faults;
mod quantiles;
mod series;

use std::collections::BTreeMap;

use rashomon_history::{History, Operation, TimeNs};
use serde::{Deserialize, Serialize};

use crate::verdict::OutcomeKind;

pub use availability::{FaultAvailability, Window, windows_without_ok};
pub use faults::{FaultInterval, fault_intervals};
pub use quantiles::Quantiles;
pub use series::{Bucket, Series};

/// The figures of a run, as they stand in `verdict.json`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Statistics {
    /// From the first to the last event of a client.
    pub duration_ns: u64,
    /// All operations by outcome, the final reads among them.
    pub operations: OutcomeCounts,
    /// Operations that belong to the final reads.
    pub final_reads: u64,
    /// Acknowledged operations (`ok`) a second, over the whole duration.
    pub acknowledged_per_second: f64,
    /// How long they took, by outcome; operations that never completed are left out.
    pub latency: OutcomeLatency,
    /// By the word of the call: `read`, `write`, ...
    pub by_f: BTreeMap<String, CallStatistics>,
    /// By the node that was asked; operations that know no node are left out.
    pub by_node: BTreeMap<String, OutcomeCounts>,
    /// The longest time without an `ok` while at least one client waited for one.
    pub longest_without_ok: Option<Window>,
    /// What each fault did to the availability of the system, by its number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub availability: Vec<FaultAvailability>,
    /// How often another leader, or a leader of another term, was seen than before.
    pub leader_changes: u64,
    /// Who was seen to lead from when on, by time.
    pub leaders: Vec<Leadership>,
    /// Faults by their kind: `partition`, `kill`, ...
    pub faults: BTreeMap<String, FaultCounts>,
}

/// Operations by outcome.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct OutcomeCounts {
    /// All of them.
    pub total: u64,
    /// Acknowledged.
    pub ok: u64,
    /// Certainly did not happen.
    pub fail: u64,
    /// Nobody knows.
    pub info: u64,
}

impl OutcomeCounts {
    fn add(&mut self, outcome: OutcomeKind) {
        self.total += 1;
        match outcome {
            OutcomeKind::Ok => self.ok += 1,
            OutcomeKind::Fail => self.fail += 1,
            OutcomeKind::Info => self.info += 1,
        }
    }
}

/// The figures of all operations with the same word `f`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct CallStatistics {
    /// How many there were, by outcome.
    pub operations: OutcomeCounts,
    /// How long they took, by outcome; operations that never completed are left out.
    pub latency: OutcomeLatency,
}

/// Latencies by outcome; `None` where there was no such completion.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct OutcomeLatency {
    /// Of acknowledged operations.
    pub ok: Option<Quantiles>,
    /// Of operations that were refused.
    pub fail: Option<Quantiles>,
    /// Of operations that were given up.
    pub info: Option<Quantiles>,
}

impl OutcomeLatency {
    fn set(&mut self, outcome: OutcomeKind, quantiles: Option<Quantiles>) {
        match outcome {
            OutcomeKind::Ok => self.ok = quantiles,
            OutcomeKind::Fail => self.fail = quantiles,
            OutcomeKind::Info => self.info = quantiles,
        }
    }
}

/// A node was seen to lead.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Leadership {
    /// When it was first seen.
    pub time_ns: TimeNs,
    /// Who led.
    pub node: String,
    /// In which term.
    pub term: u64,
}

/// Faults of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct FaultCounts {
    /// Begun.
    pub injected: u64,
    /// Seen to bite.
    pub bitten: u64,
    /// Could not be injected, or were not seen to bite.
    pub failed: u64,
}

impl Statistics {
    /// The figures of a history. `leaders` says who was seen to lead from when on, by time; the same leader in the same
    /// term may be named again and again.
    #[must_use]
    pub fn of(history: &History, leaders: &[Leadership]) -> Self {
        Self::of_operations(history, history.operations(), leaders)
    }

    /// The same where the operations of the history are at hand.
    #[must_use]
    pub fn of_operations(history: &History, operations: &[Operation], leaders: &[Leadership]) -> Self {
        let mut statistics =
            Self { duration_ns: duration_ns(operations), faults: faults::by_kind(history), ..Self::default() };
        let mut latencies: BTreeMap<(&'static str, OutcomeKind), Vec<u64>> = BTreeMap::new();
        for operation in operations {
            let outcome = OutcomeKind::from(&operation.outcome);
            let f = operation.call.f();
            statistics.operations.add(outcome);
            statistics.final_reads += u64::from(operation.is_final);
            statistics.count_by_f(f, outcome);
            statistics.count_by_node(operation.node.as_deref(), outcome);
            if let Some(completed) = operation.completed {
                latencies.entry((f, outcome)).or_default().push(completed.0 - operation.invoked.0);
            }
        }
        let mut of_all: BTreeMap<OutcomeKind, Vec<u64>> = BTreeMap::new();
        for ((f, outcome), mut latencies) in latencies {
            statistics.by_f.entry(f.into()).or_default().latency.set(outcome, Quantiles::of(&mut latencies));
            of_all.entry(outcome).or_default().append(&mut latencies);
        }
        for (outcome, mut latencies) in of_all {
            statistics.latency.set(outcome, Quantiles::of(&mut latencies));
        }
        statistics.acknowledged_per_second = per_second(statistics.operations.ok, statistics.duration_ns);
        let windows = windows_without_ok(history);
        statistics.longest_without_ok = windows.first().copied();
        statistics.availability = availability::by_fault(history, operations, &windows);
        statistics.leaders = distinct(leaders);
        statistics.leader_changes = statistics.leaders.len().saturating_sub(1) as u64;
        statistics
    }

    fn count_by_f(&mut self, f: &str, outcome: OutcomeKind) {
        if !self.by_f.contains_key(f) {
            self.by_f.insert(f.into(), CallStatistics::default());
        }
        if let Some(call) = self.by_f.get_mut(f) {
            call.operations.add(outcome);
        }
    }

    fn count_by_node(&mut self, node: Option<&str>, outcome: OutcomeKind) {
        let Some(node) = node else { return };
        if let Some(counts) = self.by_node.get_mut(node) {
            counts.add(outcome);
        } else {
            let mut counts = OutcomeCounts::default();
            counts.add(outcome);
            self.by_node.insert(node.into(), counts);
        }
    }
}

/// From the first invocation to the last event of a client.
fn duration_ns(operations: &[Operation]) -> u64 {
    let first = operations.iter().map(|operation| operation.invoked).min().unwrap_or_default();
    let last = operations.iter().map(|operation| operation.completed.unwrap_or(operation.invoked)).max();
    last.unwrap_or_default().0 - first.0
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn per_second(count: u64, duration_ns: u64) -> f64 {
    if duration_ns == 0 { 0.0 } else { count as f64 * 1e9 / duration_ns as f64 }
}

fn distinct(leaders: &[Leadership]) -> Vec<Leadership> {
    let mut seen: Vec<Leadership> = Vec::new();
    for leader in leaders {
        if seen.last().is_none_or(|last| (&last.node, last.term) != (&leader.node, leader.term)) {
            seen.push(leader.clone());
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{MS, Story};

    fn small() -> History {
        let mut story = Story::default();
        story.ok(0, "n1", 0, 2 * MS, "write", "x", "1");
        story.ok(1, "n2", MS, 5 * MS, "read", "x", "1");
        story.info(2, "n2", 6 * MS, 20 * MS, "write", "x", "2", "timeout");
        story.fail(0, "n1", 7 * MS, 8 * MS, "write", "x", "3", "not the leader");
        story.open(1, "n2", 9 * MS, "read", "x");
        story.fault(21 * MS, 0, "kill", "begin", "n1");
        story.fault(22 * MS, 0, "kill", "bites", "gone");
        story.fault(23 * MS, 1, "kill", "begin", "n2");
        story.fault(24 * MS, 1, "kill", "failed", "no such process");
        story.history()
    }

    #[test]
    fn operations_are_counted_by_outcome_call_and_node() {
        let statistics = Statistics::of(&small(), &[]);
        assert_eq!(statistics.operations, OutcomeCounts { total: 5, ok: 2, fail: 1, info: 2 });
        assert_eq!(statistics.by_f["write"].operations, OutcomeCounts { total: 3, ok: 1, fail: 1, info: 1 });
        assert_eq!(statistics.by_node["n2"], OutcomeCounts { total: 3, ok: 1, fail: 0, info: 2 });
        assert_eq!(statistics.duration_ns, 20 * MS);
        assert!((statistics.acknowledged_per_second - 100.0).abs() < 1e-9);
    }

    #[test]
    fn latencies_leave_out_what_never_completed() {
        let statistics = Statistics::of(&small(), &[]);
        let write = statistics.by_f["write"].latency;
        assert_eq!(write.ok.unwrap().max_ns, 2 * MS);
        assert_eq!(write.info.unwrap().p50_ns, 14 * MS);
        assert_eq!(statistics.by_f["read"].latency.info, None);
        assert_eq!(statistics.latency.ok.unwrap().max_ns, 4 * MS);
    }

    #[test]
    fn faults_are_counted_by_kind() {
        let statistics = Statistics::of(&small(), &[]);
        assert_eq!(statistics.faults["kill"], FaultCounts { injected: 2, bitten: 1, failed: 1 });
    }

    #[test]
    fn a_leader_seen_twice_is_no_change() {
        let seen = |time, node: &str, term| Leadership { time_ns: TimeNs(time), node: node.into(), term };
        let leaders = [seen(0, "n1", 1), seen(5, "n1", 1), seen(9, "n2", 2), seen(12, "n2", 3)];
        let statistics = Statistics::of(&small(), &leaders);
        assert_eq!(statistics.leader_changes, 2);
        assert_eq!(statistics.leaders.len(), 3);
        assert_eq!(Statistics::of(&small(), &[]).leader_changes, 0);
    }
}
