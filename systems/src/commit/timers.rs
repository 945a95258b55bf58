//! When something has to be done for a transaction.

use std::collections::{BTreeMap, BTreeSet};

use super::TxnId;
use crate::server::Micros;

/// One moment a transaction at most.
#[derive(Default)]
pub(super) struct Timers {
    by_time: BTreeSet<(Micros, TxnId)>,
    by_txn: BTreeMap<TxnId, Micros>,
}

impl Timers {
    /// Replaces what was set for it before.
    pub(super) fn set(&mut self, txn: TxnId, at: Micros) {
        if let Some(before) = self.by_txn.insert(txn, at) {
            self.by_time.remove(&(before, txn));
        }
        self.by_time.insert((at, txn));
    }

    pub(super) fn clear(&mut self, txn: TxnId) {
        if let Some(before) = self.by_txn.remove(&txn) {
            self.by_time.remove(&(before, txn));
        }
    }

    /// Takes one whose moment has come.
    pub(super) fn due(&mut self, now: Micros) -> Option<TxnId> {
        let (at, txn) = *self.by_time.first()?;
        if at > now {
            return None;
        }
        self.clear(txn);
        Some(txn)
    }

    /// The next moment; never, where none is set.
    pub(super) fn next(&self) -> Micros {
        self.by_time.first().map_or(Micros(u64::MAX), |(at, _)| *at)
    }
}
