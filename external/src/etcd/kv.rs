//! Calls of the key-value workloads as requests.
//!
//! A register is a key whose value is JSON, a list is a JSON list, and a set is by the setting `sets` a key an element
//! (`keys`: `s1/12`) or a JSON list as well (`text`). What stands under a key is read and written back under a guard on the
//! revision in which it was last written, in one transaction: somebody who was faster is a certain refusal.

use rashomon_history::{Key, Outcome, Returned, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::gateway::Gateway;
use super::outcome::Unanswered;
use super::settings::{Reads, Sets};
use super::wire::{
    Bytes, Compare, DeleteRangeRequest, Done, KeyValue, Number, PutRequest, RangeRequest, RangeResponse, RequestOp,
    Stored, TxnRequest, TxnResponse,
};
use crate::client::StandStill;

/// Between the key of a set and the element that is in it.
const ELEMENT: char = '/';
/// Comes next after [`ELEMENT`], and so after all elements of a set.
const AFTER_ELEMENTS: char = '0';

/// The first key that there can be; as the end of a range, all that come after its beginning.
const EVERYTHING: &str = "\0";
/// What is longer is told by its length and checksum where a member tells everything.
const LONGEST_CONTENT: usize = 64;

/// What a guarded change says that came too late.
pub(super) const LOST_RACE: &str = "lost-race: somebody wrote the key in between; nothing was changed";

/// The store as one member shows it, until a deadline.
pub(super) struct Kv<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) reads: Reads,
    pub(super) until: Instant,
    pub(super) standstill: &'a dyn StandStill,
}

/// What a call came to; in the error what it came to before the end.
pub(super) type Came<T> = Result<T, Outcome>;

