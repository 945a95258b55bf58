//! Operations in words.

use std::borrow::Cow;

use rashomon_history::{Call, Operation, Outcome, Returned, Value};

use crate::model::ObjectKey;
use crate::operation::Partition;

/// What was done: "read 7 from x".
pub(crate) fn tell(call: &Call, returned: Option<&Returned>) -> String {
    match (call, returned) {
        (_, Some(Returned::Versioned { version, returned })) => {
            format!("{} (version {version})", tell(call, Some(returned)))
        }
        (Call::Read { key }, Some(Returned::Value(value))) => format!("read {value} from {key}"),
        (Call::Read { key }, Some(Returned::List(values))) => format!("read {} from {key}", list(values)),
        (Call::Read { key }, Some(Returned::Map(entries))) if entries.len() > SHOWN_MAX => {
            let from = if key.as_str().is_empty() { String::new() } else { format!(" from {key}") };
            format!("read {} entries{from}", entries.len())
        }
        (Call::Read { .. }, Some(everything @ Returned::Map(_))) => format!("read {everything}"),
        (Call::Read { key }, _) => format!("asked for {key}"),
        (Call::Write { key, value }, Some(_)) => format!("wrote {value} to {key}"),
        (Call::Write { key, value }, None) => format!("tried to write {value} to {key}"),
        (Call::Cas { key, from, to }, Some(Returned::NotSwapped { current: Some(current) })) => {
            format!("did not replace {from} by {to} in {key}, where {current} was")
        }
        (Call::Cas { key, from, to }, Some(Returned::NotSwapped { current: None })) => {
            format!("did not replace {from} by {to} in {key}, where something else was")
        }
        (Call::Cas { key, from, to }, Some(_)) => format!("replaced {from} by {to} in {key}"),
        (Call::Cas { key, from, to }, None) => format!("tried to replace {from} by {to} in {key}"),
        (Call::Append { key, value }, Some(_)) => format!("appended {value} to {key}"),
        (Call::Append { key, value }, None) => format!("tried to append {value} to {key}"),
        (Call::Add { key, value }, Some(Returned::Flag(false))) => format!("found {value} already in {key}"),
        (Call::Add { key, value }, Some(Returned::Token(token))) => {
            format!("added {value} to {key} with token {token}")
        }
        (Call::Add { key, value }, Some(_)) => format!("added {value} to {key}"),
        (Call::Add { key, value }, None) => format!("tried to add {value} to {key}"),
        (Call::Delete { key }, Some(_)) => format!("deleted {key}"),
        (Call::Delete { key }, None) => format!("tried to delete {key}"),
        (Call::Remove { key, value }, Some(Returned::Flag(false))) => format!("found no {value} to remove in {key}"),
        (Call::Remove { key, value }, Some(_)) => format!("removed {value} from {key}"),
        (Call::Contains { key, value }, Some(Returned::Flag(true))) => format!("found {value} in {key}"),
        (Call::Contains { key, value }, Some(_)) => format!("did not find {value} in {key}"),
        (Call::Increment { key, by }, Some(Returned::Value(value))) => {
            format!("added {by} to {key}, which made it {value}")
        }
        (Call::Increment { key, by }, Some(_)) => format!("added {by} to {key}"),
        (Call::Enqueue { key, value }, Some(_)) => format!("put {value} into {key}"),
        (Call::Dequeue { key }, Some(Returned::Value(Value::Nil))) => format!("found {key} empty"),
        (Call::Dequeue { key }, Some(Returned::Value(value))) => format!("took {value} from {key}"),
        (Call::Drain { key }, Some(Returned::List(values))) => format!("drained {} from {key}", list(values)),
        (Call::OpenSession { owner }, Some(_)) => format!("opened session {owner}"),
        (Call::KeepAlive { owner }, Some(_)) => format!("kept session {owner} alive"),
        (Call::Acquire { owner, .. }, Some(Returned::Token(token))) => {
            format!("acquired {} for {owner} with token {token}", lock(call))
        }
        (Call::Acquire { owner, .. }, Some(_)) => format!("acquired {} for {owner}", lock(call)),
        (Call::Release { owner, .. }, Some(_)) => format!("released {} of {owner}", lock(call)),
        (Call::Generate { .. }, Some(Returned::Value(value))) => format!("was given {value}"),
        (Call::Transfer { from, to, amount }, Some(_)) => format!("moved {amount} from {from} to {to}"),
        (Call::Send { key, value }, Some(Returned::Offset(offset))) => {
            format!("sent {value} to {key}, to offset {offset}")
        }
        (Call::Send { key, value }, Some(_)) => format!("sent {value} to {key}"),
        (Call::Assign { .. }, Some(_)) => format!("did {call}"),
        (Call::Txn { .. }, Some(Returned::Txn(_))) => {
            format!("committed {returned}", returned = returned.map_or(String::new(), ToString::to_string))
        }
        (Call::Poll { .. }, Some(Returned::Records(records))) => format!("asked to {call} and got {}", list(records)),
        (
            Call::Dequeue { .. } | Call::Drain { .. } | Call::Generate { .. } | Call::Poll { .. } | Call::Txn { .. },
            Some(returned),
        ) => format!("asked to {call} and got {returned}"),
        (
            Call::Remove { .. }
            | Call::Contains { .. }
            | Call::Increment { .. }
            | Call::Enqueue { .. }
            | Call::Dequeue { .. }
            | Call::Drain { .. }
            | Call::OpenSession { .. }
            | Call::KeepAlive { .. }
            | Call::Acquire { .. }
            | Call::Release { .. }
            | Call::Generate { .. }
            | Call::Transfer { .. }
            | Call::Send { .. }
            | Call::Poll { .. }
            | Call::Assign { .. }
            | Call::Txn { .. },
            None,
        ) => format!("tried to {call}"),
    }
}

