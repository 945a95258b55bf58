//! Parts of the operations on one object that are linearizable if the whole is. One that is not proves that the whole is
//! not either, and is far easier to search.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::budget::Budget;
use crate::model::{Model, Observed, SubHistory};
use crate::operation::{Entry, Partition};
use crate::search::{Outcome, search};

/// The operations on one object, and who may owe its legality to whom.
pub(crate) struct Fragments<'a, 'h, M: Model> {
    model: &'a M,
    all: &'a Partition<'h, M::Call, M::Return>,
    /// What the operations do that may have changed something, with their places; sorted. Made when first needed.
    by_effect: OnceCell<Vec<(u64, u32)>>,
    helpers: RefCell<FxHashMap<u32, Helpers>>,
    /// Of one search.
    budget: Budget,
}

/// Operations whose helpers are remembered, at most.
const REMEMBERED_MAX: usize = 4096;
/// Operations between two looks at the clock.
const LOOK: usize = 64;

/// The operations that one may owe its legality to.
#[derive(Clone)]
pub(crate) enum Helpers {
    /// All, perhaps but those of one effect.
    Nearly(Option<u64>),
    /// These, sorted.
    These(Rc<[u32]>),
}

impl<'a, 'h, M: Model> Fragments<'a, 'h, M> {
    /// After the deadline it says less than it could, and nothing wrong.
    pub(crate) fn new(model: &'a M, all: &'a Partition<'h, M::Call, M::Return>, budget: Budget) -> Self {
        Self { model, all, by_effect: OnceCell::new(), helpers: RefCell::default(), budget }
    }

    fn by_effect(&self) -> &[(u64, u32)] {
        self.by_effect.get_or_init(|| {
            let mut by_effect: Vec<(u64, u32)> = self.effects().collect();
            by_effect.sort_unstable();
            by_effect
        })
    }

    /// What the operations do that may have changed something, and their places. Ends early when it is late.
    fn effects(&self) -> impl Iterator<Item = (u64, u32)> {
        let in_time = |(place, _): &(u32, _)| !(*place as usize).is_multiple_of(LOOK) || !self.is_late();
        let changes = |(_, entry): &(u32, &Entry<'h, _, _>)| !self.model.is_pure(entry.call, entry.returned);
        let entries = (0..).zip(&self.all.entries).take_while(in_time).filter(changes);
        entries.map(|(place, entry)| (self.model.effect(entry.call), place))
    }

    pub(crate) fn is_late(&self) -> bool {
        self.budget.is_late()
    }

    pub(crate) fn entry(&self, place: u32) -> &Entry<'h, M::Call, M::Return> {
        &self.all.entries[place as usize]
    }

    pub(crate) fn is_pure(&self, place: u32) -> bool {
        let entry = self.entry(place);
        self.model.is_pure(entry.call, entry.returned)
    }

