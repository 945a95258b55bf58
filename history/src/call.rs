//! What a client asks for.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Value;

/// The name of one object: a register, a list, a lock, ... Cheap to clone.
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
    /// Read what the object holds: a value, a list or a set. With the empty key: everything.
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
    /// Put an element at the end of a list, or a text at the end of a text.
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
    /// Take an element out of a set.
    Remove {
        /// The set.
        key: Key,
        /// The element.
        value: Value,
    },
    /// Ask whether an element is in a set.
    Contains {
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
    /// Add to a counter.
    Increment {
        /// The counter.
        key: Key,
        /// How much; may be negative.
        by: i64,
    },
    /// Put a value at the end of a queue.
    Enqueue {
        /// The queue.
        key: Key,
        /// The value.
        value: Value,
    },
    /// Take the value at the front of a queue.
    Dequeue {
        /// The queue.
        key: Key,
    },
    /// Take everything out of a queue, one value after the other.
    Drain {
        /// The queue.
        key: Key,
    },
    /// Open a session of a lock service, with a lease that its commands renew.
    OpenSession {
        /// The session: an owner of locks, opened once in a run.
        owner: Value,
    },
    /// Renew the lease of a session.
    KeepAlive {
        /// The session.
        owner: Value,
    },
    /// Get a lock, or permits of a semaphore.
    Acquire {
        /// The lock.
        key: Key,
        /// Who will hold it.
        owner: Value,
        /// How many permits; 1 for a lock.
        permits: u32,
    },
    /// Give a lock back, or permits of a semaphore.
    Release {
        /// The lock.
        key: Key,
        /// Who holds it.
        owner: Value,
        /// How many permits; 1 for a lock.
        permits: u32,
    },
    /// Ask for an identifier that nobody else has.
    Generate {
        /// The generator.
        key: Key,
    },
    /// Move money from one account of a bank to another.
    Transfer {
        /// Who pays.
        from: Key,
        /// Who gets it.
        to: Key,
        /// How much.
        amount: i64,
    },
    /// Put a record at the end of a log.
    Send {
        /// The log.
        key: Key,
        /// The record.
        value: Value,
    },
    /// Read on in logs, from where this process last stopped.
    Poll {
        /// The logs; empty for those that were assigned before.
        keys: Vec<Key>,
    },
    /// Say which logs this process reads from now on, and forget where it stopped.
    Assign {
        /// The logs.
        keys: Vec<Key>,
    },
    /// Do several things at once.
    Txn {
        /// What, in this order. Reads have not seen anything yet.
        ops: Vec<MicroOp>,
    },
}

