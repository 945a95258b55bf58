//! Running the steps, and collecting votes.

use super::super::{AbortReason, Bug, CommitMessage, Decision, Fact, Object, Protocol, Response, Stamp, TxnId, Vote};
use super::{Coordinator, Phase, Want};
use crate::server::NodeId;

impl Coordinator {
    /// Asks whoever has not answered what the present phase waits for.
    pub(in super::super) fn ask_again(&mut self, txn: TxnId) {
        let Some(open) = self.open.get(&txn) else { return };
        let writers: Vec<NodeId> = open.writers().into_iter().collect();
        for (node, part) in &open.parts {
            let message = match (open.phase, part.stamp) {
                (Phase::Executing, None) => CommitMessage::Execute { txn, ops: part.ops.clone() },
                (Phase::Voting, Some(stamp)) if part.vote.is_none() => {
                    CommitMessage::Prepare { txn, stamp, participants: writers.clone() }
                }
                (Phase::PreCommitting { at }, _) if part.writes() && !part.is_pre_committed => {
                    CommitMessage::PreCommit { txn, at }
                }
                (Phase::Executing | Phase::Voting | Phase::PreCommitting { .. } | Phase::Deciding, _) => continue,
            };
            self.outbox.send_at_once(*node, message);
        }
        self.look_later(txn);
    }

    pub(super) fn on_executed(&mut self, from: NodeId, txn: TxnId, stamp: Stamp, reads: Vec<Option<Object>>) {
        let Some(open) = self.open.get_mut(&txn).filter(|open| open.phase == Phase::Executing) else { return };
        let Some(part) = open.parts.get_mut(&from).filter(|part| part.stamp.is_none()) else { return };
        part.stamp = Some(stamp);
        part.reads = reads;
        if open.parts.values().any(|part| part.stamp.is_none()) {
            return;
        }
        open.phase = Phase::Voting;
        open.deadline = self.now.after(self.config.timing.vote_us);
        self.ask_again(txn);
    }

    pub(super) fn on_refused(&mut self, txn: TxnId, reason: AbortReason) {
        let Some(open) = self.open.get(&txn) else { return };
        match open.phase {
            Phase::Executing | Phase::Voting => self.abort(txn, reason),
            Phase::PreCommitting { .. } | Phase::Deciding => {}
        }
    }

    pub(super) fn on_voted(&mut self, from: NodeId, txn: TxnId, vote: Vote) {
        let Some(open) = self.open.get_mut(&txn).filter(|open| open.phase == Phase::Voting) else { return };
        let Some(part) = open.parts.get_mut(&from).filter(|part| part.vote.is_none()) else { return };
        part.vote = Some(vote);
        let is_complete = open.parts.values().all(|part| part.vote.is_some());
        match vote {
            Vote::No(_) if self.config.has(Bug::TC05) && !is_complete => {}
            Vote::No(reason) => self.abort(txn, reason),
            Vote::Yes | Vote::ReadOnly if is_complete => self.on_all_voted(txn),
            Vote::Yes | Vote::ReadOnly => {}
        }
    }

    fn on_all_voted(&mut self, txn: TxnId) {
        let Some(open) = self.open.get(&txn) else { return };
        if open.writers().is_empty() {
            return self.commit_of_nothing(txn);
        }
        match self.config.protocol {
            Protocol::TwoPhase | Protocol::TwoPhaseRaft => self.commit(txn),
            Protocol::ThreePhase => self.pre_commit(txn),
        }
    }

    /// A transaction that changes nothing needs no decision that anyone could forget.
    fn commit_of_nothing(&mut self, txn: TxnId) {
        let Some(open) = self.open.remove(&txn) else { return };
        self.timers.clear(txn);
        self.facts.note(Fact::Told { txn, committed: true });
        self.facts.note(Fact::Decided { txn, decision: Decision::Commit { at: txn.0 } });
        let request = open.request;
        self.outbox.reply_at_once(request, Response::Committed { txn, reads: open.reads() });
    }

    /// All have voted yes.
    fn commit(&mut self, txn: TxnId) {
        let at = if self.config.has(Bug::TC18) { txn.0 } else { self.moment() };
        self.commit_at(txn, at);
    }

    pub(in super::super) fn commit_at(&mut self, txn: TxnId, at: super::super::Timestamp) {
        let Some(open) = self.open.get_mut(&txn) else { return };
        open.phase = Phase::Deciding;
        self.timers.clear(txn);
        let participants = open.writers().into_iter().collect();
        self.wants.push(Want::Commit { txn, at, participants });
    }

    /// TC-24: there is no limit.
    fn wait_on(&mut self, txn: TxnId) {
        let later = self.now.after(self.config.timing.execute_us);
        if let Some(open) = self.open.get_mut(&txn) {
            open.deadline = later;
        }
        self.ask_again(txn);
    }

    /// The present phase has taken too long.
    pub(super) fn on_timeout(&mut self, txn: TxnId) {
        let Some(open) = self.open.get(&txn) else { return };
        match open.phase {
            Phase::Executing if self.config.has(Bug::TC24) => self.wait_on(txn),
            Phase::Voting if self.config.has(Bug::TC04) => self.on_all_voted(txn),
            Phase::Executing | Phase::Voting => self.abort(txn, AbortReason::Timeout),
            // Skeen: all have voted yes, so who does not answer will commit when it is back.
            Phase::PreCommitting { at } => self.commit_at(txn, at),
            Phase::Deciding => {}
        }
    }
}
