//! [`Value`] as it stands in the log and in snapshots. In JSON a value tells its type by how it is written; postcard needs
//! a tag.

use serde::de::{Deserialize, Deserializer};
use serde::ser::Serializer;
use serde::{Deserialize as DeriveDeserialize, Serialize as DeriveSerialize};

use rashomon_history::Value;

#[derive(DeriveSerialize, DeriveDeserialize)]
enum Tagged<'a> {
    Nil,
    Int(i64),
    Text(&'a str),
}

impl<'a> From<&'a Value> for Tagged<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Nil => Self::Nil,
            Value::Int(value) => Self::Int(*value),
            Value::Text(value) => Self::Text(value),
        }
    }
}

impl From<Tagged<'_>> for Value {
    fn from(tagged: Tagged<'_>) -> Self {
        match tagged {
            Tagged::Nil => Self::Nil,
            Tagged::Int(value) => Self::Int(value),
            Tagged::Text(value) => Self::Text(value.into()),
        }
    }
}

/// One value.
pub(crate) mod one {
    use super::{DeriveSerialize, Deserialize, Deserializer, Serializer, Tagged, Value};

    pub(crate) fn serialize<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
        DeriveSerialize::serialize(&Tagged::from(value), serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        Tagged::deserialize(deserializer).map(Value::from)
    }
}

/// Many values, in their order.
pub(crate) mod many {
    use super::{Deserialize, Deserializer, Serializer, Tagged, Value};

    pub(crate) fn serialize<'a, C, S>(values: &'a C, serializer: S) -> Result<S::Ok, S::Error>
    where
        &'a C: IntoIterator<Item = &'a Value>,
        S: Serializer,
    {
        serializer.collect_seq(values.into_iter().map(Tagged::from))
    }

    pub(crate) fn deserialize<'de, C, D>(deserializer: D) -> Result<C, D::Error>
    where
        C: FromIterator<Value>,
        D: Deserializer<'de>,
    {
        let values: Vec<Tagged<'de>> = Vec::deserialize(deserializer)?;
        Ok(values.into_iter().map(Value::from).collect())
    }
}
