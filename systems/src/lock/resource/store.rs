//! What the resource keeps, and the records of its log.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use rashomon_history::{Key, Value};
use serde::{Deserialize, Serialize};

use crate::kv::stored;
use crate::server::Write;

/// What stands under a key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Content {
    /// One value.
    Register(#[serde(with = "stored::one")] Value),
    /// Elements, each once.
    Set(#[serde(with = "stored::many")] BTreeSet<Value>),
}

/// One object, and the tokens under which it was used.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Guarded {
    pub(super) content: Option<Content>,
    /// The number of the last write.
    pub(super) version: u64,
    /// The highest token that was seen.
    pub(super) token: u64,
}

/// What stands in the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Record {
    /// A write was accepted.
    Write { number: u64, key: Key, token: Option<u64>, content: Content },
    /// A read came with a token that is higher than all before.
    Raise { key: Key, token: u64 },
}

/// All objects, and how many writes were accepted.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Store {
    objects: BTreeMap<Key, Guarded>,
    writes: u64,
}

impl Store {
    pub(super) fn writes(&self) -> u64 {
        self.writes
    }

    pub(super) fn get(&self, key: &Key) -> Guarded {
        self.objects.get(key).cloned().unwrap_or_default()
    }

    /// The highest token that was seen under the key.
    pub(super) fn token(&self, key: &Key) -> u64 {
        self.objects.get(key).map_or(0, |object| object.token)
    }

    pub(super) fn take(&mut self, record: Record) {
        match record {
            Record::Write { number, key, token, content } => {
                self.writes = number;
                let object = self.objects.entry(key).or_default();
                object.content = Some(content);
                object.version = number;
                object.token = object.token.max(token.unwrap_or_default());
            }
            Record::Raise { key, token } => {
                let object = self.objects.entry(key).or_default();
                object.token = object.token.max(token);
            }
        }
    }

    /// A planted bug: the tokens were kept in memory only.
    pub(super) fn forget_tokens(&mut self) {
        self.objects.values_mut().for_each(|object| object.token = 0);
    }
}

/// As it stands on the disk.
pub(super) fn encode(what: &impl Serialize) -> Bytes {
    postcard::to_stdvec(what).expect("texts and numbers encode in memory").into()
}

/// A use of the resource that was accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::lock) struct Accepted {
    pub(in crate::lock) key: Key,
    pub(in crate::lock) token: Option<u64>,
    /// The number of the write, where it is one.
    pub(in crate::lock) number: Option<u64>,
}

/// What this write to the disk says was accepted, in order.
pub(in crate::lock) fn accepted(write: &Write) -> Vec<Accepted> {
    let records = match write {
        Write::Append(records) => records.as_slice(),
        Write::Checkpoint { .. } => &[],
    };
    let records = records.iter().filter_map(|record| postcard::from_bytes(record).ok());
    let accepted = records.map(|record| match record {
        Record::Write { number, key, token, .. } => Accepted { key, token, number: Some(number) },
        Record::Raise { key, token } => Accepted { key, token: Some(token), number: None },
    });
    accepted.collect()
}
