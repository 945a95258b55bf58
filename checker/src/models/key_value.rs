//! A map from keys to texts: read, write, append to a text, delete.

mod pieces;
mod state;

use std::borrow::Cow;

use rashomon_history::{Call, Key, Returned, Value};
use rustc_hash::{FxHashMap, FxHashSet};

use super::tell_register::tell_clash;
use super::{HistoryModel, words};
use crate::fast::FastPath;
use crate::model::{Model, ObjectKey, Observed, SubHistory};
use crate::operation::{Entry, Partition};
use crate::register::{RegisterAnswer, RegisterOperation, RegisterStep, check_register};

pub use state::KeyValueState;

/// A map from keys to texts, empty at first: read, write, append to a text, delete. A key that is missing reads as nil or
/// as the empty text; a number counts as its digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct KeyValue {
    /// What is checked at once.
    pub scope: Scope,
}

/// How much of a map is one object.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Scope {
    /// Every key on its own, which is the same where every operation is about one key, and much faster.
    #[default]
    Key,
    /// The whole map.
    Map,
}

impl Model for KeyValue {
    type Call = Call;
    type Return = Returned;
    type State = KeyValueState;

    fn init(&self) -> KeyValueState {
        KeyValueState::default()
    }

    fn step(&self, state: &KeyValueState, call: &Call, returned: Option<&Returned>) -> Option<KeyValueState> {
        match call {
            Call::Read { key } => {
                let is_seen = match returned {
                    Some(Returned::Value(seen)) => text(seen) == state.text(key),
                    Some(_) => false,
                    None => true,
                };
                is_seen.then(|| state.clone())
            }
            Call::Write { key, value } => Some(state.with(key, "", &text(value))),
            Call::Append { key, value } => Some(state.with(key, state.text(key), &text(value))),
            Call::Delete { key } => Some(state.with(key, "", "")),
            _ => None,
        }
    }

    fn object<'c>(&self, call: &'c Call) -> ObjectKey<'c> {
        match self.scope {
            Scope::Key => words::object(call),
            Scope::Map => ObjectKey::Whole,
        }
    }

    fn is_pure(&self, call: &Call, _: Option<&Returned>) -> bool {
        matches!(call, Call::Read { .. })
    }

    fn effect(&self, call: &Call) -> u64 {
        put(call).map_or(0, |(key, piece)| pieces::effect(key, &piece))
    }

    fn observes(&self, call: &Call, returned: Option<&Returned>) -> Observed {
        match (call, returned) {
            (Call::Read { key }, Some(Returned::Value(seen))) => pieces::observed(key, &text(seen)),
            (_, _) => Observed::NOTHING,
        }
    }

    fn sub_history(
        &self,
        kept: &Partition<'_, Call, Returned>,
        dropped: &Partition<'_, Call, Returned>,
    ) -> SubHistory<Call, Returned> {
        let appended: FxHashSet<u64> =
            kept.iter().chain(dropped.iter()).filter_map(|entry| appended(entry.call)).collect();
        let lost: Vec<&Call> =
            dropped.iter().map(|entry| entry.call).filter(|call| !self.is_pure(call, None)).collect();
        let lost_effects: FxHashSet<u64> = lost.iter().map(|call| self.effect(call)).collect();
        let lost_texts: FxHashSet<(&Key, Cow<'_, str>)> = lost.iter().filter_map(|call| put(call)).collect();
        let is_needed = |entry: &Entry<'_, Call, Returned>| {
            let (Call::Read { key }, Some(Returned::Value(seen))) = (entry.call, entry.returned) else { return false };
            let observed = pieces::observed(key, &text(seen));
            // Without appends a text is what one operation put there, and no other.
            if observed.includes_any(&appended) {
                observed.includes_any(&lost_effects)
            } else {
                lost_texts.contains(&(key, text(seen)))
            }
        };
        if kept.iter().any(is_needed) { SubHistory::Unsound } else { SubHistory::AsItIs }
    }

    fn fast_path(&self, partition: &Partition<'_, Call, Returned>) -> FastPath {
        if self.scope == Scope::Map {
            return FastPath::NotApplicable("the whole map is one object");
        }
        let mut numbers: FxHashMap<Cow<'_, str>, u32> = FxHashMap::default();
        numbers.insert("".into(), 0);
        let mut number_of = |value| {
            let next = numbers.len() as u32;
            *numbers.entry(text(value)).or_insert(next)
        };
        let mut operations = Vec::with_capacity(partition.len());
        for entry in partition.iter() {
            let step = match (entry.call, entry.returned) {
                (Call::Read { .. }, Some(Returned::Value(seen))) => RegisterStep::Read(number_of(seen)),
                (Call::Read { .. }, None) => RegisterStep::Read(0),
                (Call::Write { value, .. }, _) => RegisterStep::Write(number_of(value)),
                (Call::Delete { .. }, _) => RegisterStep::Write(0),
                (Call::Append { .. }, _) => return FastPath::NotApplicable("texts are appended to"),
                _ => return FastPath::NotApplicable("an operation is none of a map's"),
            };
            let (is_known, invoked, completed) = (entry.returned.is_some(), entry.invoked, entry.completed);
            operations.push(RegisterOperation { step, is_known, invoked, completed });
        }
        match check_register(&operations, 0) {
            RegisterAnswer::NotApplicable(why) => FastPath::NotApplicable(why),
            RegisterAnswer::Valid(order) => FastPath::Valid(order),
            RegisterAnswer::Invalid(clash) => FastPath::Invalid(tell_clash(&clash, partition, &Value::Nil)),
        }
    }

    fn state_heap_bytes(&self, state: &KeyValueState) -> usize {
        state.own_bytes()
    }

    fn describe(&self, call: &Call, returned: Option<&Returned>) -> String {
        words::tell(call, returned)
    }
}

impl HistoryModel for KeyValue {
    fn name(&self) -> &'static str {
        match self.scope {
            Scope::Key => "kv",
            Scope::Map => "kv-map",
        }
    }

    fn known_calls(&self) -> &'static str {
        "read of a value, write, append to a text and delete"
    }

    fn knows(&self, call: &Call, returned: Option<&Returned>) -> bool {
        match call {
            Call::Read { .. } => matches!(returned, Some(Returned::Value(_)) | None),
            Call::Write { .. } | Call::Append { .. } | Call::Delete { .. } => {
                matches!(returned, Some(Returned::Done) | None)
            }
            _ => false,
        }
    }
}

/// The text that the call puts somewhere, and where.
fn put(call: &Call) -> Option<(&Key, Cow<'_, str>)> {
    match call {
        Call::Write { key, value } | Call::Append { key, value } => Some((key, text(value))),
        Call::Delete { key } => Some((key, Cow::Borrowed(""))),
        _ => None,
    }
}

/// The effect of an append that changes something.
fn appended(call: &Call) -> Option<u64> {
    match call {
        Call::Append { key, value } => {
            Some(text(value)).filter(|piece| !piece.is_empty()).map(|piece| pieces::effect(key, &piece))
        }
        _ => None,
    }
}

/// A value as the text that a map holds.
fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Nil => Cow::Borrowed(""),
        Value::Int(number) => Cow::Owned(number.to_string()),
        Value::Text(text) => Cow::Borrowed(text),
    }
}
