//! The order in which the elements of a list were appended, as its reads tell it.

use rustc_hash::{FxHashMap, FxHashSet};

use super::facts::Facts;
use super::history::{KeyKind, Step, TransactionHistory};
use super::ids::{ElementId, KeyId, ListId, NONE, TxnId};

/// The version order of every list: its longest read, each element once.
pub(super) struct Versions {
    /// The longest reads of keys where they do not lie on the spine.
    longest: FxHashMap<KeyId, ListId>,
    /// The orders of these keys.
    replaced: FxHashMap<KeyId, Vec<ElementId>>,
    /// The place of each element in its key's order, or [`NONE`].
    place: Vec<u32>,
    /// The element itself, or the next one after it in its list, whose writer took effect and is known.
    known_from: Vec<u32>,
    /// The element itself, or the last one before it in its list, whose writer took effect and is known.
    known_until: Vec<u32>,
    /// Elements that were certainly appended and that nobody saw, by key.
    unread: Vec<(KeyId, ElementId)>,
}

impl Versions {
    pub(super) fn memory_bytes(history: &TransactionHistory) -> usize {
        history.elements.len() * (12 + 8)
    }

    pub(super) fn new(history: &TransactionHistory, facts: &Facts) -> Self {
        let mut longest: FxHashMap<KeyId, ListId> = FxHashMap::default();
        for id in (0..history.lists.len() as u32).map(ListId) {
            let key = history.lists[id.index()].key;
            let length = history.list_seen(id).len();
            let known = longest
                .get(&key)
                .map_or(history.keys[key.index()].spine.len(), |known| history.list_seen(*known).len());
            if length > known {
                longest.insert(key, id);
            }
        }
        let replaced = longest.iter().map(|(key, list)| (*key, distinct(history.list_seen(*list)))).collect();
        let unknown = || vec![NONE; history.elements.len()];
        let (place, known_from, known_until) = (unknown(), unknown(), unknown());
        let mut versions = Self { longest, replaced, place, known_from, known_until, unread: Vec::new() };
        for key in (0..history.keys.len() as u32).map(KeyId) {
            versions.find_places(history, facts, key);
        }
        versions.find_unread(history, facts);
        versions
    }

    fn find_places(&mut self, history: &TransactionHistory, facts: &Facts, key: KeyId) {
        let Self { replaced, place, known_from, known_until, .. } = self;
        let order = order(replaced, history, key);
        let mut last = NONE;
        for (index, element) in order.iter().enumerate() {
            place[element.index()] = index as u32;
            if facts.effective_writer(*element).is_some() {
                last = element.0;
            }
            known_until[element.index()] = last;
        }
        let mut next = NONE;
        for element in order.iter().rev() {
            if facts.effective_writer(*element).is_some() {
                next = element.0;
            }
            known_from[element.index()] = next;
        }
    }

    fn find_unread(&mut self, history: &TransactionHistory, facts: &Facts) {
        for id in history.ids().filter(|id| facts.takes_effect(*id)) {
            for step in history.steps(id) {
                if let Step::Append(element) = *step
                    && !facts.is_seen(element)
                    && facts.writer(element) == Some(id)
                {
                    self.unread.push((history.elements[element.index()].key, element));
                }
            }
        }
        self.unread.sort_by_key(|(key, _)| *key);
        self.unread.shrink_to_fit();
    }

    /// The elements of a list, in the order in which they were appended.
    pub(super) fn order<'a>(&'a self, history: &'a TransactionHistory, key: KeyId) -> &'a [ElementId] {
        order(&self.replaced, history, key)
    }

    /// The longest list that a read of the key saw, as it was seen.
    pub(super) fn longest<'a>(&self, history: &'a TransactionHistory, key: KeyId) -> &'a [ElementId] {
        self.longest.get(&key).map_or(&history.keys[key.index()].spine, |list| history.list_seen(*list))
    }

    /// The element's place in its list, if a read that counts saw it.
    pub(super) fn place(&self, element: ElementId) -> Option<usize> {
        let place = self.place[element.index()];
        (place != NONE).then_some(place as usize)
    }

    /// Elements that were certainly appended to the list and that nobody saw: they come after all that were seen.
    pub(super) fn unread(&self, key: KeyId) -> impl Iterator<Item = ElementId> {
        let begin = self.unread.partition_point(|(other, _)| *other < key);
        self.unread[begin..].iter().take_while(move |(other, _)| *other == key).map(|(_, element)| *element)
    }

    /// Whether somebody appended to the list what nobody saw.
    pub(super) fn has_unread(&self, key: KeyId) -> bool {
        self.unread(key).next().is_some()
    }

    /// Who did, sorted.
    pub(super) fn unread_writers(&self, key: KeyId, facts: &Facts) -> Vec<TxnId> {
        let mut writers: Vec<TxnId> = self.unread(key).filter_map(|element| facts.effective_writer(element)).collect();
        writers.sort_unstable();
        writers.dedup();
        writers
    }

    /// Whether the order of the list is another than its spine.
    pub(super) fn is_replaced(&self, key: KeyId) -> bool {
        self.replaced.contains_key(&key)
    }

    /// Who appended the element, or the next one after it in its list whose writer took effect and is known.
    pub(super) fn writer_from(&self, element: ElementId, facts: &Facts) -> Option<(TxnId, ElementId)> {
        known(self.known_from[element.index()], facts)
    }

    /// Who appended the element, or the last one before it in its list whose writer took effect and is known.
    pub(super) fn writer_until(&self, element: ElementId, facts: &Facts) -> Option<(TxnId, ElementId)> {
        known(self.known_until[element.index()], facts)
    }
}

fn order<'a>(
    replaced: &'a FxHashMap<KeyId, Vec<ElementId>>,
    history: &'a TransactionHistory,
    key: KeyId,
) -> &'a [ElementId] {
    match history.keys[key.index()].kind {
        KeyKind::Register | KeyKind::Unused => &[],
        KeyKind::List if replaced.is_empty() => &history.keys[key.index()].spine,
        KeyKind::List => replaced.get(&key).unwrap_or(&history.keys[key.index()].spine),
    }
}

fn known(element: u32, facts: &Facts) -> Option<(TxnId, ElementId)> {
    let element = (element != NONE).then_some(ElementId(element))?;
    Some((facts.effective_writer(element)?, element))
}

fn distinct(elements: &[ElementId]) -> Vec<ElementId> {
    let mut seen = FxHashSet::default();
    elements.iter().copied().filter(|element| seen.insert(*element)).collect()
}
