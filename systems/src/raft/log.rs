//! The log in memory: a run of entries without gaps, and the position before its first.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::raft::Configuration;

/// A place in a log. The order is that of section 5.4.1: the later term wins, then the greater index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Position {
    /// The term of the entry there.
    pub term: u64,
    /// Its index, from 1. 0 with term 0 is the place before the first entry.
    pub index: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.index, self.term)
    }
}

/// One entry. Its index is its place in the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// The term of the leader that made it.
    pub term: u64,
    /// What it says.
    pub payload: Payload,
}

/// What an entry says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Payload {
    /// Nothing: a leader begins its term with it (section 8).
    Noop,
    /// A command for the state machine.
    Command(Bytes),
    /// Who belongs to the cluster from here on (thesis 4.1).
    Configuration(Configuration),
}

impl Entry {
    /// What the entry counts for against limits in bytes.
    fn size(&self) -> usize {
        match &self.payload {
            Payload::Noop => 16,
            Payload::Command(command) => 16 + command.len(),
            Payload::Configuration(Configuration { .. }) => 64,
        }
    }
}

/// The log in memory.
#[derive(Debug, Default)]
pub(super) struct Log {
    base: Position,
    entries: VecDeque<Entry>,
    /// The entries up to here are those that were here when [`Log::take_unchanged`] was last asked, or were forgotten since.
    unchanged: Cell<u64>,
    /// The configuration as of the base, and each that stands in an entry after it, with its index.
    configurations: Vec<(u64, Configuration)>,
}

impl Log {
    /// An empty log that goes on after `base`, where `configuration` is in force.
    pub(super) fn after(base: Position, configuration: Configuration) -> Self {
        let configurations = vec![(base.index, configuration)];
        Self { base, entries: VecDeque::new(), unchanged: Cell::new(0), configurations }
    }

    /// What stands before the first entry that is still here.
    pub(super) fn base(&self) -> Position {
        self.base
    }

    /// For who looks on: up to where the log is what it was when this was last asked. 0 at first.
    pub(super) fn take_unchanged(&self) -> u64 {
        self.unchanged.replace(self.last_index())
    }

    pub(super) fn last_index(&self) -> u64 {
        self.base.index + self.entries.len() as u64
    }

    pub(super) fn last(&self) -> Position {
        self.entries.back().map_or(self.base, |entry| Position { term: entry.term, index: self.last_index() })
    }

    /// The place of `index` among the entries.
    fn offset(&self, index: u64) -> Option<usize> {
        let offset = index.checked_sub(self.base.index + 1)?;
        usize::try_from(offset).ok().filter(|offset| *offset < self.entries.len())
    }

    pub(super) fn get(&self, index: u64) -> Option<&Entry> {
        self.entries.get(self.offset(index)?)
    }

    /// The term of the entry at `index`, where this log still knows it.
    pub(super) fn term_at(&self, index: u64) -> Option<u64> {
        if index == self.base.index { Some(self.base.term) } else { self.get(index).map(|entry| entry.term) }
    }

    /// The position of the entry at `index`, where this log still knows it.
    pub(super) fn position(&self, index: u64) -> Option<Position> {
        self.term_at(index).map(|term| Position { term, index })
    }

    /// Log matching (section 5.3): whether this log holds an entry with that index and term.
    pub(super) fn matches(&self, position: Position) -> bool {
        self.term_at(position.index) == Some(position.term)
    }

    /// The last place at or before `limit.index` whose term is at most `limit.term`. Terms never fall along a log, so
    /// this is a binary search.
    pub(super) fn last_not_after(&self, limit: Position) -> Position {
        let before = self.entries.partition_point(|entry| entry.term <= limit.term) as u64;
        let index = limit.index.clamp(self.base.index, self.base.index + before);
        self.position(index).unwrap_or(self.base)
    }

    /// Clones of the entries from `first` on, as many as the limits allow, but at least one where there is one.
    pub(super) fn slice(&self, first: u64, max_entries: usize, max_bytes: usize) -> Vec<Entry> {
        let Some(offset) = self.offset(first) else { return Vec::new() };
        let mut bytes = 0;
        let fits = |entry: &&Entry| {
            bytes += entry.size();
            bytes <= max_bytes || bytes == entry.size()
        };
        self.entries.range(offset..).take(max_entries).take_while(fits).cloned().collect()
    }

    pub(super) fn push(&mut self, entry: Entry) {
        if let Payload::Configuration(configuration) = &entry.payload {
            self.configurations.push((self.last_index() + 1, configuration.clone()));
        }
        self.entries.push_back(entry);
    }

    /// Puts an entry in the place of the one at `index`, or at the end where there is none.
    pub(super) fn put(&mut self, index: u64, entry: Entry) {
        self.unchanged.set(self.unchanged.get().min(index.saturating_sub(1)));
        let offset = self.offset(index);
        match offset.and_then(|offset| self.entries.get_mut(offset)) {
            Some(place) => *place = entry,
            None => self.push(entry),
        }
    }

    /// The newest configuration, and the index that it is in force from.
    pub(super) fn configuration(&self) -> (u64, &Configuration) {
        self.configuration_at(u64::MAX)
    }

    /// The configuration in force at `index`, which is not before the base, and the index that it is in force from.
    pub(super) fn configuration_at(&self, index: u64) -> (u64, &Configuration) {
        let after = self.configurations.partition_point(|(from, _)| *from <= index).max(1);
        let (from, configuration) = &self.configurations[after - 1];
        (*from, configuration)
    }

    /// Drops the entry at `index` and all after it.
    pub(super) fn truncate_from(&mut self, index: u64) {
        if let Some(offset) = self.offset(index) {
            self.unchanged.set(self.unchanged.get().min(index - 1));
            self.entries.truncate(offset);
            // The first is that of the base.
            let kept = self.configurations.partition_point(|(from, _)| *from < index).max(1);
            self.configurations.truncate(kept);
        }
    }

