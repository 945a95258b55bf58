//! A shard: keeps objects, runs transactions under locks, votes, and keeps its word.
//!
//! Until its vote a participant may drop a transaction for any reason. A yes is durable, with all that the transaction will
//! do, before it is sent; from then on only a decision ends it. After a crash such transactions come back with their
//! exclusive locks; shared locks need not, since no transaction takes a lock after the first vote on it was asked for.

mod execute;
mod in_doubt;
mod locks;
mod record;
mod store;
mod vote;

use std::collections::BTreeMap;

use rashomon_draw::Draw;
use rashomon_history::Key;

pub(super) use locks::LockTable;
use locks::Mode;
pub(super) use record::Promise;
use record::{Record, State};
use store::Store;

use super::fact::Facts;
use super::ledger::Ledger;
use super::object::Effect;
use super::outbox::{ForeignLog, Outbox, encode};
use super::three_phase::Termination;
use super::timers::Timers;
use super::{
    Bug, CommitMessage, Config, Fact, Message, Object, Op, Refusal, Request, Response, Stamp, Timestamp, TxnId,
};
use crate::server::{Input, Micros, NodeId, Output, Recovered, RequestId};

/// A transaction that has not been voted on.
pub(super) struct Active {
    coordinator: NodeId,
    stamp: Stamp,
    ops: Vec<Op>,
    /// The step that is to be done next.
    next: usize,
    reads: Vec<Option<Object>>,
    effects: BTreeMap<Key, Effect>,
}

impl Active {
    fn is_done(&self) -> bool {
        self.next == self.ops.len()
    }

    fn writes(&self) -> bool {
        self.ops.iter().any(Op::writes)
    }
}

/// A transaction that was voted yes on.
pub(super) struct Prepared {
    pub(super) promise: Promise,
    /// The participant has been down since.
    pub(super) recovered: bool,
    /// How often it has asked for the decision.
    inquiries: u32,
    pub(super) termination: Option<Termination>,
}

impl Prepared {
    fn new(promise: Promise) -> Self {
        Self { promise, recovered: false, inquiries: 0, termination: None }
    }
}

/// A shard. See the [module](self).
pub(super) struct Participant {
    pub(super) config: Config,
    pub(super) draw: Draw,
    pub(super) now: Micros,
    has_started: bool,
    life: u64,
    /// Executions in this life.
    stamps: u64,
    store: Store,
    locks: LockTable,
    active: BTreeMap<TxnId, Active>,
    pub(super) prepared: BTreeMap<TxnId, Prepared>,
    ledger: Ledger,
    /// Who waits, without a lock, until the writer of a key is decided on.
    readers: BTreeMap<Key, Vec<TxnId>>,
    /// Whose turn it is to go on.
    ready: Vec<TxnId>,
    pub(super) timers: Timers,
    pub(super) outbox: Outbox,
    pub(super) facts: Facts,
    /// Who coordinated last, as far as this shard has seen.
    coordinator: NodeId,
    /// TC-15: what was applied and will be applied again.
    applied: BTreeMap<TxnId, Vec<(Key, Effect)>>,
}

impl Participant {
    /// A shard that goes on from what its disk holds.
    ///
    /// # Errors
    /// [`ForeignLog`] where that is not what a shard of this version wrote.
    pub(super) fn recover(config: Config, recovered: &Recovered) -> Result<Self, ForeignLog> {
        let State { life, store, prepared, ledger } = State::recover(&config, recovered)?;
        let mut locks = LockTable::new(config.has(Bug::TC23));
        for (txn, promise) in &prepared {
            promise.effects.iter().for_each(|(key, _)| locks.restore(*txn, key));
        }
        let restored = |promise| Prepared { recovered: true, ..Prepared::new(promise) };
        Ok(Self {
            draw: Draw::from_seed(config.seed),
            now: Micros::default(),
            has_started: false,
            life: life + 1,
            stamps: 0,
            store,
            locks,
            active: BTreeMap::new(),
            prepared: prepared.into_iter().map(|(txn, promise)| (txn, restored(promise))).collect(),
            ledger,
            readers: BTreeMap::new(),
            ready: Vec::new(),
            timers: Timers::default(),
            outbox: Outbox::default(),
            facts: Facts::default(),
            coordinator: config.coordinators[0],
            applied: BTreeMap::new(),
            config,
        })
    }

    pub(super) fn step(
        &mut self,
        now: Micros,
        input: Input<Message, Request>,
        outputs: &mut Vec<Output<Message, Response>>,
    ) {
        self.now = now;
        self.facts.step();
        self.start();
        match input {
            Input::Tick => {
                while let Some(txn) = self.timers.due(now) {
                    self.on_silence(txn);
                }
            }
            Input::Message { from, message: Message::Commit(message) } => self.receive(from, message),
            Input::Message { message: Message::Raft(_), .. } | Input::Abandon { .. } => {}
            Input::Request { id, request } => self.request(id, &request),
            Input::Persisted(id) => {
                self.outbox.on_durable();
                self.facts.on_durable(id);
            }
        }
        self.run_ready();
        self.outbox.drain_into(outputs);
    }

