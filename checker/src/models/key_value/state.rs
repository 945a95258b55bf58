//! A map of texts that is cheap to clone, to hash and to compare.

use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use rashomon_history::Key;
use rustc_hash::FxBuildHasher;

/// What a [`KeyValue`](super::KeyValue) map holds. Maps made of each other share the texts that did not change.
#[derive(Clone, Debug, Default)]
pub struct KeyValueState {
    /// By key; no text is empty.
    held: Arc<[Arc<Held>]>,
    /// Of all that is held, whatever the order in which it came there.
    hash: u64,
    /// Bytes of the entry that this map does not share with the one before it.
    new_bytes: u32,
}

#[derive(Debug)]
struct Held {
    key: Key,
    text: Box<str>,
    /// Of key and text.
    hash: u64,
}

impl KeyValueState {
    /// The text at a key; empty where there is none.
    #[must_use]
    pub fn text(&self, key: &Key) -> &str {
        self.find(key).map_or("", |place| &self.held[place].text)
    }

    /// The map with `start` and `end`, joined, at a key.
    pub(super) fn with(&self, key: &Key, start: &str, end: &str) -> Self {
        let place = self.find(key);
        let (before, after) = match place {
            Ok(place) => (&self.held[..place], &self.held[place + 1..]),
            Err(place) => self.held.split_at(place),
        };
        let old_hash = place.map_or(0, |place| self.held[place].hash);
        if start.is_empty() && end.is_empty() {
            let held = before.iter().chain(after).cloned().collect();
            return Self { held, hash: self.hash ^ old_hash, new_bytes: 0 };
        }
        let text: Box<str> = if start.is_empty() { end.into() } else { [start, end].concat().into() };
        let hash = FxBuildHasher.hash_one((key, &text));
        let new_bytes = (size_of::<Held>() + text.len()) as u32;
        let new = Arc::new(Held { key: key.clone(), text, hash });
        let held = before.iter().cloned().chain([new]).chain(after.iter().cloned()).collect();
        Self { held, hash: self.hash ^ old_hash ^ hash, new_bytes }
    }

    fn find(&self, key: &Key) -> Result<usize, usize> {
        self.held.binary_search_by(|held| held.key.cmp(key))
    }

    pub(super) fn own_bytes(&self) -> usize {
        size_of_val(&*self.held) + self.new_bytes as usize + 4 * size_of::<usize>()
    }
}

impl PartialEq for KeyValueState {
    fn eq(&self, other: &Self) -> bool {
        let same = |(left, right): (&Arc<Held>, &Arc<Held>)| {
            Arc::ptr_eq(left, right) || left.hash == right.hash && left.text == right.text && left.key == right.key
        };
        self.hash == other.hash
            && self.held.len() == other.held.len()
            && (Arc::ptr_eq(&self.held, &other.held) || self.held.iter().zip(&*other.held).all(same))
    }
}

impl Eq for KeyValueState {}

impl Hash for KeyValueState {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hash.hash(state);
    }
}
