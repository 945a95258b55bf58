//! How much of an invalid history can be one story.

use super::Pace;
use super::shrink::Core;
use crate::budget::Budget;
use crate::fast::FastPath;
use crate::fragments::Fragments;
use crate::local::{Where, near_contradiction};
use crate::model::Model;
use crate::operation::Partition;
use crate::prefix::Moment;
use crate::search::{Found, search};
use crate::witness::LegalPrefix;

/// The completion at which the operations on one object are no longer linearizable, as a place. `None` if there was not
/// enough time.
///
/// A beginning of a linearizable history is linearizable. So there is one such completion: mostly the last one of the
/// contradiction that was found, which is tried first.
pub(super) fn legal_prefix<M: Model>(
    model: &M,
    partition: &Partition<'_, M::Call, M::Return>,
    core: &Core,
    uses_rule: bool,
    pace: &Pace,
) -> Option<u32> {
    if !core.is_contradiction {
        return None;
    }
    let look = Look { model, uses_rule, pace };
    let completed = |place: &u32| (partition.entries[*place as usize].completed, *place);
    let came_back = core.kept.iter().copied().filter(|place| !partition.entries[*place as usize].is_optional());
    let last = came_back.max_by_key(completed)?;
    let after = Moment::after_completion(partition, last).prefix(partition);
    let is_known_by_then = look.is_contradiction_in(&after, core) || !look.is_valid(&after)?;
    drop(after);
    let is_valid_before =
        is_known_by_then && look.is_valid(&Moment::before_completion(partition, last).prefix(partition))?;
    if is_valid_before {
        return Some(last);
    }
    // Something that was still open might have been the way out, or another contradiction came before.
    let mut by_completion: Vec<u32> = (0..partition.len() as u32).collect();
    by_completion.retain(|place| !partition.entries[*place as usize].is_optional());
    by_completion.sort_by_key(completed);
    let at = by_completion.partition_point(|place| completed(place) < completed(&last));
    let (mut valid_before, mut invalid_after) =
        if is_known_by_then { (0, at.checked_sub(1)?) } else { (at + 1, by_completion.len() - 1) };
    while valid_before < invalid_after {
        let middle = valid_before.midpoint(invalid_after);
        let moment = Moment::after_completion(partition, by_completion[middle]);
        if look.is_valid(&moment.prefix(partition))? {
            valid_before = middle + 1;
        } else {
            invalid_after = middle;
        }
    }
    Some(by_completion[invalid_after])
}

struct Look<'l, M> {
    model: &'l M,
    uses_rule: bool,
    pace: &'l Pace,
}

impl<M: Model> Look<'_, M> {
    /// Whether the operations contradict each other in a prefix, too, where what is open at its end may help them.
    fn is_contradiction_in(&self, prefix: &Partition<'_, M::Call, M::Return>, core: &Core) -> bool {
        let fragments = Fragments::new(self.model, prefix, self.pace.a_try);
        let invoked = core.kept.iter().copied().filter(|place| (*place as usize) < prefix.len());
        let kept: Vec<u32> = invoked.collect();
        fragments.is_contradiction(&fragments.with_observed_by_few(&kept), &kept)
    }

    /// Whether the operations are linearizable; `None` if that is not known in time.
    fn is_valid(&self, prefix: &Partition<'_, M::Call, M::Return>) -> Option<bool> {
        if self.uses_rule {
            if !self.pace.has_time_for(prefix.len()) {
                return None;
            }
            match self.model.fast_path(prefix) {
                FastPath::Valid(_) => return Some(true),
                FastPath::Invalid(_) => return Some(false),
                FastPath::NotApplicable(_) => {}
            }
        }
        let budget = self.pace.a_try;
        match search(self.model, prefix, &Budget { steps: budget.steps / 10, ..budget }).found {
            Found::Valid(_) => Some(true),
            Found::Invalid { .. } => Some(false),
            Found::Stopped { suspects, .. } => {
                let near = near_contradiction(self.model, prefix, Where::BeforeSuspects(suspects), &budget);
                if near.places.is_some() {
                    return Some(false);
                }
                match search(self.model, prefix, &Budget { steps: u64::MAX, ..budget }).found {
                    Found::Valid(_) => Some(true),
                    Found::Invalid { .. } => Some(false),
                    Found::Stopped { .. } => None,
                }
            }
        }
    }
}

/// The prefix before the completion of the operation at a place, in words.
pub(super) fn tell<M: Model>(model: &M, partition: &Partition<'_, M::Call, M::Return>, stuck: u32) -> LegalPrefix {
    let (operations, last) = Moment::before_completion(partition, stuck).completed(partition);
    let narrator = partition.narrator;
    let entry = &partition.entries[stuck as usize];
    let what = format!("{} {}", narrator.who(entry.position), model.describe(entry.call, entry.returned));
    let when = narrator.completed(entry.position);
    let until = last.map(|place| partition.entries[place as usize].position);
    let text = match until {
        None => format!("Already the first operation that came back, at {when}, does not fit: {what}."),
        Some(until) => {
            let until = narrator.completed(until);
            let can = if operations == 1 {
                format!("The operation that had come back by {until} can be explained")
            } else {
                format!("The {} operations that had come back by {until} can be one story", grouped(operations))
            };
            format!("{can}; with the next, which came back at {when}, no longer: {what}.")
        }
    };
    LegalPrefix { operations, until, stuck: entry.position, text }
}

/// A number with its thousands apart: `4,310`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([7, 999, 4_310, 1_000_000].map(grouped), ["7", "999", "4,310", "1,000,000"]);
    }
}
