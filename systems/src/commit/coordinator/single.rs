//! A coordinator that stands alone, with a log of its own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::ledger::Ledger;
use super::super::outbox::{ForeignLog, decode, encode};
use super::super::{Bug, Config, Decision, Fact, Message, Request, Response, Timestamp, TxnId};
use super::{Coordinator, Want};
use crate::server::{Input, Micros, NodeId, Output, Recovered};

/// One record of the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Record {
    /// A life has begun.
    Epoch(u64),
    Committed {
        txn: TxnId,
        commit: Commit,
    },
    /// All participants know.
    Ended {
        txn: TxnId,
    },
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Commit {
    at: Timestamp,
    participants: Vec<NodeId>,
}

/// All that the coordinator needs after a crash.
#[derive(Clone, Default, Serialize, Deserialize)]
struct State {
    epoch: u64,
    unended: BTreeMap<TxnId, Commit>,
    ledger: Ledger,
}

impl State {
    fn recover(config: &Config, recovered: &Recovered) -> Result<Self, ForeignLog> {
        let mut state: Self = recovered.snapshot.as_deref().map_or(Ok(Self::default()), decode)?;
        for record in &recovered.records {
            state.replay(config, decode(record)?);
        }
        Ok(state)
    }

    fn replay(&mut self, config: &Config, record: Record) {
        match record {
            Record::Epoch(epoch) => self.epoch = epoch,
            Record::Committed { txn, commit } => {
                self.ledger.note(txn, Decision::Commit { at: commit.at }, config.limits.decisions);
                self.unended.insert(txn, commit);
            }
            Record::Ended { txn } => {
                self.unended.remove(&txn);
            }
        }
    }
}

/// A coordinator that stands alone.
pub(in super::super) struct Single {
    core: Coordinator,
    /// As it will be on disk with all that was recorded.
    state: State,
    has_started: bool,
}

impl Single {
    /// A coordinator that goes on from what its disk holds.
    ///
    /// # Errors
    /// [`ForeignLog`] where that is not what a coordinator of this version wrote.
    pub(in super::super) fn recover(config: Config, recovered: &Recovered) -> Result<Self, ForeignLog> {
        let mut state = State::recover(&config, recovered)?;
        state.epoch = if config.has(Bug::TC17) { 1 } else { state.epoch + 1 };
        let core = Coordinator::new(config, state.epoch, state.ledger.clone());
        Ok(Self { core, state, has_started: false })
    }

    pub(in super::super) fn step(
        &mut self,
        now: Micros,
        input: Input<Message, Request>,
        outputs: &mut Vec<Output<Message, Response>>,
    ) {
        self.core.now = now;
        self.core.facts.step();
        self.start();
        match input {
            Input::Tick => self.core.tick(),
            Input::Message { from, message: Message::Commit(message) } => self.core.receive(from, message),
            Input::Request { id, request: Request::Txn(ops) } => self.core.begin(id, ops),
            Input::Request { id, request: Request::Decisions } => {
                self.core.outbox.reply_at_once(id, Response::Decisions(self.core.decisions()));
            }
            Input::Persisted(id) => {
                self.core.outbox.on_durable();
                self.core.facts.on_durable(id);
            }
            Input::Message { message: Message::Raft(_), .. } | Input::Abandon { .. } => {}
        }
        self.grant_wants();
        self.core.outbox.drain_into(outputs);
    }

    /// The first step of a life: its number has to be durable before anything else is said, and what was committed has to be
    /// told again.
    fn start(&mut self) {
        if std::mem::replace(&mut self.has_started, true) {
            return;
        }
        self.core.outbox.record(&Record::Epoch(self.state.epoch));
        if self.core.config.has(Bug::TC09) {
            return;
        }
        for (txn, commit) in &self.state.unended {
            self.core.finish(*txn, commit.at, commit.participants.iter().copied());
        }
    }

    fn grant_wants(&mut self) {
        for want in std::mem::take(&mut self.core.wants) {
            match want {
                Want::Commit { txn, at, participants } => self.commit(txn, Commit { at, participants }),
                Want::End { txn } => {
                    self.state.unended.remove(&txn);
                    self.core.outbox.record_lazily(&Record::Ended { txn });
                }
                Want::Resolve { txn, asker } => {
                    unreachable!("{asker} asks for {txn}, and a coordinator that stands alone presumes")
                }
            }
        }
    }

    fn commit(&mut self, txn: TxnId, commit: Commit) {
        let decision = Decision::Commit { at: commit.at };
        self.state.replay(&self.core.config, Record::Committed { txn, commit: commit.clone() });
        let record = Record::Committed { txn, commit };
        if self.core.config.has(Bug::TC01) {
            self.core.outbox.record_lazily(&record);
        } else {
            self.core.outbox.record(&record);
        }
        self.core.decided(txn, decision);
    }

    pub(in super::super) fn flush(&mut self, now: Micros, outputs: &mut Vec<Output<Message, Response>>) {
        self.core.now = now;
        self.core.facts.flush();
        let (state, records) = (&self.state, self.core.config.limits.records);
        self.core.outbox.flush(records, || encode(state), outputs);
    }

    pub(in super::super) fn deadline(&self) -> Micros {
        if self.has_started { self.core.timers.next() } else { Micros(0) }
    }

    pub(in super::super) fn facts(&self) -> &[Fact] {
        self.core.facts.all()
    }

    pub(in super::super) fn epoch(&self) -> u64 {
        self.core.epoch()
    }
}
