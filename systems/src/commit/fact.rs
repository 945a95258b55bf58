//! What a member has done in its last batch, for whoever looks on. Never used for decisions of the protocol.

use std::collections::VecDeque;

use super::{Decision, TxnId};
use crate::server::WriteId;

/// Something that no message shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fact {
    /// A member has decided, or learned the decision.
    Decided {
        /// The transaction.
        txn: TxnId,
        /// The decision.
        decision: Decision,
    },
    /// A client is answered.
    Told {
        /// The transaction.
        txn: TxnId,
        /// Whether it is told of a commit.
        committed: bool,
    },
}

/// The facts of one batch.
#[derive(Default)]
pub(super) struct Facts {
    facts: Vec<Fact>,
    /// What is true only when this write is durable.
    later: VecDeque<(WriteId, Fact)>,
    is_over: bool,
}

impl Facts {
    pub(super) fn note(&mut self, fact: Fact) {
        self.facts.push(fact);
    }

    /// It is true when this write is durable.
    pub(super) fn note_with(&mut self, write: WriteId, fact: Fact) {
        self.later.push_back((write, fact));
    }

    pub(super) fn on_durable(&mut self, durable: WriteId) {
        while let Some((_, fact)) = self.later.front().copied().filter(|(write, _)| *write <= durable) {
            self.later.pop_front();
            self.facts.push(fact);
        }
    }

    /// The first step after a flush begins a new batch.
    pub(super) fn step(&mut self) {
        if std::mem::take(&mut self.is_over) {
            self.facts.clear();
        }
    }

    pub(super) fn flush(&mut self) {
        self.is_over = true;
    }

    pub(super) fn all(&self) -> &[Fact] {
        &self.facts
    }
}
