//! Contradictions of a few operations that lie near each other, found before a long search is begun.
//!
//! A search must exhaust all that could have happened before a contradiction, which grows exponentially with the number of
//! operations that are open at once. But most contradictions are between few operations: a read, what it saw, and what
//! had replaced that. So small groups that completed one after the other are searched by themselves, each with all that
//! it may have observed. It depends on the model: where operations don't say what they observe, nothing is small.

use crate::budget::Budget;
use crate::fragments::Fragments;
use crate::model::Model;
use crate::operation::Partition;

/// Operations of a group, of those that completed one after the other.
const GROUPS: [usize; 3] = [4, 16, 48];
/// With what they observed.
const GROUP_MAX: usize = 256;
/// Steps of one group: where it takes more, nothing is near.
const STEPS_A_GROUP: u64 = 5_000;
/// How far back from a suspect to look.
const SUSPECT_GROUPS: [usize; 5] = [2, 4, 8, 16, 32];

/// What looking for a contradiction came to.
pub(crate) struct Near {
    /// The operations that contradict each other, as sorted places.
    pub(crate) places: Option<Vec<u32>>,
    pub(crate) steps: u64,
}

/// Where to look.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Where {
    /// Among the operations that completed shortly before a suspect.
    BeforeSuspects([u32; 2]),
    /// Among all.
    Everywhere,
}

/// Looks for a contradiction of operations that completed one after the other, with what they observed.
pub(crate) fn near_contradiction<M: Model>(
    model: &M,
    partition: &Partition<'_, M::Call, M::Return>,
    place: Where,
    budget: &Budget,
) -> Near {
    let a_group = Budget { steps: STEPS_A_GROUP.min(budget.steps), ..*budget };
    let fragments = Fragments::new(model, partition, a_group);
    let mut look = Look { fragments: &fragments, budget, steps: 0 };
    let places = match place {
        Where::BeforeSuspects(suspects) => look.before(suspects),
        Where::Everywhere => look.everywhere(),
    };
    Near { places, steps: look.steps }
}

struct Look<'f, 'a, 'h, M: Model> {
    fragments: &'f Fragments<'a, 'h, M>,
    budget: &'f Budget,
    steps: u64,
}

impl<M: Model> Look<'_, '_, '_, M> {
    fn before(&mut self, suspects: [u32; 2]) -> Option<Vec<u32>> {
        let telling = self.fragments.telling();
        let completed = |place: u32| self.fragments.entry(place).completed;
        let ends = suspects.map(|suspect| telling.partition_point(|place| completed(*place) <= completed(suspect)));
        let groups = SUSPECT_GROUPS.iter().flat_map(|count| ends.map(|end| end.saturating_sub(*count)..end));
        groups.into_iter().find_map(|group| self.at([&telling[group], &suspects].concat()))
    }

    fn everywhere(&mut self) -> Option<Vec<u32>> {
        let telling = self.fragments.telling();
        for size in GROUPS {
            // From the end: what went wrong was mostly seen late.
            for start in (0..telling.len()).step_by(size / 2).rev() {
                if self.steps >= self.budget.steps || self.budget.is_late() {
                    return None;
                }
                let found = self.at(telling[start..telling.len().min(start + size)].to_vec());
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }

    /// The group with all that it may have observed, if that is a contradiction.
    fn at(&mut self, mut group: Vec<u32>) -> Option<Vec<u32>> {
        group.sort_unstable();
        group.dedup();
        self.steps += 1;
        let places = self.fragments.with_observed(group, GROUP_MAX)?;
        let outcome = self.fragments.search(&places, &places)?;
        self.steps += outcome.steps;
        outcome.is_invalid().then_some(places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Register;
    use crate::operation::Operation;
    use crate::search::search;
    use rashomon_history::{Call, Returned};

    /// Reads and writes of few values at random times.
    fn random(source: &mut u64) -> Vec<Operation<Call, Returned>> {
        let mut below = |end: u64| {
            *source = source.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            (*source >> 33) % end
        };
        let operation = |_| {
            let (invoked, value, key) = (below(40), (below(4) as i64).into(), "x".into());
            let completed = invoked + below(30);
            match below(10) {
                0..5 => Operation::new(0, Call::Read { key }, Returned::Value(value), invoked, completed),
                5 => Operation::unknown(0, Call::Write { key, value }, invoked),
                _ => Operation::new(0, Call::Write { key, value }, Returned::Done, invoked, completed),
            }
        };
        (0..8).map(operation).collect()
    }

    #[test]
    fn what_contradicts_itself_nearby_contradicts_itself() {
        let (model, mut source) = (Register { initial: 0.into() }, 1);
        let budget = Budget { deadline: None, memory_bytes: usize::MAX, steps: u64::MAX };
        let (mut valid, mut invalid, mut found) = (0, 0, 0);
        for _ in 0..20_000 {
            let history = random(&mut source);
            let partition: Partition<'_, _, _> = history.iter().collect();
            let is_invalid = search(&model, &partition, &budget).is_invalid();
            let near = near_contradiction(&model, &partition, Where::Everywhere, &budget).places;
            let before = near_contradiction(&model, &partition, Where::BeforeSuspects([0, 7]), &budget).places;
            assert!(is_invalid || near.is_none() && before.is_none(), "{near:?}, {before:?} of {history:#?}");
            valid += usize::from(!is_invalid);
            invalid += usize::from(is_invalid);
            found += usize::from(near.is_some());
        }
        assert!(valid > 2_000 && invalid > 5_000 && found * 100 > invalid * 95, "{valid}, {invalid}, {found}");
    }
}
