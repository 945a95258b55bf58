//! Registers with reads, writes, compare-and-sets and deletes, by key.

use rashomon_history::{Call, Returned, Value};
use rustc_hash::FxHashSet;

use super::tell_register::tell_clash;
use super::{HistoryModel, words};
use crate::fast::{Clash, FastPath};
use crate::model::{Model, ObjectKey, Observed, SubHistory, effect_of};
use crate::operation::{Entry, Operation, Partition};
use crate::register::{RegisterAnswer, RegisterOperation, RegisterStep, check_register};
use crate::witness::Kind;

/// One register a key. A delete writes nil.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Register {
    /// What every register holds at first.
    pub initial: Value,
}

impl Model for Register {
    type Call = Call;
    type Return = Returned;
    type State = Value;

    fn init(&self) -> Value {
        self.initial.clone()
    }

    fn step(&self, state: &Value, call: &Call, returned: Option<&Returned>) -> Option<Value> {
        match (call, returned) {
            (Call::Read { .. }, Some(Returned::Value(value))) => (value == state).then(|| state.clone()),
            (Call::Read { .. }, None) => Some(state.clone()),
            (Call::Write { value, .. }, _) => Some(value.clone()),
            (Call::Delete { .. }, _) => Some(Value::Nil),
            (Call::Cas { from, to, .. }, Some(Returned::Swapped) | None) => (from == state).then(|| to.clone()),
            (Call::Cas { from, .. }, Some(Returned::NotSwapped { current })) => {
                (from != state && current.as_ref().is_none_or(|current| current == state)).then(|| state.clone())
            }
            _ => None,
        }
    }

    fn object<'c>(&self, call: &'c Call) -> ObjectKey<'c> {
        words::object(call)
    }

    fn is_pure(&self, call: &Call, returned: Option<&Returned>) -> bool {
        matches!((call, returned), (Call::Read { .. }, _) | (Call::Cas { .. }, Some(Returned::NotSwapped { .. })))
    }

    fn effect(&self, call: &Call) -> u64 {
        effect_of(words::written(call, None))
    }

    fn observes(&self, call: &Call, returned: Option<&Returned>) -> Observed {
        match seen(call, returned) {
            Seen::Nothing => Observed::NOTHING,
            Seen::Value(value) => Observed::Effects(vec![effect_of(Some(value))]),
            Seen::NotThis(value) => Observed::AnythingBut(effect_of(Some(value))),
        }
    }

    fn sub_history(
        &self,
        kept: &Partition<'_, Call, Returned>,
        dropped: &Partition<'_, Call, Returned>,
    ) -> SubHistory<Call, Returned> {
        let lost: FxHashSet<&Value> =
            dropped.iter().filter_map(|entry| words::written(entry.call, entry.returned)).collect();
        let mut operations = Vec::with_capacity(kept.len());
        for entry in kept.iter() {
            let call = match seen(entry.call, entry.returned) {
                Seen::Value(value) if lost.contains(value) => match entry.call {
                    // What it replaced is gone. That it wrote is not.
                    Call::Cas { key, to, .. } if !self.is_pure(entry.call, entry.returned) => {
                        Some((Call::Write { key: key.clone(), value: to.clone() }, Returned::Done))
                    }
                    _ => return SubHistory::Unsound,
                },
                Seen::NotThis(value) if lost.iter().any(|other| *other != value) => None,
                Seen::Value(_) | Seen::NotThis(_) | Seen::Nothing => {
                    Some((entry.call.clone(), entry.returned.cloned().unwrap_or(Returned::Done)))
                }
            };
            operations.push(call.map(|(call, returned)| Operation {
                process: 0,
                call,
                returned: entry.returned.map(|_| returned),
                invoked: entry.invoked,
                completed: entry.completed,
            }));
        }
        SubHistory::Weakened(operations)
    }

    fn fast_path(&self, partition: &Partition<'_, Call, Returned>) -> FastPath {
        let mut operations = Vec::with_capacity(partition.len());
        for (place, entry) in partition.iter().enumerate() {
            match step_of(entry) {
                Step::Register(step) => operations.push(RegisterOperation {
                    step,
                    is_known: entry.returned.is_some(),
                    invoked: entry.invoked,
                    completed: entry.completed,
                }),
                Step::WrongFailure => return FastPath::Invalid(wrong_failure(partition, place)),
                Step::NoRegister => return FastPath::NotApplicable("an operation is none of a register's"),
            }
        }
        match check_register(&operations, &self.initial) {
            RegisterAnswer::NotApplicable(why) => FastPath::NotApplicable(why),
            RegisterAnswer::Valid(order) => FastPath::Valid(order),
            RegisterAnswer::Invalid(clash) => FastPath::Invalid(tell_clash(&clash, partition, &self.initial)),
        }
    }

    fn state_heap_bytes(&self, state: &Value) -> usize {
        match state {
            Value::Nil | Value::Int(_) => 0,
            Value::Text(text) => text.len(),
        }
    }

    fn describe(&self, call: &Call, returned: Option<&Returned>) -> String {
        words::tell(call, returned)
    }
}

