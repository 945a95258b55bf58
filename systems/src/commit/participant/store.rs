//! What a shard keeps: the versions of each object, the newest last.

use std::collections::BTreeMap;

use rashomon_history::Key;
use serde::{Deserialize, Serialize};

use super::super::object::Effect;
use super::super::{AbortReason, Object, Timestamp};

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Version {
    at: Timestamp,
    object: Object,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Versions {
    /// Ordered by their moments; never empty but while it is made.
    kept: Vec<Version>,
    /// Older ones were dropped.
    is_cut: bool,
}

/// All objects of a shard.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(in super::super) struct Store {
    objects: BTreeMap<Key, Versions>,
}

impl Store {
    /// The newest version.
    pub(super) fn latest(&self, key: &Key) -> Option<&Object> {
        self.objects.get(key)?.kept.last().map(|version| &version.object)
    }

    /// The newest version as of `at`.
    pub(super) fn as_of(&self, key: &Key, at: Timestamp) -> Result<Option<&Object>, AbortReason> {
        let Some(Versions { kept, is_cut }) = self.objects.get(key) else { return Ok(None) };
        match kept.partition_point(|version| version.at <= at) {
            0 if *is_cut => Err(AbortReason::SnapshotTooOld),
            0 => Ok(None),
            later => Ok(Some(&kept[later - 1].object)),
        }
    }

    /// When the newest version was committed.
    pub(super) fn changed_at(&self, key: &Key) -> Timestamp {
        self.objects.get(key).and_then(|versions| versions.kept.last()).map_or(Timestamp::default(), |last| last.at)
    }

    /// Puts a version there. Keeps at most `most`.
    pub(super) fn put(&mut self, key: &Key, at: Timestamp, object: Object, most: usize) {
        let versions = self.objects.entry(key.clone()).or_default();
        let place = versions.kept.partition_point(|version| version.at <= at);
        versions.kept.insert(place, Version { at, object });
        if versions.kept.len() > most {
            versions.kept.drain(..versions.kept.len() - most);
            versions.is_cut = true;
        }
    }

    /// Applies what a transaction has done to a key.
    pub(super) fn apply(&mut self, key: &Key, effect: &Effect, at: Timestamp, most: usize) {
        if most == 1
            && let Some(versions) = self.objects.get_mut(key)
            && let Some(last) = versions.kept.pop()
        {
            // Nobody else has the object, so a list grows in its place.
            versions.is_cut = true;
            return versions.kept.push(Version { at, object: effect.apply(Some(last.object)) });
        }
        let object = effect.apply(self.latest(key).cloned());
        self.put(key, at, object, most);
    }
}
