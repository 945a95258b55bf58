//! The model that the calls of a history fit.

use rashomon_history::{Call, MicroOp, Operation, Outcome, Returned, Value};

use super::Model;

impl Model {
    /// The model that the calls fit, where nobody names one.
    #[must_use]
    pub fn guess(operations: &[Operation]) -> Self {
        let mut model = Self::Register;
        for operation in operations {
            match hint(operation) {
                None => {}
                // A call that several models know: another one may tell.
                Some(Hint::Perhaps(Self::KeyValue)) if model == Self::ListAppend => return Self::KeyValue,
                Some(Hint::Perhaps(Self::KeyValue)) => {}
                Some(Hint::Perhaps(better)) => model = better,
                Some(Hint::Surely(sure)) => return sure,
            }
        }
        model
    }
}

enum Hint {
    Perhaps(Model),
    Surely(Model),
}

fn hint(operation: &Operation) -> Option<Hint> {
    use Hint::{Perhaps, Surely};
    let returned = match &operation.outcome {
        Outcome::Ok(returned) => Some(returned),
        Outcome::Fail(_) | Outcome::Info(_) => None,
    };
    Some(match (&operation.call, returned) {
        (Call::Read { .. } | Call::Write { .. } | Call::Cas { .. }, Some(Returned::Versioned { .. })) => {
            Perhaps(Model::VersionedRegister)
        }
        (Call::Increment { .. }, _) => Surely(Model::Counter),
        (Call::Append { .. }, _) => Perhaps(Model::ListAppend),
        // Texts that are appended to: no list.
        (Call::Read { .. }, Some(Returned::Value(Value::Text(_)))) => Perhaps(Model::KeyValue),
        (Call::Add { .. } | Call::Remove { .. } | Call::Contains { .. }, _) => Surely(Model::Set),
        (Call::Enqueue { .. } | Call::Dequeue { .. }, _) => Perhaps(Model::Queue),
        (Call::Drain { .. }, _) => Surely(Model::TotalQueue),
        (Call::OpenSession { .. } | Call::KeepAlive { .. }, _) => Surely(Model::LeaseLock),
        (Call::Acquire { .. }, Some(Returned::Token(_))) => Surely(Model::FencedMutex),
        (Call::Acquire { owner, .. } | Call::Release { owner, .. }, _) => {
            let is_process = *owner == Value::Int(i64::try_from(operation.process.0).unwrap_or(-1));
            if is_process { Perhaps(Model::Mutex) } else { Perhaps(Model::OwnedMutex) }
        }
        (Call::Generate { .. }, _) => Surely(Model::UniqueIds),
        (Call::Transfer { .. }, _) => Surely(Model::Bank),
        (Call::Send { .. } | Call::Poll { .. }, _) => Surely(Model::Log),
        (Call::Txn { ops }, _) => match ops.iter().find(|op| !matches!(op, MicroOp::Read { .. }))? {
            MicroOp::Append { .. } => Surely(Model::ListAppend),
            MicroOp::Read { .. } | MicroOp::Write { .. } => Surely(Model::RwRegister),
        },
        _ => return None,
    })
}
