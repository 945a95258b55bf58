//! Logs made of keys that are watched.
//!
//! The log `w1` is all keys that begin with `w1/`: what is sent to it is put under one of them, at an offset that is the
//! revision of the put. Who reads the log watches these keys, from the first revision on: etcd promises all of their events,
//! once, in the order of the revisions, and that a watch that broke off goes on where it stopped.
//!
//! A poll asks the member how far the keys are with it, and waits until the watch has come as far.

use std::collections::VecDeque;

use rashomon_history::{Key, Outcome, Record, Returned, Value};
use reqwest::Response;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use super::gateway::classify;
use super::kv::{Came, Kv, stored};
use super::outcome::Unanswered;
use super::wire::{Bytes, Done, KeyValue, Number, PutRequest, RangeRequest, RangeResponse, Stored};

/// Keys of a log.
const KEYS: i64 = 3;
/// Between the name of a log and that of a key in it.
const IN_LOG: char = '/';
/// Comes next after [`IN_LOG`], and so after all keys of a log.
const AFTER_LOG: char = '0';

/// How far one client has read one log.
pub(super) struct Watch {
    log: Key,
    /// The last revision whose events it has.
    seen: u64,
    /// What it has and was not yet asked for.
    events: VecDeque<Record>,
    stream: Option<Stream>,
}

/// A watch that is open, and what came of a line that is not yet whole.
struct Stream {
    response: Response,
    partial: Vec<u8>,
}

#[derive(Serialize)]
struct WatchRequest {
    create_request: WatchCreateRequest,
}

#[derive(Serialize)]
struct WatchCreateRequest {
    key: Bytes,
    range_end: Bytes,
    start_revision: Number,
}

/// One line of the stream.
#[derive(Deserialize)]
struct Line {
    result: WatchResponse,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WatchResponse {
    canceled: bool,
    cancel_reason: String,
    events: Vec<Event>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Event {
    kv: KeyValue,
}

fn first_key(log: &Key) -> Bytes {
    format!("{log}{IN_LOG}").as_str().into()
}

fn after_last_key(log: &Key) -> Bytes {
    format!("{log}{AFTER_LOG}").as_str().into()
}

impl Kv<'_> {
    /// Puts a record into a log, at a key that rests on the record alone.
    pub(super) async fn send(&self, log: &Key, value: &Value) -> Came<Returned> {
        let place = match value {
            Value::Int(number) => number.rem_euclid(KEYS),
            Value::Nil | Value::Text(_) => 0,
        };
        let key = format!("{log}{IN_LOG}{place}").as_str().into();
        let put = PutRequest { key, value: Stored::One(value.clone()).encode() };
        let done: Done = self.change("kv/put", &put).await?;
        Ok(Returned::Offset(done.header.revision.0))
    }

    /// The revision in which the log was last written, as the member knows it.
    async fn last_written(&self, log: &Key) -> Came<u64> {
        let range = RangeRequest { key: first_key(log), range_end: Some(after_last_key(log)), serializable: true };
        let response: RangeResponse = self.look("kv/range", &range).await?;
        Ok(response.kvs.iter().map(|entry| entry.mod_revision.0).max().unwrap_or_default())
    }

    /// All records that the watches brought since the last poll.
    pub(super) async fn poll(&self, watches: &mut [Watch]) -> Came<Returned> {
        let mut records = Vec::new();
        for watch in &mut *watches {
            let end = self.last_written(&watch.log).await?;
            watch.come_to(self, end).await?;
        }
        for watch in watches {
            records.extend(watch.events.drain(..));
        }
        Ok(Returned::Records(records))
    }
}

impl Watch {
    pub(super) fn new(log: Key) -> Self {
        Self { log, seen: 0, events: VecDeque::new(), stream: None }
    }

    /// Reads until it has all events up to this revision. What it has stays, also where it does not come so far.
    async fn come_to(&mut self, kv: &Kv<'_>, revision: u64) -> Came<()> {
        while self.seen < revision {
            let mut stream = match self.stream.take() {
                Some(stream) => stream,
                None => self.open(kv).await?,
            };
            let response = match stream.next(kv.until).await {
                Ok(response) => response,
                Err(why) => {
                    // A watch that is slow goes on; one that is broken is opened anew.
                    self.stream = (why == Unanswered::Late).then_some(stream);
                    let (log, seen) = (&self.log, self.seen);
                    let reason = format!("the watch of {log} came to revision {seen}, not to {revision}: {why}");
                    return Err(Outcome::Fail(reason));
                }
            };
            if response.canceled {
                return Err(Outcome::Fail(format!("etcd ended the watch of {}: {}", self.log, response.cancel_reason)));
            }
            self.stream = Some(stream);
            self.take(&response)?;
            kv.standstill.pass().await;
        }
        Ok(())
    }

    fn take(&mut self, response: &WatchResponse) -> Came<()> {
        for event in &response.events {
            let value = match stored(&event.kv)? {
                Stored::One(value) => value,
                Stored::Many(_) => return Err(Outcome::Fail(format!("{} holds a list", self.log))),
            };
            let offset = event.kv.mod_revision.0;
            self.seen = self.seen.max(offset);
            self.events.push_back(Record { key: self.log.clone(), offset, value });
        }
        Ok(())
    }

    /// Goes on behind the last event.
    async fn open(&self, kv: &Kv<'_>) -> Came<Stream> {
        let create_request = WatchCreateRequest {
            key: first_key(&self.log),
            range_end: after_last_key(&self.log),
            start_revision: Number(self.seen + 1),
        };
        kv.standstill.pass().await;
        let question = WatchRequest { create_request };
        let opened = timeout_at(kv.until, kv.gateway.send("watch", &question)).await.unwrap_or(Err(Unanswered::Late));
        Ok(Stream { response: opened.map_err(Unanswered::of_read)?, partial: Vec::new() })
    }
}

impl Stream {
    /// The next line. Where that is not there in time, what is there of it is kept.
    async fn next(&mut self, until: Instant) -> Result<WatchResponse, Unanswered> {
        loop {
            if let Some(end) = self.partial.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.partial.drain(..=end).collect();
                if line.trim_ascii().is_empty() {
                    continue;
                }
                let strange = || Unanswered::Strange(String::from_utf8_lossy(&line).trim().chars().take(200).collect());
                return serde_json::from_slice::<Line>(&line).map(|line| line.result).map_err(|_| strange());
            }
            match timeout_at(until, self.response.chunk()).await.map_err(|_| Unanswered::Late)? {
                Ok(Some(chunk)) => self.partial.extend_from_slice(&chunk),
                Ok(None) => return Err(Unanswered::Broken("the stream ended".into())),
                Err(error) => return Err(classify(&error)),
            }
        }
    }
}
