//! The beginning of a history: what of it had happened by some moment.

use crate::operation::{Entry, NEVER, Partition};

/// A moment between two events of one object.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    /// Operations that were invoked before it.
    invoked: usize,
    /// The time and the place of the first completion behind it. Completions of one time are in the order of their places.
    until: (u64, u32),
}

impl Moment {
    /// Just before the operation at a place was invoked.
    pub(crate) fn before_invocation<C, R>(partition: &Partition<'_, C, R>, place: u32) -> Self {
        Self { invoked: place as usize, until: (partition.entries[place as usize].invoked, 0) }
    }

    /// Just before the operation at a place came back.
    pub(crate) fn before_completion<C, R>(partition: &Partition<'_, C, R>, place: u32) -> Self {
        let completed = partition.entries[place as usize].completed;
        let invoked = partition.entries.partition_point(|entry| entry.invoked <= completed);
        Self { invoked, until: (completed, place) }
    }

    /// Just after the operation at a place came back.
    pub(crate) fn after_completion<C, R>(partition: &Partition<'_, C, R>, place: u32) -> Self {
        let Self { invoked, until: (completed, _) } = Self::before_completion(partition, place);
        Self { invoked, until: (completed, place + 1) }
    }

    fn has_completed<C, R>(&self, place: u32, entry: &Entry<'_, C, R>) -> bool {
        !entry.is_optional() && (entry.completed, place) < self.until
    }

    /// The operations that were invoked by then. Of what had not come back nobody knew the outcome.
    ///
    /// They are linearizable if the whole history is: in an order of the whole, what was invoked later stands after all
    /// that had come back, and can be left out.
    pub(crate) fn prefix<'a, C, R>(&self, partition: &Partition<'a, C, R>) -> Partition<'a, C, R> {
        let known = |(place, entry): (u32, &Entry<'a, C, R>)| {
            let is_known = self.has_completed(place, entry);
            if is_known { *entry } else { Entry { returned: None, completed: NEVER, ..*entry } }
        };
        let entries = (0..).zip(&partition.entries[..self.invoked]).map(known).collect();
        Partition { entries, narrator: partition.narrator }
    }

    /// How many operations had come back, and which of them last.
    pub(crate) fn completed<C, R>(&self, partition: &Partition<'_, C, R>) -> (usize, Option<u32>) {
        let completed = || {
            let entries = (0..).zip(&partition.entries[..self.invoked]);
            entries.filter(|(place, entry)| self.has_completed(*place, entry))
        };
        let last = completed().max_by_key(|(place, entry)| (entry.completed, *place));
        (completed().count(), last.map(|(place, _)| place))
    }

    /// The next operation that comes back.
    pub(crate) fn next_completion<C, R>(&self, partition: &Partition<'_, C, R>) -> Option<u32> {
        let later = (0..)
            .zip(&partition.entries)
            .filter(|(place, entry)| !entry.is_optional() && (entry.completed, *place) >= self.until);
        later.min_by_key(|(place, entry)| (entry.completed, *place)).map(|(place, _)| place)
    }
}
