//! What a shard keeps under a key, what a transaction asks of it, and what it will do to it.

use std::sync::Arc;

use rashomon_history::{Key, Value};
use serde::{Deserialize, Serialize};

use super::AbortReason;
use crate::kv::stored;

/// What stands under a key. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Object {
    /// One value.
    Register(#[serde(with = "stored::one")] Value),
    /// A list, which only grows.
    List(Elements),
}

/// The elements of a list, in their order. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Elements(pub Arc<Vec<Value>>);

impl Elements {
    fn extend(&mut self, more: impl IntoIterator<Item = Value>) {
        Arc::make_mut(&mut self.0).extend(more);
    }
}

impl Serialize for Elements {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        stored::many::serialize(&*self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Elements {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        stored::many::deserialize::<Vec<Value>, D>(deserializer).map(|elements| Self(Arc::new(elements)))
    }
}

/// One step of a transaction.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Op {
    /// Read what stands there.
    Read {
        /// Where.
        key: Key,
    },
    /// Replace the value of a register.
    Write {
        /// Where.
        key: Key,
        /// By what.
        #[serde(with = "stored::one")]
        value: Value,
    },
    /// Put an element at the end of a list.
    Append {
        /// Where.
        key: Key,
        /// What.
        #[serde(with = "stored::one")]
        value: Value,
    },
    /// Add to a number that may not fall below zero; nothing counts as zero.
    Add {
        /// Where.
        key: Key,
        /// How much; may be negative.
        by: i64,
    },
}

impl Op {
    /// The key that it is about.
    #[must_use]
    pub fn key(&self) -> &Key {
        match self {
            Self::Read { key } | Self::Write { key, .. } | Self::Append { key, .. } | Self::Add { key, .. } => key,
        }
    }

    /// Whether it changes something.
    #[must_use]
    pub fn writes(&self) -> bool {
        match self {
            Self::Read { .. } => false,
            Self::Write { .. } | Self::Append { .. } | Self::Add { .. } => true,
        }
    }
}

/// What a transaction will do to one key when it commits. It is applied to what stands there then, which nobody else can
/// have changed since.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Effect {
    Replace(Object),
    Append(Elements),
    Add(i64),
}

impl Effect {
    /// The key as it stands after this effect.
    pub(super) fn apply(&self, before: Option<Object>) -> Object {
        match (self, before) {
            (Self::Replace(object), _) => object.clone(),
            (Self::Append(more), Some(Object::List(mut list))) => {
                list.extend(more.0.iter().cloned());
                Object::List(list)
            }
            (Self::Append(more), None | Some(Object::Register(_))) => Object::List(more.clone()),
            (Self::Add(by), before) => {
                Object::Register(Value::Int(number(before.as_ref()).unwrap_or(0).saturating_add(*by)))
            }
        }
    }

    /// This effect, and then `op`. `before` is what the transaction sees under the key now, this effect included.
    pub(super) fn then(earlier: Option<Self>, op: &Op, before: Option<&Object>) -> Result<Option<Self>, AbortReason> {
        match op {
            Op::Read { .. } => Ok(earlier),
            Op::Write { value, .. } => match before {
                Some(Object::List(_)) => Err(AbortReason::WrongKind),
                None | Some(Object::Register(_)) => Ok(Some(Self::Replace(Object::Register(value.clone())))),
            },
            Op::Append { value, .. } => match (earlier, before) {
                (_, Some(Object::Register(_))) => Err(AbortReason::WrongKind),
                (Some(Self::Append(mut elements)), _) => {
                    elements.extend([value.clone()]);
                    Ok(Some(Self::Append(elements)))
                }
                (None | Some(Self::Replace(_) | Self::Add(_)), _) => {
                    Ok(Some(Self::Append(Elements(Arc::new(vec![value.clone()])))))
                }
            },
            Op::Add { by, .. } => {
                let sum = number(before)?.checked_add(*by).filter(|sum| *sum >= 0);
                let sum = sum.ok_or(AbortReason::InsufficientFunds)?;
                Ok(Some(match earlier {
                    Some(Self::Replace(_)) => Self::Replace(Object::Register(Value::Int(sum))),
                    Some(Self::Add(earlier)) => Self::Add(earlier + by),
                    None | Some(Self::Append(_)) => Self::Add(*by),
                }))
            }
        }
    }
}

fn number(object: Option<&Object>) -> Result<i64, AbortReason> {
    match object {
        None | Some(Object::Register(Value::Nil)) => Ok(0),
        Some(Object::Register(Value::Int(number))) => Ok(*number),
        Some(Object::Register(Value::Text(_)) | Object::List(_)) => Err(AbortReason::WrongKind),
    }
}
