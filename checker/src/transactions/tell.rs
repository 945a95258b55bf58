//! Anomalies in plain sentences.

use super::consistency::Consistency;
use super::explain::Explainer;
use super::findings::{Expected, Finding, Place};
use super::history::Step;
use super::ids::{ElementId, KeyId, TxnId};
use super::report::{Cycle, TransactionAnomaly};

/// How many transactions of one anomaly are told of.
const OPERATIONS_MAX: usize = 64;

/// One anomaly, without what all have.
struct Told {
    key: Option<KeyId>,
    ids: Vec<TxnId>,
    explanation: String,
    cycle: Option<Cycle>,
}

impl Explainer<'_> {
    pub(super) fn tell(&self, finding: &Finding, consistency: Consistency) -> TransactionAnomaly {
        let told = match finding {
            Finding::NeverWritten { read, element } => self.never_written(*read, *element),
            Finding::DuplicateElements { read, element } => self.duplicate(*read, *element),
            Finding::CyclicVersions { key, elements } => self.cyclic_versions(*key, elements),
            Finding::IncompatibleOrder { key, read, longest } => self.incompatible(*key, *read, *longest),
            Finding::AppendedOtherwise { id, first, second } => self.appended_otherwise(*id, *first, *second),
            Finding::AbortedRead { read, element, writer } => self.aborted(*read, *element, *writer),
            Finding::DirtyUpdate { key, aborted, committed } => self.dirty(*key, *aborted, *committed),
            Finding::IntermediateRead { read, element, writer } => self.intermediate(*read, *element, *writer),
            Finding::Internal { read, expected } => self.internal(*read, expected),
            Finding::FutureRead { read, element } => self.future(*read, *element),
            Finding::LostUpdate { key, read, transactions } => self.lost(*key, *read, transactions),
            Finding::Cycle(found) => {
                let (cycle, explanation) = self.cycle(found);
                let ids = found.steps.iter().map(|(id, _)| *id).take(OPERATIONS_MAX).collect();
                Told { key: None, ids, explanation, cycle }
            }
        };
        let mut operations: Vec<_> = told.ids.iter().map(|id| self.words.operation(*id)).collect();
        operations.sort_by_key(|operation| operation.position);
        operations.dedup();
        TransactionAnomaly {
            kind: finding.kind(),
            is_forbidden: consistency.forbids(finding.kind()),
            key: told.key.map(|key| self.words.key(key)),
            operations,
            explanation: told.explanation,
            cycle: told.cycle,
        }
    }

    fn step(&self, place: Place) -> Step {
        self.history.steps(place.id)[place.step]
    }

    /// "process 3 read \[1, 2\] from x".
    fn saw(&self, place: Place) -> String {
        let step = self.step(place);
        let key = self.words.key(self.history.key_of(step));
        format!("{} read {} from {key}", self.words.who(place.id), self.words.seen(&step))
    }

    fn about_read(&self, read: Place, others: &[TxnId], explanation: String) -> Told {
        let ids = std::iter::once(read.id).chain(others.iter().copied()).collect();
        Told { key: Some(self.history.key_of(self.step(read))), ids, explanation, cycle: None }
    }

    fn never_written(&self, read: Place, element: ElementId) -> Told {
        let text = format!("{}, although nobody ever wrote {} there.", self.saw(read), self.words.value(element));
        self.about_read(read, &[], text)
    }

    fn duplicate(&self, read: Place, element: ElementId) -> Told {
        let value = self.words.value(element);
        let writer = self.facts.writer(element);
        let once = writer
            .map_or_else(String::new, |writer| format!(", although only {} appended it, once", self.words.who(writer)));
        let text = format!("{}, with {value} in it twice{once}.", self.saw(read));
        self.about_read(read, writer.as_slice(), text)
    }

    fn cyclic_versions(&self, key: KeyId, elements: &[ElementId]) -> Told {
        let name = self.words.key(key);
        let writers = elements.iter().filter_map(|element| self.facts.writer(*element));
        let ids: Vec<TxnId> = writers.take(OPERATIONS_MAX).collect();
        let values: Vec<String> =
            elements.iter().take(OPERATIONS_MAX).map(|element| self.words.value(*element)).collect();
        let text = format!(
            "each of the values {} of {name} was written by a transaction that had read the one before, and the first by \
             one that had read the last: none of them can have come first.",
            values.join(", ")
        );
        Told { key: Some(key), ids, explanation: text, cycle: None }
    }

    fn incompatible(&self, key: KeyId, read: Place, longest: Place) -> Told {
        let (left, right) = (self.step(read), self.step(longest));
        let (left, right) =
            (self.history.seen(&left).unwrap_or_default(), self.history.seen(&right).unwrap_or_default());
        let place = left.iter().zip(right).take_while(|(one, other)| one == other).count();
        let differ = match (left.get(place), right.get(place)) {
            (Some(one), Some(other)) => {
                format!(": where the one has {}, the other has {}", self.words.value(*one), self.words.value(*other))
            }
            _ => String::new(),
        };
        let text = format!("{}, but {}{differ}. Neither list continues the other.", self.saw(read), self.saw(longest));
        Told { key: Some(key), ids: vec![read.id, longest.id], explanation: text, cycle: None }
    }

    fn appended_otherwise(&self, id: TxnId, first: ElementId, second: ElementId) -> Told {
        let key = self.history.elements[first.index()].key;
        let (who, name) = (self.words.who(id), self.words.key(key));
        let (before, after) = (self.words.value(first), self.words.value(second));
        let fate = if self.facts.is_seen(first) { "the other way round" } else { "without the first one" };
        let list = self.words.list(self.versions.order(self.history, key));
        let text = format!(
            "{who} appended {before} and then {after} to {name} in one transaction, but {name} was read as {list}: {fate}."
        );
        Told { key: Some(key), ids: vec![id], explanation: text, cycle: None }
    }

    fn aborted(&self, read: Place, element: ElementId, writer: TxnId) -> Told {
        let (who, value) = (self.words.who(writer), self.words.value(element));
        let text = format!("{}, although {who} was told that its {value} certainly failed.", self.saw(read));
        self.about_read(read, &[writer], text)
    }

    fn dirty(&self, key: KeyId, aborted: (TxnId, ElementId), committed: (TxnId, ElementId)) -> Told {
        let name = self.words.key(key);
        let text = format!(
            "in {name}, {} of {} stands after {} of {}, which certainly failed: it was built on what should not be there.",
            self.words.value(committed.1),
            self.words.who(committed.0),
            self.words.value(aborted.1),
            self.words.who(aborted.0),
        );
        Told { key: Some(key), ids: vec![aborted.0, committed.0], explanation: text, cycle: None }
    }

    fn intermediate(&self, read: Place, element: ElementId, writer: TxnId) -> Told {
        let (who, value) = (self.words.who(writer), self.words.value(element));
        let text = format!(
            "{}, the state right after {who} put {value} there, although {who} wrote more to it in the same transaction.",
            self.saw(read)
        );
        self.about_read(read, &[writer], text)
    }

    fn internal(&self, read: Place, expected: &Expected) -> Told {
        let key = self.words.key(self.history.key_of(self.step(read)));
        let wanted = match expected {
            Expected::After { earlier, own } => {
                let before = self.words.seen(&self.history.steps(read.id)[*earlier]);
                if own.is_empty() {
                    format!("although it had read {before} there before and changed nothing")
                } else {
                    format!("although it had read {before} there before and then put {} there", self.words.list(own))
                }
            }
            Expected::EndsWith { own } => format!("although it had put {} there before", self.words.list(own)),
            Expected::Written { own } => format!("although it had written {} to {key} before", self.words.value(*own)),
        };
        self.about_read(read, &[], format!("within one transaction {}, {wanted}.", self.saw(read)))
    }

    fn future(&self, read: Place, element: ElementId) -> Told {
        let value = self.words.value(element);
        let text = format!("{}, with {value}, which it appended itself only later.", self.saw(read));
        self.about_read(read, &[], text)
    }

    fn lost(&self, key: KeyId, read: Place, transactions: &[TxnId]) -> Told {
        let who: Vec<String> = transactions.iter().map(|id| self.words.who(*id)).collect();
        let text = format!(
            "{} each read {} from {} and wrote to it, as if the others had not: all but one of their updates rest on what \
             was gone.",
            join(&who),
            self.words.seen(&self.step(read)),
            self.words.key(key)
        );
        Told {
            key: Some(key),
            ids: transactions.iter().copied().take(OPERATIONS_MAX).collect(),
            explanation: text,
            cycle: None,
        }
    }
}

fn join(names: &[String]) -> String {
    const SHOWN_MAX: usize = 6;
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] if names.len() <= SHOWN_MAX => format!("{} and {last}", first.join(", ")),
        _ => format!("{} and {} more", names[..SHOWN_MAX].join(", "), names.len() - SHOWN_MAX),
    }
}
