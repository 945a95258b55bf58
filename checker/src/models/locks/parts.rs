//! Which parts of a lock's history are linearizable if the whole is.
//!
//! Whatever began after the last operation that is kept was over may be cut off. Before that, all of an owner may be left
//! out, and whole holds of it: nobody is hindered by less. Its operations of unknown outcome may have been needed by those
//! that are kept, so they are left out only if they can't have been.

use rashomon_history::{Call, Returned, Value};
use rustc_hash::FxHashMap;

use super::{Rules, Step};
use crate::locks::LockRules;
use crate::model::SubHistory;
use crate::operation::{Entry, Operation, Partition};

type Lock<'a> = Partition<'a, Call, Returned>;

/// An operation of one owner.
struct Own {
    is_kept: bool,
    /// How many permits more the owner holds after it.
    change: i64,
    is_known: bool,
    invoked: u64,
    completed: u64,
}

impl Own {
    fn new<'a>(entry: &Entry<'a, Call, Returned>, is_kept: bool) -> Option<(&'a Value, Self)> {
        let step = Step::new(entry.call, entry.returned)?;
        let permits = i64::from(step.permits);
        let own = Self {
            is_kept,
            change: if step.is_acquire { permits } else { -permits },
            is_known: !entry.is_optional(),
            invoked: entry.invoked,
            completed: entry.completed,
        };
        Some((step.owner, own))
    }
}

pub(super) fn sub_history(rules: Rules, kept: &Lock<'_>, dropped: &Lock<'_>) -> SubHistory<Call, Returned> {
    let ends = kept.iter().filter(|entry| !entry.is_optional()).map(|entry| entry.completed);
    let Some(horizon) = ends.max() else { return SubHistory::AsItIs };
    let lost: Vec<_> = dropped.iter().filter(|entry| entry.invoked <= horizon).copied().collect();
    if lost.is_empty() {
        return SubHistory::AsItIs;
    }
    match rules {
        Rules::Ownerless => of_anybody(kept, &lost),
        Rules::Owned(rules) => {
            let is_sound = by_owner(kept, lost).into_values().all(|mut own| {
                own.sort_by_key(|operation| operation.invoked);
                is_sound(rules, &own)
            });
            if is_sound { SubHistory::AsItIs } else { SubHistory::Unsound }
        }
    }
}

/// Of a lock without owners, what came before all that is kept may be left out if the lock was free then, and what began
/// later than some time if nothing is kept that was over after that time.
fn of_anybody(kept: &Lock<'_>, lost: &[Entry<'_, Call, Returned>]) -> SubHistory<Call, Returned> {
    let change = |entry: &Entry<'_, Call, Returned>| if matches!(entry.call, Call::Acquire { .. }) { 1 } else { -1 };
    if kept.iter().chain(lost).is_sorted_by(|left, right| change(left) == change(right)) {
        return SubHistory::AsItIs;
    }
    let first_kept = kept.iter().map(|entry| entry.invoked).min().unwrap_or(0);
    let (before, later): (Vec<_>, Vec<_>) = lost.iter().partition(|entry| entry.completed < first_kept);
    if before.into_iter().map(change).sum::<i64>() != 0 {
        return SubHistory::Unsound;
    }
    let Some(cut) = later.iter().map(|entry| entry.invoked).min() else { return SubHistory::AsItIs };
    let operations = kept.iter().map(|entry| {
        Some(Operation {
            process: 0,
            call: entry.call.clone(),
            returned: entry.returned.filter(|_| entry.completed < cut).cloned(),
            invoked: entry.invoked,
            completed: entry.completed,
        })
    });
    SubHistory::Weakened(operations.collect())
}

/// The operations of the owners of which some are kept.
fn by_owner<'a>(kept: &Lock<'a>, lost: Vec<Entry<'a, Call, Returned>>) -> FxHashMap<&'a Value, Vec<Own>> {
    let mut owners: FxHashMap<&Value, Vec<Own>> = FxHashMap::default();
    for (owner, own) in kept.iter().filter_map(|entry| Own::new(entry, true)) {
        owners.entry(owner).or_default().push(own);
    }
    for (owner, own) in lost.iter().filter_map(|entry| Own::new(entry, false)) {
        if let Some(all) = owners.get_mut(owner) {
            all.push(own);
        }
    }
    owners
}

/// Whether the rest of an owner's operations is legal wherever all of them are.
fn is_sound(rules: LockRules, own: &[Own]) -> bool {
    if own.iter().all(|operation| operation.is_kept) {
        return true;
    }
    // Acquires need no help of the same owner's, nor do they give it to other acquires; the same goes for releases.
    if own.iter().all(|operation| operation.change > 0) || own.iter().all(|operation| operation.change < 0) {
        return true;
    }
    let known: Vec<&Own> = own.iter().filter(|operation| operation.is_known).collect();
    if known.windows(2).any(|pair| pair[0].completed >= pair[1].invoked) {
        return false;
    }
    let has = |is_kept: bool, is_acquire: bool| {
        own.iter().any(|it| !it.is_known && it.is_kept == is_kept && (it.change > 0) == is_acquire)
    };
    let (loses_release, loses_acquire) = (has(false, false), has(false, true));
    match rules {
        _ if loses_release => false,
        LockRules::Exclusive { holds_max: 1, .. } if has(true, false) => !loses_acquire && drops_holds(&known),
        _ if has(true, false) => false,
        LockRules::Exclusive { holds_max: 2.., is_fenced: true } => !loses_acquire && drops_holds(&known),
        LockRules::Exclusive { .. } | LockRules::Semaphore { .. } => {
            holds_less(&known) || !loses_acquire && drops_holds(&known)
        }
    }
}

/// Whether those that are kept never release more than they acquire, and never hold more than all of them do. Then
/// acquires of unknown outcome are not needed.
fn holds_less(known: &[&Own]) -> bool {
    // With the acquires of unknown outcome that are certainly needed.
    let (mut all, mut kept) = (0, 0);
    known.iter().all(|operation| {
        all = (all + operation.change).max(0);
        kept += if operation.is_kept { operation.change } else { 0 };
        (0..=all).contains(&kept)
    })
}

/// Whether every row of operations that are left out releases what it acquires, but perhaps the last one.
fn drops_holds(known: &[&Own]) -> bool {
    let mut held = 0;
    for operation in known {
        if operation.is_kept {
            if held != 0 {
                return false;
            }
        } else {
            held += operation.change;
            if held < 0 {
                return false;
            }
        }
    }
    true
}
