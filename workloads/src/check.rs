//! The checks of each workload.

use std::fmt;

use rashomon_checker::models::{AppendList, GrowSet, Register, check_history};
use rashomon_checker::{CheckError, Options, Report};
use rashomon_history::{Operation, Value};

use crate::Workload;

/// What a history is held against.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Model {
    /// Registers by key: read, write, compare-and-set, delete.
    Register {
        /// What every register holds at first.
        initial: Value,
    },
    /// Lists by key: append, read of the whole list.
    ListAppend,
    /// Sets by key: add, read of the whole set.
    Set,
}

impl Model {
    /// The name on the command line.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Register { .. } => "register",
            Self::ListAppend => "list-append",
            Self::Set => "set",
        }
    }

    /// Checks a history against the model.
    ///
    /// # Errors
    /// [`CheckError`] where an operation is none of the model's.
    pub fn check(&self, operations: &[Operation], options: &Options) -> Result<Checked, CheckError> {
        let report = match self {
            Self::Register { initial } => check_history(&Register { initial: initial.clone() }, operations, options),
            Self::ListAppend => check_history(&AppendList, operations, options),
            Self::Set => check_history(&GrowSet, operations, options),
        }?;
        Ok(Checked { model: self.name(), report })
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Workload {
    /// What the workload's histories are held against.
    #[must_use]
    pub fn model(self) -> Model {
        match self {
            Self::Register => Model::Register { initial: Value::Nil },
            Self::Append => Model::ListAppend,
            Self::Set => Model::Set,
        }
    }
}

/// What a check says, by the name of its model.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The model's name.
    pub model: &'static str,
    /// The answer.
    pub report: Report,
}
