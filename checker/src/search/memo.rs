//! What was searched already.

use hashbrown::HashTable;

use super::mask::{Mask, mix};
use super::states::StateId;
use super::unknowns::{TakenId, TakenSets};

/// Where a search is: a few words, whatever the length of the history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Configuration<const W: usize> {
    /// The event that can't be passed yet: the completion of an operation that was not taken.
    pub(super) event: u32,
    /// The state.
    pub(super) state: StateId,
    /// Which operations of unknown outcome were taken.
    pub(super) unknown: TakenId,
    /// Open operations that were taken and are not pure.
    pub(super) taken: Mask<W>,
    /// Open operations that were taken and are pure.
    pub(super) taken_pure: Mask<W>,
}

/// The configurations that were searched.
///
/// One that has taken more pure operations and fewer of unknown outcome than another, and is the same otherwise, can do
/// all that the other can: the other need not be searched after it.
pub(super) struct Memo<const W: usize> {
    entries: HashTable<Entry<W>>,
    /// Further entries with the same key, as linked lists.
    more: Vec<Entry<W>>,
    /// Entries made.
    pub(super) configurations: u64,
}

#[derive(Clone, Copy)]
struct Entry<const W: usize> {
    configuration: Configuration<W>,
    next: u32,
}

const END: u32 = u32::MAX;

impl<const W: usize> Memo<W> {
    pub(super) fn new() -> Self {
        Self { entries: HashTable::new(), more: Vec::new(), configurations: 0 }
    }

    /// Remembers the configuration. `false` if one that can do as much was searched before.
    pub(super) fn insert(&mut self, new: &Configuration<W>, unknowns: &TakenSets) -> bool {
        let can_all = |old: &Configuration<W>, new: &Configuration<W>| {
            new.taken_pure.is_subset(&old.taken_pure) && unknowns.is_subset(old.unknown, new.unknown)
        };
        let Some(entry) = self.entries.find_mut(hash_of(new), |entry| same_key(&entry.configuration, new)) else {
            self.configurations += 1;
            self.entries.insert_unique(hash_of(new), Entry { configuration: *new, next: END }, |entry| {
                hash_of(&entry.configuration)
            });
            return true;
        };
        let first = *entry;
        let mut current = first;
        loop {
            if can_all(&current.configuration, new) {
                return false;
            }
            if current.next == END {
                break;
            }
            current = self.more[current.next as usize];
        }
        if can_all(new, &first.configuration) {
            entry.configuration = *new;
        } else {
            entry.next = self.more.len() as u32;
            self.more.push(Entry { configuration: *new, next: first.next });
        }
        self.configurations += 1;
        true
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.entries.allocation_size() + self.more.capacity() * size_of::<Entry<W>>()
    }

    /// Bytes that the next growth needs at once, if it is near.
    pub(super) fn growth_bytes(&self) -> usize {
        let grows = self.entries.len() + NEXT_CHECK >= self.entries.capacity();
        let more_grows = self.more.len() + NEXT_CHECK >= self.more.capacity() && !self.more.is_empty();
        let entries = if grows { self.entries.allocation_size() * 2 } else { 0 };
        let more = if more_grows { self.more.capacity() * 2 * size_of::<Entry<W>>() } else { 0 };
        entries + more
    }
}

/// Entries that may come in before memory is looked at again.
const NEXT_CHECK: usize = 2048;

fn same_key<const W: usize>(left: &Configuration<W>, right: &Configuration<W>) -> bool {
    left.event == right.event && left.state == right.state && left.taken == right.taken
}

fn hash_of<const W: usize>(configuration: &Configuration<W>) -> u64 {
    configuration.taken.mix(mix(u64::from(configuration.event) << 32 | u64::from(configuration.state), 0))
}
