//! Who wrote what, and which transactions took effect.

use rashomon_history::Value;

use super::history::{KeyKind, Step, TransactionHistory, TransactionOutcome};
use super::ids::{ElementId, KeyId, NONE, TxnId};

/// What became of the write of an element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// Nobody ever tried to write it.
    NeverWritten,
    /// All who tried are known to have failed.
    Aborted,
    /// One transaction wrote it, or may have.
    Written,
    /// Several did, or may have.
    Ambiguous,
}

/// What the history says of its elements and transactions, before any order is inferred.
pub(super) struct Facts {
    writer: Vec<u32>,
    fate: Vec<Fate>,
    /// Whether its writer wrote nothing more to the key.
    is_final: Vec<bool>,
    is_seen: Vec<bool>,
    takes_effect: Vec<bool>,
    /// An element that was seen and whose writer nobody can tell.
    pub(super) ambiguous: Option<ElementId>,
}

impl Facts {
    pub(super) fn memory_bytes(history: &TransactionHistory) -> usize {
        history.elements.len() * (4 + 3) + history.len() + history.keys.len() * 4
    }

    pub(super) fn new(history: &TransactionHistory) -> Self {
        let elements = history.elements.len();
        let mut facts = Self {
            writer: vec![NONE; elements],
            fate: vec![Fate::NeverWritten; elements],
            is_final: vec![false; elements],
            is_seen: vec![false; elements],
            takes_effect: vec![false; history.len()],
            ambiguous: None,
        };
        facts.find_writers(history);
        facts.find_seen(history);
        facts.find_effects(history);
        facts
    }

    fn find_writers(&mut self, history: &TransactionHistory) {
        let mut written_later = vec![NONE; history.keys.len()];
        for id in history.ids() {
            let is_aborted = history.transaction(id).outcome == TransactionOutcome::Aborted;
            for step in history.steps(id).iter().rev() {
                let (Step::Append(element) | Step::Write(element)) = *step else { continue };
                let key = history.elements[element.index()].key.index();
                let is_final = std::mem::replace(&mut written_later[key], id.0) != id.0;
                self.add_writer(element, id, is_final, is_aborted);
            }
        }
    }

    fn add_writer(&mut self, element: ElementId, id: TxnId, is_final: bool, is_aborted: bool) {
        let index = element.index();
        self.fate[index] = match (self.fate[index], is_aborted) {
            (Fate::Aborted | Fate::Written | Fate::Ambiguous, true) => return,
            (Fate::NeverWritten, true) => Fate::Aborted,
            (Fate::NeverWritten | Fate::Aborted, false) => Fate::Written,
            (Fate::Written | Fate::Ambiguous, false) => Fate::Ambiguous,
        };
        self.writer[index] = id.0;
        self.is_final[index] = is_final;
    }

    fn find_seen(&mut self, history: &TransactionHistory) {
        let mut longest = vec![0; history.keys.len()];
        let mut nothing = vec![false; history.keys.len()];
        for id in history.ids() {
            for step in history.steps(id) {
                match *step {
                    Step::ReadSpine { key, length } => {
                        longest[key.index()] = length.max(longest[key.index()]);
                    }
                    Step::ReadList(list) => {
                        for element in history.list_seen(list) {
                            self.is_seen[element.index()] = true;
                        }
                    }
                    Step::ReadValue(element) => self.is_seen[element.index()] = true,
                    Step::ReadNothing(key) => nothing[key.index()] = true,
                    Step::Append(_) | Step::Write(_) | Step::ReadUnknown(_) => {}
                }
            }
        }
        self.find_written_nothing(history, &nothing);
        for (key, longest) in history.keys.iter().zip(longest) {
            for element in &key.spine[..longest as usize] {
                self.is_seen[element.index()] = true;
            }
        }
        let is_ambiguous = |index: &usize| self.is_seen[*index] && self.fate[*index] == Fate::Ambiguous;
        self.ambiguous = (0..self.fate.len()).find(is_ambiguous).map(|index| ElementId(index as u32));
    }

    /// A register that was written to be nil: nobody can tell that from one that was never written.
    fn find_written_nothing(&mut self, history: &TransactionHistory, is_read: &[bool]) {
        for (index, element) in history.elements.iter().enumerate() {
            let is_register = history.keys[element.key.index()].kind == KeyKind::Register;
            if is_register && element.value == Value::Nil && self.fate[index] == Fate::Written {
                self.fate[index] = Fate::Ambiguous;
                self.is_seen[index] = is_read[element.key.index()];
            }
        }
    }

    /// Whether nil was written to the register.
    pub(super) fn is_nothing_written(&self, history: &TransactionHistory, key: KeyId) -> bool {
        let is_register = history.keys[key.index()].kind == KeyKind::Register;
        is_register && history.nil(key).is_some_and(|nil| self.fate(nil) == Fate::Ambiguous)
    }

    fn find_effects(&mut self, history: &TransactionHistory) {
        for id in history.ids() {
            let is_seen = |step: &Step| match *step {
                Step::Append(element) | Step::Write(element) => {
                    self.is_seen[element.index()] && self.writer(element) == Some(id)
                }
                Step::ReadNothing(_)
                | Step::ReadSpine { .. }
                | Step::ReadList(_)
                | Step::ReadValue(_)
                | Step::ReadUnknown(_) => false,
            };
            self.takes_effect[id.index()] = match history.transaction(id).outcome {
                TransactionOutcome::Committed => true,
                TransactionOutcome::Aborted => false,
                TransactionOutcome::Unknown => history.steps(id).iter().any(is_seen),
            };
        }
    }

    /// The one transaction that wrote the element, or may have.
    pub(super) fn writer(&self, element: ElementId) -> Option<TxnId> {
        (self.fate(element) == Fate::Written).then_some(TxnId(self.writer[element.index()]))
    }

    /// The one transaction that wrote the element, if it took effect.
    pub(super) fn effective_writer(&self, element: ElementId) -> Option<TxnId> {
        self.writer(element).filter(|writer| self.takes_effect(*writer))
    }

    /// A transaction that tried to write the element, where all who did failed.
    pub(super) fn aborted_writer(&self, element: ElementId) -> Option<TxnId> {
        (self.fate(element) == Fate::Aborted).then_some(TxnId(self.writer[element.index()]))
    }

    pub(super) fn fate(&self, element: ElementId) -> Fate {
        self.fate[element.index()]
    }

    /// Whether its writer wrote nothing more to the key.
    pub(super) fn is_final(&self, element: ElementId) -> bool {
        self.is_final[element.index()]
    }

    pub(super) fn is_seen(&self, element: ElementId) -> bool {
        self.is_seen[element.index()]
    }

    /// Whether the transaction committed, or is of unknown outcome and somebody saw what it wrote.
    pub(super) fn takes_effect(&self, id: TxnId) -> bool {
        self.takes_effect[id.index()]
    }
}
