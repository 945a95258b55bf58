//! A run whose operations are written down one by one, in the place of those that a generator draws. What is left of a
//! failing run when it was shrunk.

use rashomon_history::Call;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// The operations of a run.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Script {
    /// The clients, from 0.
    pub(crate) clients: Vec<ScriptedClient>,
    /// What they ask, by time.
    pub(crate) operations: Vec<ScriptedOperation>,
    /// What is asked when all faults are over, each by a client of its own.
    pub(crate) final_reads: Vec<FinalRead>,
}

/// A client of a script.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct ScriptedClient {
    /// The number of the node that it stays with, from 1.
    pub(crate) home: u16,
    /// How long it waits for an answer.
    pub(crate) patience_ms: u64,
}

/// An operation of a script. A client that is still busy makes it when it is free.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct ScriptedOperation {
    /// Who asks.
    pub(crate) client: u16,
    /// When, in microseconds since the clients began.
    pub(crate) at_us: u64,
    /// What. Sessions are named by their owners, holds by lock and owner: the client knows the numbers and tokens that it was
    /// told for them.
    #[serde(flatten, deserialize_with = "call")]
    pub(crate) call: Call,
}

/// A read at the end of a script.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct FinalRead {
    /// The number of the node that is asked, from 1.
    pub(crate) node: u16,
    /// What is read.
    #[serde(flatten, deserialize_with = "call")]
    pub(crate) call: Call,
}

/// Reads a call in the words of a history. Plans that were written before they had these words hold `from` and `to` of a
/// compare-and-set each by itself, and reads at the end without saying so.
fn call<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Call, D::Error> {
    let mut fields = Map::deserialize(deserializer)?;
    fields.entry("f").or_insert("read".into());
    if let (Some(from), Some(to)) = (fields.remove("from"), fields.remove("to")) {
        fields.insert("value".into(), vec![from, to].into());
    }
    Call::deserialize(Value::Object(fields)).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use rashomon_history::MicroOp;

    use super::*;

    #[test]
    fn a_script_is_plain_data_in_the_words_of_a_history() {
        let operation = |call| ScriptedOperation { client: 1, at_us: 250, call };
        let read = |key: &str| MicroOp::Read { key: key.into(), seen: None };
        let script = Script {
            clients: vec![ScriptedClient { home: 2, patience_ms: 200 }],
            operations: vec![
                operation(Call::Cas { key: "r1".into(), from: rashomon_history::Value::Nil, to: 3.into() }),
                operation(Call::Acquire { key: "l1".into(), owner: "c1-1".into(), permits: 1 }),
                operation(Call::Txn { ops: vec![read("r1"), read("r2")] }),
            ],
            final_reads: vec![
                FinalRead { node: 3, call: Call::Read { key: "r1".into() } },
                FinalRead { node: 3, call: Call::Txn { ops: vec![read("r1")] } },
            ],
        };
        let text = serde_json::to_string(&script).unwrap();
        for part in [
            r#"{"client":1,"at_us":250,"f":"cas","key":"r1","value":[null,3]}"#,
            r#"{"client":1,"at_us":250,"f":"acquire","key":"l1","owner":"c1-1"}"#,
            r#"{"client":1,"at_us":250,"f":"txn","value":[["r","r1",null],["r","r2",null]]}"#,
            r#"{"node":3,"f":"read","key":"r1"}"#,
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(serde_json::from_str::<Script>(&text).unwrap(), script);
    }

    #[test]
    fn scripts_in_the_words_that_they_had_before_are_read() {
        let text = r#"{"clients": [{"home": 2, "patience_ms": 200}], "operations": [
            {"client": 0, "at_us": 5, "f": "cas", "key": "r1", "from": null, "to": 3},
            {"client": 0, "at_us": 6, "f": "append", "key": "r1", "value": "x"}
        ], "final_reads": [{"node": 3, "key": "r1"}]}"#;
        let script: Script = serde_json::from_str(text).unwrap();
        let calls: Vec<String> = script.operations.iter().map(|operation| operation.call.to_string()).collect();
        assert_eq!(calls, ["cas r1 nil -> 3", r#"append "x" to r1"#]);
        assert_eq!(script.final_reads, [FinalRead { node: 3, call: Call::Read { key: "r1".into() } }]);
    }

    #[test]
    fn what_is_no_call_is_told() {
        let operation = |rest: &str| {
            let text = format!(r#"{{"client": 0, "at_us": 5, {rest}}}"#);
            serde_json::from_str::<ScriptedOperation>(&text).unwrap_err().to_string()
        };
        assert!(operation(r#""f": "fly""#).contains(r#""f" is "fly"; known are read"#));
        assert!(operation(r#""f": "acquire", "key": "l1""#).contains("the call acquire names no \"owner\""));
    }
}