impl Call {
    /// The one object that the call is about. `None` of those that may be about several, or are about a session.
    #[must_use]
    pub fn key(&self) -> Option<&Key> {
        match self {
            Self::Read { key }
            | Self::Write { key, .. }
            | Self::Cas { key, .. }
            | Self::Append { key, .. }
            | Self::Add { key, .. }
            | Self::Remove { key, .. }
            | Self::Contains { key, .. }
            | Self::Delete { key }
            | Self::Increment { key, .. }
            | Self::Enqueue { key, .. }
            | Self::Dequeue { key }
            | Self::Drain { key }
            | Self::Acquire { key, .. }
            | Self::Release { key, .. }
            | Self::Generate { key }
            | Self::Send { key, .. } => Some(key),
            Self::OpenSession { .. }
            | Self::KeepAlive { .. }
            | Self::Transfer { .. }
            | Self::Poll { .. }
            | Self::Assign { .. }
            | Self::Txn { .. } => None,
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
            Self::Remove { .. } => "remove",
            Self::Contains { .. } => "contains",
            Self::Delete { .. } => "delete",
            Self::Increment { .. } => "increment",
            Self::Enqueue { .. } => "enqueue",
            Self::Dequeue { .. } => "dequeue",
            Self::Drain { .. } => "drain",
            Self::OpenSession { .. } => "open-session",
            Self::KeepAlive { .. } => "keep-alive",
            Self::Acquire { .. } => "acquire",
            Self::Release { .. } => "release",
            Self::Generate { .. } => "generate",
            Self::Transfer { .. } => "transfer",
            Self::Send { .. } => "send",
            Self::Poll { .. } => "poll",
            Self::Assign { .. } => "assign",
            Self::Txn { .. } => "txn",
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let permits = |permits: &u32| if *permits == 1 { String::new() } else { format!("{permits} of ") };
        match self {
            Self::Read { key } if key.as_str().is_empty() => f.write_str("read everything"),
            Self::Read { key } => write!(f, "read {key}"),
            Self::Write { key, value } => write!(f, "write {key} = {value}"),
            Self::Cas { key, from, to } => write!(f, "cas {key} {from} -> {to}"),
            Self::Append { key, value } => write!(f, "append {value} to {key}"),
            Self::Add { key, value } => write!(f, "add {value} to {key}"),
            Self::Remove { key, value } => write!(f, "remove {value} from {key}"),
            Self::Contains { key, value } => write!(f, "is {value} in {key}"),
            Self::Delete { key } => write!(f, "delete {key}"),
            Self::Increment { key, by } => write!(f, "increment {key} by {by}"),
            Self::Enqueue { key, value } => write!(f, "enqueue {value} in {key}"),
            Self::Dequeue { key } => write!(f, "dequeue from {key}"),
            Self::Drain { key } => write!(f, "drain {key}"),
            Self::OpenSession { owner } => write!(f, "open session {owner}"),
            Self::KeepAlive { owner } => write!(f, "keep session {owner} alive"),
            Self::Acquire { key, owner, permits: count } => write!(f, "acquire {}{key} for {owner}", permits(count)),
            Self::Release { key, owner, permits: count } => write!(f, "release {}{key} of {owner}", permits(count)),
            Self::Generate { key } if key.as_str().is_empty() => f.write_str("generate"),
            Self::Generate { key } => write!(f, "generate {key}"),
            Self::Transfer { from, to, amount } => write!(f, "transfer {amount} from {from} to {to}"),
            Self::Send { key, value } => write!(f, "send {value} to {key}"),
            Self::Poll { keys } if keys.is_empty() => f.write_str("poll"),
            Self::Poll { keys } => write!(f, "poll {}", Joined(keys)),
            Self::Assign { keys } => write!(f, "assign {}", Joined(keys)),
            Self::Txn { ops } => write!(f, "txn {}", Joined(ops)),
        }
    }
}

/// Displays with commas between.
pub(crate) struct Joined<'a, T>(pub(crate) &'a [T]);

impl<T: fmt::Display> fmt::Display for Joined<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, item) in self.0.iter().enumerate() {
            write!(f, "{}{item}", if place == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// One step of a transaction.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum MicroOp {
    /// Read what the object holds.
    Read {
        /// The object.
        key: Key,
        /// What was there; `None` as long as nobody knows. Nil where nothing was there, be it of a register or of a list.
        seen: Option<Seen>,
    },
    /// Replace what the register holds.
    Write {
        /// The register.
        key: Key,
        /// What it shall hold.
        value: Value,
    },
    /// Put an element at the end of a list.
    Append {
        /// The list.
        key: Key,
        /// The element.
        value: Value,
    },
}

/// What a read of a transaction saw.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Seen {
    /// What the register held.
    Value(Value),
    /// The elements of the list, in their order.
    List(Vec<Value>),
}

impl MicroOp {
    /// The object that it is about.
    #[must_use]
    pub fn key(&self) -> &Key {
        match self {
            Self::Read { key, .. } | Self::Write { key, .. } | Self::Append { key, .. } => key,
        }
    }
}

impl fmt::Display for MicroOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { key, seen: None } => write!(f, "read {key}"),
            Self::Read { key, seen: Some(seen) } => write!(f, "read {key}: {seen}"),
            Self::Write { key, value } => write!(f, "write {key} = {value}"),
            Self::Append { key, value } => write!(f, "append {value} to {key}"),
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => value.fmt(f),
            Self::List(values) => write!(f, "[{}]", Joined(values)),
        }
    }
}