/// A lock, or permits of a semaphore.
fn lock(call: &Call) -> String {
    match call {
        Call::Acquire { key, permits, .. } | Call::Release { key, permits, .. } if *permits != 1 => {
            format!("{permits} of {key}")
        }
        _ => call.key().map_or(String::new(), ToString::to_string),
    }
}

/// The object that the call is about; those about several objects are about the whole.
pub(super) fn object(call: &Call) -> ObjectKey<'_> {
    call.key().map_or(ObjectKey::Whole, |key| ObjectKey::Name(Cow::Borrowed(key.as_str())))
}

/// How the operations of a history are told.
impl Partition<'_, Call, Returned> {
    /// "process 3 (n2) read 7 from x"
    pub(super) fn did(&self, place: u32) -> String {
        let entry = &self.entries[place as usize];
        format!("{} {}", self.narrator.who(entry.position), tell(entry.call, entry.returned))
    }

    pub(super) fn begun(&self, place: u32) -> String {
        self.narrator.invoked(self.entries[place as usize].position)
    }

    pub(super) fn over(&self, place: u32) -> String {
        self.narrator.completed(self.entries[place as usize].position)
    }
}

/// Of a longer list only its ends are shown, of a larger map nothing.
const SHOWN_MAX: usize = 12;

/// A list for people: long ones show their ends.
fn list<T: ToString>(values: &[T]) -> String {
    let join = |values: &[T]| values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if values.len() <= SHOWN_MAX {
        return format!("[{}]", join(values));
    }
    let (first, last) = (&values[..SHOWN_MAX / 4], &values[values.len() - SHOWN_MAX / 2..]);
    format!("[{}, ..., {}] ({} elements)", join(first), join(last), values.len())
}

/// The value that the operation puts somewhere, if it happens.
pub(super) fn written<'a>(call: &'a Call, returned: Option<&Returned>) -> Option<&'a Value> {
    match call {
        Call::Cas { .. } if matches!(returned, Some(Returned::NotSwapped { .. })) => None,
        Call::Write { value, .. } | Call::Cas { to: value, .. } => Some(value),
        Call::Append { value, .. } | Call::Add { value, .. } => Some(value),
        Call::Delete { .. } => Some(&Value::Nil),
        Call::Enqueue { value, .. } | Call::Send { value, .. } => Some(value),
        _ => None,
    }
}

/// The values that the operation saw.
pub(super) fn seen(operation: &Operation) -> Vec<&Value> {
    match (&operation.call, &operation.outcome) {
        (Call::Cas { from, .. }, Outcome::Ok(Returned::Swapped) | Outcome::Info(_)) => vec![from],
        (Call::Contains { value, .. } | Call::Remove { value, .. }, Outcome::Ok(Returned::Flag(true))) => vec![value],
        (_, Outcome::Ok(Returned::Value(value) | Returned::NotSwapped { current: Some(value) })) => vec![value],
        (_, Outcome::Ok(Returned::List(values))) => values.iter().collect(),
        (_, Outcome::Ok(_) | Outcome::Info(_) | Outcome::Fail(_)) => Vec::new(),
    }
}

/// What came back, if it did.
pub(crate) fn returned(operation: &Operation) -> Option<&Returned> {
    match &operation.outcome {
        Outcome::Ok(returned) => Some(returned),
        Outcome::Info(_) | Outcome::Fail(_) => None,
    }
}

/// Bytes that a value takes in a list.
pub(super) fn value_bytes(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::Nil | Value::Int(_) => 0,
            Value::Text(text) => text.len(),
        }
}
