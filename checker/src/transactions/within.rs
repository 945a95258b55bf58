//! Anomalies inside one transaction, and several transactions that replace the same version.

use super::facts::{Facts, Fate};
use super::findings::{Expected, Finding, Findings, Place};
use super::history::{Step, TransactionHistory};
use super::ids::{ElementId, KeyId, ListId, NONE, TxnId};
use super::versions::Versions;

/// What a transaction knows of a key so far.
#[derive(Clone, Debug, Default)]
struct Known {
    /// Its first read of the key, and whether it wrote the key at all.
    first_read: Option<usize>,
    has_written: bool,
    /// Its last read of the key.
    last_read: Option<usize>,
    /// What it appended or wrote since then.
    own: Vec<ElementId>,
    /// What it appended last.
    appended: Option<ElementId>,
    /// The longest beginning of the spine that it read, and where.
    spine_read: (u32, usize),
    /// Other lists that it read, and where.
    lists_read: Vec<(ListId, usize)>,
}

/// Finds reads that contradict their own transaction, and updates that were lost.
pub(super) fn find_within(history: &TransactionHistory, facts: &Facts, versions: &Versions, findings: &mut Findings) {
    let mut within = Within {
        history,
        facts,
        versions,
        findings,
        slot_of: vec![(NONE, NONE); history.keys.len()],
        slots: Vec::new(),
        used: 0,
        replaced: Replaced::new(history),
    };
    for id in history.ids().filter(|id| facts.takes_effect(*id)) {
        within.transaction(id);
    }
    within.replaced.report(findings);
}

struct Within<'a> {
    history: &'a TransactionHistory,
    facts: &'a Facts,
    versions: &'a Versions,
    findings: &'a mut Findings,
    /// Which transaction looked at a key last, and where its knowledge is kept.
    slot_of: Vec<(u32, u32)>,
    slots: Vec<Known>,
    used: usize,
    replaced: Replaced,
}

impl Within<'_> {
    fn transaction(&mut self, id: TxnId) {
        let history = self.history;
        self.used = 0;
        let mut is_consistent = true;
        for (step, what) in history.steps(id).iter().enumerate() {
            let slot = self.slot(id, history.key_of(*what));
            let known = &mut self.slots[slot];
            match *what {
                Step::Append(element) | Step::Write(element) => {
                    if let (false, Some(first)) = (known.has_written, known.first_read) {
                        self.replaced.add(history, self.facts, Place { id, step: first });
                    }
                    known.has_written = true;
                    if let Step::Append(_) = what {
                        if let Some(step) = seen_before(history, known, element) {
                            self.findings.add(Finding::FutureRead { read: Place { id, step }, element });
                        }
                        if let Some(first) = known.appended.replace(element)
                            && is_turned_round(self.facts, self.versions, first, element)
                        {
                            self.findings.add(Finding::AppendedOtherwise { id, first, second: element });
                        }
                    }
                    known.own.push(element);
                }
                Step::ReadNothing(_) | Step::ReadSpine { .. } | Step::ReadList(_) | Step::ReadValue(_) => {
                    if is_consistent && let Some(expected) = contradiction(history, id, known, what) {
                        is_consistent = false;
                        self.findings.add(Finding::Internal { read: Place { id, step }, expected });
                    }
                    known.first_read.get_or_insert(step);
                    known.last_read = Some(step);
                    known.own.clear();
                    match *what {
                        Step::ReadSpine { length, .. } if length > known.spine_read.0 => {
                            known.spine_read = (length, step);
                        }
                        Step::ReadList(list) => known.lists_read.push((list, step)),
                        _ => {}
                    }
                }
                Step::ReadUnknown(_) => {}
            }
        }
    }

    fn slot(&mut self, id: TxnId, key: KeyId) -> usize {
        let slot = &mut self.slot_of[key.index()];
        if slot.0 != id.0 {
            *slot = (id.0, self.used as u32);
            if self.used == self.slots.len() {
                self.slots.push(Known::default());
            }
            let known = &mut self.slots[self.used];
            let (mut own, mut lists_read) = (std::mem::take(&mut known.own), std::mem::take(&mut known.lists_read));
            own.clear();
            lists_read.clear();
            *known = Known { own, lists_read, ..Known::default() };
            self.used += 1;
        }
        slot.1 as usize
    }
}

