//! The guarded resource: a small store that takes fencing tokens, so that a lock can be shown to protect something.
//!
//! With fencing on, a read or a write comes with the token of the lock, and is refused where a higher one was seen under
//! its key. A *read* raises the mark, too: else a holder that is late could write between another's read and its write, and
//! what it wrote would be lost. The mark is durable before anything that rests on it is answered.

mod store;

use bytes::Bytes;
use rashomon_history::Key;

use super::bug::Bug;
use super::server::{LockRequest, LockResponse};
use crate::raft::Message;
use crate::server::{Input, NodeId, Output, Recovered, RequestId, Status, Write, WriteId};
pub use store::Content;
pub(super) use store::{Accepted, accepted};
use store::{Guarded, Record, Store};

/// Records between two checkpoints.
const CHECKPOINT_RECORDS: usize = 1_000;

/// What the resource is told before it starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ResourceOptions {
    /// Who it is.
    pub id: NodeId,
    /// Whether it looks at fencing tokens.
    pub fencing: bool,
    /// A planted bug.
    pub bug: Option<Bug>,
}

/// What the resource is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ResourceRequest {
    /// What is under the key?
    Read {
        /// Where.
        key: Key,
        /// The fencing token of the lock, where the reader means to write.
        token: Option<u64>,
    },
    /// Replace what is under the key.
    Write {
        /// Where.
        key: Key,
        /// What shall be there.
        content: Content,
        /// The fencing token of the lock.
        token: Option<u64>,
    },
}

/// What the resource answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ResourceAnswer {
    /// What is under the key.
    Read {
        /// Nothing where nothing was ever written.
        content: Option<Content>,
        /// The number of the last write of this key; 0 where there was none.
        version: u64,
        /// The highest token that was seen under this key.
        token: u64,
    },
    /// It was written.
    Written {
        /// The number of this write. The resource counts all of its writes.
        version: u64,
    },
    /// A higher token was seen under this key. Nothing was changed.
    StaleToken {
        /// The token that came.
        token: u64,
        /// The highest one.
        highest: u64,
    },
    /// A write needs a token. Nothing was changed.
    TokenMissing,
}

/// The guarded resource, as a state machine without I/O.
pub struct Resource {
    options: ResourceOptions,
    store: Store,
    last_write: WriteId,
    /// Records that are not yet given to the disk.
    records: Vec<Bytes>,
    records_since_checkpoint: usize,
    /// Answers that wait for those records.
    answers: Vec<(RequestId, ResourceAnswer)>,
}

impl Resource {
    /// A resource that goes on from what its disk holds.
    ///
    /// # Errors
    /// What the disk holds is not what a resource of this version wrote.
    pub fn recover(options: ResourceOptions, recovered: Recovered) -> Result<Self, postcard::Error> {
        let mut store = match &recovered.snapshot {
            Some(snapshot) => postcard::from_bytes(snapshot)?,
            None => Store::default(),
        };
        for record in &recovered.records {
            store.take(postcard::from_bytes(record)?);
        }
        if options.bug == Some(Bug::LK10) {
            store.forget_tokens();
        }
        Ok(Self {
            options,
            store,
            last_write: WriteId(0),
            records: Vec::new(),
            records_since_checkpoint: recovered.records.len(),
            answers: Vec::new(),
        })
    }

    /// What it was told before it started.
    #[must_use]
    pub fn options(&self) -> ResourceOptions {
        self.options
    }

    pub(super) fn step(
        &mut self,
        input: Input<Message, LockRequest>,
        outputs: &mut Vec<Output<Message, LockResponse>>,
    ) {
        match input {
            Input::Request { id, request: LockRequest::Resource(request) } => {
                let answer = self.serve(request);
                self.answers.push((id, answer));
            }
            Input::Request { id, .. } => {
                outputs.push(Output::ReplyNow { id, response: LockResponse::NotHere { is_resource: true } });
            }
            Input::Abandon { id } => self.answers.retain(|(asked, _)| *asked != id),
            Input::Tick | Input::Message { .. } | Input::Persisted(_) => {}
        }
    }

    /// Every answer, also to a read, waits until what it rests on is durable.
    pub(super) fn flush(&mut self, outputs: &mut Vec<Output<Message, LockResponse>>) {
        if !self.records.is_empty() {
            self.records_since_checkpoint += self.records.len();
            let write = Write::Append(std::mem::take(&mut self.records));
            self.persist(write, outputs);
        }
        if self.records_since_checkpoint >= CHECKPOINT_RECORDS {
            self.records_since_checkpoint = 0;
            let snapshot = store::encode(&self.store);
            self.persist(Write::Checkpoint { snapshot, tail: Vec::new() }, outputs);
        }
        let answered = self.answers.drain(..);
        outputs.extend(answered.map(|(id, answer)| Output::Reply { id, response: LockResponse::Resource(answer) }));
    }

    fn persist(&mut self, write: Write, outputs: &mut Vec<Output<Message, LockResponse>>) {
        self.last_write.0 += 1;
        outputs.push(Output::Persist { id: self.last_write, write });
    }

    pub(super) fn status(&self) -> Status {
        Status { node: self.options.id.to_string(), role: "resource".into(), ..Status::default() }
    }

    fn serve(&mut self, request: ResourceRequest) -> ResourceAnswer {
        match request {
            ResourceRequest::Read { key, token } => {
                if let Some(token) = token.filter(|_| self.options.fencing)
                    && let Err(refused) = self.fence(&key, token)
                {
                    return refused;
                }
                let Guarded { content, version, token } = self.store.get(&key);
                ResourceAnswer::Read { content, version, token }
            }
            ResourceRequest::Write { key, content, token } => self.write(key, content, token),
        }
    }

    fn write(&mut self, key: Key, content: Content, token: Option<u64>) -> ResourceAnswer {
        if self.options.fencing {
            let Some(token) = token else { return ResourceAnswer::TokenMissing };
            if let Err(refused) = self.check(&key, token) {
                return refused;
            }
        }
        let number = self.store.writes() + 1;
        self.note(Record::Write { number, key, token, content });
        ResourceAnswer::Written { version: number }
    }

    /// Refuses the token, or lets none below it pass from now on.
    fn fence(&mut self, key: &Key, token: u64) -> Result<(), ResourceAnswer> {
        self.check(key, token)?;
        if self.store.token(key) < token {
            self.note(Record::Raise { key: key.clone(), token });
        }
        Ok(())
    }

    fn check(&self, key: &Key, token: u64) -> Result<(), ResourceAnswer> {
        let highest = self.store.token(key);
        if token < highest && self.options.bug != Some(Bug::LK09) {
            return Err(ResourceAnswer::StaleToken { token, highest });
        }
        Ok(())
    }

    fn note(&mut self, record: Record) {
        self.records.push(store::encode(&record));
        self.store.take(record);
    }
}
