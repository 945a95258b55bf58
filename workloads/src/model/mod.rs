//! What histories can be held against, by name.

mod check;
mod guess;

use std::fmt;
use std::str::FromStr;

pub use check::{Answer, Checked, Parameters};

use crate::Workload;

/// What a history is held against.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Model {
    /// Registers by key.
    Register,
    /// Maps from keys to texts, every key on its own.
    KeyValue,
    /// The same as one object.
    KeyValueWhole,
    /// Lists by key.
    ListAppend,
    /// Sets by key.
    Set,
}

/// There is no model of that name.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("there is no model {name:?}; known are {}", Model::ALL.map(Model::name).join(", "))]
pub struct UnknownModel {
    /// The name that was asked for.
    pub name: String,
}

impl Model {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Register, Self::KeyValue, Self::KeyValueWhole, Self::ListAppend, Self::Set];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::KeyValue => "kv",
            Self::KeyValueWhole => "kv-whole",
            Self::ListAppend => "list-append",
            Self::Set => "set",
        }
    }

    /// What it decides, and on which calls.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Register => "linearizable registers by key: read, write, cas, delete",
            Self::KeyValue => "linearizable map from keys to texts: read, write, append, delete; every key on its own",
            Self::KeyValueWhole => "the same with the whole map as one object",
            Self::ListAppend => "lists by key: append, read of the whole list",
            Self::Set => "linearizable sets by key: add, remove, contains, read of the whole set",
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Model {
    type Err = UnknownModel;

    fn from_str(name: &str) -> Result<Self, UnknownModel> {
        // A register checks compare-and-sets where there are some.
        let wanted = if name == "cas-register" { "register" } else { name };
        let found = Self::ALL.into_iter().find(|model| model.name() == wanted);
        found.ok_or_else(|| UnknownModel { name: name.into() })
    }
}

impl Workload {
    /// What the workload's histories are held against.
    #[must_use]
    pub fn model(self) -> Model {
        match self {
            Self::Register => Model::Register,
            Self::Append => Model::ListAppend,
            Self::Set => Model::Set,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_is_found_by_its_name() {
        for model in Model::ALL {
            assert_eq!(model.name().parse(), Ok(model));
        }
        assert_eq!("cas-register".parse(), Ok(Model::Register));
        let error = "registers".parse::<Model>().unwrap_err().to_string();
        assert!(error.contains("list-append"), "{error}");
    }
}
