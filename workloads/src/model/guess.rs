//! The model that the calls of a history fit.

use rashomon_history::{Call, Operation, Outcome, Returned, Value};

use super::Model;

impl Model {
    /// The model that the calls fit, where nobody names one.
    #[must_use]
    pub fn guess(operations: &[Operation]) -> Self {
        let mut model = Self::Register;
        for operation in operations {
            match hint(operation) {
                // Appends alone don't say to what; a text that was read does.
                Some(Self::ListAppend) => model = Self::ListAppend,
                Some(Self::KeyValue) if model == Self::ListAppend => return Self::KeyValue,
                Some(Self::KeyValue) | None => {}
                Some(other) => return other,
            }
        }
        model
    }
}

fn hint(operation: &Operation) -> Option<Model> {
    let returned = match &operation.outcome {
        Outcome::Ok(returned) => Some(returned),
        Outcome::Fail(_) | Outcome::Info(_) => None,
    };
    match (&operation.call, returned) {
        (Call::Append { .. }, _) => Some(Model::ListAppend),
        (Call::Read { .. }, Some(Returned::Value(Value::Text(_)))) => Some(Model::KeyValue),
        (Call::Add { .. } | Call::Remove { .. } | Call::Contains { .. }, _) => Some(Model::Set),
        _ => None,
    }
}
