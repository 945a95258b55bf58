//! A run whose operations are written down one by one, in the place of those that a generator draws. What is left of a
//! failing run when it was shrunk.

use std::fmt;

use rashomon_history::{Call, Key, Value};
use serde::{Deserialize, Serialize};

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
    /// What.
    #[serde(flatten)]
    pub(crate) call: ScriptedCall,
}

/// A read at the end of a script.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct FinalRead {
    /// The number of the node that is asked, from 1.
    pub(crate) node: u16,
    /// What is read.
    pub(crate) key: Key,
}

/// A call as it stands in a plan.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "f", rename_all = "kebab-case")]
pub(crate) enum ScriptedCall {
    Read { key: Key },
    Write { key: Key, value: Value },
    Cas { key: Key, from: Value, to: Value },
    Append { key: Key, value: Value },
    Add { key: Key, value: Value },
    Delete { key: Key },
}

/// A script has no such call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct NotScriptable(String);

impl fmt::Display for NotScriptable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a script can't hold the call {:?}", self.0)
    }
}

impl std::error::Error for NotScriptable {}

impl ScriptedCall {
    pub(crate) fn key(&self) -> &Key {
        match self {
            Self::Read { key }
            | Self::Write { key, .. }
            | Self::Cas { key, .. }
            | Self::Append { key, .. }
            | Self::Add { key, .. }
            | Self::Delete { key } => key,
        }
    }
}

impl TryFrom<&Call> for ScriptedCall {
    type Error = NotScriptable;

    fn try_from(call: &Call) -> Result<Self, NotScriptable> {
        Ok(match call.clone() {
            Call::Read { key } => Self::Read { key },
            Call::Write { key, value } => Self::Write { key, value },
            Call::Cas { key, from, to } => Self::Cas { key, from, to },
            Call::Append { key, value } => Self::Append { key, value },
            Call::Add { key, value } => Self::Add { key, value },
            Call::Delete { key } => Self::Delete { key },
            Call::Remove { .. }
            | Call::Contains { .. }
            | Call::Increment { .. }
            | Call::Enqueue { .. }
            | Call::Dequeue { .. }
            | Call::Drain { .. }
            | Call::OpenSession { .. }
            | Call::KeepAlive { .. }
            | Call::Acquire { .. }
            | Call::Release { .. }
            | Call::Generate { .. }
            | Call::Transfer { .. }
            | Call::Send { .. }
            | Call::Poll { .. }
            | Call::Assign { .. }
            | Call::Txn { .. } => return Err(NotScriptable(call.to_string())),
        })
    }
}

impl From<&ScriptedCall> for Call {
    fn from(call: &ScriptedCall) -> Self {
        match call.clone() {
            ScriptedCall::Read { key } => Self::Read { key },
            ScriptedCall::Write { key, value } => Self::Write { key, value },
            ScriptedCall::Cas { key, from, to } => Self::Cas { key, from, to },
            ScriptedCall::Append { key, value } => Self::Append { key, value },
            ScriptedCall::Add { key, value } => Self::Add { key, value },
            ScriptedCall::Delete { key } => Self::Delete { key },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_plain_data_in_the_words_of_a_history() {
        let operation = |call| ScriptedOperation { client: 1, at_us: 250, call };
        let key = || Key::from("r1");
        let script = Script {
            clients: vec![ScriptedClient { home: 2, patience_ms: 200 }],
            operations: vec![
                operation(ScriptedCall::Cas { key: key(), from: Value::Nil, to: 3.into() }),
                operation(ScriptedCall::Append { key: key(), value: "x".into() }),
            ],
            final_reads: vec![FinalRead { node: 3, key: key() }],
        };
        let text = serde_json::to_string(&script).unwrap();
        assert!(text.contains(r#"{"client":1,"at_us":250,"f":"cas","key":"r1","from":null,"to":3}"#), "{text}");
        assert_eq!(serde_json::from_str::<Script>(&text).unwrap(), script);
        for operation in &script.operations {
            assert_eq!(ScriptedCall::try_from(&Call::from(&operation.call)), Ok(operation.call.clone()));
        }
        let error = ScriptedCall::try_from(&Call::Dequeue { key: key() }).unwrap_err();
        assert_eq!(error.to_string(), "a script can't hold the call \"dequeue from r1\"");
    }
}
