//! A history and a model: what the checker says.

use rashomon_checker::models::{AppendList, KeyValue, Register, Scope, check_history, check_set};
use rashomon_checker::{CheckError, Options, Report};
use rashomon_history::{Operation, Value};

use super::Model;

/// What a model leaves open.
#[derive(Clone, Debug, Default)]
pub struct Parameters {
    /// What every register holds at first.
    pub initial: Value,
}

/// What a check says, by the model.
#[derive(Clone, Debug)]
pub struct Checked {
    /// What the history was held against.
    pub model: Model,
    /// The answer.
    pub answer: Answer,
}

/// What a checker of some kind says.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Whether the objects were linearizable.
    Linearizability(Report),
}

impl Model {
    /// Checks a history against the model.
    ///
    /// # Errors
    /// [`CheckError`] where an operation is none of the model's.
    pub fn check(
        self,
        parameters: &Parameters,
        operations: &[Operation],
        options: &Options,
    ) -> Result<Checked, CheckError> {
        let linearizable = Answer::Linearizability;
        let answer = match self {
            Self::Register => {
                let model = Register { initial: parameters.initial.clone() };
                linearizable(check_history(&model, operations, options)?)
            }
            Self::KeyValue => linearizable(check_history(&KeyValue { scope: Scope::Key }, operations, options)?),
            Self::KeyValueWhole => linearizable(check_history(&KeyValue { scope: Scope::Map }, operations, options)?),
            Self::ListAppend => linearizable(check_history(&AppendList, operations, options)?),
            Self::Set => linearizable(check_set(operations, options)?),
        };
        Ok(Checked { model: self, answer })
    }
}
