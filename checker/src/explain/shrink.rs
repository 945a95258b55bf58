//! Leaving out operations as long as the rest is not linearizable.
//!
//! A contradiction is mostly found near an operation at which the search stuck. So a few operations before it are taken,
//! with all that they may have observed, then twice as many, until they contradict each other. From these, one after the
//! other is left out. Every part is made sound by [`Model::sub_history`] and searched again.

use std::time::Instant;

use rustc_hash::FxHashMap;

use crate::budget::Budget;
use crate::model::{Model, Observed, SubHistory};
use crate::operation::{Entry, Partition};
use crate::search::{Found, search};

/// Steps of one try: a part of the history that is harder than this is no witness for a person.
const STEPS_A_TRY: u64 = 200_000;
const MEMORY_A_TRY_BYTES: usize = 64 << 20;

/// A small part of the operations that is not linearizable, as places, and whether none of it can be left out.
pub(super) fn shrink<M: Model>(
    model: &M,
    partition: &Partition<'_, M::Call, M::Return>,
    suspects: [u32; 2],
    deadline: Instant,
) -> (Vec<u32>, bool) {
    let shrinker = Shrinker::new(model, partition, deadline);
    let (core, is_contradiction) = shrinker.core(suspects);
    let (kept, is_minimal) = if is_contradiction { shrinker.leave_out(core) } else { (core, false) };
    (kept, is_minimal)
}

/// Whether the operations contradict each other, and no longer do when any of them is left out.
pub(super) fn is_minimal<M: Model>(
    model: &M,
    partition: &Partition<'_, M::Call, M::Return>,
    places: &[u32],
    deadline: Instant,
) -> bool {
    let shrinker = Shrinker::new(model, partition, deadline);
    let core = shrinker.with_observed(places.to_vec());
    shrinker.is_contradiction(&core, places)
        && (0..places.len()).all(|left_out| {
            let rest: Vec<u32> = [&places[..left_out], &places[left_out + 1..]].concat();
            !shrinker.is_late() && !shrinker.is_contradiction(&core, &rest)
        })
}

struct Shrinker<'a, 'h, M: Model> {
    model: &'a M,
    all: &'a Partition<'h, M::Call, M::Return>,
    deadline: Instant,
    /// The operations that may have changed something, by what they did.
    by_effect: FxHashMap<u64, Vec<u32>>,
}

impl<'a, 'h, M: Model> Shrinker<'a, 'h, M> {
    fn new(model: &'a M, all: &'a Partition<'h, M::Call, M::Return>, deadline: Instant) -> Self {
        let mut by_effect: FxHashMap<u64, Vec<u32>> = FxHashMap::default();
        for (place, entry) in all.iter().enumerate() {
            if !model.is_pure(entry.call, entry.returned) {
                by_effect.entry(model.effect(entry.call)).or_default().push(place as u32);
            }
        }
        Self { model, all, deadline, by_effect }
    }

    /// The operations that completed just before a suspect did, as many as make a contradiction; and whether they do, as
    /// far as the time goes.
    fn core(&self, suspects: [u32; 2]) -> (Vec<u32>, bool) {
        let entries = &self.all.entries;
        let completed = |place: u32| entries[place as usize].completed;
        // One that saw only what was not there owes that to nearly everything.
        let owes_little = |place: &u32| matches!(self.observed(*place), Observed::Effects(_)) || !self.is_pure(*place);
        let mut by_completion: Vec<u32> = (0..entries.len() as u32)
            .filter(|place| !entries[*place as usize].is_optional() && owes_little(place))
            .collect();
        by_completion.sort_by_key(|place| completed(*place));
        let mut count = 2;
        let mut tried = 0;
        while tried < entries.len() && !self.is_late() {
            let mut core = suspects.to_vec();
            for suspect in suspects {
                let end = by_completion.partition_point(|place| completed(*place) <= completed(suspect));
                core.extend(&by_completion[end.saturating_sub(count)..end]);
            }
            core.sort_unstable();
            core.dedup();
            let core = self.with_observed(core);
            if core.len() > tried && self.is_contradiction(&core, &core) {
                return (core, true);
            }
            tried = tried.max(core.len());
            if count > by_completion.len() {
                break;
            }
            count *= 2;
        }
        let everything: Vec<u32> = (0..entries.len() as u32).collect();
        let is_contradiction = self.is_contradiction(&everything, &everything);
        (everything, is_contradiction)
    }

