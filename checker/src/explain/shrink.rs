//! Leaving out operations as long as the rest is not linearizable.

use std::time::Instant;

use rustc_hash::FxHashSet;

use crate::budget::Budget;
use crate::model::{Model, SubHistory};
use crate::operation::{Entry, NEVER, Partition};
use crate::search::{Found, search};

/// Steps of one try: a part of the history that is harder than this is no witness for a person.
const STEPS_A_TRY: u64 = 200_000;
const MEMORY_A_TRY_BYTES: usize = 64 << 20;

/// A small part of the operations that is not linearizable, as places, and whether none of it can be left out.
pub(super) fn shrink<M: Model>(
    model: &M,
    partition: &Partition<'_, M::Call, M::Return>,
    stuck_at: Option<u32>,
    deadline: Instant,
) -> (Vec<u32>, bool) {
    let beginning = beginning(partition, stuck_at);
    let mut kept: Vec<u32> = (0..beginning.len() as u32).collect();
    // Larger pieces first: most of a long history has nothing to do with it.
    let mut piece = kept.len().div_ceil(2).max(1);
    let mut is_minimal = false;
    while Instant::now() < deadline {
        let mut end = kept.len();
        let before = kept.len();
        while end > 0 && Instant::now() < deadline {
            let start = end.saturating_sub(piece);
            let rest: Vec<u32> = kept[..start].iter().chain(&kept[end..]).copied().collect();
            if is_invalid(model, &beginning, &rest, deadline) {
                kept = rest;
            }
            end = start;
        }
        if piece > 1 {
            piece = piece.div_ceil(2);
        } else if kept.len() == before {
            is_minimal = Instant::now() < deadline;
            break;
        }
    }
    let places: FxHashSet<usize> = kept.iter().map(|place| beginning.entries[*place as usize].position).collect();
    let places = partition.entries.iter().enumerate().filter(|(_, entry)| places.contains(&entry.position));
    (places.map(|(place, _)| place as u32).collect(), is_minimal)
}

/// Whether the operations contradict each other, and no longer do when any of them is left out.
pub(super) fn is_minimal<M: Model>(
    model: &M,
    partition: &Partition<'_, M::Call, M::Return>,
    places: &[u32],
    deadline: Instant,
) -> bool {
    is_invalid(model, partition, places, deadline)
        && (0..places.len()).all(|left_out| {
            let rest: Vec<u32> = [&places[..left_out], &places[left_out + 1..]].concat();
            Instant::now() < deadline && !is_invalid(model, partition, &rest, deadline)
        })
}

/// What was invoked before the operation came back at which the search stuck. What came back later need not have happened
/// by then: the shortest part of the history, from its beginning, that the search found not linearizable.
fn beginning<'a, C, R>(partition: &Partition<'a, C, R>, stuck_at: Option<u32>) -> Partition<'a, C, R> {
    let end = stuck_at.map_or(NEVER, |place| partition.entries[place as usize].completed);
    let cut = |entry: &Entry<'a, C, R>| Entry {
        completed: if entry.completed > end { NEVER } else { entry.completed },
        ..*entry
    };
    let entries = partition.entries.iter().filter(|entry| entry.invoked <= end).map(cut).collect();
    Partition { entries, narrator: partition.narrator }
}

/// Whether the operations at these places, without the others, are certainly not linearizable.
fn is_invalid<M: Model>(
    model: &M,
    partition: &Partition<'_, M::Call, M::Return>,
    places: &[u32],
    deadline: Instant,
) -> bool {
    let mut next = places.iter().peekable();
    let (kept, dropped) = partition.split(|place| next.next_if(|kept| **kept as usize == place).is_some());
    let budget = Budget { deadline: Some(deadline), memory_bytes: MEMORY_A_TRY_BYTES, steps: STEPS_A_TRY };
    let is_rejected = |partition: &Partition<'_, M::Call, M::Return>| {
        matches!(search(model, partition, &budget).found, Found::Invalid { .. })
    };
    match model.sub_history(&kept, &dropped) {
        SubHistory::Unsound => false,
        SubHistory::AsItIs => is_rejected(&kept),
        SubHistory::Weakened(operations) => {
            let entries = kept.iter().zip(&operations).filter_map(|(entry, operation)| {
                let operation = operation.as_ref()?;
                Some(Entry {
                    position: entry.position,
                    call: &operation.call,
                    returned: operation.returned.as_ref(),
                    invoked: operation.invoked,
                    completed: if operation.returned.is_some() { operation.completed } else { NEVER },
                })
            });
            is_rejected(&Partition { entries: entries.collect(), narrator: partition.narrator })
        }
    }
}
