//! Why a history can't be held against a model.

use rashomon_checker::CheckError;
use rashomon_checker::transactions::TransactionError;

use super::{AskedConsistency, Model};

/// There is no model of that name.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("there is no model {name:?}; known are {}", names())]
pub struct UnknownModel {
    /// The name that was asked for.
    pub name: String,
}

fn names() -> String {
    Model::ALL.iter().map(|model| model.name()).collect::<Vec<_>>().join(", ")
}

/// A history that can't be held against a model.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// An operation is none of the model's.
    #[error("{0}; choose another --model")]
    History(#[from] CheckError),
    /// An operation is no transaction, or they don't fit each other.
    #[error("{0}; choose another --model")]
    Transactions(#[from] TransactionError),
    /// The object can't begin with that.
    #[error("the model {model} begins with a number, not with {initial:?}; give another --init")]
    Initial {
        /// The model.
        model: Model,
        /// What was asked for.
        initial: Box<str>,
    },
    /// The model says nothing about that level.
    #[error("the model {model} can't be checked for {consistency}; it can for {known}")]
    Consistency {
        /// The model.
        model: Model,
        /// What was asked for.
        consistency: AskedConsistency,
        /// What can be asked for.
        known: &'static str,
    },
}
