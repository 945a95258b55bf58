//! From an invalid history to a witness.

mod prefix;
mod shrink;

use std::time::{Duration, Instant};

use crate::budget::Budget;
use crate::fast::{Clash, FastPath};
use crate::fragments::Fragments;
use crate::model::Model;
use crate::operation::{Entry, Partition};
use crate::options::Options;
use crate::partition::Part;
use crate::witness::{Kind, Witness, WitnessOperation};

/// Time for a witness, also after the fastest check.
const LEAST: Duration = Duration::from_millis(50);

/// Steps of one try: a part of the history that is harder than this is no witness for a person.
const STEPS_A_TRY: u64 = 200_000;
const MEMORY_A_TRY_BYTES: usize = 64 << 20;

/// How a check found out that operations are not linearizable. Numbers are places in the part.
pub(crate) enum Contradiction {
    /// By a rule.
    Clash(Clash),
    /// By a search, which makes these operations suspect.
    Stuck([u32; 2]),
    /// By a search of these operations alone, sorted.
    Fragment(Vec<u32>),
}

/// How long explaining may take.
pub(crate) struct Pace {
    deadline: Instant,
    /// The budget of one try.
    a_try: Budget,
    /// What the check took for one operation. A rule can't be stopped, and so not be begun if it would end too late.
    per_operation: Duration,
}

impl Pace {
    /// Explaining may take as long as the check took, and no longer than a twentieth of the time budget where that is spent.
    pub(crate) fn new(started: Instant, check_time: Duration, operations: usize, options: &Options) -> Self {
        let wanted = started + check_time + check_time.max(LEAST);
        let deadline = match options.time_budget {
            None => wanted,
            Some(budget) => wanted.min(started + budget.max(check_time) + (budget / 20).min(LEAST)),
        };
        let memory_bytes =
            options.memory_budget_bytes.map_or(MEMORY_A_TRY_BYTES, |bytes| (bytes / 2).min(MEMORY_A_TRY_BYTES));
        let a_try = Budget { deadline: Some(deadline), memory_bytes, steps: STEPS_A_TRY };
        Self { deadline, a_try, per_operation: check_time / u32::try_from(operations.max(1)).unwrap_or(u32::MAX) }
    }

    /// Whether there is time for a rule on so many operations.
    fn has_time_for(&self, operations: usize) -> bool {
        let takes = self.per_operation.saturating_mul(u32::try_from(operations).unwrap_or(u32::MAX));
        Instant::now() + takes <= self.deadline
    }
}

/// The smallest part of the operations that is still not linearizable, as far as the time goes, and its story.
pub(crate) fn witness<M: Model>(
    model: &M,
    part: &Part<'_, M::Call, M::Return>,
    found: &Contradiction,
    pace: &Pace,
) -> Witness {
    let partition = &part.partition;
    let fragments = Fragments::new(model, partition, pace.a_try);
    let core = match found {
        Contradiction::Clash(clash) => shrink::look_at(&fragments, clash.operations.clone()),
        Contradiction::Stuck(suspects) => shrink::shrink(&fragments, partition.len(), *suspects),
        Contradiction::Fragment(places) => shrink::shrink_fragment(&fragments, places),
    };
    let is_confirmed = match found {
        Contradiction::Clash(_) => core.is_contradiction,
        Contradiction::Stuck(_) | Contradiction::Fragment(_) => {
            let rule = |fragment: &Partition<'_, _, _>| matches!(model.fast_path(fragment), FastPath::Invalid(_));
            core.is_contradiction && fragments.fragment(&core.all, &core.kept, rule) == Some(true)
        }
    };
    let uses_rule = matches!(found, Contradiction::Clash(_));
    let prefix = prefix::legal_prefix(model, partition, &core, uses_rule, pace);
    let entries: Vec<_> = core.kept.iter().map(|place| partition.entries[*place as usize]).collect();
    let (kind, explanation) = match found {
        Contradiction::Clash(clash) => (clash.kind, clash.explanation.clone()),
        Contradiction::Stuck(_) | Contradiction::Fragment(_) => {
            let told: Vec<String> = entries.iter().map(|entry| tell(model, partition, entry)).collect();
            (Kind::NotLinearizable, format!("No order of these operations is legal: {}.", told.join("; ")))
        }
    };
    let told =
        entries.iter().map(|entry| WitnessOperation { position: entry.position, text: tell(model, partition, entry) });
    Witness {
        kind,
        object: part.object.to_string(),
        operations: told.collect(),
        explanation,
        is_minimal: core.is_minimal,
        is_confirmed,
        prefix: prefix.map(|found| prefix::tell(model, partition, found)),
    }
}

/// Who did what, when.
fn tell<M: Model>(
    model: &M,
    partition: &Partition<'_, M::Call, M::Return>,
    entry: &Entry<'_, M::Call, M::Return>,
) -> String {
    let narrator = partition.narrator;
    let (who, from) = (narrator.who(entry.position), narrator.invoked(entry.position));
    let did = model.describe(entry.call, entry.returned);
    match entry.returned {
        Some(_) => format!("{who} {did}, from {from} to {}", narrator.completed(entry.position)),
        None => format!("{who} {did}, from {from} on, and never heard of it"),
    }
}
