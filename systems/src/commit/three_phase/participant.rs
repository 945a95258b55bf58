//! Participants that decide without their coordinator.

use std::collections::{BTreeMap, BTreeSet};

use super::super::participant::{Participant, Prepared};
use super::super::{Bug, CommitMessage, Decision, ParticipantState, Timestamp, TxnId};
use crate::server::NodeId;

/// So often a participant waits for another one to lead.
const MOST_ROUNDS: u32 = 3;

/// The termination protocol of one transaction at one participant.
#[derive(Default)]
pub(in super::super) struct Termination {
    /// What the others have answered, and whether they have been down.
    states: BTreeMap<NodeId, (ParticipantState, bool)>,
    /// How often it has asked.
    rounds: u32,
    /// It leads, and has told the others that all voted yes.
    commits: Option<Timestamp>,
}

/// What follows from what is known.
enum Conclusion {
    Decide(Decision),
    /// Tell these first that all voted yes.
    PreCommit(Timestamp, BTreeSet<NodeId>),
    AskAgain,
}

impl Participant {
    pub(in super::super) fn on_pre_commit(&mut self, from: NodeId, txn: TxnId, at: Timestamp) {
        if self.prepared.contains_key(&txn) {
            self.pre_commit(txn, at);
            self.ask_later(txn);
        } else if !self.has_committed(txn) {
            return;
        }
        self.outbox.send(from, CommitMessage::PreCommitted { txn });
    }

    pub(in super::super) fn on_state(&mut self, from: NodeId, txn: TxnId, state: ParticipantState, recovered: bool) {
        let termination = self.prepared.get_mut(&txn).and_then(|prepared| prepared.termination.as_mut());
        if let Some(termination) = termination {
            termination.states.insert(from, (state, recovered));
        }
    }

    /// Nothing was heard for a while: it asks, and when it has asked and waited, concludes.
    pub(in super::super) fn terminate(&mut self, txn: TxnId) {
        let Some(prepared) = self.prepared.get(&txn) else { return };
        let pre_committed = prepared.promise.pre_committed;
        if prepared.recovered && self.config.has(Bug::TP05) || pre_committed.is_some() && self.config.has(Bug::TP03) {
            let commits = pre_committed.filter(|_| !self.config.has(Bug::TP03));
            return self.decide(txn, commits.map_or(Decision::Abort, |at| Decision::Commit { at }));
        }
        match self.conclude(txn) {
            Conclusion::AskAgain => {
                let Some(prepared) = self.prepared.get_mut(&txn) else { return };
                let termination = prepared.termination.get_or_insert_default();
                termination.rounds += 1;
                termination.states.clear();
                self.ask_everyone(txn);
                self.wait_for_answers(txn);
            }
            Conclusion::PreCommit(at, others) => {
                self.pre_commit(txn, at);
                if let Some(prepared) = self.prepared.get_mut(&txn) {
                    prepared.termination.get_or_insert_default().commits = Some(at);
                }
                for node in others {
                    self.outbox.send(node, CommitMessage::PreCommit { txn, at });
                }
                self.wait_for_answers(txn);
            }
            Conclusion::Decide(decision) => self.decide_for_all(txn, decision),
        }
    }

    /// Who does not answer until then counts as dead.
    fn wait_for_answers(&mut self, txn: TxnId) {
        self.timers.set(txn, self.now.after(self.config.timing.resend_us));
    }

    fn decide_for_all(&mut self, txn: TxnId, decision: Decision) {
        let Some(prepared) = self.prepared.get(&txn) else { return };
        let others = prepared.promise.participants.clone();
        self.decide(txn, decision);
        for node in others.into_iter().filter(|node| *node != self.config.id) {
            self.outbox.send(node, CommitMessage::Decide { txn, decision });
        }
    }

    /// The rules TR3 and TR4; who has decided answers with its decision (TR1, TR2).
    fn conclude(&self, txn: TxnId) -> Conclusion {
        let Some(prepared) = self.prepared.get(&txn) else { return Conclusion::AskAgain };
        let Some(termination) = &prepared.termination else { return Conclusion::AskAgain };
        if let Some(at) = termination.commits {
            return Conclusion::Decide(Decision::Commit { at });
        }
        let Some(others) = termination.operational(self.config.id, prepared) else {
            return Conclusion::AskAgain;
        };
        let leads = others.keys().all(|other| *other > self.config.id) || termination.rounds > MOST_ROUNDS;
        if !leads {
            return Conclusion::AskAgain;
        }
        match prepared.promise.pre_committed.or_else(|| others.values().find_map(|state| told(*state))) {
            None => Conclusion::Decide(Decision::Abort),
            Some(at) => {
                let uncertain = others.into_iter().filter(|(_, state)| told(*state).is_none());
                Conclusion::PreCommit(at, uncertain.map(|(node, _)| node).collect())
            }
        }
    }
}

impl Termination {
    /// The other participants that count, and how far they are. `None` where this one has to wait.
    ///
    /// Who has been down may have missed what the others did, so it neither counts nor leads. Only where everybody has been down,
    /// and everybody is back, do those who voted decide.
    fn operational(&self, id: NodeId, own: &Prepared) -> Option<BTreeMap<NodeId, ParticipantState>> {
        if self.states.values().any(|(state, _)| *state == ParticipantState::Pending) {
            return None;
        }
        let participants = &own.promise.participants;
        let mut others = self.states.clone();
        others.retain(|node, _| participants.contains(node));
        if own.recovered {
            let everybody = participants.iter().chain([&own.promise.coordinator]);
            let is_back = |node: &NodeId| *node == id || self.states.contains_key(node);
            let stayed_up = others.values().any(|(_, recovered)| !recovered);
            if stayed_up || !everybody.into_iter().all(is_back) {
                return None;
            }
        } else {
            others.retain(|_, (_, recovered)| !*recovered);
        }
        Some(others.into_iter().map(|(node, (state, _))| (node, state)).collect())
    }
}

/// Where the commit was to stand, of one who was told that all voted yes.
fn told(state: ParticipantState) -> Option<Timestamp> {
    match state {
        ParticipantState::PreCommitted { at } => Some(at),
        ParticipantState::Pending | ParticipantState::Unknown | ParticipantState::Uncertain => None,
    }
}
