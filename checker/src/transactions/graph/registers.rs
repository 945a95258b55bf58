//! Dependencies through registers.

use super::{Edges, Kinds};
use crate::transactions::facts::{Facts, Fate};
use crate::transactions::history::{KeyKind, Step, TransactionHistory, TransactionOutcome};
use crate::transactions::ids::{ElementId, KeyId, NONE, TxnId};
use crate::transactions::watch::{Late, Watch};

/// What transactions read from others and left for others in registers, sorted.
#[derive(Default)]
pub(in crate::transactions) struct Registers {
    /// Values that were read before the transaction itself wrote the key.
    reads: Vec<(ElementId, TxnId)>,
    /// Where the reads of each value begin.
    first_read: Vec<u32>,
    /// Reads of nothing, as well.
    nothing: Vec<(KeyId, TxnId)>,
    /// Values that were read and replaced by the same transaction, and by what.
    replaced: Vec<(ElementId, TxnId, ElementId)>,
    /// Where the replacements of each value begin.
    first_replaced: Vec<u32>,
    /// Who read nothing and wrote the key, and what.
    begun: Vec<(KeyId, TxnId, ElementId)>,
    /// Who wrote each key for good.
    writes: Vec<(KeyId, TxnId, ElementId)>,
}

impl Registers {
    /// Adds `wr` of all registers, and `rw` as far as the order of the values is known: nothing comes before every value,
    /// and, if writes follow reads, what a transaction read before what it wrote.
    pub(in crate::transactions) fn add(
        &self,
        facts: &Facts,
        writes_follow_reads: bool,
        edges: &mut Edges,
        watch: &mut Watch,
    ) -> Result<(), Late> {
        for (value, reader) in &self.reads {
            if let Some(writer) = facts.effective_writer(*value)
                && writer != *reader
            {
                edges.add(writer.0, reader.0, Kinds::WR);
            }
        }
        let mut readers: Vec<TxnId> = Vec::new();
        let mut writers: Vec<TxnId> = Vec::new();
        if writes_follow_reads {
            for group in self.reads.chunk_by(|(one, _), (other, _)| one == other) {
                fill(&mut writers, self.replaced(group[0].0).iter().map(|(_, writer, _)| *writer));
                fill(&mut readers, group.iter().map(|(_, reader)| *reader));
                edges.add_all(&readers, &writers, Kinds::RW);
                watch.look()?;
            }
            self.add_beginnings(edges, watch)?;
        }
        for group in self.nothing.chunk_by(|(one, _), (other, _)| one == other) {
            fill(&mut writers, self.written(group[0].0).iter().map(|(_, writer, _)| *writer));
            fill(&mut readers, group.iter().map(|(_, reader)| *reader));
            edges.add_all(&readers, &writers, Kinds::RW);
            watch.look()?;
        }
        Ok(())
    }

    /// Where a transaction replaced nothing, another one what that wrote, and so on, these are the first values of the
    /// register: whoever read one of them comes before whoever wrote another one.
    ///
    /// This is certain only where no update is lost. But if one is, that is a cycle with one `rw` as well, so no cycle
    /// is called worse than what is there.
    fn add_beginnings(&self, edges: &mut Edges, watch: &mut Watch) -> Result<(), Late> {
        for begun in self.begun.chunk_by(|(one, ..), (other, ..)| one == other) {
            let &[(key, mut writer, mut value)] = begun else { continue };
            let mut readers: Vec<TxnId> = Vec::new();
            let mut chain = vec![writer];
            loop {
                watch.tick()?;
                readers.extend(self.readers(value).iter().map(|(_, reader)| *reader));
                let &[(_, by, new)] = self.replaced(value) else { break };
                (writer, value) = (by, new);
                chain.push(writer);
            }
            chain.sort_unstable();
            readers.sort_unstable();
            readers.dedup();
            let written = self.written(key).iter().map(|(_, writer, _)| *writer);
            let others = written.filter(|writer| chain.binary_search(writer).is_err());
            edges.add_all(&readers, &others.collect::<Vec<_>>(), Kinds::RW);
        }
        Ok(())
    }

    /// Whether the value is one of the first of its register: what replaced nothing, or directly followed that.
    pub(in crate::transactions) fn is_beginning(&self, key: KeyId, value: ElementId) -> bool {
        let &[(.., mut at)] = self.begun(key) else { return false };
        while at != value {
            let &[(.., next)] = self.replaced(at) else { return false };
            at = next;
        }
        true
    }

    /// Who read the value before they wrote the key.
    pub(super) fn readers(&self, value: ElementId) -> &[(ElementId, TxnId)] {
        &self.reads[range(&self.first_read, value)]
    }

    /// Who read the value and wrote another one, and which.
    pub(super) fn replaced(&self, value: ElementId) -> &[(ElementId, TxnId, ElementId)] {
        &self.replaced[range(&self.first_replaced, value)]
    }

    /// Who wrote the key for good, and what.
    pub(super) fn written(&self, key: KeyId) -> &[(KeyId, TxnId, ElementId)] {
        group(&self.writes, key, |(key, ..)| *key)
    }

