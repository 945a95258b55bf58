//! Which operations have no prospects: they are not legal, and all that could have made them legal is past.

use rustc_hash::FxHashMap;

use super::compile::{ClassId, Compiled, Event, OpId};
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
    pub(super) fn new<M: Model>(model: &M, history: &Compiled<'_, M::Call, M::Return>) -> Self {
        let mut invoked_at = vec![0; history.known.len()];
        let mut completed_at = Vec::with_capacity(history.known.len());
        for (event, what) in history.events.iter().enumerate() {
            match what {
                Event::Invoke(id) => invoked_at[*id as usize] = event as u32,
                Event::Complete(_) => completed_at.push(event as u32),
                Event::InvokeUnknown(_) => {}
            }
        }
        let mut by_effect: FxHashMap<u64, (Vec<OpId>, Vec<ClassId>)> = FxHashMap::default();
        for (id, operation) in history.known.iter().enumerate() {
            if !operation.is_pure {
                let effect = model.effect(history.classes[operation.class as usize].call);
                by_effect.entry(effect).or_default().0.push(id as OpId);
            }
        }
        for (number, class) in history.classes.iter().enumerate() {
            if !history.unknown[number].is_empty() {
                by_effect.entry(model.effect(class.call)).or_default().1.push(number as ClassId);
            }
        }
        let mut prospects = Self {
            helpers: Lists::new(),
            unknown_helpers: Lists::new(),
            is_tracked: Vec::with_capacity(history.classes.len()),
            observers: Lists::new(),
            invoked_at,
            completed_at,
        };
        for class in &history.classes {
            let effects = match model.observes(class.call, class.returned) {
                Observed::Effects(effects) => effects,
                Observed::Anything | Observed::AnythingBut(_) => Vec::new(),
            };
            let found = || effects.iter().filter_map(|effect| by_effect.get(effect));
            let count: usize = found().map(|(known, unknown)| known.len() + unknown.len()).sum();
            let is_tracked = !effects.is_empty() && count <= HELPERS_MAX;
            prospects.is_tracked.push(is_tracked);
            if is_tracked {
                prospects.helpers.items.extend(found().flat_map(|(known, _)| known));
                prospects.unknown_helpers.items.extend(found().flat_map(|(_, unknown)| unknown));
            }
            prospects.helpers.close();
            prospects.unknown_helpers.close();
        }
        prospects.find_observers(history);
        prospects
    }

    /// Turns the helpers around.
    fn find_observers<C, R>(&mut self, history: &Compiled<'_, C, R>) {
        let mut pairs: Vec<(OpId, OpId)> = Vec::new();
        for (id, operation) in history.known.iter().enumerate() {
            pairs.extend(self.helpers.of(operation.class).iter().map(|helper| (*helper, id as OpId)));
        }
        pairs.sort_unstable();
        let mut pairs = pairs.into_iter().peekable();
        for id in 0..history.known.len() as OpId {
            while let Some((_, observer)) = pairs.next_if(|(helper, _)| *helper == id) {
                self.observers.items.push(observer);
            }
            self.observers.close();
        }
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

/// One list a number, end to end.
struct Lists {
    ends: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    fn new() -> Self {
        Self { ends: vec![0], items: Vec::new() }
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
