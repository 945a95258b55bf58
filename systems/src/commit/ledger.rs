//! What was decided, for as long as it is remembered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Decision, TxnId};

/// The decisions on the youngest transactions.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Ledger {
    decisions: BTreeMap<TxnId, Decision>,
    /// Decisions on this transaction and older ones may have been forgotten.
    floor: TxnId,
}

impl Ledger {
    /// Notes a decision, and forgets the oldest above `most`.
    pub(super) fn note(&mut self, txn: TxnId, decision: Decision, most: usize) {
        self.decisions.insert(txn, decision);
        while self.decisions.len() > most {
            if let Some((oldest, _)) = self.decisions.pop_first() {
                self.floor = self.floor.max(oldest);
            }
        }
    }

    pub(super) fn get(&self, txn: TxnId) -> Option<Decision> {
        self.decisions.get(&txn).copied()
    }

    /// Whether a decision on it may have been forgotten.
    pub(super) fn may_have_forgotten(&self, txn: TxnId) -> bool {
        txn <= self.floor && !self.decisions.contains_key(&txn)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (TxnId, Decision)> {
        self.decisions.iter().map(|(txn, decision)| (*txn, *decision))
    }
}
