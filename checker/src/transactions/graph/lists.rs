//! Dependencies through lists.

use super::{Edges, Kinds};
use crate::transactions::facts::Facts;
use crate::transactions::history::{KeyKind, Step, TransactionHistory, TransactionOutcome};
use crate::transactions::ids::{ElementId, KeyId, TxnId};
use crate::transactions::versions::Versions;
use crate::transactions::watch::{Late, Watch};

/// Adds `ww`, `wr` and `rw` of all lists.
///
/// Appends follow each other as the longest read shows them. What nobody saw comes after all of that, in an order that
/// nobody knows.
pub(in crate::transactions) fn add_lists(
    history: &TransactionHistory,
    facts: &Facts,
    versions: &Versions,
    edges: &mut Edges,
    watch: &mut Watch,
) -> Result<(), Late> {
    let mut lists = Lists { history, facts, versions, edges, newest: Vec::new() };
    lists.add_reads(watch)?;
    lists.add_appends(watch)
}

struct Lists<'a> {
    history: &'a TransactionHistory,
    facts: &'a Facts,
    versions: &'a Versions,
    edges: &'a mut Edges,
    /// Who read the newest version of a list that has unread elements.
    newest: Vec<(KeyId, TxnId)>,
}

impl Lists<'_> {
    fn add_reads(&mut self, watch: &mut Watch) -> Result<(), Late> {
        for id in self.history.ids() {
            if self.history.transaction(id).outcome != TransactionOutcome::Committed {
                continue;
            }
            for step in self.history.steps(id) {
                watch.tick()?;
                match *step {
                    Step::ReadNothing(key) => self.add_overwriters(id, key, None),
                    Step::ReadSpine { key, length } => {
                        let last = self.history.keys[key.index()].spine[length as usize - 1];
                        self.add_read(id, key, step, last);
                    }
                    Step::ReadList(list) => {
                        let key = self.history.lists[list.index()].key;
                        if let Some(last) = self.history.list_seen(list).last() {
                            self.add_read(id, key, step, *last);
                        }
                    }
                    Step::Append(_) | Step::Write(_) | Step::ReadValue(_) | Step::ReadUnknown(_) => {}
                }
            }
        }
        Ok(())
    }

    fn add_read(&mut self, id: TxnId, key: KeyId, step: &Step, last: ElementId) {
        let writer = match self.facts.effective_writer(last) {
            Some(writer) => Some(writer),
            None => self.versions.writer_until(last, self.facts).map(|(writer, _)| writer),
        };
        if let Some(writer) = writer
            && writer != id
        {
            self.edges.add(writer.0, id.0, Kinds::WR);
        }
        // A read that does not fit the order of the versions does not say what it missed.
        let fits = match step {
            Step::ReadSpine { .. } if !self.versions.is_replaced(key) => true,
            _ => self.history.seen(step).is_some_and(|seen| self.versions.order(self.history, key).starts_with(seen)),
        };
        if fits {
            self.add_overwriters(id, key, Some(last));
        }
    }

    /// A read of the version that ends with `last` comes before whoever appended next.
    fn add_overwriters(&mut self, id: TxnId, key: KeyId, last: Option<ElementId>) {
        let order = self.versions.order(self.history, key);
        let next = last.map_or(0, |last| self.versions.place(last).map_or(order.len(), |place| place + 1));
        let writer = order.get(next).and_then(|next| self.versions.writer_from(*next, self.facts));
        match writer {
            Some((writer, _)) if writer != id => self.edges.add(id.0, writer.0, Kinds::RW),
            Some(_) => {}
            None => {
                if self.versions.has_unread(key) {
                    self.newest.push((key, id));
                }
            }
        }
    }

    fn add_appends(&mut self, watch: &mut Watch) -> Result<(), Late> {
        self.newest.sort_unstable();
        self.newest.dedup();
        let newest = std::mem::take(&mut self.newest);
        for key in (0..self.history.keys.len() as u32).map(KeyId) {
            if self.history.keys[key.index()].kind != KeyKind::List {
                continue;
            }
            let mut last: Option<TxnId> = None;
            for element in self.versions.order(self.history, key) {
                watch.tick()?;
                let Some(writer) = self.facts.effective_writer(*element) else { continue };
                if let Some(last) = last
                    && last != writer
                {
                    self.edges.add(last.0, writer.0, Kinds::WW);
                }
                last = Some(writer);
            }
            let unread = self.versions.unread_writers(key, self.facts);
            if unread.is_empty() {
                continue;
            }
            for writer in unread.iter().filter(|writer| last.is_some_and(|last| last != **writer)) {
                if let Some(last) = last {
                    self.edges.add(last.0, writer.0, Kinds::WW);
                }
            }
            let begin = newest.partition_point(|(other, _)| *other < key);
            let readers = newest[begin..].iter().take_while(|(other, _)| *other == key);
            let readers: Vec<TxnId> = readers.map(|(_, reader)| *reader).collect();
            self.edges.add_all(&readers, &unread, Kinds::RW);
        }
        Ok(())
    }
}
