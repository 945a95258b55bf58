//! Every entry that any log ever held, and which of them were committed.

use super::{Checked, Violation};
use crate::raft::{Configuration, Entry, Payload, Position};
use crate::server::NodeId;

/// Every entry that was ever seen, by index.
#[derive(Default)]
pub(super) struct Ledger {
    places: Vec<Place>,
    /// The last index that was committed in each term, terms in order.
    commits: Vec<(u64, u64)>,
    /// All entries up to here are known to be committed.
    committed_until: u64,
    /// The configurations among them, by index.
    configurations: Vec<(u64, Configuration)>,
}

/// What was seen at one index.
#[derive(Default)]
struct Place {
    /// Hardly ever more than one.
    entries: Option<Seen>,
    more: Vec<Seen>,
    committed: Option<Committed>,
}

struct Seen {
    term: u64,
    /// The term of the entry before it.
    previous_term: u64,
    payload: Payload,
    by: NodeId,
}

struct Committed {
    term: u64,
    by: NodeId,
}

impl Ledger {
    fn place(&self, index: u64) -> Option<&Place> {
        self.places.get(usize::try_from(index.checked_sub(1)?).ok()?)
    }

    fn place_mut(&mut self, index: u64) -> &mut Place {
        let offset = usize::try_from(index.saturating_sub(1)).unwrap_or(usize::MAX);
        if offset >= self.places.len() {
            self.places.resize_with(offset + 1, Place::default);
        }
        &mut self.places[offset]
    }

    /// A log holds this entry after one of `previous_term`. An index and a term name one entry and one that stands before
    /// it; by induction, logs that agree at an index agree before it.
    pub(super) fn see(&mut self, by: NodeId, index: u64, previous_term: u64, entry: &Entry) -> Checked {
        let place = self.place_mut(index);
        let seen = place.entries.iter().chain(&place.more).find(|seen| seen.term == entry.term);
        if let Some(seen) = seen {
            if seen.previous_term == previous_term && seen.payload == entry.payload {
                return Ok(());
            }
            let at = Position { term: entry.term, index };
            return Err(Violation::LogMatching { at, first: seen.by, second: by });
        }
        let seen = Seen { term: entry.term, previous_term, payload: entry.payload.clone(), by };
        match &mut place.entries {
            first @ None => *first = Some(seen),
            Some(_) => place.more.push(seen),
        }
        Ok(())
    }

    /// A member in `in_term` holds this for committed. Answers whether nobody did before.
    pub(super) fn commit(&mut self, by: NodeId, at: Position, in_term: u64) -> Result<bool, Violation> {
        let place = self.place_mut(at.index);
        match &place.committed {
            Some(committed) if committed.term == at.term => return Ok(false),
            Some(committed) => {
                return Err(Violation::StateMachineSafety {
                    index: at.index,
                    first: committed.by,
                    first_term: committed.term,
                    second: by,
                    second_term: at.term,
                });
            }
            None => place.committed = Some(Committed { term: at.term, by }),
        }
        let place = self.commits.partition_point(|(term, _)| *term < in_term);
        match self.commits.get_mut(place) {
            Some((term, last)) if *term == in_term => *last = (*last).max(at.index),
            Some(_) | None => self.commits.insert(place, (in_term, at.index)),
        }
        self.take_configurations();
        Ok(true)
    }

    fn take_configurations(&mut self) {
        while let Some(payload) = self.committed(self.committed_until + 1) {
            let configuration = match payload {
                Payload::Configuration(configuration) => Some(configuration.clone()),
                Payload::Noop | Payload::Command(_) => None,
            };
            self.committed_until += 1;
            self.configurations.extend(configuration.map(|configuration| (self.committed_until, configuration)));
        }
    }

    /// All entries up to here are known to be committed.
    pub(super) fn committed_until(&self) -> u64 {
        self.committed_until
    }

    /// The last configuration that was committed up to `index`; `None` where that is the first one.
    pub(super) fn configuration_at(&self, index: u64) -> Option<&Configuration> {
        let earlier = self.configurations.partition_point(|(since, _)| *since <= index);
        Some(&self.configurations.get(earlier.checked_sub(1)?)?.1)
    }

    /// The last entry that was committed.
    pub(super) fn last_committed(&self) -> Option<Position> {
        self.last_committed_before(u64::MAX)
    }

    /// The term of the entry that was committed at `index`.
    pub(super) fn committed_term(&self, index: u64) -> Option<u64> {
        self.place(index)?.committed.as_ref().map(|committed| committed.term)
    }

    /// The last entry that was committed in a term before `term`.
    pub(super) fn last_committed_before(&self, term: u64) -> Option<Position> {
        let earlier = self.commits.iter().take_while(|(in_term, _)| *in_term < term);
        let index = earlier.map(|(_, last)| *last).max()?;
        Some(Position { term: self.committed_term(index)?, index })
    }

    /// What was committed at `index`, where that is known.
    pub(super) fn committed(&self, index: u64) -> Option<&Payload> {
        let place = self.place(index)?;
        let term = place.committed.as_ref()?.term;
        place.entries.iter().chain(&place.more).find(|seen| seen.term == term).map(|seen| &seen.payload)
    }
}
