//! What a participant does that voted yes and hears no decision (cooperative termination, Bernstein, Hadzilacos and Goodman,
//! 1987, section 7.4), and what it answers to others.

use super::super::{Bug, CommitMessage, Decision, ParticipantState, Protocol, TxnId};
use super::Participant;
use crate::server::NodeId;

impl Participant {
    /// It voted yes: when it has heard nothing for a while, it asks.
    pub(in super::super) fn ask_later(&mut self, txn: TxnId) {
        let inquire_us = self.config.timing.inquire_us;
        let pause_us = inquire_us + self.draw.between(0, inquire_us / 4);
        self.timers.set(txn, self.now.after(pause_us));
    }

    /// It has heard nothing for a while.
    pub(super) fn on_silence(&mut self, txn: TxnId) {
        if !self.prepared.contains_key(&txn) {
            return self.refuse(txn, super::super::AbortReason::Lost);
        }
        if self.config.has(Bug::TC03) {
            return self.decide(txn, Decision::Abort);
        }
        match self.config.protocol {
            Protocol::TwoPhase | Protocol::TwoPhaseRaft => {
                self.inquire(txn);
                self.ask_later(txn);
            }
            Protocol::ThreePhase => self.terminate(txn),
        }
    }

    /// Asks its coordinator first; from the second time on everyone who may know.
    fn inquire(&mut self, txn: TxnId) {
        let Some(prepared) = self.prepared.get_mut(&txn) else { return };
        prepared.inquiries += 1;
        if prepared.inquiries == 1 && !prepared.recovered {
            let coordinator = prepared.promise.coordinator;
            return self.outbox.send_at_once(coordinator, CommitMessage::Inquire { txn });
        }
        self.ask_everyone(txn);
    }

    pub(in super::super) fn ask_everyone(&mut self, txn: TxnId) {
        let Some(prepared) = self.prepared.get(&txn) else { return };
        let own = self.config.id;
        let others = prepared.promise.participants.iter().filter(|node| **node != own);
        for node in self.config.coordinators.iter().chain(others) {
            self.outbox.send_at_once(*node, CommitMessage::Inquire { txn });
        }
    }

    /// Another participant has voted yes and does not know the decision.
    pub(super) fn on_inquire(&mut self, from: NodeId, txn: TxnId) {
        if let Some(prepared) = self.prepared.get(&txn) {
            let state = match prepared.promise.pre_committed {
                Some(at) => ParticipantState::PreCommitted { at },
                None => ParticipantState::Uncertain,
            };
            let recovered = prepared.recovered;
            return self.outbox.send_at_once(from, CommitMessage::State { txn, state, recovered });
        }
        let decision = match self.ledger.get(txn) {
            Some(decision) => decision,
            None if self.ledger.may_have_forgotten(txn) => return,
            // It has not voted yes on the execution that the other one knows of, and never will.
            None => {
                self.drop_active(txn);
                self.ledger.note(txn, Decision::Abort, self.config.limits.decisions);
                Decision::Abort
            }
        };
        self.outbox.send_at_once(from, CommitMessage::Decide { txn, decision });
    }
}