    /// Who read nothing and wrote the key, and what.
    pub(super) fn begun(&self, key: KeyId) -> &[(KeyId, TxnId, ElementId)] {
        group(&self.begun, key, |(key, ..)| *key)
    }

    /// The keys that were written.
    pub(super) fn keys(&self) -> impl Iterator<Item = KeyId> {
        self.writes.chunk_by(|(one, ..), (other, ..)| one == other).map(|group| group[0].0)
    }

    /// Values of which each was written by a transaction that had read the one before, and the first by one that had read
    /// the last.
    pub(in crate::transactions) fn cyclic_versions(&self, elements: usize) -> Vec<Vec<ElementId>> {
        let mut before = vec![NONE; elements];
        for (old, _, new) in &self.replaced {
            before[new.index()] = old.0;
        }
        let mut walk_of = vec![NONE; elements];
        let mut cycles = Vec::new();
        for (.., start) in &self.replaced {
            let mut at = start.0;
            while at != NONE && walk_of[at as usize] == NONE {
                walk_of[at as usize] = start.0;
                at = before[at as usize];
            }
            if at == NONE || walk_of[at as usize] != start.0 {
                continue;
            }
            let mut cycle = vec![ElementId(at)];
            let mut next = before[at as usize];
            while next != at {
                cycle.push(ElementId(next));
                next = before[next as usize];
            }
            cycle.reverse();
            cycles.push(cycle);
        }
        cycles
    }

    pub(in crate::transactions) fn new(
        history: &TransactionHistory,
        facts: &Facts,
        watch: &mut Watch,
    ) -> Result<Self, Late> {
        let mut found = Self::default();
        let mut touched = vec![u32::MAX; history.keys.len()];
        let mut first_read: Vec<FirstRead> = vec![FirstRead::Unknown; history.keys.len()];
        for id in history.ids().filter(|id| facts.takes_effect(*id)) {
            let is_committed = history.transaction(id).outcome == TransactionOutcome::Committed;
            for step in history.steps(id) {
                watch.tick()?;
                let key = history.key_of(*step);
                if history.keys[key.index()].kind != KeyKind::Register {
                    continue;
                }
                let is_first = std::mem::replace(&mut touched[key.index()], id.0) != id.0;
                if is_first {
                    first_read[key.index()] = FirstRead::Unknown;
                }
                match *step {
                    // Two that read the same value may have seen different writes of it.
                    Step::ReadValue(value) if facts.fate(value) == Fate::Ambiguous => {}
                    Step::ReadValue(value) if is_first && is_committed => {
                        found.reads.push((value, id));
                        first_read[key.index()] = FirstRead::Value(value);
                    }
                    Step::ReadNothing(key) if is_first && is_committed => {
                        if !facts.is_nothing_written(history, key) {
                            found.nothing.push((key, id));
                            first_read[key.index()] = FirstRead::Nothing;
                        }
                    }
                    Step::Write(value) if facts.is_final(value) && facts.writer(value) == Some(id) => {
                        found.writes.push((key, id, value));
                        match first_read[key.index()] {
                            FirstRead::Value(read) if read != value => found.replaced.push((read, id, value)),
                            FirstRead::Nothing => found.begun.push((key, id, value)),
                            FirstRead::Value(_) | FirstRead::Unknown => {}
                        }
                    }
                    Step::ReadValue(_)
                    | Step::ReadNothing(_)
                    | Step::Write(_)
                    | Step::Append(_)
                    | Step::ReadSpine { .. }
                    | Step::ReadList(_)
                    | Step::ReadUnknown(_) => {}
                }
            }
        }
        found.reads.sort_unstable();
        found.nothing.sort_unstable();
        found.replaced.sort_unstable();
        found.begun.sort_unstable();
        found.writes.sort_unstable();
        let elements = history.elements.len();
        found.first_read = firsts(elements, found.reads.iter().map(|(value, _)| *value));
        found.first_replaced = firsts(elements, found.replaced.iter().map(|(value, ..)| *value));
        Ok(found)
    }
}

/// Where the entries of each element begin, of sorted ones.
fn firsts(elements: usize, of: impl Iterator<Item = ElementId>) -> Vec<u32> {
    let mut firsts = vec![0; elements + 1];
    for element in of {
        firsts[element.index() + 1] += 1;
    }
    for index in 0..elements {
        firsts[index + 1] += firsts[index];
    }
    firsts
}

fn range(firsts: &[u32], element: ElementId) -> std::ops::Range<usize> {
    firsts[element.index()] as usize..firsts[element.index() + 1] as usize
}

/// The entries with this key, of sorted ones.
fn group<T, K: Ord>(entries: &[T], wanted: K, key: impl Fn(&T) -> K) -> &[T] {
    let begin = entries.partition_point(|entry| key(entry) < wanted);
    let length = entries[begin..].partition_point(|entry| key(entry) == wanted);
    &entries[begin..begin + length]
}

/// What a transaction read from a register before it wrote it.
#[derive(Clone, Copy)]
enum FirstRead {
    Unknown,
    Nothing,
    Value(ElementId),
}

fn fill(ids: &mut Vec<TxnId>, from: impl Iterator<Item = TxnId>) {
    ids.clear();
    ids.extend(from);
}
