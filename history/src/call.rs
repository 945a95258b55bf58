//! What a client asks for, and what becomes of it.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Value;

/// The name of one object: a register, a list or a set. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Key(Arc<str>);

impl Key {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Key {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl From<String> for Key {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.0.as_ref().into()
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What one operation asks for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Call {
    /// Read what the object holds: a value, a list or a set.
    Read {
        /// The object.
        key: Key,
    },
    /// Replace what the register holds.
    Write {
        /// The register.
        key: Key,
        /// What it shall hold.
        value: Value,
    },
    /// Replace what the register holds if it holds `from`.
    Cas {
        /// The register.
        key: Key,
        /// What it must hold.
        from: Value,
        /// What it shall hold then.
        to: Value,
    },
    /// Put an element at the end of a list.
    Append {
        /// The list.
        key: Key,
        /// The element.
        value: Value,
    },
    /// Put an element into a set.
    Add {
        /// The set.
        key: Key,
        /// The element.
        value: Value,
    },
    /// Remove the object.
    Delete {
        /// The object.
        key: Key,
    },
}

impl Call {
    /// The object that the call is about.
    #[must_use]
    pub fn key(&self) -> &Key {
        match self {
            Self::Read { key }
            | Self::Write { key, .. }
            | Self::Cas { key, .. }
            | Self::Append { key, .. }
            | Self::Add { key, .. }
            | Self::Delete { key } => key,
        }
    }

    /// The field `f` of the call's events.
    #[must_use]
    pub fn f(&self) -> &'static str {
        match self {
            Self::Read { .. } => "read",
            Self::Write { .. } => "write",
            Self::Cas { .. } => "cas",
            Self::Append { .. } => "append",
            Self::Add { .. } => "add",
            Self::Delete { .. } => "delete",
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { key } => write!(f, "read {key}"),
            Self::Write { key, value } => write!(f, "write {key} = {value}"),
            Self::Cas { key, from, to } => write!(f, "cas {key} {from} -> {to}"),
            Self::Append { key, value } => write!(f, "append {value} to {key}"),
            Self::Add { key, value } => write!(f, "add {value} to {key}"),
            Self::Delete { key } => write!(f, "delete {key}"),
        }
    }
}

/// What a call that happened brought back.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Returned {
    /// It happened, there is nothing more to say: write, append, add, delete.
    Done,
    /// A read saw this value; [`Value::Nil`] where nothing was there.
    Value(Value),
    /// A read saw these elements, in this order.
    List(Vec<Value>),
    /// The compare-and-set found what it expected and replaced it.
    Swapped,
    /// The compare-and-set found something else and changed nothing.
    NotSwapped {
        /// What it found, where the system says so: then it is as good as a read.
        current: Option<Value>,
    },
}

/// What became of an operation.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// It happened between its invocation and its completion.
    Ok(Returned),
    /// It certainly did not happen and never will; why.
    Fail(String),
    /// Nobody knows: it may have happened, may still happen, or never; why.
    Info(String),
}
