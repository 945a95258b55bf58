//! A coordinator: runs transactions at the shards, asks for votes, and decides.
//!
//! Two-phase commit with presumed abort (Mohan, Lindsay and Obermarck, *Transaction Management in the R\* Distributed Database
//! Management System*, 1986): only commits are written. A commit is durable before anyone hears of it, is told again until
//! every shard that it changes has acknowledged it, and is then forgotten. Of whatever the coordinator knows nothing, it
//! says that it was aborted. Shards that only read vote so, and are not bothered again.
//!
//! [`Coordinator`] says what it wants durable ([`Want`]), and whoever keeps it - a log of its own ([`Single`]), or one that
//! a group keeps together ([`super::Replicated`]) - says when it is decided.

mod open;
mod single;
mod vote;

use std::collections::BTreeMap;

use rashomon_draw::Draw;

use open::Unended;
pub(super) use open::{Open, Phase};
pub(super) use single::Single;

use super::fact::Facts;
use super::ledger::Ledger;
use super::outbox::Outbox;
use super::timers::Timers;
use super::{
    AbortReason, Bug, CommitMessage, Config, Decision, Fact, Op, ParticipantState, Protocol, Refusal, Response,
    Timestamp, TxnId,
};
use crate::server::{Micros, NodeId, RequestId};

/// What shall be durable, or stand in the group's log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Want {
    /// This commit, unless something else was decided before. To be answered with [`Coordinator::decided`].
    Commit { txn: TxnId, at: Timestamp, participants: Vec<NodeId> },
    /// All have acknowledged it.
    End { txn: TxnId },
    /// A decision on a transaction of which nothing is known, because `asker` waits for it.
    Resolve { txn: TxnId, asker: NodeId },
}

/// The logic of a coordinator. See the [module](self).
pub(super) struct Coordinator {
    pub(super) config: Config,
    draw: Draw,
    pub(super) now: Micros,
    /// This life, or this term.
    epoch: u64,
    /// Moments that were given out in it.
    count: u64,
    pub(super) open: BTreeMap<TxnId, Open>,
    unended: BTreeMap<TxnId, Unended>,
    ledger: Ledger,
    pub(super) timers: Timers,
    pub(super) outbox: Outbox,
    pub(super) facts: Facts,
    pub(super) wants: Vec<Want>,
}

impl Coordinator {
    pub(super) fn new(config: Config, epoch: u64, ledger: Ledger) -> Self {
        Self {
            draw: Draw::from_seed(config.seed),
            now: Micros::default(),
            epoch,
            count: 0,
            open: BTreeMap::new(),
            unended: BTreeMap::new(),
            ledger,
            timers: Timers::default(),
            outbox: Outbox::default(),
            facts: Facts::default(),
            wants: Vec::new(),
            config,
        }
    }