/// Whether a list has the second of two appends of one transaction without the first one before it.
fn is_turned_round(facts: &Facts, versions: &Versions, first: ElementId, second: ElementId) -> bool {
    let is_known = |element| facts.writer(element).is_some();
    match (versions.place(first), versions.place(second)) {
        _ if !is_known(first) || !is_known(second) => false,
        (Some(first), Some(second)) => second < first,
        (None, Some(_)) => !facts.is_seen(first),
        (_, None) => false,
    }
}

/// Where the transaction read the element, if it did before it appended it.
fn seen_before(history: &TransactionHistory, known: &Known, element: ElementId) -> Option<usize> {
    let (length, step) = known.spine_read;
    let place = history.spine_place(element);
    if place != NONE && place < length {
        return Some(step);
    }
    let mut lists = known.lists_read.iter();
    lists.find(|(list, _)| history.list_seen(*list).contains(&element)).map(|(_, step)| *step)
}

/// What the read should have seen, if it saw something else.
fn contradiction(history: &TransactionHistory, id: TxnId, known: &Known, read: &Step) -> Option<Expected> {
    let earlier = known.last_read.map(|earlier| (earlier, history.steps(id)[earlier]));
    if let Step::ReadValue(value) = read {
        return match (known.own.last(), earlier) {
            (Some(own), _) => (own != value).then_some(Expected::Written { own: *own }),
            (None, Some((earlier, step))) => (step != *read).then_some(Expected::After { earlier, own: Vec::new() }),
            (None, None) => None,
        };
    }
    let seen = history.seen(read)?;
    let own = &known.own;
    match earlier {
        Some((_, step)) if own.is_empty() && step == *read => None,
        Some((_, Step::ReadValue(_))) => Some(after(known, own)),
        Some((_, step)) => {
            let base = history.seen(&step)?;
            let (begin, end) = seen.split_at(base.len().min(seen.len()));
            (begin != base || end != own.as_slice()).then(|| after(known, own))
        }
        None => (!seen.ends_with(own)).then(|| Expected::EndsWith { own: own.clone() }),
    }
}

fn after(known: &Known, own: &[ElementId]) -> Expected {
    match known.last_read {
        Some(earlier) => Expected::After { earlier, own: own.to_vec() },
        None => Expected::EndsWith { own: own.to_vec() },
    }
}

/// Which transactions read a version and replaced it.
struct Replaced {
    /// The first that replaced the version that ends with an element: a spine up to there, or a register's value.
    element: Vec<Option<Place>>,
    /// The first that replaced a list that is no spine.
    list: Vec<Option<Place>>,
    /// The first that replaced nothing.
    nothing: Vec<Option<Place>>,
    /// Further ones, with the first.
    more: Vec<(KeyId, Place, TxnId)>,
}

impl Replaced {
    fn new(history: &TransactionHistory) -> Self {
        Self {
            element: vec![None; history.elements.len()],
            list: vec![None; history.lists.len()],
            nothing: vec![None; history.keys.len()],
            more: Vec::new(),
        }
    }

    fn add(&mut self, history: &TransactionHistory, facts: &Facts, read: Place) {
        let step = history.steps(read.id)[read.step];
        let key = history.key_of(step);
        let first = match step {
            Step::ReadSpine { key, length } => {
                &mut self.element[history.keys[key.index()].spine[length as usize - 1].index()]
            }
            // Two that read the same value may have seen different writes of it.
            Step::ReadValue(element) if facts.fate(element) == Fate::Ambiguous => return,
            Step::ReadNothing(key) if facts.is_nothing_written(history, key) => return,
            Step::ReadValue(element) => &mut self.element[element.index()],
            Step::ReadList(list) => &mut self.list[list.index()],
            Step::ReadNothing(key) => &mut self.nothing[key.index()],
            Step::ReadUnknown(_) | Step::Append(_) | Step::Write(_) => return,
        };
        match first {
            Some(first) => self.more.push((key, *first, read.id)),
            None => *first = Some(read),
        }
    }

    fn report(mut self, findings: &mut Findings) {
        self.more.sort_by_key(|(key, first, id)| (first.id, *key, *id));
        for group in self.more.chunk_by(|(key, one, _), (other_key, other, _)| key == other_key && one == other) {
            let (key, read, _) = group[0];
            let mut transactions = vec![read.id];
            transactions.extend(group.iter().map(|(_, _, id)| *id));
            findings.add(Finding::LostUpdate { key, read, transactions });
        }
    }
}
