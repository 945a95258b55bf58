//! What becomes of a call.

use std::fmt;

use crate::call::Joined;
use crate::{Key, MicroOp, Value};

/// What a call that happened brought back.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Returned {
    /// It happened, there is nothing more to say.
    Done,
    /// A read or a dequeue saw this value, a generator made it, an increment came to it. [`Value::Nil`] where nothing was
    /// there.
    Value(Value),
    /// A read saw these elements, in this order; a drain took them.
    List(Vec<Value>),
    /// The compare-and-set found what it expected and replaced it.
    Swapped,
    /// The compare-and-set found something else and changed nothing.
    NotSwapped {
        /// What it found, where the system says so: then it is as good as a read.
        current: Option<Value>,
    },
    /// Contains: whether the element is there. Add and remove, where the system says so: whether the set changed.
    Flag(bool),
    /// A lock was acquired with this fencing token; something was added to a guarded set under it.
    Token(u64),
    /// A read of everything saw this under each key.
    Map(Vec<(Key, Value)>),
    /// A record was put at this place of its log.
    Offset(u64),
    /// A poll brought these records.
    Records(Vec<Record>),
    /// A transaction was committed; its reads saw what stands in them.
    Txn(Vec<MicroOp>),
    /// Any of the others, and the version (revision) of the object that the system reported with it.
    Versioned {
        /// The version.
        version: u64,
        /// What came back.
        returned: Box<Returned>,
    },
}

/// One record of a log.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Record {
    /// The log.
    pub key: Key,
    /// Its place there, from 0; places may be left out.
    pub offset: u64,
    /// What was sent.
    pub value: Value,
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}: {}", self.key, self.offset, self.value)
    }
}

/// For people: `12`, `ok`, `not swapped, found 3`.
impl fmt::Display for Returned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("ok"),
            Self::Value(value) => value.fmt(f),
            Self::List(values) => write!(f, "[{}]", Joined(values)),
            Self::Swapped => f.write_str("swapped"),
            Self::NotSwapped { current: None } => f.write_str("not swapped"),
            Self::NotSwapped { current: Some(current) } => write!(f, "not swapped, found {current}"),
            Self::Flag(flag) => f.write_str(if *flag { "yes" } else { "no" }),
            Self::Token(token) => write!(f, "token {token}"),
            Self::Map(entries) => {
                f.write_str("{")?;
                for (place, (key, value)) in entries.iter().enumerate() {
                    write!(f, "{}{key}: {value}", if place == 0 { "" } else { ", " })?;
                }
                f.write_str("}")
            }
            Self::Offset(offset) => write!(f, "offset {offset}"),
            Self::Records(records) => write!(f, "[{}]", Joined(records)),
            Self::Txn(ops) => Joined(ops).fmt(f),
            Self::Versioned { version, returned } => write!(f, "{returned} (version {version})"),
        }
    }
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
