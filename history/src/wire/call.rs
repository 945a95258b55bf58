//! A call by itself: the fields of an event that say what is asked.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json};

use super::read::{InCall, InKey, read_call};
use super::write::OutCall;
use crate::{Call, Value};

/// The fields `f`, `key`, `value`, `keys`, `owner` and `permits` of the call's events.
impl Serialize for Call {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        OutCall::from(self).serialize(serializer)
    }
}

#[derive(serde::Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    f: Cow<'a, str>,
    #[serde(borrow)]
    key: Option<&'a RawValue>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
    keys: Option<Vec<InKey>>,
    owner: Option<Value>,
    permits: Option<u32>,
}

/// Reads what an event says of its call; other fields are passed over. Without an event around it a call of a session has to
/// name its owner.
impl<'de> Deserialize<'de> for Call {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // As a text of its own, since a call may be flattened into another object.
        let text = Json::Object(Map::deserialize(deserializer)?).to_string();
        let Fields { f, key, value, keys, owner, permits } = serde_json::from_str(&text).map_err(D::Error::custom)?;
        let keys = keys.unwrap_or_default();
        let call = InCall { f: &f, key, value, keys: &keys, owner: owner.as_ref(), permits, process: None };
        read_call(&call).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MicroOp;

    #[derive(PartialEq, Debug, serde::Serialize, serde::Deserialize)]
    struct Planned {
        at: u64,
        #[serde(flatten)]
        call: Call,
    }

    fn round_trip(call: Call, expected: &str) {
        let planned = Planned { at: 7, call };
        let text = serde_json::to_string(&planned).unwrap();
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<Planned>(&text).unwrap(), planned);
    }

    #[test]
    fn calls_are_plain_data_in_the_words_of_their_events_also_within_others() {
        let (key, owner) = (|| "l1".into(), || Value::from("c0-1"));
        round_trip(
            Call::Cas { key: key(), from: Value::Nil, to: 3.into() },
            r#"{"at":7,"f":"cas","key":"l1","value":[null,3]}"#,
        );
        round_trip(Call::OpenSession { owner: owner() }, r#"{"at":7,"f":"open-session","owner":"c0-1"}"#);
        round_trip(
            Call::Acquire { key: key(), owner: owner(), permits: 2 },
            r#"{"at":7,"f":"acquire","key":"l1","owner":"c0-1","permits":2}"#,
        );
        let ops = vec![
            MicroOp::Read { key: "x".into(), seen: None },
            MicroOp::Write { key: "x".into(), value: 1.into() },
            MicroOp::Append { key: "y".into(), value: "a".into() },
        ];
        round_trip(Call::Txn { ops }, r#"{"at":7,"f":"txn","value":[["r","x",null],["w","x",1],["append","y","a"]]}"#);
        round_trip(
            Call::Transfer { from: "a".into(), to: "b".into(), amount: 5 },
            r#"{"at":7,"f":"transfer","value":{"from":"a","to":"b","amount":5}}"#,
        );
        round_trip(Call::Poll { keys: vec!["a".into(), "b".into()] }, r#"{"at":7,"f":"poll","keys":["a","b"]}"#);
    }

    #[test]
    fn what_is_no_call_is_told() {
        let problem = |text: &str| serde_json::from_str::<Call>(text).unwrap_err().to_string();
        assert!(problem(r#"{"key":"x"}"#).contains("missing field `f`"));
        assert!(problem(r#"{"f":"fly"}"#).contains(r#""f" is "fly"; known are read, write"#));
        assert!(problem(r#"{"f":"release","key":"l"}"#).contains("names no \"owner\""));
    }
}
