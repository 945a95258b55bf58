//! Operations in words.

use rashomon_history::{Call, Operation, Outcome, Returned, Value};

/// What was done: "read 7 from x".
pub(super) fn tell(call: &Call, returned: Option<&Returned>) -> String {
    match (call, returned) {
        (Call::Read { key }, Some(Returned::Value(value))) => format!("read {value} from {key}"),
        (Call::Read { key }, Some(Returned::List(values))) => format!("read {} from {key}", list(values)),
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
        (Call::Add { key, value }, Some(_)) => format!("added {value} to {key}"),
        (Call::Add { key, value }, None) => format!("tried to add {value} to {key}"),
        (Call::Delete { key }, Some(_)) => format!("deleted {key}"),
        (Call::Delete { key }, None) => format!("tried to delete {key}"),
    }
}

/// A list for people: long ones show their ends.
fn list(values: &[Value]) -> String {
    const SHOWN_MAX: usize = 12;
    let join = |values: &[Value]| values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
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
        Call::Read { .. } => None,
    }
}

/// The values that the operation saw.
pub(super) fn seen(operation: &Operation) -> Vec<&Value> {
    match (&operation.call, &operation.outcome) {
        (Call::Cas { from, .. }, Outcome::Ok(Returned::Swapped) | Outcome::Info(_)) => vec![from],
        (_, Outcome::Ok(Returned::Value(value) | Returned::NotSwapped { current: Some(value) })) => vec![value],
        (_, Outcome::Ok(Returned::List(values))) => values.iter().collect(),
        (_, Outcome::Ok(_) | Outcome::Info(_) | Outcome::Fail(_)) => Vec::new(),
    }
}

/// What came back, if it did.
pub(super) fn returned(operation: &Operation) -> Option<&Returned> {
    match &operation.outcome {
        Outcome::Ok(returned) => Some(returned),
        Outcome::Info(_) | Outcome::Fail(_) => None,
    }
}
