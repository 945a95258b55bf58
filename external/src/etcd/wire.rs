//! The bodies of the gateway: keys and values are base64, numbers of 64 bits are texts, and what is zero or empty is left
//! out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rashomon_history::Value;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The bytes of a key or a value.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl From<&str> for Bytes {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        STANDARD.decode(text.as_bytes()).map(Self).map_err(serde::de::Error::custom)
    }
}

/// A number of 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) struct Number(pub(super) u64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// What every answer begins with.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Header {
    pub(super) member_id: Number,
    /// Of the store of the member that answers.
    pub(super) revision: Number,
}

/// A key and what stands there.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct KeyValue {
    pub(super) key: Bytes,
    pub(super) value: Bytes,
    pub(super) create_revision: Number,
    pub(super) mod_revision: Number,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct RangeRequest {
    pub(super) key: Bytes,
    /// The first key that is not asked for; empty for `key` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) range_end: Option<Bytes>,
    pub(super) serializable: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RangeResponse {
    pub(super) header: Header,
    pub(super) kvs: Vec<KeyValue>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct PutRequest {
    pub(super) key: Bytes,
    pub(super) value: Bytes,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct DeleteRangeRequest {
    pub(super) key: Bytes,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) range_end: Option<Bytes>,
}

/// The answer of what tells no more than that it happened.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Done {
    pub(super) header: Header,
}

/// What must be so for the success branch of a transaction.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Compare {
    key: Bytes,
    result: &'static str,
    target: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mod_revision: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_revision: Option<Number>,
}

impl Compare {
    fn new(key: Bytes, target: &'static str) -> Self {
        Self { key, result: "EQUAL", target, value: None, mod_revision: None, create_revision: None }
    }

    /// This stands there.
    pub(super) fn value(key: Bytes, value: Bytes) -> Self {
        Self { value: Some(value), ..Self::new(key, "VALUE") }
    }

    /// Nothing stands there.
    pub(super) fn is_absent(key: Bytes) -> Self {
        Self { create_revision: Some(Number(0)), ..Self::new(key, "CREATE") }
    }

    /// Nothing was written there after this revision; 0 where nothing stood there.
    pub(super) fn mod_revision(key: Bytes, revision: Number) -> Self {
        Self { mod_revision: Some(revision), ..Self::new(key, "MOD") }
    }
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RequestOp {
    RequestRange(RangeRequest),
    RequestPut(PutRequest),
}

#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct TxnRequest {
    pub(super) compare: Vec<Compare>,
    pub(super) success: Vec<RequestOp>,
    pub(super) failure: Vec<RequestOp>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TxnResponse {
    pub(super) header: Header,
    pub(super) succeeded: bool,
    pub(super) responses: Vec<ResponseOp>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ResponseOp {
    pub(super) response_range: Option<RangeResponse>,
}

/// What stands under a key: one value, or the elements of a list or a set. In JSON: `12`, `"twelve"`, `[1,2]`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Stored {
    One(Value),
    Many(Vec<Value>),
}

impl Stored {
    pub(super) fn encode(&self) -> Bytes {
        Bytes(serde_json::to_vec(self).expect("numbers and texts become JSON in memory"))
    }

    pub(super) fn decode(bytes: &Bytes) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(&bytes.0)
    }
}