    /// Forgets what lies before `index`, but for the last entries: at most so many, and of at most so many bytes.
    pub(super) fn keep_trailing(&mut self, index: u64, most_entries: u64, most_bytes: u64) {
        let fewest = index.saturating_sub(most_entries);
        let mut bytes = 0;
        let mut last_forgotten = index;
        while last_forgotten > fewest {
            let Some(entry) = self.get(last_forgotten) else { break };
            bytes += entry.size() as u64;
            if bytes > most_bytes {
                break;
            }
            last_forgotten -= 1;
        }
        self.forget_until(last_forgotten);
    }

    /// Forgets the entries up to `index`, which stays as the new base.
    fn forget_until(&mut self, index: u64) {
        if let (Some(base), Some(offset)) = (self.position(index), self.offset(index)) {
            self.entries.drain(..=offset);
            self.base = base;
            let forgotten = self.configurations.partition_point(|(from, _)| *from <= index).saturating_sub(1);
            self.configurations.drain(..forgotten);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(base: (u64, u64), terms: &[u64]) -> Log {
        let mut log = Log::after(Position { term: base.0, index: base.1 }, voters(3));
        terms.iter().for_each(|&term| log.push(Entry { term, payload: Payload::Command(Bytes::from(vec![7; 84])) }));
        log
    }

    fn voters(count: u16) -> Configuration {
        Configuration::new((1..=count).map(crate::server::NodeId))
    }

    fn at(term: u64, index: u64) -> Position {
        Position { term, index }
    }

    #[test]
    fn a_later_term_beats_a_longer_log() {
        assert!(at(3, 1) > at(2, 9));
        assert!(at(3, 2) > at(3, 1));
    }

    #[test]
    fn matching_knows_the_base_and_nothing_before_it() {
        let log = log((2, 10), &[2, 3]);
        assert!(log.matches(at(2, 10)) && log.matches(at(2, 11)) && log.matches(at(3, 12)));
        assert!(!log.matches(at(1, 10)) && !log.matches(at(2, 9)) && !log.matches(at(3, 13)));
        assert_eq!(log.last(), at(3, 12));
    }

    #[test]
    fn the_last_place_not_after_a_limit() {
        let log = log((1, 10), &[1, 1, 3, 3, 5]);
        assert_eq!(log.last_not_after(at(3, 99)), at(3, 14));
        assert_eq!(log.last_not_after(at(4, 13)), at(3, 13));
        assert_eq!(log.last_not_after(at(2, 15)), at(1, 12));
        assert_eq!(log.last_not_after(at(9, 99)), at(5, 15));
        assert_eq!(log.last_not_after(at(9, 3)), at(1, 10));
    }

    #[test]
    fn a_slice_keeps_to_its_limits_but_never_starves() {
        let log = log((0, 0), &[1; 10]);
        assert_eq!(log.slice(3, 100, 1_000_000).len(), 8);
        assert_eq!(log.slice(3, 5, 1_000_000).len(), 5);
        assert_eq!(log.slice(3, 100, 250).len(), 2);
        assert_eq!(log.slice(3, 100, 1).len(), 1);
        assert!(log.slice(11, 100, 1_000).is_empty());
    }

    #[test]
    fn truncating_and_forgetting_leave_the_rest_in_place() {
        let mut log = log((0, 0), &[1, 1, 2, 2, 3]);
        log.truncate_from(5);
        assert_eq!(log.last(), at(2, 4));
        log.forget_until(2);
        assert_eq!((log.base(), log.last()), (at(1, 2), at(2, 4)));
        log.forget_until(4);
        assert_eq!((log.base(), log.last()), (at(2, 4), at(2, 4)));
        log.push(Entry { term: 4, payload: Payload::Noop });
        assert_eq!(log.last(), at(4, 5));
    }

    #[test]
    fn who_looks_on_learns_from_where_on_a_log_has_changed() {
        let mut log = log((0, 0), &[1, 1, 2, 2, 3]);
        assert_eq!((log.take_unchanged(), log.take_unchanged()), (0, 5));
        log.push(Entry { term: 3, payload: Payload::Noop });
        assert_eq!((log.take_unchanged(), log.take_unchanged()), (5, 6));
        log.truncate_from(3);
        log.push(Entry { term: 4, payload: Payload::Noop });
        log.forget_until(1);
        assert_eq!((log.take_unchanged(), log.take_unchanged()), (2, 3));
    }

    #[test]
    fn the_configuration_at_an_index_is_the_last_before_it_whatever_is_cut() {
        let mut log = log((1, 10), &[1]);
        for count in [4, 5] {
            log.push(Entry { term: 2, payload: Payload::Configuration(voters(count)) });
            log.push(Entry { term: 2, payload: Payload::Noop });
        }
        let at = |log: &Log, index| (log.configuration_at(index).0, log.configuration_at(index).1.voters().len());
        assert_eq!(
            [10, 11, 12, 13, 14, 99].map(|index| at(&log, index)),
            [(10, 3), (10, 3), (12, 4), (12, 4), (14, 5), (14, 5)]
        );
        log.forget_until(13);
        assert_eq!([13, 14].map(|index| at(&log, index)), [(12, 4), (14, 5)]);
        log.truncate_from(14);
        assert_eq!(at(&log, 99), (12, 4));
        log.push(Entry { term: 3, payload: Payload::Configuration(voters(2)) });
        assert_eq!(at(&log, 99), (14, 2));
        log.forget_until(14);
        log.truncate_from(14);
        assert_eq!(at(&log, 99), (14, 2));
    }
}
