//! The decisions of a group of coordinators, as the state machine above its Raft: the first decision on a transaction stands.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::ledger::Ledger;
use super::outbox::{decode, encode};
use super::{Decision, Timestamp, TxnId};
use crate::raft::{RestoreError, StateMachine};
use crate::server::NodeId;

/// One entry of the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Command {
    /// Unless something was decided before.
    Commit { txn: TxnId, at: Timestamp, participants: Vec<NodeId> },
    /// Unless something was decided before.
    Abort { txn: TxnId },
    /// All participants know.
    End { txn: TxnId },
}

/// What the log says on a transaction; nothing, where a command was none of ours or needs no answer.
pub(super) type Answer = Option<Decision>;

/// A commit that not all participants are known to know.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Commit {
    pub at: Timestamp,
    pub participants: Vec<NodeId>,
}

/// The decisions.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Decisions {
    pub(super) ledger: Ledger,
    pub(super) unended: BTreeMap<TxnId, Commit>,
    /// How many commits were applied.
    pub(super) commits: u64,
    most: usize,
}

impl Decisions {
    /// None yet. So many are remembered.
    pub(super) fn new(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    /// The decision on a transaction, where there is one.
    pub(super) fn get(&self, txn: TxnId) -> Option<Decision> {
        let unended = self.unended.get(&txn).map(|commit| Decision::Commit { at: commit.at });
        unended.or_else(|| self.ledger.get(txn))
    }

    /// Nothing more can be decided on what was forgotten: whoever still asks has never been told to commit.
    fn decide(&mut self, txn: TxnId, decision: Decision) -> Decision {
        if let Some(before) = self.get(txn) {
            return before;
        }
        if self.ledger.may_have_forgotten(txn) {
            return Decision::Abort;
        }
        self.ledger.note(txn, decision, self.most);
        decision
    }
}

impl StateMachine for Decisions {
    type Query = ();
    type Answer = Answer;

    fn apply(&mut self, _index: u64, command: &[u8]) -> Answer {
        match decode(command).ok()? {
            Command::Commit { txn, at, participants } => {
                let is_new = self.get(txn).is_none();
                let decision = self.decide(txn, Decision::Commit { at });
                if is_new && decision.is_commit() {
                    self.commits += 1;
                    self.unended.insert(txn, Commit { at, participants });
                }
                Some(decision)
            }
            Command::Abort { txn } => Some(self.decide(txn, Decision::Abort)),
            Command::End { txn } => {
                self.unended.remove(&txn);
                None
            }
        }
    }

    fn query(&self, (): &()) -> Answer {
        None
    }

    fn snapshot(&self) -> Bytes {
        encode(self)
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
        *self = decode(snapshot).map_err(|error| RestoreError { reason: error.to_string() })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn txn(count: u64) -> TxnId {
        TxnId(Timestamp { epoch: 1, count })
    }

    fn commit(count: u64) -> Command {
        Command::Commit { txn: txn(count), at: txn(count).0, participants: vec![NodeId(4)] }
    }

    fn applied(decisions: &mut Decisions, command: &Command) -> Answer {
        decisions.apply(0, &encode(command))
    }

    #[test]
    fn the_first_decision_stands() {
        let mut decisions = Decisions::new(10);
        let committed = Some(Decision::Commit { at: txn(1).0 });
        assert_eq!(applied(&mut decisions, &commit(1)), committed);
        assert_eq!(applied(&mut decisions, &Command::Abort { txn: txn(1) }), committed);
        assert_eq!(applied(&mut decisions, &Command::Abort { txn: txn(2) }), Some(Decision::Abort));
        assert_eq!(applied(&mut decisions, &commit(2)), Some(Decision::Abort));
        let mut copy = Decisions::new(1);
        copy.restore(&decisions.snapshot()).unwrap();
        assert_eq!(copy.get(txn(1)), committed);
        assert!(copy.restore(b"x").is_err());
    }

    #[test]
    fn a_commit_is_remembered_until_all_know_and_no_forgotten_one_is_decided_anew() {
        let mut decisions = Decisions::new(2);
        applied(&mut decisions, &commit(1));
        for count in 2..6 {
            applied(&mut decisions, &commit(count));
            applied(&mut decisions, &Command::End { txn: txn(count) });
        }
        assert_eq!(decisions.get(txn(1)), Some(Decision::Commit { at: txn(1).0 }));
        assert_eq!(decisions.get(txn(2)), None, "it is forgotten");
        assert_eq!(applied(&mut decisions, &commit(2)), Some(Decision::Abort));
        assert_eq!(decisions.get(txn(2)), None);
    }
}
