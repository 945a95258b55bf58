//! From an invalid history to a witness.

mod shrink;

use std::time::{Duration, Instant};

use crate::fast::Clash;
use crate::model::Model;
use crate::operation::Entry;
use crate::partition::Part;
use crate::witness::{Kind, Witness, WitnessOperation};

/// Time for a witness, also after the fastest check.
const LEAST: Duration = Duration::from_millis(50);

/// How a check found out that operations are not linearizable. Numbers are places in the part.
pub(crate) enum Contradiction {
    /// By a rule.
    Clash(Clash),
    /// By a search, which makes these operations suspect.
    Stuck([u32; 2]),
    /// By a search of these operations alone, sorted.
    Fragment(Vec<u32>),
}

/// When to stop explaining: it may take as long as the check took, and no longer than a twentieth of the time budget where
/// that is spent.
pub(crate) fn deadline(started: Instant, check_time: Duration, budget: Option<Duration>) -> Instant {
    let wanted = started + check_time + check_time.max(LEAST);
    match budget {
        None => wanted,
        Some(budget) => wanted.min(started + budget.max(check_time) + (budget / 20).min(LEAST)),
    }
}

/// The smallest part of the operations that is still not linearizable, as far as the time goes, and its story.
pub(crate) fn witness<M: Model>(
    model: &M,
    part: &Part<'_, M::Call, M::Return>,
    found: &Contradiction,
    deadline: Instant,
) -> Witness {
    let (places, is_minimal) = match found {
        Contradiction::Clash(clash) => {
            (clash.operations.clone(), shrink::is_minimal(model, &part.partition, &clash.operations, deadline))
        }
        Contradiction::Stuck(suspects) => shrink::shrink(model, &part.partition, *suspects, deadline),
        Contradiction::Fragment(places) => shrink::shrink_fragment(model, &part.partition, places, deadline),
    };
    let entries: Vec<_> = places.iter().map(|place| part.partition.entries[*place as usize]).collect();
    let (kind, explanation) = match found {
        Contradiction::Clash(clash) => (clash.kind, clash.explanation.clone()),
        Contradiction::Stuck(_) | Contradiction::Fragment(_) => {
            let told: Vec<String> = entries.iter().map(|entry| tell(model, part, entry)).collect();
            (Kind::NotLinearizable, format!("No order of these operations is legal: {}.", told.join("; ")))
        }
    };
    let operations =
        entries.iter().map(|entry| WitnessOperation { position: entry.position, text: tell(model, part, entry) });
    Witness { kind, object: part.object.to_string(), operations: operations.collect(), explanation, is_minimal }
}

/// Who did what, when.
fn tell<M: Model>(model: &M, part: &Part<'_, M::Call, M::Return>, entry: &Entry<'_, M::Call, M::Return>) -> String {
    let narrator = part.partition.narrator;
    let (who, from) = (narrator.who(entry.position), narrator.invoked(entry.position));
    let did = model.describe(entry.call, entry.returned);
    match entry.returned {
        Some(_) => format!("{who} {did}, from {from} to {}", narrator.completed(entry.position)),
        None => format!("{who} {did}, from {from} on, and never heard of it"),
    }
}
