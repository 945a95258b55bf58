//! The store itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use bytes::Bytes;
use rashomon_history::{Key, Value};
use serde::{Deserialize, Serialize};

use super::stored;
use crate::raft::{RestoreError, StateMachine};

/// What changes the store. Stands in the log, in postcard's format.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Command {
    /// Replace what is under the key, whatever it is. Nil removes it.
    Write {
        /// Where.
        key: Key,
        /// What shall be there.
        #[serde(with = "stored::one")]
        value: Value,
    },
    /// Replace the register if it holds `from`.
    Cas {
        /// Where.
        key: Key,
        /// What must be there; nil where nothing must be.
        #[serde(with = "stored::one")]
        from: Value,
        /// What shall be there then.
        #[serde(with = "stored::one")]
        to: Value,
    },
    /// Put an element at the end of the list.
    Append {
        /// Where.
        key: Key,
        /// The element.
        #[serde(with = "stored::one")]
        value: Value,
    },
    /// Put an element into the set.
    Add {
        /// Where.
        key: Key,
        /// The element.
        #[serde(with = "stored::one")]
        value: Value,
    },
    /// Remove what is under the key, whatever it is.
    Delete {
        /// Where.
        key: Key,
    },
}

impl Command {
    /// As it stands in the log.
    ///
    /// # Panics
    /// Never: texts and numbers always encode.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        postcard::to_extend(self, Vec::with_capacity(64)).expect("texts and numbers encode in memory").into()
    }
}

/// A question that changes nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Query {
    /// What is under the key?
    Read {
        /// Where.
        key: Key,
    },
}

/// A call of a client as a command or as a query.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Asked {
    Command(Command),
    Query(Query),
}

/// What stands under a key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Object {
    /// One value, not nil.
    Register(#[serde(with = "stored::one")] Value),
    /// Elements in the order in which they were appended.
    List(#[serde(with = "stored::many")] Vec<Value>),
    /// Elements, each once.
    Set(#[serde(with = "stored::many")] BTreeSet<Value>),
}

impl Object {
    /// Which of the three.
    #[must_use]
    pub fn kind(&self) -> ObjectKind {
        match self {
            Self::Register(_) => ObjectKind::Register,
            Self::List(_) => ObjectKind::List,
            Self::Set(_) => ObjectKind::Set,
        }
    }
}

/// What kind of object stands under a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ObjectKind {
    /// One value.
    Register,
    /// Elements in order.
    List,
    /// Elements, each once.
    Set,
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Register => "register",
            Self::List => "list",
            Self::Set => "set",
        })
    }
}

/// What a command or a query brings back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Answer {
    /// It happened.
    Done,
    /// What is under the key; nothing where nothing is.
    Object(Option<Object>),
    /// The compare-and-set replaced what it expected.
    Swapped,
    /// The compare-and-set changed nothing.
    NotSwapped {
        /// What is there instead.
        #[serde(with = "stored::one")]
        current: Value,
    },
    /// The object is of a kind that can't do this. Nothing was changed.
    WrongKind {
        /// What it is.
        is: ObjectKind,
    },
    /// The command in the log makes no sense. Nothing was changed.
    Malformed,
}

/// Registers, lists and sets under keys.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Kv {
    objects: BTreeMap<Key, Object>,
}

impl Kv {
    fn write(&mut self, key: Key, value: Value) {
        match value {
            Value::Nil => {
                self.objects.remove(&key);
            }
            Value::Int(_) | Value::Text(_) => {
                self.objects.insert(key, Object::Register(value));
            }
        }
    }

    fn cas(&mut self, key: Key, from: &Value, to: Value) -> Answer {
        let current = match self.objects.get(&key) {
            None => &Value::Nil,
            Some(Object::Register(value)) => value,
            Some(other) => return Answer::WrongKind { is: other.kind() },
        };
        if current != from {
            return Answer::NotSwapped { current: current.clone() };
        }
        self.write(key, to);
        Answer::Swapped
    }

    fn append(&mut self, key: Key, value: Value) -> Answer {
        match self.objects.entry(key).or_insert_with(|| Object::List(Vec::new())) {
            Object::List(elements) => elements.push(value),
            other @ (Object::Register(_) | Object::Set(_)) => return Answer::WrongKind { is: other.kind() },
        }
        Answer::Done
    }

    fn add(&mut self, key: Key, value: Value) -> Answer {
        match self.objects.entry(key).or_insert_with(|| Object::Set(BTreeSet::new())) {
            Object::Set(elements) => elements.insert(value),
            other @ (Object::Register(_) | Object::List(_)) => return Answer::WrongKind { is: other.kind() },
        };
        Answer::Done
    }
}

impl StateMachine for Kv {
    type Query = Query;
    type Answer = Answer;

    fn apply(&mut self, _index: u64, command: &[u8]) -> Answer {
        let Ok(command) = postcard::from_bytes(command) else { return Answer::Malformed };
        match command {
            Command::Write { key, value } => {
                self.write(key, value);
                Answer::Done
            }
            Command::Cas { key, from, to } => self.cas(key, &from, to),
            Command::Append { key, value } => self.append(key, value),
            Command::Add { key, value } => self.add(key, value),
            Command::Delete { key } => {
                self.objects.remove(&key);
                Answer::Done
            }
        }
    }

    fn query(&self, query: &Query) -> Answer {
        match query {
            Query::Read { key } => Answer::Object(self.objects.get(key).cloned()),
        }
    }

