//! Which operations have no prospects: they are not legal, and all that could have made them legal is past.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::compile::{ClassId, Compiled, Event, OpId};
use super::outcome::Stopped;
use crate::budget::{Budget, Pace};
use crate::model::{Model, Observed};

/// Operations that may make others legal. Those of a class that owes itself to too many are not looked at.
pub(super) struct Prospects {
    helpers: Lists,
    unknown_helpers: Lists,
    is_tracked: Vec<bool>,
    observers: Lists,
    /// The event at which each operation is invoked.
    pub(super) invoked_at: Vec<u32>,
    /// The event at which each operation completes.
    pub(super) completed_at: Vec<u32>,
}

/// More helpers than this make it unlikely that all of them are past.
const HELPERS_MAX: usize = 64;

impl Prospects {
    pub(super) fn new<M: Model>(
        model: &M,
        history: &Compiled<'_, M::Call, M::Return>,
        budget: &Budget,
    ) -> Result<Self, Stopped> {
        let (invoked_at, completed_at) = times(history);
        let by_effect = ByEffect::new(model, history, budget)?;
        let mut prospects = Self {
            helpers: Lists::new(),
            unknown_helpers: Lists::new(),
            is_tracked: Vec::with_capacity(history.classes.len()),
            observers: Lists::new(),
            invoked_at,
            completed_at,
        };
        let mut pace = Pace::new();
        for class in &history.classes {
            if pace.tick() {
                budget.look(history.bytes() + by_effect.bytes() + prospects.bytes())?;
            }
            let effects = match model.observes(class.call, class.returned) {
                Observed::Effects(effects) => effects,
                Observed::Anything | Observed::AnythingBut(_) => Vec::new(),
            };
            let found = || effects.iter().filter_map(|effect| by_effect.numbers.get(effect));
            let known = || found().flat_map(|effect| by_effect.known.of(*effect));
            let unknown = || found().flat_map(|effect| by_effect.unknown.of(*effect));
            let is_tracked = !effects.is_empty() && known().chain(unknown()).nth(HELPERS_MAX).is_none();
            prospects.is_tracked.push(is_tracked);
            if is_tracked {
                prospects.helpers.items.extend(known());
                prospects.unknown_helpers.items.extend(unknown());
            }
            prospects.helpers.close();
            prospects.unknown_helpers.close();
        }
        drop(by_effect);
        prospects.find_observers(history, budget)?;
        Ok(prospects)
    }

    /// Turns the helpers around.
    fn find_observers<C, R>(&mut self, history: &Compiled<'_, C, R>, budget: &Budget) -> Result<(), Stopped>
    where
        C: Eq + Hash,
        R: Eq + Hash,
    {
        let mut pairs: Vec<(OpId, OpId)> = Vec::new();
        let mut pace = Pace::new();
        for (id, operation) in history.known.iter().enumerate() {
            if pace.tick() {
                budget.look(history.bytes() + self.bytes() + pairs.capacity() * size_of::<(OpId, OpId)>() * 2)?;
            }
            pairs.extend(self.helpers.of(operation.class).iter().map(|helper| (*helper, id as OpId)));
        }
        self.observers = Lists::of_pairs(pairs, history.known.len());
        Ok(())
    }

    /// The operations that may owe themselves to this one, by completion.
    pub(super) fn observers(&self, id: OpId) -> &[OpId] {
        self.observers.of(id)
    }

    pub(super) fn is_tracked(&self, class: ClassId) -> bool {
        self.is_tracked[class as usize]
    }

    pub(super) fn helpers(&self, class: ClassId) -> &[OpId] {
        self.helpers.of(class)
    }

    pub(super) fn unknown_helpers(&self, class: ClassId) -> &[ClassId] {
        self.unknown_helpers.of(class)
    }

    pub(super) fn bytes(&self) -> usize {
        self.helpers.bytes()
            + self.unknown_helpers.bytes()
            + self.observers.bytes()
            + self.is_tracked.capacity()
            + (self.invoked_at.capacity() + self.completed_at.capacity()) * size_of::<u32>()
    }
}

/// The events at which the operations are invoked, and at which they complete.
fn times<C, R>(history: &Compiled<'_, C, R>) -> (Vec<u32>, Vec<u32>) {
    let mut invoked_at = vec![0; history.known.len()];
    let mut completed_at = Vec::with_capacity(history.known.len());
    for (event, what) in history.events.iter().enumerate() {
        match what {
            Event::Invoke(id) => invoked_at[*id as usize] = event as u32,
            Event::Complete(_) => completed_at.push(event as u32),
            Event::InvokeUnknown(_) => {}
        }
    }
    (invoked_at, completed_at)
}

/// What has which effect.
struct ByEffect {
    /// Effects are numbered as they come.
    numbers: FxHashMap<u64, u32>,
    /// Operations that came back.
    known: Lists,
    /// Classes of unknown outcome.
    unknown: Lists,
}

impl ByEffect {
    fn new<M: Model>(model: &M, history: &Compiled<'_, M::Call, M::Return>, budget: &Budget) -> Result<Self, Stopped> {
        let mut numbers: FxHashMap<u64, u32> = FxHashMap::default();
        let mut class_effects = Vec::with_capacity(history.classes.len());
        let mut pace = Pace::new();
        for class in &history.classes {
            if pace.tick() {
                budget.look(history.bytes() + numbers.capacity() * 2 * size_of::<(u64, u32)>())?;
            }
            let next = numbers.len() as u32;
            class_effects.push(if class.is_pure {
                NO_EFFECT
            } else {
                *numbers.entry(model.effect(class.call)).or_insert(next)
            });
        }
        let known = history.known.iter().enumerate().filter(|(_, operation)| !operation.is_pure);
        let known = known.map(|(id, operation)| (class_effects[operation.class as usize], id as OpId)).collect();
        let unknown =
            (0..history.classes.len() as ClassId).filter(|class| !history.unknown[*class as usize].is_empty());
        let unknown = unknown.map(|class| (class_effects[class as usize], class)).collect();
        let effects = numbers.len();
        Ok(Self { numbers, known: Lists::of_pairs(known, effects), unknown: Lists::of_pairs(unknown, effects) })
    }

    fn bytes(&self) -> usize {
        self.numbers.capacity() * 2 * size_of::<(u64, u32)>() + self.known.bytes() + self.unknown.bytes()
    }
}

/// Stands in place of a number: the operations are pure.
const NO_EFFECT: u32 = u32::MAX;

/// One list a number, end to end.
struct Lists {
    ends: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    fn new() -> Self {
        Self { ends: vec![0], items: Vec::new() }
    }

    /// The second of each pair in the list of the first, for numbers below `count`.
    fn of_pairs(mut pairs: Vec<(u32, u32)>, count: usize) -> Self {
        pairs.sort_unstable();
        let mut lists = Self { ends: Vec::with_capacity(count + 1), items: Vec::with_capacity(pairs.len()) };
        lists.ends.push(0);
        let mut pairs = pairs.into_iter().peekable();
        for number in 0..count as u32 {
            while let Some((_, item)) = pairs.next_if(|(first, _)| *first == number) {
                lists.items.push(item);
            }
            lists.close();
        }
        lists
    }

    /// Ends the list of the next number.
    fn close(&mut self) {
        self.ends.push(self.items.len() as u32);
    }

    fn of(&self, number: u32) -> &[u32] {
        &self.items[self.ends[number as usize] as usize..self.ends[number as usize + 1] as usize]
    }

    fn bytes(&self) -> usize {
        (self.ends.capacity() + self.items.capacity()) * size_of::<u32>()
    }
}
