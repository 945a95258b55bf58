//! What the trials of one bug came to.

use std::collections::BTreeMap;

use rashomon_systems::planted::PlantedBug;

use super::{Detected, Measured};
use crate::plan::System;
use crate::swarm::Finding;

/// The trials of one bug, or of the right system.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Row {
    pub(crate) system: System,
    /// Nothing where the system is right.
    pub(crate) bug: Option<PlantedBug>,
    pub(crate) trials: usize,
    pub(crate) found: usize,
    pub(crate) runs: Spread<u64>,
    pub(crate) virtual_seconds: Spread<f64>,
    pub(crate) real_seconds: Spread<f64>,
    /// All runs of all trials.
    pub(crate) all_runs: u64,
    /// How often each check was the first to find it, the most frequent first.
    pub(crate) checks: Vec<(String, usize)>,
    /// The seed of a run that shows it.
    pub(crate) seed: Option<u64>,
}

/// The middle and the worst of several trials. A trial that found nothing counts as worse than all others: where it would be
/// the median or the worst, there is none.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Spread<T> {
    pub(crate) median: Option<T>,
    pub(crate) worst: Option<T>,
}

impl<T: PartialOrd + Copy> Spread<T> {
    fn of(mut found: Vec<T>, trials: usize) -> Self {
        found.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        let place = |number: usize| found.get(number).copied();
        Self { median: place(trials.saturating_sub(1) / 2), worst: trials.checked_sub(1).and_then(place) }
    }
}

impl Row {
    /// A row a bug, in the order of their ids; the right system last.
    pub(crate) fn all(measured: &Measured) -> Vec<Self> {
        let mut by_bug: BTreeMap<(System, Option<PlantedBug>), Vec<&Detected>> = BTreeMap::new();
        for (trial, detected) in measured {
            by_bug.entry((trial.system, trial.bug)).or_default().push(detected);
        }
        let mut rows: Vec<_> =
            by_bug.into_iter().map(|((system, bug), trials)| Self::of(system, bug, &trials)).collect();
        rows.sort_by_key(|row| (row.system, row.bug.is_none(), row.bug.map(PlantedBug::id)));
        rows
    }

    fn of(system: System, bug: Option<PlantedBug>, trials: &[&Detected]) -> Self {
        let found: Vec<&Detected> = trials.iter().filter(|trial| trial.found.is_some()).copied().collect();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for (_, finding) in found.iter().filter_map(|trial| trial.found.as_ref()) {
            *counts.entry(name(finding)).or_default() += 1;
        }
        let mut checks: Vec<_> = counts.into_iter().collect();
        checks.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), name.clone()));
        let quickest = found.iter().min_by_key(|trial| trial.runs);
        Self {
            system,
            bug,
            trials: trials.len(),
            found: found.len(),
            runs: Spread::of(found.iter().map(|trial| trial.runs).collect(), trials.len()),
            virtual_seconds: Spread::of(
                found.iter().map(|trial| std::time::Duration::from_micros(trial.virtual_us).as_secs_f64()).collect(),
                trials.len(),
            ),
            real_seconds: Spread::of(found.iter().map(|trial| trial.real.as_secs_f64()).collect(), trials.len()),
            all_runs: trials.iter().map(|trial| trial.runs).sum(),
            checks,
            seed: quickest.and_then(|trial| trial.found.as_ref()).map(|(seed, _)| *seed),
        }
    }
}

/// `liveness: no-leader`; the models of histories go by one name, whatever the workload is.
fn name(finding: &Finding) -> String {
    match finding.check.as_str() {
        INVARIANTS | LIVENESS => format!("{}: {}", finding.check, finding.kind),
        _ => format!("history: {}", finding.kind),
    }
}

const INVARIANTS: &str = "inner invariants";
const LIVENESS: &str = "liveness";
