//! The vote, and the decision.

use super::super::{AbortReason, Bug, CommitMessage, Decision, Fact, Protocol, Stamp, TxnId, Vote};
use super::record::Record;
use super::{Active, Participant, Prepared, Promise};
use crate::server::NodeId;

impl Participant {
    pub(super) fn on_prepare(&mut self, from: NodeId, txn: TxnId, stamp: Stamp, participants: Vec<NodeId>) {
        if self.prepared.contains_key(&txn) {
            return self.outbox.send(from, CommitMessage::Voted { txn, vote: Vote::Yes });
        }
        if self.ledger.get(txn).is_some_and(Decision::is_commit) && !self.config.has(Bug::TC16) {
            return;
        }
        let is_asked_for = |active: &&Active| active.is_done() && (active.stamp == stamp || self.config.has(Bug::TC16));
        if self.active.get(&txn).filter(is_asked_for).is_none() {
            return self.vote(from, txn, Vote::No(AbortReason::Lost));
        }
        let Some(active) = self.active.remove(&txn) else { return };
        if active.effects.is_empty() {
            self.timers.clear(txn);
            let next = self.locks.release(txn);
            self.ready.extend(next);
            return self.vote(from, txn, Vote::ReadOnly);
        }
        let effects = active.effects.into_iter().collect();
        let promise = Promise { coordinator: from, participants, effects, pre_committed: None };
        if !self.config.has(Bug::TC02) {
            self.outbox.record(&Record::Prepared { txn, promise: promise.clone() });
        }
        if self.config.has(Bug::TC10) {
            let next = self.locks.release(txn);
            self.ready.extend(next);
        }
        self.prepared.insert(txn, Prepared::new(promise));
        self.ask_later(txn);
        self.vote(from, txn, Vote::Yes);
    }

    fn vote(&mut self, coordinator: NodeId, txn: TxnId, vote: Vote) {
        self.outbox.send(coordinator, CommitMessage::Voted { txn, vote });
    }

    pub(super) fn on_decide(&mut self, from: NodeId, txn: TxnId, decision: Decision) {
        let recovered = self.prepared.get(&txn).is_some_and(|prepared| prepared.recovered);
        if recovered && decision.is_commit() && self.config.has(Bug::TC21) {
            self.decide(txn, Decision::Abort);
        } else {
            self.decide(txn, decision);
        }
        if decision.is_commit() && self.config.is_coordinator(from) {
            self.outbox.send(from, CommitMessage::Acknowledge { txn });
        }
    }

    /// The decision is known: a transaction that waits for it is over.
    pub(in super::super) fn decide(&mut self, txn: TxnId, decision: Decision) {
        if self.config.has(Bug::TC15) {
            self.apply_once_more(txn, decision);
        }
        let Some(prepared) = self.prepared.remove(&txn) else {
            let is_known = self.ledger.get(txn).is_some() || self.ledger.may_have_forgotten(txn);
            if decision == Decision::Abort && !is_known {
                self.drop_active(txn);
                self.ledger.note(txn, decision, self.config.limits.decisions);
            }
            return;
        };
        self.timers.clear(txn);
        let record = Record::Decided { txn, decision };
        match decision {
            Decision::Abort if self.config.protocol != Protocol::ThreePhase => self.outbox.record_lazily(&record),
            Decision::Abort => self.outbox.record(&record),
            Decision::Commit { at } => {
                self.outbox.record(&record);
                self.store.commit(&prepared.promise.effects, at, &self.config);
            }
        }
        let fact = Fact::Decided { txn, decision };
        match self.config.protocol {
            Protocol::TwoPhase | Protocol::TwoPhaseRaft => self.facts.note(fact),
            Protocol::ThreePhase => self.facts.note_with(self.outbox.next_write(), fact),
        }
        self.ledger.note(txn, decision, self.config.limits.decisions);
        let next = self.locks.release(txn);
        self.ready.extend(next);
        for (key, _) in &prepared.promise.effects {
            self.ready.extend(self.readers.remove(key).into_iter().flatten());
        }
        if self.config.has(Bug::TC15) {
            self.applied.insert(txn, prepared.promise.effects);
        }
    }

    /// TC-15: a decision that comes twice is applied twice.
    fn apply_once_more(&mut self, txn: TxnId, decision: Decision) {
        if let (Some(effects), Decision::Commit { at }) = (self.applied.get(&txn), decision) {
            self.store.commit(effects, at, &self.config);
        }
    }
}