    /// It leads from now on, in this epoch.
    pub(super) fn lead(&mut self, epoch: u64) {
        self.epoch = epoch;
        self.count = 0;
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The next moment.
    pub(super) fn moment(&mut self) -> Timestamp {
        self.count += 1;
        Timestamp { epoch: self.epoch, count: self.count }
    }

    pub(super) fn begin(&mut self, request: RequestId, ops: Vec<Op>) {
        let refusal = if ops.len() > self.config.limits.ops {
            Some(Refusal::TooLarge { most_ops: self.config.limits.ops })
        } else if self.open.len() >= self.config.limits.open {
            Some(Refusal::Overloaded)
        } else {
            None
        };
        if let Some(refusal) = refusal {
            return self.outbox.reply_at_once(request, Response::Refused(refusal));
        }
        let txn = TxnId(self.moment());
        let deadline = self.now.after(self.config.timing.execute_us);
        self.open.insert(txn, Open::new(request, ops, |op| self.config.shard_of(op.key()), deadline));
        self.ask_again(txn);
    }

    pub(super) fn receive(&mut self, from: NodeId, message: CommitMessage) {
        match message {
            CommitMessage::Executed { txn, stamp, reads } => self.on_executed(from, txn, stamp, reads),
            CommitMessage::Refused { txn, reason } => self.on_refused(txn, reason),
            CommitMessage::Voted { txn, vote } => self.on_voted(from, txn, vote),
            CommitMessage::PreCommitted { txn } => self.on_pre_committed(from, txn),
            CommitMessage::Acknowledge { txn } => self.on_acknowledge(from, txn),
            CommitMessage::Inquire { txn } => self.on_inquire(from, txn),
            // A participant of three-phase commit has decided without its coordinator.
            CommitMessage::Decide { .. }
            | CommitMessage::Execute { .. }
            | CommitMessage::Prepare { .. }
            | CommitMessage::PreCommit { .. }
            | CommitMessage::State { .. } => {}
        }
    }

    pub(super) fn tick(&mut self) {
        while let Some(txn) = self.timers.due(self.now) {
            match self.open.get(&txn) {
                Some(open) if open.deadline <= self.now => self.on_timeout(txn),
                Some(_) => self.ask_again(txn),
                None => self.tell_commit(txn),
            }
        }
    }

    /// When it looks again at this transaction.
    fn look_later(&mut self, txn: TxnId) {
        let resend_us = self.config.timing.resend_us;
        let pause_us = resend_us + self.draw.between(0, resend_us / 4);
        let mut at = self.now.after(pause_us);
        if let Some(open) = self.open.get(&txn) {
            at = at.min(open.deadline);
        }
        self.timers.set(txn, at);
    }

    /// Nothing is decided, and nothing will be but an abort.
    pub(super) fn abort(&mut self, txn: TxnId, reason: AbortReason) {
        let Some(open) = self.open.remove(&txn) else { return };
        self.timers.clear(txn);
        self.facts.note(Fact::Decided { txn, decision: Decision::Abort });
        self.ledger.note(txn, Decision::Abort, self.config.limits.decisions);
        for node in open.parts.keys() {
            self.outbox.send_at_once(*node, CommitMessage::Decide { txn, decision: Decision::Abort });
        }
        self.facts.note(Fact::Told { txn, committed: false });
        self.outbox.reply_at_once(open.request, Response::Aborted { txn, reason });
    }

    /// Notes what is true when all that was recorded is durable.
    fn fact(&mut self, fact: Fact) {
        match self.config.protocol {
            Protocol::TwoPhase | Protocol::ThreePhase => self.facts.note_with(self.outbox.next_write(), fact),
            Protocol::TwoPhaseRaft => self.facts.note(fact),
        }
    }

    /// The decision is durable, or nothing leaves before it is.
    pub(super) fn decided(&mut self, txn: TxnId, decision: Decision) {
        let Decision::Commit { at } = decision else { return self.abort(txn, AbortReason::TakenOver) };
        let Some(open) = self.open.remove(&txn) else { return };
        let writers = open.writers();
        self.fact(Fact::Decided { txn, decision });
        self.ledger.note(txn, decision, self.config.limits.decisions);
        let request = open.request;
        let reads = open.reads();
        self.fact(Fact::Told { txn, committed: true });
        self.outbox.reply(request, Response::Committed { txn, reads });
        self.finish(txn, at, writers);
    }

    /// A committed transaction has to be told to these.
    pub(super) fn finish(&mut self, txn: TxnId, at: Timestamp, waits_for: impl IntoIterator<Item = NodeId>) {
        let waits_for = waits_for.into_iter().collect();
        self.unended.insert(txn, Unended { at, waits_for });
        self.tell_commit(txn);
    }

    pub(super) fn is_finishing(&self, txn: TxnId) -> bool {
        self.unended.contains_key(&txn) || self.open.contains_key(&txn)
    }

    fn tell_commit(&mut self, txn: TxnId) {
        let Some(unended) = self.unended.get(&txn) else { return };
        let decision = Decision::Commit { at: unended.at };
        for node in &unended.waits_for {
            self.outbox.send(*node, CommitMessage::Decide { txn, decision });
        }
        self.look_later(txn);
    }

    fn on_acknowledge(&mut self, from: NodeId, txn: TxnId) {
        let Some(unended) = self.unended.get_mut(&txn) else { return };
        unended.waits_for.remove(&from);
        if unended.waits_for.is_empty() || self.config.has(Bug::TC06) {
            self.unended.remove(&txn);
            self.timers.clear(txn);
            self.wants.push(Want::End { txn });
        }
    }

    /// A participant has voted yes and hears nothing.
    fn on_inquire(&mut self, from: NodeId, txn: TxnId) {
        let forgot_all = self.config.has(Bug::TC09) && txn.0.epoch < self.epoch;
        if self.open.contains_key(&txn) || forgot_all {
            let state = ParticipantState::Pending;
            return self.outbox.send_at_once(from, CommitMessage::State { txn, state, recovered: false });
        }
        let committed = self.unended.get(&txn).map(|unended| Decision::Commit { at: unended.at });
        match committed.or_else(|| self.ledger.get(txn).filter(|_| !self.config.has(Bug::TC06))) {
            Some(decision) => self.outbox.send(from, CommitMessage::Decide { txn, decision }),
            None => self.answer_unknown(from, txn),
        }
    }

    fn answer_unknown(&mut self, from: NodeId, txn: TxnId) {
        let decision = if self.config.has(Bug::TC07) { Decision::Commit { at: txn.0 } } else { Decision::Abort };
        match self.config.protocol {
            Protocol::TwoPhase => self.outbox.send(from, CommitMessage::Decide { txn, decision }),
            Protocol::ThreePhase => {
                let state = ParticipantState::Unknown;
                self.outbox.send(from, CommitMessage::State { txn, state, recovered: false });
            }
            Protocol::TwoPhaseRaft if self.config.has(Bug::TC07) => {
                self.outbox.send(from, CommitMessage::Decide { txn, decision });
            }
            Protocol::TwoPhaseRaft => self.wants.push(Want::Resolve { txn, asker: from }),
        }
    }

    /// It no longer leads: what it has not proposed to commit never will be.
    pub(super) fn resign(&mut self) {
        let undecided = |(txn, open): (&TxnId, &Open)| (open.phase != Phase::Deciding).then_some(*txn);
        let undecided: Vec<TxnId> = self.open.iter().filter_map(undecided).collect();
        undecided.into_iter().for_each(|txn| self.abort(txn, AbortReason::Deposed));
        for txn in std::mem::take(&mut self.unended).into_keys() {
            self.timers.clear(txn);
        }
    }

    /// Nobody here will learn what became of it.
    pub(super) fn lose(&mut self, txn: TxnId) {
        if let Some(open) = self.open.remove(&txn) {
            self.timers.clear(txn);
            self.outbox.reply_at_once(open.request, Response::Unknown);
        }
    }

    /// What was decided, as far as it is remembered.
    fn decisions(&self) -> Vec<(TxnId, &'static str)> {
        self.ledger.iter().map(|(txn, decision)| (txn, decision.name())).collect()
    }
}
