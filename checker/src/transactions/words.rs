//! Transactions in words.

use super::history::{KeyKind, Step, TransactionHistory, TransactionOutcome};
use super::ids::{ElementId, KeyId, TxnId};
use crate::narrator::Narrator;
use crate::witness::WitnessOperation;

/// Tells what transactions did.
#[derive(Clone, Copy)]
pub(super) struct Words<'a> {
    pub(super) history: &'a TransactionHistory,
    /// Knows who and when, where somebody recorded more than the history tells.
    pub(super) narrator: Option<&'a dyn Narrator>,
}

impl Words<'_> {
    pub(super) fn operation(&self, id: TxnId) -> WitnessOperation {
        WitnessOperation { position: self.history.transaction(id).position, text: self.text(id) }
    }

    /// "process 3 read \[1\] from x and appended 2 to x, from 1.204 s to 1.210 s".
    pub(super) fn text(&self, id: TxnId) -> String {
        let outcome = self.history.transaction(id).outcome;
        let steps = self.history.steps(id);
        let mut did = self.who(id);
        did += match outcome {
            TransactionOutcome::Committed => " ",
            TransactionOutcome::Aborted => " failed to ",
            TransactionOutcome::Unknown => " tried to ",
        };
        if steps.is_empty() {
            did += if outcome == TransactionOutcome::Committed { "did nothing" } else { "do nothing" };
        }
        const SHOWN_MAX: usize = 16;
        for (index, step) in steps.iter().take(SHOWN_MAX).enumerate() {
            if index > 0 {
                did += if index + 1 == steps.len() { " and " } else { ", " };
            }
            did += &self.step(*step, outcome == TransactionOutcome::Committed);
        }
        if steps.len() > SHOWN_MAX {
            did += &format!(" and {} more", steps.len() - SHOWN_MAX);
        }
        let (invoked, completed) = (self.invoked(id), self.completed(id));
        match outcome {
            TransactionOutcome::Unknown => did + &format!(", from {invoked} on, and never heard whether it happened"),
            TransactionOutcome::Committed | TransactionOutcome::Aborted => {
                did + &format!(", from {invoked} to {completed}")
            }
        }
    }

    fn step(&self, step: Step, has_happened: bool) -> String {
        let key = self.key(self.history.key_of(step));
        match (step, has_happened) {
            (Step::Append(element), true) => format!("appended {} to {key}", self.value(element)),
            (Step::Append(element), false) => format!("append {} to {key}", self.value(element)),
            (Step::Write(element), true) => format!("wrote {} to {key}", self.value(element)),
            (Step::Write(element), false) => format!("write {} to {key}", self.value(element)),
            (Step::ReadUnknown(_), true) => format!("asked for {key}"),
            (_, true) => format!("read {} from {key}", self.seen(&step)),
            (_, false) => format!("read {key}"),
        }
    }

    /// What a read saw: "\[1, 2\]", "3" or "nil".
    pub(super) fn seen(&self, step: &Step) -> String {
        match step {
            Step::ReadNothing(key) if self.history.keys[key.index()].kind == KeyKind::List => "[]".into(),
            Step::ReadNothing(_) => "nil".into(),
            Step::ReadValue(element) => self.value(*element),
            Step::ReadSpine { .. } | Step::ReadList(_) => self.list(self.history.seen(step).unwrap_or_default()),
            Step::Append(_) | Step::Write(_) | Step::ReadUnknown(_) => "something".into(),
        }
    }

    /// A list for people: long ones show their ends.
    pub(super) fn list(&self, elements: &[ElementId]) -> String {
        const SHOWN_MAX: usize = 12;
        let join =
            |elements: &[ElementId]| elements.iter().map(|element| self.value(*element)).collect::<Vec<_>>().join(", ");
        if elements.len() <= SHOWN_MAX {
            return format!("[{}]", join(elements));
        }
        let (first, last) = (&elements[..SHOWN_MAX / 4], &elements[elements.len() - SHOWN_MAX / 2..]);
        format!("[{}, ..., {}] ({} elements)", join(first), join(last), elements.len())
    }

    pub(super) fn value(&self, element: ElementId) -> String {
        self.history.value(element).to_string()
    }

    pub(super) fn key(&self, key: KeyId) -> String {
        self.history.name(key).to_string()
    }

    pub(super) fn who(&self, id: TxnId) -> String {
        let transaction = self.history.transaction(id);
        match self.narrator {
            Some(narrator) => narrator.who(transaction.position),
            None => format!("process {}", transaction.process),
        }
    }

    pub(super) fn invoked(&self, id: TxnId) -> String {
        let transaction = self.history.transaction(id);
        match self.narrator {
            Some(narrator) => narrator.invoked(transaction.position),
            None => transaction.invoked.to_string(),
        }
    }

    pub(super) fn completed(&self, id: TxnId) -> String {
        let transaction = self.history.transaction(id);
        match self.narrator {
            Some(narrator) => narrator.completed(transaction.position),
            None => transaction.completed.to_string(),
        }
    }
}