    fn snapshot(&self) -> Bytes {
        postcard::to_stdvec(&self.objects).expect("texts and numbers encode in memory").into()
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
        let (objects, rest) = postcard::take_from_bytes(snapshot)
            .map_err(|error| RestoreError { reason: format!("the key-value store: {error}") })?;
        if !rest.is_empty() {
            let reason = format!("the key-value store: {} bytes too many", rest.len());
            return Err(RestoreError { reason });
        }
        self.objects = objects;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(kv: &mut Kv, command: &Command) -> Answer {
        kv.apply(1, &command.encode())
    }

    fn read(kv: &Kv) -> Answer {
        kv.query(&Query::Read { key: "k".into() })
    }

    fn write(value: Value) -> Command {
        Command::Write { key: "k".into(), value }
    }

    fn append(value: i64) -> Command {
        Command::Append { key: "k".into(), value: value.into() }
    }

    fn add(value: i64) -> Command {
        Command::Add { key: "k".into(), value: value.into() }
    }

    fn cas(from: Value, to: Value) -> Command {
        Command::Cas { key: "k".into(), from, to }
    }

    #[test]
    fn a_register_holds_what_was_written_last() {
        let mut kv = Kv::default();
        assert_eq!(read(&kv), Answer::Object(None));
        assert_eq!(apply(&mut kv, &write(1.into())), Answer::Done);
        assert_eq!(apply(&mut kv, &write("two".into())), Answer::Done);
        assert_eq!(read(&kv), Answer::Object(Some(Object::Register("two".into()))));
        assert_eq!(apply(&mut kv, &Command::Delete { key: "k".into() }), Answer::Done);
        assert_eq!(read(&kv), Answer::Object(None));
    }

    #[test]
    fn nil_and_nothing_are_the_same() {
        let mut kv = Kv::default();
        apply(&mut kv, &write(1.into()));
        apply(&mut kv, &write(Value::Nil));
        assert_eq!(kv, Kv::default());
        assert_eq!(apply(&mut kv, &cas(Value::Nil, 5.into())), Answer::Swapped);
        assert_eq!(apply(&mut kv, &cas(5.into(), Value::Nil)), Answer::Swapped);
        assert_eq!(kv, Kv::default());
    }

    #[test]
    fn a_compare_and_set_that_fails_says_what_is_there() {
        let mut kv = Kv::default();
        assert_eq!(apply(&mut kv, &cas(1.into(), 2.into())), Answer::NotSwapped { current: Value::Nil });
        apply(&mut kv, &write(7.into()));
        assert_eq!(apply(&mut kv, &cas(1.into(), 2.into())), Answer::NotSwapped { current: 7.into() });
        assert_eq!(read(&kv), Answer::Object(Some(Object::Register(7.into()))));
    }

    #[test]
    fn a_list_keeps_order_and_repetition_and_a_set_does_not() {
        let (mut list, mut set) = (Kv::default(), Kv::default());
        for value in [2, 1, 2] {
            assert_eq!(apply(&mut list, &append(value)), Answer::Done);
            assert_eq!(apply(&mut set, &add(value)), Answer::Done);
        }
        assert_eq!(read(&list), Answer::Object(Some(Object::List(vec![2.into(), 1.into(), 2.into()]))));
        assert_eq!(read(&set), Answer::Object(Some(Object::Set([1.into(), 2.into()].into()))));
    }

    #[test]
    fn an_object_of_another_kind_is_left_as_it_is() {
        let mut kv = Kv::default();
        apply(&mut kv, &write(1.into()));
        assert_eq!(apply(&mut kv, &append(1)), Answer::WrongKind { is: ObjectKind::Register });
        assert_eq!(apply(&mut kv, &add(1)), Answer::WrongKind { is: ObjectKind::Register });
        assert_eq!(read(&kv), Answer::Object(Some(Object::Register(1.into()))));
        apply(&mut kv, &Command::Delete { key: "k".into() });
        apply(&mut kv, &append(1));
        assert_eq!(apply(&mut kv, &cas(Value::Nil, 1.into())), Answer::WrongKind { is: ObjectKind::List });
        assert_eq!(apply(&mut kv, &add(1)), Answer::WrongKind { is: ObjectKind::List });
        assert_eq!(apply(&mut kv, &write(3.into())), Answer::Done);
    }

    #[test]
    fn a_snapshot_brings_everything_back_and_a_torn_one_nothing() {
        let mut kv = Kv::default();
        kv.apply(1, &Command::Write { key: "a".into(), value: "text".into() }.encode());
        kv.apply(2, &Command::Append { key: "b".into(), value: (-3).into() }.encode());
        kv.apply(3, &Command::Add { key: "c".into(), value: Value::Nil }.encode());
        let snapshot = kv.snapshot();
        let mut restored = Kv::default();
        restored.restore(&snapshot).unwrap();
        assert_eq!(restored, kv);
        for length in 0..snapshot.len() {
            assert!(restored.restore(&snapshot[..length]).is_err(), "{length} bytes");
        }
        assert!(restored.restore(&[&snapshot[..], &[0]].concat()).is_err());
        assert_eq!(restored, kv);
    }

    #[test]
    fn a_command_that_makes_no_sense_changes_nothing() {
        let mut kv = Kv::default();
        apply(&mut kv, &append(1));
        let before = kv.clone();
        assert_eq!(kv.apply(2, &[99]), Answer::Malformed);
        assert_eq!(kv, before);
    }
}
