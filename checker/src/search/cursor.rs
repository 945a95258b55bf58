//! The open operations at one event of a history, moved forwards and backwards with the search.

use super::compile::{Compiled, Event, OpId};
use super::mask::Mask;

pub(super) struct Cursor<const W: usize> {
    /// The event that was not passed yet.
    event: u32,
    /// The operation in each place.
    slots: Vec<OpId>,
    /// Places of open operations that are pure.
    pub(super) open_pure: Mask<W>,
    /// Places of open operations that are not.
    pub(super) open: Mask<W>,
    /// How many operations of unknown outcome of each class were invoked.
    invoked_unknown: Vec<u32>,
}

impl<const W: usize> Cursor<W> {
    pub(super) fn new(slots: usize, classes: usize) -> Self {
        Self {
            event: 0,
            slots: vec![0; slots],
            open_pure: Mask::EMPTY,
            open: Mask::EMPTY,
            invoked_unknown: vec![0; classes],
        }
    }

    pub(super) fn event(&self) -> u32 {
        self.event
    }

    pub(super) fn operation(&self, slot: u16) -> OpId {
        self.slots[usize::from(slot)]
    }

    pub(super) fn invoked_unknown(&self, class: u32) -> u32 {
        self.invoked_unknown[class as usize]
    }

    /// Passes one event.
    pub(super) fn forward<C, R>(&mut self, history: &Compiled<'_, C, R>) {
        match history.events[self.event as usize] {
            Event::Invoke(id) => self.open(history, id),
            Event::Complete(id) => self.close(history, id),
            Event::InvokeUnknown(class) => self.invoked_unknown[class as usize] += 1,
        }
        self.event += 1;
    }

    /// Goes back to an event that was passed.
    pub(super) fn back_to<C, R>(&mut self, event: u32, history: &Compiled<'_, C, R>) {
        while self.event > event {
            self.event -= 1;
            match history.events[self.event as usize] {
                Event::Invoke(id) => self.close(history, id),
                Event::Complete(id) => self.open(history, id),
                Event::InvokeUnknown(class) => self.invoked_unknown[class as usize] -= 1,
            }
        }
    }

    fn open<C, R>(&mut self, history: &Compiled<'_, C, R>, id: OpId) {
        let operation = &history.known[id as usize];
        self.slots[usize::from(operation.slot)] = id;
        if operation.is_pure { self.open_pure.insert(operation.slot) } else { self.open.insert(operation.slot) }
    }

    fn close<C, R>(&mut self, history: &Compiled<'_, C, R>, id: OpId) {
        let operation = &history.known[id as usize];
        if operation.is_pure { self.open_pure.remove(operation.slot) } else { self.open.remove(operation.slot) }
    }
}
