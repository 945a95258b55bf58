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
    clash: Option<&Clash>,
    stuck_at: Option<u32>,
    deadline: Instant,
) -> Witness {
    let (places, is_minimal) = match clash {
        Some(clash) => {
            (clash.operations.clone(), shrink::is_minimal(model, &part.partition, &clash.operations, deadline))
        }
        None => shrink::shrink(model, &part.partition, stuck_at, deadline),
    };
    let entries: Vec<_> = places.iter().map(|place| part.partition.entries[*place as usize]).collect();
    let (kind, explanation) = match clash {
        Some(clash) => (clash.kind, clash.explanation.clone()),
        None => (Kind::NotLinearizable, explain_search(model, part, &entries, stuck_at)),
    };
    let operations =
        entries.iter().map(|entry| WitnessOperation { position: entry.position, text: tell(model, part, entry) });
    Witness {
        kind,
        object: part.object.to_string(),
        operations: operations.collect(),
        explanation,
        is_minimal,
        stuck_at: stuck_at.map(|place| part.position(place)),
    }
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

fn explain_search<M: Model>(
    model: &M,
    part: &Part<'_, M::Call, M::Return>,
    entries: &[Entry<'_, M::Call, M::Return>],
    stuck_at: Option<u32>,
) -> String {
    let told: Vec<String> = entries.iter().map(|entry| tell(model, part, entry)).collect();
    let mut text = format!("No order of these {} operations is legal: {}.", entries.len(), told.join("; "));
    if let Some(place) = stuck_at {
        let stuck = &part.partition.entries[place as usize];
        let narrator = part.partition.narrator;
        text += &format!(
            " All that came back before {} has a legal order; with what {} did then ({}) there is none.",
            narrator.completed(stuck.position),
            narrator.who(stuck.position),
            model.describe(stuck.call, stuck.returned),
        );
    }
    text
}