    /// The first step of a life: its number has to be durable before anything else is said.
    fn start(&mut self) {
        if std::mem::replace(&mut self.has_started, true) {
            return;
        }
        self.outbox.record(&Record::Life(self.life));
        let in_doubt: Vec<TxnId> = self.prepared.keys().copied().collect();
        in_doubt.into_iter().for_each(|txn| self.timers.set(txn, self.now));
    }

    fn receive(&mut self, from: NodeId, message: CommitMessage) {
        if self.config.is_coordinator(from) {
            self.coordinator = from;
        }
        match message {
            CommitMessage::Execute { txn, ops } => self.on_execute(from, txn, ops),
            CommitMessage::Prepare { txn, stamp, participants } => self.on_prepare(from, txn, stamp, participants),
            CommitMessage::PreCommit { txn, at } => self.on_pre_commit(from, txn, at),
            CommitMessage::Decide { txn, decision } => self.on_decide(from, txn, decision),
            CommitMessage::Inquire { txn } => self.on_inquire(from, txn),
            CommitMessage::State { txn, state, recovered } => self.on_state(from, txn, state, recovered),
            CommitMessage::Executed { .. }
            | CommitMessage::Refused { .. }
            | CommitMessage::Voted { .. }
            | CommitMessage::PreCommitted { .. }
            | CommitMessage::Acknowledge { .. } => {}
        }
    }

    fn request(&mut self, id: RequestId, request: &Request) {
        let response = match request {
            Request::Txn(_) => Response::Refused(Refusal::NotCoordinator { coordinator: Some(self.coordinator) }),
            Request::Decisions => Response::Decisions(self.decisions()),
        };
        self.outbox.reply_at_once(id, response);
    }

    pub(super) fn flush(&mut self, now: Micros, outputs: &mut Vec<Output<Message, Response>>) {
        self.now = now;
        self.facts.flush();
        let Self { outbox, life, store, prepared, ledger, config, .. } = self;
        let state = || {
            let promises = prepared.iter().map(|(txn, prepared)| (*txn, prepared.promise.clone())).collect();
            encode(&State { life: *life, store: store.clone(), prepared: promises, ledger: ledger.clone() })
        };
        outbox.flush(config.limits.records, state, outputs);
    }

    pub(super) fn deadline(&self) -> Micros {
        if self.has_started { self.timers.next() } else { Micros(0) }
    }

    /// What this shard has decided, and what it waits for.
    fn decisions(&self) -> Vec<(TxnId, &'static str)> {
        let decided = self.ledger.iter().map(|(txn, decision)| (txn, decision.name()));
        decided.chain(self.prepared.keys().map(|txn| (*txn, "prepared"))).collect()
    }

    /// What it has done in its last batch.
    pub(super) fn facts(&self) -> &[Fact] {
        self.facts.all()
    }

    pub(super) fn locks(&self) -> &LockTable {
        &self.locks
    }

    pub(super) fn pre_commit(&mut self, txn: TxnId, at: Timestamp) {
        if let Some(prepared) = self.prepared.get_mut(&txn)
            && prepared.promise.pre_committed.is_none()
        {
            prepared.promise.pre_committed = Some(at);
            self.outbox.record(&Record::PreCommitted { txn, at });
        }
    }

    pub(super) fn decision(&self, txn: TxnId) -> Option<super::Decision> {
        self.ledger.get(txn)
    }

    pub(super) fn is_prepared(&self, txn: TxnId) -> bool {
        self.prepared.contains_key(&txn)
    }

    /// What it voted yes on and does not know the decision of.
    pub(super) fn in_doubt(&self) -> Vec<TxnId> {
        self.prepared.keys().copied().collect()
    }

    /// What it voted yes on without holding a lock that this needs.
    pub(super) fn prepared_without_lock(&self) -> Option<(TxnId, &Key)> {
        if self.config.has(Bug::TC11) {
            return None;
        }
        let effects = self
            .prepared
            .iter()
            .flat_map(|(txn, prepared)| prepared.promise.effects.iter().map(|(key, _)| (*txn, key)));
        effects.into_iter().find(|(txn, key)| !self.locks.holds(*txn, key, Mode::Exclusive))
    }

    pub(super) fn has_committed(&self, txn: TxnId) -> bool {
        self.ledger.get(txn).is_some_and(super::Decision::is_commit)
    }
}
