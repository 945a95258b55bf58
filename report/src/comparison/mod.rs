//! Runs side by side: what each came to, and what its faults did to those who asked.

mod page;
mod terminal;

use std::collections::BTreeMap;

use rashomon_history::{History, Outcome, TimeNs};

use crate::describe::duration;
use crate::statistics::fault_intervals;
use crate::verdict::VerdictFile;

pub use page::comparison_page;
pub use terminal::comparison_table;

/// One of the runs that are compared.
#[derive(Clone, Debug)]
pub struct Compared<'a> {
    /// The system, and what tells this run from others of it: `etcd`, `zookeeper reads=plain`.
    pub name: String,
    /// What was run, in a few words: `register under partition,kill, 3 nodes, 10 clients`.
    pub what: String,
    /// What it came to.
    pub verdict: &'a VerdictFile,
    /// What the clients saw and what the nemesis did.
    pub history: &'a History,
    /// Where its own page is, seen from the page of the comparison.
    pub link: Option<String>,
}

/// The figures of a run that are worth a comparison. Final reads are left out of those about faults: then there are none.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Figures {
    /// How often each kind of anomaly was found.
    anomalies: BTreeMap<String, u64>,
    per_second: f64,
    p50_ns: Option<u64>,
    p99_ns: Option<u64>,
    /// Of the operations that were invoked while a fault was on, those that were acknowledged, and all.
    under_faults: (u64, u64),
    /// The same of all others.
    without_faults: (u64, u64),
    longest_without_ok_ns: Option<u64>,
    recovery: Recovery,
}

/// From the end of a fault to the next acknowledged operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Recovery {
    /// No fault ended while somebody asked.
    None,
    /// The slowest.
    Slowest(u64),
    /// After some fault nothing was acknowledged any more.
    Never,
}

impl Figures {
    pub(crate) fn of(compared: &Compared<'_>) -> Self {
        let statistics = &compared.verdict.statistics;
        let mut anomalies = BTreeMap::new();
        for anomaly in &compared.verdict.anomalies {
            *anomalies.entry(anomaly.kind.clone()).or_default() += 1;
        }
        let (under_faults, without_faults) = acknowledged(compared.history);
        Self {
            anomalies,
            per_second: statistics.acknowledged_per_second,
            p50_ns: statistics.latency.ok.map(|latency| latency.p50_ns),
            p99_ns: statistics.latency.ok.map(|latency| latency.p99_ns),
            under_faults,
            without_faults,
            longest_without_ok_ns: statistics.longest_without_ok.map(|window| window.length_ns()),
            recovery: recovery(compared),
        }
    }

    fn anomalies_text(&self) -> String {
        let kinds: Vec<String> = self
            .anomalies
            .iter()
            .map(|(kind, count)| if *count == 1 { kind.clone() } else { format!("{kind} ×{count}") })
            .collect();
        if kinds.is_empty() { "none".into() } else { kinds.join(", ") }
    }

    fn recovery_text(&self) -> String {
        match self.recovery {
            Recovery::None => "-".into(),
            Recovery::Slowest(ns) => duration(ns),
            Recovery::Never => "never".into(),
        }
    }
}

/// How many of those invoked while a fault was on were acknowledged, and how many of the others.
fn acknowledged(history: &History) -> ((u64, u64), (u64, u64)) {
    let faults: Vec<(TimeNs, TimeNs)> = fault_intervals(history)
        .into_iter()
        .filter(|fault| fault.failed.is_none())
        .map(|fault| (fault.began, fault.ended_by(TimeNs(u64::MAX))))
        .collect();
    let (mut under, mut without) = ((0, 0), (0, 0));
    for operation in history.operations().iter().filter(|operation| !operation.is_final) {
        let is_under = faults.iter().any(|(began, ended)| (*began..=*ended).contains(&operation.invoked));
        let (ok, all) = if is_under { &mut under } else { &mut without };
        *ok += u64::from(matches!(operation.outcome, Outcome::Ok(_)));
        *all += 1;
    }
    (under, without)
}

fn recovery(compared: &Compared<'_>) -> Recovery {
    let ended: Vec<u64> = fault_intervals(compared.history)
        .iter()
        .filter(|fault| fault.ended.is_some())
        .map(|fault| fault.number)
        .collect();
    let after: Vec<Option<u64>> = compared
        .verdict
        .statistics
        .availability
        .iter()
        .filter(|fault| ended.contains(&fault.fault))
        .map(|fault| fault.ok_after_ns)
        .collect();
    match after.iter().flatten().max() {
        _ if after.contains(&None) => Recovery::Never,
        Some(slowest) => Recovery::Slowest(*slowest),
        None => Recovery::None,
    }
}

fn percent((ok, all): (u64, u64)) -> String {
    let per_mille = (ok * 1000).checked_div(all);
    per_mille.map_or_else(|| "-".into(), |share| format!("{}.{} %", share / 10, share % 10))
}

fn time(ns: Option<u64>) -> String {
    ns.map_or_else(|| "-".into(), duration)
}

#[cfg(test)]
mod tests;