impl Kv<'_> {
    /// Asks for what changes nothing.
    pub(super) async fn look<Q: Serialize, A: DeserializeOwned>(&self, path: &str, question: &Q) -> Came<A> {
        self.ask(path, question).await.map_err(Unanswered::of_read)
    }

    /// Asks for what changes something.
    pub(super) async fn change<Q: Serialize, A: DeserializeOwned>(&self, path: &str, question: &Q) -> Came<A> {
        self.ask(path, question).await.map_err(Unanswered::of_change)
    }

    async fn ask<Q: Serialize, A: DeserializeOwned>(&self, path: &str, question: &Q) -> Result<A, Unanswered> {
        self.standstill.pass().await;
        if Instant::now() >= self.until {
            return Err(Unanswered::NotSent("the time was over before it could be".into()));
        }
        let answer = self.gateway.ask(path, question, self.until).await;
        self.standstill.pass().await;
        answer
    }

    /// What stands under a key: the elements of a set, each under a key of its own, belong to it.
    pub(super) async fn read(&self, key: &Key) -> Came<Returned> {
        let range = self.range(key.as_str().into(), Some(format!("{key}{AFTER_ELEMENTS}").as_str().into()));
        let response: RangeResponse = self.look("kv/range", &range).await?;
        let mut elements = Vec::new();
        for entry in &response.kvs {
            if entry.key.0 == key.as_str().as_bytes() {
                return Ok(match stored(entry)? {
                    Stored::One(value) => Returned::Value(value),
                    Stored::Many(values) => Returned::List(values),
                });
            }
            elements.extend(element(key, entry)?);
        }
        Ok(if elements.is_empty() { Returned::Value(Value::Nil) } else { Returned::List(elements) })
    }

    /// What the member holds itself, key by key, and how far it is; it first comes up with the others. See the check
    /// `copies`.
    pub(super) async fn copy(&self) -> Came<Returned> {
        let all = |serializable| {
            let (key, range_end) = (EVERYTHING.into(), Some(EVERYTHING.into()));
            RangeRequest { key, range_end, serializable }
        };
        let barrier = RangeRequest { range_end: None, ..all(false) };
        let _: RangeResponse = self.look("kv/range", &barrier).await?;
        let response: RangeResponse = self.look("kv/range", &all(true)).await?;
        let entries = response.kvs.iter().map(|entry| {
            let key = Key::from(String::from_utf8_lossy(&entry.key.0).as_ref());
            let value = Value::from(format!("{} {}", entry.mod_revision.0, content(&entry.value)));
            (key, value)
        });
        let returned = Box::new(Returned::Map(entries.collect()));
        Ok(Returned::Versioned { version: response.header.revision.0, returned })
    }

    pub(super) fn range(&self, key: Bytes, range_end: Option<Bytes>) -> RangeRequest {
        RangeRequest { key, range_end, serializable: self.reads == Reads::Serializable }
    }

    pub(super) async fn write(&self, key: &Key, value: &Value) -> Came<Returned> {
        let put = PutRequest { key: key.as_str().into(), value: Stored::One(value.clone()).encode() };
        let _: Done = self.change("kv/put", &put).await?;
        Ok(Returned::Done)
    }

    /// One transaction: where the value is not as expected, it tells which one is there.
    pub(super) async fn cas(&self, key: &Key, from: &Value, to: &Value) -> Came<Returned> {
        let name = || Bytes::from(key.as_str());
        let expected = match from {
            Value::Nil => Compare::is_absent(name()),
            Value::Int(_) | Value::Text(_) => Compare::value(name(), Stored::One(from.clone()).encode()),
        };
        let put = PutRequest { key: name(), value: Stored::One(to.clone()).encode() };
        let range = RangeRequest { key: name(), range_end: None, serializable: false };
        let txn = TxnRequest {
            compare: vec![expected],
            success: vec![RequestOp::RequestPut(put)],
            failure: vec![RequestOp::RequestRange(range)],
        };
        let response: TxnResponse = self.change("kv/txn", &txn).await?;
        if response.succeeded {
            return Ok(Returned::Swapped);
        }
        let found = response.responses.into_iter().filter_map(|response| response.response_range);
        let current = match found.flat_map(|range| range.kvs).next() {
            None => Value::Nil,
            Some(entry) => match stored(&entry)? {
                Stored::One(value) => value,
                Stored::Many(_) => return Err(Outcome::Fail(format!("{key} is a list; nothing was changed"))),
            },
        };
        Ok(Returned::NotSwapped { current: Some(current) })
    }

    /// Reads the list and writes it back with one element more, if nobody wrote it in between.
    pub(super) async fn append(&self, key: &Key, value: &Value) -> Came<Returned> {
        self.put_in(key, |elements| elements.push(value.clone())).await
    }

    pub(super) async fn add(&self, key: &Key, value: &Value, sets: Sets) -> Came<Returned> {
        match sets {
            Sets::Text => {
                let add = |elements: &mut Vec<Value>| {
                    if !elements.contains(value) {
                        elements.push(value.clone());
                    }
                };
                self.put_in(key, add).await
            }
            Sets::Keys => {
                let element = Stored::One(value.clone()).encode();
                let mut name = format!("{key}{ELEMENT}").into_bytes();
                name.extend(&element.0);
                let _: Done = self.change("kv/put", &PutRequest { key: Bytes(name), value: element }).await?;
                Ok(Returned::Done)
            }
        }
    }

    async fn put_in(&self, key: &Key, put: impl FnOnce(&mut Vec<Value>)) -> Came<Returned> {
        let response: RangeResponse = self.look("kv/range", &self.range(key.as_str().into(), None)).await?;
        let (mut elements, revision) = match response.kvs.first() {
            None => (Vec::new(), Number(0)),
            Some(entry) => match stored(entry)? {
                Stored::Many(elements) => (elements, entry.mod_revision),
                Stored::One(_) => return Err(Outcome::Fail(format!("{key} holds no list"))),
            },
        };
        put(&mut elements);
        let name = || Bytes::from(key.as_str());
        let write = PutRequest { key: name(), value: Stored::Many(elements).encode() };
        self.guarded(vec![Compare::mod_revision(name(), revision)], vec![write]).await?;
        Ok(Returned::Done)
    }

    /// Writes all of this if all of that is so, in one transaction.
    pub(super) async fn guarded(&self, compare: Vec<Compare>, writes: Vec<PutRequest>) -> Came<()> {
        let success = writes.into_iter().map(RequestOp::RequestPut).collect();
        let txn = TxnRequest { compare, success, failure: Vec::new() };
        let response: TxnResponse = self.change("kv/txn", &txn).await?;
        if response.succeeded { Ok(()) } else { Err(Outcome::Fail(LOST_RACE.into())) }
    }

    /// With all elements of a set.
    pub(super) async fn delete(&self, key: &Key) -> Came<Returned> {
        let range_end = Some(format!("{key}{AFTER_ELEMENTS}").as_str().into());
        let _: Done =
            self.change("kv/deleterange", &DeleteRangeRequest { key: key.as_str().into(), range_end }).await?;
        Ok(Returned::Done)
    }
}

/// What stands there, or what tells it from everything else where it is long.
fn content(value: &Bytes) -> String {
    if value.0.len() <= LONGEST_CONTENT {
        return String::from_utf8_lossy(&value.0).into_owned();
    }
    format!("{} bytes with CRC-32 {:08x}", value.0.len(), crc32fast::hash(&value.0))
}

/// What an entry holds. A read that can't be understood read nothing; a change was read back, and not made.
pub(super) fn stored(entry: &KeyValue) -> Came<Stored> {
    Stored::decode(&entry.value).map_err(|error| {
        let key = String::from_utf8_lossy(&entry.key.0);
        Outcome::Fail(format!("what stands under {key} was not written by a client of this run: {error}"))
    })
}

/// The element of the set that has a key of its own here.
fn element(set: &Key, entry: &KeyValue) -> Came<Option<Value>> {
    let rest = entry.key.0.strip_prefix(set.as_str().as_bytes());
    if rest.is_none_or(|rest| rest.first() != Some(&(ELEMENT as u8))) {
        return Ok(None);
    }
    Ok(match stored(entry)? {
        Stored::One(value) => Some(value),
        Stored::Many(_) => None,
    })
}