    pub(crate) fn helpers(&self, place: u32) -> Helpers {
        if let Some(helpers) = self.helpers.borrow().get(&place) {
            return helpers.clone();
        }
        let entry = self.entry(place);
        let helpers = match self.model.observes(entry.call, entry.returned) {
            Observed::Anything => Helpers::Nearly(None),
            Observed::AnythingBut(effect) => Helpers::Nearly(Some(effect)),
            Observed::Effects(effects) => {
                let mut places: Vec<u32> = effects.iter().flat_map(|effect| self.with_effect(*effect)).collect();
                places.sort_unstable();
                places.dedup();
                Helpers::These(places.into())
            }
        };
        let mut remembered = self.helpers.borrow_mut();
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear();
        }
        remembered.insert(place, helpers.clone());
        helpers
    }

    fn with_effect(&self, effect: u64) -> impl Iterator<Item = u32> {
        let by_effect = self.by_effect();
        let start = by_effect.partition_point(|(other, _)| *other < effect);
        by_effect[start..].iter().take_while(move |(other, _)| *other == effect).map(|(_, place)| *place)
    }

    /// Whether the first may owe its legality to the second.
    pub(crate) fn observes(&self, observer: u32, place: u32) -> bool {
        match self.helpers(observer) {
            Helpers::Nearly(None) => true,
            Helpers::Nearly(Some(effect)) => self.model.effect(self.entry(place).call) != effect,
            Helpers::These(helpers) => helpers.binary_search(&place).is_ok(),
        }
    }

    /// Those of the operations that came back and say which few others they owe themselves to, or changed something: by
    /// completion. One that saw only what was not there owes that to nearly everything, and proves little.
    pub(crate) fn telling(&self) -> Vec<u32> {
        let mut telling = Vec::new();
        for (place, entry) in self.all.iter().enumerate() {
            if place.is_multiple_of(LOOK) && self.is_late() {
                break;
            }
            let is_telling = !self.model.is_pure(entry.call, entry.returned)
                || matches!(self.model.observes(entry.call, entry.returned), Observed::Effects(_));
            if is_telling && !entry.is_optional() {
                telling.push(place as u32);
            }
        }
        telling.sort_by_key(|place| self.entry(*place).completed);
        telling
    }

    /// The operations, and all that they may have observed, directly or not. Sorted; `None` if there are more than `most`.
    pub(crate) fn with_observed(&self, mut places: Vec<u32>, most: usize) -> Option<Vec<u32>> {
        let mut is_in: FxHashSet<u32> = places.iter().copied().collect();
        let mut next = 0;
        while next < places.len() && places.len() <= most {
            match self.helpers(places[next]) {
                Helpers::These(helpers) => places.extend(helpers.iter().filter(|place| is_in.insert(**place))),
                Helpers::Nearly(_) if self.all.len() > most => return None,
                Helpers::Nearly(but) => {
                    let others = self.by_effect().iter().filter(|(effect, _)| but != Some(*effect));
                    places.extend(others.map(|(_, place)| *place).filter(|place| is_in.insert(*place)));
                }
            }
            next += 1;
        }
        places.sort_unstable();
        (places.len() <= most).then_some(places)
    }

    /// As [`with_observed`](Self::with_observed) without a limit, for a few operations: it looks at all operations a few
    /// times, which takes less than to sort them.
    pub(crate) fn with_observed_by_few(&self, places: &[u32]) -> Vec<u32> {
        const SCANS_MAX: usize = 6;
        let mut all: FxHashSet<u32> = places.iter().copied().collect();
        let mut newest = places.to_vec();
        let mut wanted: FxHashSet<u64> = FxHashSet::default();
        for _ in 0..SCANS_MAX {
            for place in &newest {
                let entry = self.entry(*place);
                match self.model.observes(entry.call, entry.returned) {
                    Observed::Effects(effects) => wanted.extend(effects),
                    Observed::Anything | Observed::AnythingBut(_) => {
                        return self.with_observed(places.to_vec(), usize::MAX).unwrap_or_default();
                    }
                }
            }
            newest.clear();
            newest.extend(self.effects().filter(|(effect, _)| wanted.contains(effect)).map(|(_, place)| place));
            newest.retain(|place| all.insert(*place));
            if newest.is_empty() {
                let mut all: Vec<u32> = all.into_iter().collect();
                all.sort_unstable();
                return all;
            }
        }
        self.with_observed(places.to_vec(), usize::MAX).unwrap_or_default()
    }

    /// The operations at these places as a history of their own, out of those of the core; both sorted. What is not in the
    /// core was observed by none of it. `None` where they prove nothing about the whole.
    pub(crate) fn fragment<T>(
        &self,
        core: &[u32],
        places: &[u32],
        look: impl FnOnce(&Partition<'_, M::Call, M::Return>) -> T,
    ) -> Option<T> {
        if self.is_late() {
            // The core may lack what was not looked at.
            return None;
        }
        let part = |wanted: bool| Partition {
            entries: core
                .iter()
                .filter(|place| places.binary_search(place).is_ok() == wanted)
                .map(|place| *self.entry(*place))
                .collect(),
            narrator: self.all.narrator,
        };
        let (kept, dropped) = (part(true), part(false));
        match self.model.sub_history(&kept, &dropped) {
            SubHistory::Unsound => None,
            SubHistory::AsItIs => Some(look(&kept)),
            SubHistory::Weakened(operations) => {
                let entries = kept.iter().zip(&operations).filter_map(|(entry, operation)| {
                    let operation = operation.as_ref()?;
                    Some(Entry { position: entry.position, ..Entry::new(0, operation) })
                });
                Some(look(&Partition { entries: entries.collect(), narrator: kept.narrator }))
            }
        }
    }

    /// Searches the operations at these places. See [`fragment`](Self::fragment).
    pub(crate) fn search(&self, core: &[u32], places: &[u32]) -> Option<Outcome> {
        self.fragment(core, places, |fragment| search(self.model, fragment, &self.budget))
    }

    /// Whether the operations at these places are certainly not linearizable. See [`fragment`](Self::fragment).
    pub(crate) fn is_contradiction(&self, core: &[u32], places: &[u32]) -> bool {
        self.search(core, places).is_some_and(|outcome| outcome.is_invalid())
    }
}
