//! What will happen, by time. Of two events of one moment the one that was announced first comes first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use crate::server::Micros;

/// A queue of events in virtual time. The heap holds places only, so that moving its entries is cheap.
#[derive(Debug)]
pub(super) struct Events<E> {
    heap: BinaryHeap<Reverse<(Micros, u64, u32)>>,
    slots: Vec<Option<E>>,
    free: Vec<u32>,
    announced: u64,
}

impl<E> Default for Events<E> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), slots: Vec::new(), free: Vec::new(), announced: 0 }
    }
}

impl<E> Events<E> {
    pub(super) fn announce(&mut self, at: Micros, event: E) {
        let slot = if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = Some(event);
            slot
        } else {
            self.slots.push(Some(event));
            u32::try_from(self.slots.len() - 1).expect("memory ends before four thousand million events wait")
        };
        self.announced += 1;
        self.heap.push(Reverse((at, self.announced, slot)));
    }

    /// The next event, unless it comes after `until`.
    pub(super) fn next(&mut self, until: Micros) -> Option<(Micros, E)> {
        let next = self.heap.peek_mut().filter(|next| next.0.0 <= until)?;
        let Reverse((at, _, slot)) = PeekMut::pop(next);
        self.free.push(slot);
        self.slots[slot as usize].take().map(|event| (at, event))
    }

    /// All that will happen, in no order.
    pub(super) fn announced(&self) -> impl Iterator<Item = (Micros, &E)> {
        self.heap.iter().filter_map(|Reverse((at, _, slot))| Some((*at, self.slots[*slot as usize].as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_and_then_as_they_were_announced() {
        let mut events = Events::default();
        for (at, name) in [(5, "d"), (1, "a"), (5, "e"), (2, "b"), (2, "c"), (9, "f")] {
            events.announce(Micros(at), name);
        }
        let order: String = std::iter::from_fn(|| events.next(Micros(5))).map(|(_, name)| name).collect();
        assert_eq!(order, "abcde");
        assert_eq!(events.announced().collect::<Vec<_>>(), [(Micros(9), &"f")]);
        events.announce(Micros(6), "x");
        assert_eq!(events.next(Micros(10)), Some((Micros(6), "x")));
        assert_eq!(events.next(Micros(10)), Some((Micros(9), "f")));
        assert_eq!(events.next(Micros(10)), None);
    }
}
