//! Leaving out operations as long as the rest is not linearizable.
//!
//! A contradiction is mostly found near an operation at which the search stuck. So a few operations before it are taken,
//! with all that they may have observed, then twice as many, until they contradict each other. From these, one after the
//! other is left out. Every part is made sound by [`Model::sub_history`] and searched again.

use crate::fragments::Fragments;
use crate::model::Model;

/// A small part of the operations that is not linearizable.
pub(super) struct Core {
    /// With all that they may have observed; sorted places.
    pub(super) all: Vec<u32>,
    /// The operations that are left; sorted places.
    pub(super) kept: Vec<u32>,
    /// Whether a search said that they contradict each other.
    pub(super) is_contradiction: bool,
    /// Whether none of them can be left out.
    pub(super) is_minimal: bool,
}

/// A small part of the operations that is not linearizable, by what the search suspects.
pub(super) fn shrink<M: Model>(fragments: &Fragments<'_, '_, M>, operations: usize, suspects: [u32; 2]) -> Core {
    let shrinker = Shrinker::new(fragments, operations);
    let (core, is_contradiction) = shrinker.core(suspects);
    if is_contradiction {
        shrinker.leave_out(core)
    } else {
        Core { all: core.clone(), kept: core, is_contradiction, is_minimal: false }
    }
}

/// Leaves out of operations that contradict each other what can be left out. Places are sorted.
pub(super) fn shrink_fragment<M: Model>(fragments: &Fragments<'_, '_, M>, places: &[u32]) -> Core {
    Shrinker::new(fragments, places.len()).leave_out(places.to_vec())
}

/// The operations as they are, and whether they contradict each other, and no longer do when any of them is left out.
pub(super) fn look_at<M: Model>(fragments: &Fragments<'_, '_, M>, mut places: Vec<u32>) -> Core {
    places.sort_unstable();
    let all = fragments.with_observed_by_few(&places);
    let shrinker = Shrinker::new(fragments, all.len());
    let is_contradiction = shrinker.is_contradiction(&all, &places);
    let is_minimal = is_contradiction
        && (0..places.len()).all(|left_out| {
            let rest: Vec<u32> = [&places[..left_out], &places[left_out + 1..]].concat();
            !fragments.is_late() && !shrinker.is_contradiction(&all, &rest)
        });
    Core { all, kept: places, is_contradiction, is_minimal }
}

struct Shrinker<'f, 'a, 'h, M: Model> {
    fragments: &'f Fragments<'a, 'h, M>,
    operations: usize,
}

impl<'f, 'a, 'h, M: Model> Shrinker<'f, 'a, 'h, M> {
    fn new(fragments: &'f Fragments<'a, 'h, M>, operations: usize) -> Self {
        Self { fragments, operations }
    }

    /// The operations that completed just before a suspect did, as many as make a contradiction; and whether they do, as
    /// far as the time goes.
    fn core(&self, suspects: [u32; 2]) -> (Vec<u32>, bool) {
        let completed = |place: u32| self.fragments.entry(place).completed;
        let by_completion = self.fragments.telling();
        let mut count = 2;
        let mut tried = 0;
        while tried < self.operations && !self.fragments.is_late() {
            let mut core = suspects.to_vec();
            for suspect in suspects {
                let end = by_completion.partition_point(|place| completed(*place) <= completed(suspect));
                core.extend(&by_completion[end.saturating_sub(count)..end]);
            }
            core.sort_unstable();
            core.dedup();
            let Some(core) = self.fragments.with_observed(core, usize::MAX) else { break };
            if core.len() > tried && self.is_contradiction(&core, &core) {
                return (core, true);
            }
            tried = tried.max(core.len());
            if count > by_completion.len() {
                break;
            }
            count *= 2;
        }
        let everything: Vec<u32> = (0..self.operations as u32).collect();
        let is_contradiction = self.is_contradiction(&everything, &everything);
        (everything, is_contradiction)
    }

    /// Leaves out what can be left out: first operations that changed nothing, in large pieces, then the others, each with
    /// those that only observed it.
    fn leave_out(&self, core: Vec<u32>) -> Core {
        let mut kept = core.clone();
        let mut piece = kept.len().div_ceil(2);
        while piece > 0 && !self.fragments.is_late() {
            let pure: Vec<u32> = kept.iter().copied().filter(|place| self.fragments.is_pure(*place)).collect();
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
                    if !self.fragments.is_pure(place) {
                        left_out.extend(kept.iter().filter(|other| {
                            self.fragments.is_pure(**other) && self.fragments.observes(**other, place)
                        }));
                    }
                    let could = self.try_without(&core, &mut kept, &left_out);
                    if !could && left_out.len() > 1 {
                        self.try_without(&core, &mut kept, &[place]);
                    }
                }
            }
            if self.fragments.is_late() || kept.len() == before {
                let is_minimal = !self.fragments.is_late();
                return Core { all: core, kept, is_contradiction: true, is_minimal };
            }
        }
    }

    fn try_without(&self, core: &[u32], kept: &mut Vec<u32>, left_out: &[u32]) -> bool {
        if self.fragments.is_late() {
            return false;
        }
        let rest: Vec<u32> = kept.iter().copied().filter(|place| !left_out.contains(place)).collect();
        let could = self.is_contradiction(core, &rest);
        if could {
            *kept = rest;
        }
        could
    }

    fn is_contradiction(&self, core: &[u32], places: &[u32]) -> bool {
        self.fragments.is_contradiction(core, places)
    }
}
