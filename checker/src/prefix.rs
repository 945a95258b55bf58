//! The beginning of a history: what of it had happened by some moment.

use crate::operation::{Entry, NEVER, Partition};

/// A moment between two events of one object.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    /// Operations that were invoked before it.
    invoked: usize,
    /// The last operation that completed before it, by time and place; completions of the same time are in the order of
    /// their places.
    last: Option<(u64, u32)>,
}

impl Moment {
    /// Just before the operation at a place was invoked.
    pub(crate) fn before_invocation<C, R>(partition: &Partition<'_, C, R>, place: u32) -> Self {
        let last = partition.entries[place as usize].invoked.checked_sub(1).map(|time| (time, u32::MAX));
        Self { invoked: place as usize, last }
    }

    /// Just after the operation at a place came back.
    pub(crate) fn after_completion<C, R>(partition: &Partition<'_, C, R>, place: u32) -> Self {
        let completed = partition.entries[place as usize].completed;
        let invoked = partition.entries.partition_point(|entry| entry.invoked <= completed);
        Self { invoked, last: Some((completed, place)) }
    }

    fn has_completed<C, R>(&self, place: u32, entry: &Entry<'_, C, R>) -> bool {
        !entry.is_optional() && self.last.is_some_and(|last| (entry.completed, place) <= last)
    }

    /// The operations invoked by then. Of what had not come back nobody knew the outcome.
    ///
    /// It is linearizable if the whole history is: in an order of the whole, what was invoked later stands after all that
    /// had come back, and can be left out.
    pub(crate) fn prefix<'a, C, R>(&self, partition: &Partition<'a, C, R>) -> Partition<'a, C, R> {
        let known = |(place, entry): (usize, &Entry<'a, C, R>)| {
            if self.has_completed(place as u32, entry) {
                *entry
            } else {
                Entry { returned: None, completed: NEVER, ..*entry }
            }
        };
        let entries = partition.entries[..self.invoked].iter().enumerate().map(known).collect();
        Partition { entries, narrator: partition.narrator }
    }

    /// How many operations had come back.
    pub(crate) fn completed<C, R>(&self, partition: &Partition<'_, C, R>) -> usize {
        let entries = partition.entries[..self.invoked].iter().enumerate();
        entries.filter(|(place, entry)| self.has_completed(*place as u32, entry)).count()
    }

    /// The next operation that comes back.
    pub(crate) fn next_completion<C, R>(&self, partition: &Partition<'_, C, R>) -> Option<u32> {
        let open = partition.entries.iter().zip(0..).filter(|(entry, place)| {
            !entry.is_optional() && self.last.is_none_or(|last| (entry.completed, *place) > last)
        });
        open.min_by_key(|(entry, place)| (entry.completed, *place)).map(|(_, place)| place)
    }
}
