//! The operations on one object, made ready for the search: numbered, with equal ones in one class, every open one in a
//! place of its own, and their events in one order.

use rustc_hash::FxHashMap;

use super::outcome::Stopped;
use crate::budget::{Budget, Pace};
use crate::model::{Model, Observed};
use crate::operation::{Entry, Partition};

/// The number of an operation: those that came back by completion, then those of unknown outcome by invocation.
pub(super) type OpId = u32;
/// Operations with the same call and the same return are of one class: they do the same to a state.
pub(super) type ClassId = u32;

pub(super) struct Compiled<'a, C, R> {
    /// Operations that came back, by completion.
    pub(super) known: Vec<Known>,
    /// Invocations, and completions of the operations that came back, in order. Ends with the last completion.
    pub(super) events: Vec<Event>,
    /// What each class asks and gets.
    pub(super) classes: Vec<Class<'a, C, R>>,
    /// The places of the operations of unknown outcome in each class, by invocation; empty for other classes.
    pub(super) unknown: Vec<Vec<u32>>,
    /// Operations that came back, at most this many open at once.
    pub(super) open_max: usize,
}

pub(super) struct Class<'a, C, R> {
    pub(super) call: &'a C,
    pub(super) returned: Option<&'a R>,
    pub(super) is_pure: bool,
}

pub(super) struct Known {
    pub(super) class: ClassId,
    pub(super) slot: u16,
    pub(super) is_pure: bool,
    /// Its place in the partition.
    pub(super) place: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Event {
    Invoke(OpId),
    Complete(OpId),
    /// One more operation of this class, of unknown outcome, may take effect from here on.
    InvokeUnknown(ClassId),
}

impl<'a, C: Eq + std::hash::Hash, R: Eq + std::hash::Hash> Compiled<'a, C, R> {
    pub(super) fn new<M: Model<Call = C, Return = R>>(
        model: &M,
        partition: &Partition<'a, C, R>,
        budget: &Budget,
    ) -> Result<Self, Stopped> {
        let mut compiled =
            Self { known: Vec::new(), events: Vec::new(), classes: Vec::new(), unknown: Vec::new(), open_max: 0 };
        let on_the_way_bytes = partition.len() * (size_of::<Known>() + 2 * size_of::<Event>() + 3 * size_of::<u32>());
        let mut pace = Pace::new();
        let mut class_of = FxHashMap::default();
        let mut place_classes = Vec::with_capacity(partition.len());
        for entry in partition.iter() {
            if pace.tick() {
                let map_bytes = class_of.capacity() * 2 * size_of::<(&C, Option<&R>, ClassId)>();
                budget.look(on_the_way_bytes + map_bytes + compiled.bytes())?;
            }
            let class = *class_of.entry((entry.call, entry.returned)).or_insert_with(|| {
                let is_pure = model.is_pure(entry.call, entry.returned);
                compiled.classes.push(Class { call: entry.call, returned: entry.returned, is_pure });
                (compiled.classes.len() - 1) as ClassId
            });
            place_classes.push(class);
        }
        drop(class_of);
        compiled.unknown = vec![Vec::new(); compiled.classes.len()];
        compiled.number(&partition.entries, &place_classes);
        compiled.assign_slots();
        compiled.drop_unobserved(model, budget)?;
        budget.look(compiled.bytes())?;
        Ok(compiled)
    }

    pub(super) fn bytes(&self) -> usize {
        self.events.capacity() * size_of::<Event>()
            + self.known.capacity() * size_of::<Known>()
            + self.classes.capacity() * size_of::<Class<'_, C, R>>()
            + self.unknown.capacity() * size_of::<Vec<u32>>()
    }

    fn number(&mut self, entries: &[Entry<'a, C, R>], place_classes: &[ClassId]) {
        let mut by_completion: Vec<u32> = (0..entries.len() as u32).collect();
        by_completion.retain(|place| !entries[*place as usize].is_optional());
        by_completion.sort_by_key(|place| (entries[*place as usize].completed, *place));
        let mut id_of = vec![0; entries.len()];
        for (id, place) in by_completion.iter().enumerate() {
            id_of[*place as usize] = id as OpId;
            let class = place_classes[*place as usize];
            let is_pure = self.classes[class as usize].is_pure;
            self.known.push(Known { class, slot: 0, is_pure, place: *place });
        }
        self.events.reserve(by_completion.len() * 2);
        let mut completions =
            by_completion.iter().map(|place| entries[*place as usize].completed).enumerate().peekable();
        for (place, entry) in entries.iter().enumerate() {
            while let Some((id, _)) = completions.next_if(|(_, completed)| *completed < entry.invoked) {
                self.events.push(Event::Complete(id as OpId));
            }
            if !entry.is_optional() {
                self.events.push(Event::Invoke(id_of[place]));
            } else if completions.peek().is_some() && !self.classes[place_classes[place] as usize].is_pure {
                self.unknown[place_classes[place] as usize].push(place as u32);
                self.events.push(Event::InvokeUnknown(place_classes[place]));
            }
        }
        self.events.extend(completions.map(|(id, _)| Event::Complete(id as OpId)));
    }

    /// Gives every open operation a place; places of completed ones are used again.
    fn assign_slots(&mut self) {
        let mut free: Vec<u16> = Vec::new();
        for event in &self.events {
            match *event {
                Event::Invoke(id) => {
                    let slot = free.pop().unwrap_or_else(|| {
                        self.open_max += 1;
                        u16::try_from(self.open_max - 1).unwrap_or(u16::MAX)
                    });
                    self.known[id as usize].slot = slot;
                }
                Event::Complete(id) => free.push(self.known[id as usize].slot),
                Event::InvokeUnknown(_) => {}
            }
        }
    }

    /// Leaves out the operations of unknown outcome that nobody may have observed, neither an operation that came back
    /// nor one of unknown outcome that was itself observed.
    fn drop_unobserved<M: Model<Call = C, Return = R>>(&mut self, model: &M, budget: &Budget) -> Result<(), Stopped> {
        let mut pace = Pace::new();
        let mut open: FxHashMap<u64, Vec<ClassId>> = FxHashMap::default();
        for class in 0..self.classes.len() as ClassId {
            if !self.unknown[class as usize].is_empty() {
                open.entry(model.effect(self.classes[class as usize].call)).or_default().push(class);
            }
        }
        let mut is_observer = vec![false; self.classes.len()];
        for operation in &self.known {
            is_observer[operation.class as usize] = true;
        }
        let mut observers: Vec<ClassId> =
            (0..self.classes.len() as ClassId).filter(|class| is_observer[*class as usize]).collect();
        while let Some(observer) = observers.pop()
            && !open.is_empty()
        {
            if pace.tick() {
                budget.look(self.bytes())?;
            }
            let Class { call, returned, .. } = self.classes[observer as usize];
            match model.observes(call, returned) {
                Observed::Anything => observers.extend(open.drain().flat_map(|(_, classes)| classes)),
                Observed::AnythingBut(effect) => {
                    observers.extend(open.extract_if(|other, _| *other != effect).flat_map(|(_, classes)| classes));
                }
                Observed::Effects(effects) => {
                    observers.extend(effects.iter().filter_map(|effect| open.remove(effect)).flatten());
                }
            }
        }
        for class in open.into_values().flatten() {
            self.unknown[class as usize].clear();
        }
        self.events.retain(|event| match event {
            Event::InvokeUnknown(class) => !self.unknown[*class as usize].is_empty(),
            Event::Invoke(_) | Event::Complete(_) => true,
        });
        Ok(())
    }
}