impl HistoryModel for Register {
    fn name(&self) -> &'static str {
        "register"
    }

    fn known_calls(&self) -> &'static str {
        "read of a value, write, cas and delete"
    }

    fn knows(&self, call: &Call, returned: Option<&Returned>) -> bool {
        matches!(
            (call, returned),
            (Call::Read { .. }, Some(Returned::Value(_)) | None)
                | (Call::Cas { .. }, Some(Returned::Swapped | Returned::NotSwapped { .. }) | None)
                | (Call::Write { .. } | Call::Delete { .. }, Some(Returned::Done) | None)
        )
    }
}

/// What an operation tells about the value that it found.
enum Seen<'a> {
    Nothing,
    Value(&'a Value),
    NotThis(&'a Value),
}

fn seen<'a>(call: &'a Call, returned: Option<&'a Returned>) -> Seen<'a> {
    match (call, returned) {
        (Call::Read { .. }, Some(Returned::Value(value))) => Seen::Value(value),
        // Never legal, whatever was there.
        (Call::Cas { from, .. }, Some(Returned::NotSwapped { current: Some(current) })) if current == from => {
            Seen::Nothing
        }
        (Call::Cas { .. }, Some(Returned::NotSwapped { current: Some(current) })) => Seen::Value(current),
        (Call::Cas { from, .. }, Some(Returned::NotSwapped { current: None })) => Seen::NotThis(from),
        (Call::Cas { from, .. }, _) => Seen::Value(from),
        _ => Seen::Nothing,
    }
}

enum Step<'a> {
    Register(RegisterStep<&'a Value>),
    /// A compare-and-set that failed although it found what it expected.
    WrongFailure,
    NoRegister,
}

fn step_of<'a>(entry: &Entry<'a, Call, Returned>) -> Step<'a> {
    Step::Register(match (entry.call, entry.returned) {
        (Call::Read { .. }, Some(Returned::Value(value))) => RegisterStep::Read(value),
        // Of unknown outcome, so that what it saw does not matter.
        (Call::Read { .. }, None) => RegisterStep::Read(&Value::Nil),
        (Call::Write { value, .. }, _) => RegisterStep::Write(value),
        (Call::Delete { .. }, _) => RegisterStep::Write(&Value::Nil),
        (Call::Cas { from, .. }, Some(Returned::NotSwapped { current: Some(current) })) => {
            if from == current {
                return Step::WrongFailure;
            }
            RegisterStep::Read(current)
        }
        (Call::Cas { from, .. }, Some(Returned::NotSwapped { current: None })) => RegisterStep::Refused(from),
        (Call::Cas { from, to, .. }, _) => RegisterStep::Cas(from, to),
        _ => return Step::NoRegister,
    })
}

fn wrong_failure(partition: &Partition<'_, Call, Returned>, place: usize) -> Clash {
    let entry = &partition.entries[place];
    let explanation = format!(
        "{} {}: it found what it expected and failed all the same.",
        partition.narrator.who(entry.position),
        words::tell(entry.call, entry.returned)
    );
    Clash { kind: Kind::WrongFailure, operations: vec![place as u32], explanation }
}