    /// The operations, and all that they may have observed, directly or not. Sorted.
    fn with_observed(&self, mut places: Vec<u32>) -> Vec<u32> {
        let mut is_in = vec![false; self.all.len()];
        for place in &places {
            is_in[*place as usize] = true;
        }
        let mut next = 0;
        while next < places.len() && !self.is_late() {
            let more = match self.observed(places[next]) {
                Observed::Anything => self.by_effect.values().flatten().copied().collect(),
                Observed::AnythingBut(effect) => self
                    .by_effect
                    .iter()
                    .filter(|(other, _)| **other != effect)
                    .flat_map(|(_, places)| places)
                    .copied()
                    .collect(),
                Observed::Effects(effects) => effects
                    .iter()
                    .filter_map(|effect| self.by_effect.get(effect))
                    .flatten()
                    .copied()
                    .collect::<Vec<u32>>(),
            };
            for place in more {
                if !std::mem::replace(&mut is_in[place as usize], true) {
                    places.push(place);
                }
            }
            next += 1;
        }
        places.sort_unstable();
        places
    }

    fn observed(&self, place: u32) -> Observed {
        let entry = &self.all.entries[place as usize];
        self.model.observes(entry.call, entry.returned)
    }

    /// Leaves out what can be left out: first operations that changed nothing, in large pieces, then the others, each with
    /// those that only observed it.
    fn leave_out(&self, core: Vec<u32>) -> (Vec<u32>, bool) {
        let mut kept = core.clone();
        let mut piece = kept.len().div_ceil(2);
        while piece > 0 && !self.is_late() {
            let pure: Vec<u32> = kept.iter().copied().filter(|place| self.is_pure(*place)).collect();
            for piece in pure.chunks(piece) {
                self.try_without(&core, &mut kept, piece);
            }
            piece /= 2;
        }
        loop {
            let before = kept.len();
            for place in kept.clone() {
                if kept.contains(&place) {
                    let mut left_out = vec![place];
                    if !self.is_pure(place) {
                        left_out
                            .extend(kept.iter().filter(|other| self.is_pure(**other) && self.observes(**other, place)));
                    }
                    let could = self.try_without(&core, &mut kept, &left_out);
                    if !could && left_out.len() > 1 {
                        self.try_without(&core, &mut kept, &[place]);
                    }
                }
            }
            if self.is_late() || kept.len() == before {
                return (kept, !self.is_late());
            }
        }
    }

    fn try_without(&self, core: &[u32], kept: &mut Vec<u32>, left_out: &[u32]) -> bool {
        if self.is_late() {
            return false;
        }
        let rest: Vec<u32> = kept.iter().copied().filter(|place| !left_out.contains(place)).collect();
        let could = self.is_contradiction(core, &rest);
        if could {
            *kept = rest;
        }
        could
    }

    fn is_pure(&self, place: u32) -> bool {
        let entry = &self.all.entries[place as usize];
        self.model.is_pure(entry.call, entry.returned)
    }

    fn observes(&self, observer: u32, place: u32) -> bool {
        self.observed(observer).includes(self.model.effect(self.all.entries[place as usize].call))
    }

    fn is_late(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Whether the operations at these places, out of those of the core, are certainly not linearizable. What is not in
    /// the core was observed by none of it.
    fn is_contradiction(&self, core: &[u32], places: &[u32]) -> bool {
        let part = |choose: &dyn Fn(&&u32) -> bool| Partition {
            entries: core.iter().filter(choose).map(|place| self.all.entries[*place as usize]).collect(),
            narrator: self.all.narrator,
        };
        let is_kept = |place: &&u32| places.binary_search(place).is_ok();
        let (kept, dropped) = (part(&is_kept), part(&|place| !is_kept(place)));
        match self.model.sub_history(&kept, &dropped) {
            SubHistory::Unsound => false,
            SubHistory::AsItIs => self.is_rejected(&kept),
            SubHistory::Weakened(operations) => {
                let entries = kept.iter().zip(&operations).filter_map(|(entry, operation)| {
                    let operation = operation.as_ref()?;
                    Some(Entry { position: entry.position, ..Entry::new(0, operation) })
                });
                self.is_rejected(&Partition { entries: entries.collect(), narrator: self.all.narrator })
            }
        }
    }

    fn is_rejected(&self, partition: &Partition<'_, M::Call, M::Return>) -> bool {
        let (deadline, steps) = (Some(self.deadline), STEPS_A_TRY);
        let budget = Budget { deadline, memory_bytes: MEMORY_A_TRY_BYTES, steps };
        matches!(search(self.model, partition, &budget).found, Found::Invalid { .. })
    }
}
