//! What leaves a member, in the order that durability asks for.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{CommitMessage, Message, Response};
use crate::server::{NodeId, Output, RequestId, Write, WriteId};

/// So many records that nobody waits for are written at the latest.
const MOST_LAZY: usize = 64;

/// Outputs and records of the current batch.
#[derive(Default)]
pub(super) struct Outbox {
    now: Vec<Output<Message, Response>>,
    behind_write: Vec<Output<Message, Response>>,
    records: Vec<Bytes>,
    /// Whether something waits for the records.
    is_forced: bool,
    last_id: WriteId,
    /// The first write of this life, which holds its number, is durable.
    has_begun: bool,
    since_checkpoint: usize,
}

impl Outbox {
    /// Writes before anything leaves that is sent after this.
    pub(super) fn record(&mut self, record: &impl Serialize) {
        self.records.push(encode(record));
        self.is_forced = true;
    }

    /// Writes with the next write that something waits for.
    pub(super) fn record_lazily(&mut self, record: &impl Serialize) {
        self.records.push(encode(record));
    }

    /// Sends when all that was recorded before is durable.
    pub(super) fn send(&mut self, to: NodeId, message: CommitMessage) {
        self.behind_write.push(Output::Send { to, message: Message::Commit(message) });
    }

    /// Sends whatever is not yet durable, but for the number of this life.
    pub(super) fn send_at_once(&mut self, to: NodeId, message: CommitMessage) {
        if self.has_begun {
            self.now.push(Output::SendNow { to, message: Message::Commit(message) });
        } else {
            self.send(to, message);
        }
    }

    /// Answers a client when all that was recorded before is durable.
    pub(super) fn reply(&mut self, id: RequestId, response: Response) {
        self.behind_write.push(Output::Reply { id, response });
    }

    /// Answers a client whatever is not yet durable.
    pub(super) fn reply_at_once(&mut self, id: RequestId, response: Response) {
        self.now.push(Output::ReplyNow { id, response });
    }

    /// The write that what was recorded last goes with, at the earliest.
    pub(super) fn next_write(&self) -> WriteId {
        WriteId(self.last_id.0 + 1)
    }

    pub(super) fn on_durable(&mut self) {
        self.has_begun = true;
    }

    pub(super) fn drain_into(&mut self, outputs: &mut Vec<Output<Message, Response>>) {
        outputs.append(&mut self.now);
    }

    /// Writes what was recorded and lets out what waits for it. When the log has grown by `most_records`, the whole state is
    /// written anew instead.
    pub(super) fn flush(
        &mut self,
        most_records: usize,
        state: impl FnOnce() -> Bytes,
        outputs: &mut Vec<Output<Message, Response>>,
    ) {
        self.drain_into(outputs);
        if self.is_forced || self.records.len() >= MOST_LAZY {
            self.is_forced = false;
            self.since_checkpoint += self.records.len();
            self.last_id.0 += 1;
            let records = std::mem::take(&mut self.records);
            let write = if self.since_checkpoint > most_records {
                self.since_checkpoint = 0;
                Write::Checkpoint { snapshot: state(), tail: Vec::new() }
            } else {
                Write::Append(records)
            };
            outputs.push(Output::Persist { id: self.last_id, write });
        }
        outputs.append(&mut self.behind_write);
    }
}

/// What a disk holds is not what a member of this version wrote.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the log holds what no member of this version wrote: {0}")]
pub struct ForeignLog(String);

pub(super) fn encode(value: &impl Serialize) -> Bytes {
    postcard::to_allocvec(value).expect("records of numbers and texts are encoded in memory").into()
}

pub(super) fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, ForeignLog> {
    postcard::from_bytes(bytes).map_err(|error| ForeignLog(error.to_string()))
}
