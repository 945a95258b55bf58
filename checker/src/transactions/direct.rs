//! Anomalies that need no graph: each read by itself, and with the writers of what it saw.

use super::facts::{Facts, Fate};
use super::findings::{Finding, Findings, Place};
use super::history::{KeyKind, Step, TransactionHistory, TransactionOutcome};
use super::ids::{ElementId, KeyId, ListId, NONE, TxnId};
use super::versions::Versions;

/// What is wrong with a list, whoever reads it.
#[derive(Clone, Copy, Default)]
struct Faults {
    never_written: Option<ElementId>,
    aborted: Option<ElementId>,
    duplicate: Option<ElementId>,
}

/// Finds aborted and intermediate reads, values that nobody wrote, elements seen twice, and orders that do not fit.
pub(super) fn find_direct(history: &TransactionHistory, facts: &Facts, versions: &Versions, findings: &mut Findings) {
    Direct { history, facts, versions, findings }.find();
}

struct Direct<'a> {
    history: &'a TransactionHistory,
    facts: &'a Facts,
    versions: &'a Versions,
    findings: &'a mut Findings,
}

impl Direct<'_> {
    fn find(&mut self) {
        let lists: Vec<Faults> = (0..self.history.lists.len() as u32).map(|list| self.faults(ListId(list))).collect();
        let spines = self.spine_faults();
        for id in self.history.ids() {
            if self.history.transaction(id).outcome != TransactionOutcome::Committed {
                continue;
            }
            for (step, what) in self.history.steps(id).iter().enumerate() {
                let read = Place { id, step };
                match *what {
                    Step::ReadSpine { key, length } => {
                        let (never_written, aborted) = spines[key.index()];
                        let spine = &self.history.keys[key.index()].spine;
                        let first = |place: u32| (place < length).then(|| spine[place as usize]);
                        let (never_written, aborted) = (first(never_written), first(aborted));
                        self.add(read, Faults { never_written, aborted, duplicate: None });
                        self.intermediate(read, spine[length as usize - 1]);
                    }
                    Step::ReadList(list) => {
                        self.add(read, lists[list.index()]);
                        if let Some(last) = self.history.list_seen(list).last() {
                            self.intermediate(read, *last);
                        }
                    }
                    Step::ReadValue(element) => {
                        let is = |fate| (self.facts.fate(element) == fate).then_some(element);
                        let (never_written, aborted) = (is(Fate::NeverWritten), is(Fate::Aborted));
                        self.add(read, Faults { never_written, aborted, duplicate: None });
                        self.intermediate(read, element);
                    }
                    Step::Append(_) | Step::Write(_) | Step::ReadNothing(_) | Step::ReadUnknown(_) => {}
                }
            }
        }
        self.incompatible_orders();
        self.dirty_updates();
    }

    fn faults(&self, list: ListId) -> Faults {
        let seen = self.history.list_seen(list);
        let first = |fate| seen.iter().copied().find(|element| self.facts.fate(*element) == fate);
        let mut sorted = seen.to_vec();
        sorted.sort_unstable();
        let twice = sorted.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
        let duplicate = twice.into_iter().find(|element| self.facts.fate(*element) != Fate::Ambiguous);
        Faults { never_written: first(Fate::NeverWritten), aborted: first(Fate::Aborted), duplicate }
    }

    /// Where on each spine the first element stands that nobody wrote, and the first that was aborted.
    fn spine_faults(&self) -> Vec<(u32, u32)> {
        let place = |key: &[ElementId], fate| {
            key.iter().position(|element| self.facts.fate(*element) == fate).map_or(NONE, |place| place as u32)
        };
        let keys = self.history.keys.iter();
        keys.map(|key| (place(&key.spine, Fate::NeverWritten), place(&key.spine, Fate::Aborted))).collect()
    }

    fn add(&mut self, read: Place, faults: Faults) {
        if let Some(element) = faults.never_written {
            self.findings.add(Finding::NeverWritten { read, element });
        }
        if let Some(element) = faults.duplicate {
            self.findings.add(Finding::DuplicateElements { read, element });
        }
        if let Some(element) = faults.aborted
            && let Some(writer) = self.facts.aborted_writer(element)
        {
            self.findings.add(Finding::AbortedRead { read, element, writer });
        }
    }

    /// The newest element that a read saw was not the last of its writer.
    fn intermediate(&mut self, read: Place, element: ElementId) {
        if let Some(writer) = self.facts.writer(element)
            && writer != read.id
            && !self.facts.is_final(element)
        {
            self.findings.add(Finding::IntermediateRead { read, element, writer });
        }
    }

    /// For each key whose reads do not all continue each other: the first that is no beginning of the longest.
    fn incompatible_orders(&mut self) {
        if self.history.lists.is_empty() {
            return;
        }
        let agreed: Vec<u32> = (0..self.history.keys.len() as u32).map(|key| self.agreed(KeyId(key))).collect();
        let mut first: Vec<Option<Place>> = vec![None; agreed.len()];
        let mut longest: Vec<Option<Place>> = vec![None; agreed.len()];
        for id in self.history.ids() {
            for (step, what) in self.history.steps(id).iter().enumerate() {
                let (Step::ReadSpine { .. } | Step::ReadList(_)) = what else { continue };
                let key = self.history.key_of(*what);
                let Some(seen) = self.history.seen(what) else { continue };
                let whole = self.versions.longest(self.history, key);
                let is_odd = match what {
                    Step::ReadSpine { length, .. } => *length > agreed[key.index()],
                    _ => !whole.starts_with(seen),
                };
                let place = Place { id, step };
                if is_odd {
                    first[key.index()].get_or_insert(place);
                } else if seen.len() == whole.len() {
                    longest[key.index()].get_or_insert(place);
                }
            }
        }
        for (index, (read, longest)) in first.into_iter().zip(longest).enumerate() {
            if let (Some(read), Some(longest)) = (read, longest) {
                self.findings.add(Finding::IncompatibleOrder { key: KeyId(index as u32), read, longest });
            }
        }
    }

    /// How many elements the spine has in common with the longest read.
    fn agreed(&self, key: KeyId) -> u32 {
        let spine = &self.history.keys[key.index()].spine;
        let longest = self.versions.longest(self.history, key);
        spine.iter().zip(longest).take_while(|(one, other)| one == other).count() as u32
    }

    /// A committed append after an aborted one in the order of a list.
    fn dirty_updates(&mut self) {
        for key in (0..self.history.keys.len() as u32).map(KeyId) {
            if self.history.keys[key.index()].kind != KeyKind::List {
                continue;
            }
            let mut aborted: Option<(TxnId, ElementId)> = None;
            for element in self.versions.order(self.history, key) {
                if let Some(writer) = self.facts.aborted_writer(*element) {
                    aborted.get_or_insert((writer, *element));
                } else if let Some(writer) = self.facts.writer(*element)
                    && self.history.transaction(writer).outcome == TransactionOutcome::Committed
                    && let Some(aborted) = aborted.take()
                {
                    self.findings.add(Finding::DirtyUpdate { key, aborted, committed: (writer, *element) });
                }
            }
        }
    }
}
