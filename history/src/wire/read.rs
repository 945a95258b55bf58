//! Lines of JSON as events.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    Call, ClientEvent, ClientEventKind, Event, FaultPhase, Key, MicroOp, NemesisEvent, Outcome, ProcessId, Record,
    Returned, Seen, TimeNs, Value,
};

#[derive(Deserialize)]
struct InLine<'a> {
    index: Option<u64>,
    time: TimeNs,
    #[serde(borrow)]
    process: &'a RawValue,
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    f: Cow<'a, str>,
    #[serde(borrow)]
    key: Option<&'a RawValue>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
    swapped: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    current: Option<Value>,
    keys: Option<Vec<InKey>>,
    owner: Option<Value>,
    permits: Option<u32>,
    changed: Option<bool>,
    found: Option<bool>,
    token: Option<u64>,
    offset: Option<u64>,
    version: Option<u64>,
    #[serde(borrow)]
    error: Option<Cow<'a, str>>,
    #[serde(borrow)]
    node: Option<Cow<'a, str>>,
    #[serde(rename = "final", default)]
    is_final: bool,
    fault: Option<u64>,
    phase: Option<FaultPhase>,
    #[serde(borrow)]
    detail: Option<Cow<'a, str>>,
}

/// Tells a field that is `null` from one that is not there.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Reads one line. `index` is the position that it has in its file, for lines that do not say.
pub(crate) fn read_line(text: &str, index: u64) -> Result<Event, String> {
    let line: InLine<'_> = serde_json::from_str(text).map_err(|error| explain_json(text, &error))?;
    if line.process.get() == "\"nemesis\"" || line.process.get() == "\":nemesis\"" {
        return Ok(Event::Nemesis(NemesisEvent {
            index: line.index.unwrap_or(index),
            time: line.time,
            fault: line.fault.unwrap_or(0),
            f: line.f.into_owned(),
            phase: line.phase.ok_or("a nemesis event without \"phase\" (begin, bites, end or failed)")?,
            detail: line.detail.unwrap_or_default().into_owned(),
        }));
    }
    let process = line
        .process
        .get()
        .parse()
        .map_err(|_| format!("\"process\" is {}; it must be a number, or \"nemesis\"", line.process.get()))?;
    let call = read_call(&line.asked(ProcessId(process)))?;
    let kind = match line.kind.as_ref() {
        "invoke" => ClientEventKind::Invoke,
        "ok" => ClientEventKind::Complete(Outcome::Ok(read_returned(&line, &call)?)),
        "fail" => ClientEventKind::Complete(Outcome::Fail(line.error.clone().unwrap_or_default().into_owned())),
        "info" => ClientEventKind::Complete(Outcome::Info(line.error.clone().unwrap_or_default().into_owned())),
        other => return Err(format!("\"type\" is {other:?}; it must be invoke, ok, fail or info")),
    };
    Ok(Event::Client(ClientEvent {
        index: line.index.unwrap_or(index),
        time: line.time,
        process: ProcessId(process),
        node: line.node.map(|node| node.as_ref().into()),
        is_final: line.is_final,
        call,
        kind,
    }))
}

fn explain_json(text: &str, error: &serde_json::Error) -> String {
    let start: String = text.chars().take(40).collect();
    if error.is_data() {
        format!("not an event: {error}")
    } else {
        format!("not JSON ({error}): it begins with {start:?}")
    }
}

/// A key: a text, or a number for the text of its digits; none is the empty text.
#[derive(Deserialize)]
#[serde(from = "Value")]
pub(super) struct InKey(Key);

impl From<Value> for InKey {
    fn from(value: Value) -> Self {
        Self(match value {
            Value::Nil => Key::from(""),
            Value::Int(number) => Key::from(number.to_string()),
            Value::Text(name) => Key::from(name.as_ref()),
        })
    }
}

/// What an event says of its call.
pub(super) struct InCall<'a> {
    pub(super) f: &'a str,
    pub(super) key: Option<&'a RawValue>,
    pub(super) value: Option<&'a RawValue>,
    pub(super) keys: &'a [InKey],
    pub(super) owner: Option<&'a Value>,
    pub(super) permits: Option<u32>,
    /// Who asks, where that is known.
    pub(super) process: Option<ProcessId>,
}

impl InLine<'_> {
    fn asked(&self, process: ProcessId) -> InCall<'_> {
        InCall {
            f: &self.f,
            key: self.key,
            value: self.value,
            keys: self.keys.as_deref().unwrap_or_default(),
            owner: self.owner.as_ref(),
            permits: self.permits,
            process: Some(process),
        }
    }
}

impl InCall<'_> {
    /// Who does not say for whom, asks for himself.
    fn owner(&self) -> Result<Value, String> {
        match (self.owner, self.process) {
            (Some(owner), _) => Ok(owner.clone()),
            (None, Some(process)) => Ok(i64::try_from(process.0).map_or(Value::Nil, Value::Int)),
            (None, None) => Err(format!("the call {} names no \"owner\"", self.f)),
        }
    }
}

pub(super) fn read_call(call: &InCall<'_>) -> Result<Call, String> {
    let key = call.key.map_or(Ok(InKey(Key::from(""))), |raw| parse(raw.get(), "key"))?.0;
    let raw = call.value.map_or("null", RawValue::get);
    let value = || parse::<Value>(raw, "value");
    let permits = call.permits.unwrap_or(1);
    let keys = || call.keys.iter().map(|key| key.0.clone()).collect();
    Ok(match call.f {
        "read" => Call::Read { key },
        "write" => Call::Write { key, value: value()? },
        "cas" => {
            let (from, to) = parse::<(Value, Value)>(raw, "value of a cas, [from, to]")?;
            Call::Cas { key, from, to }
        }
        "append" => Call::Append { key, value: value()? },
        "add" => Call::Add { key, value: value()? },
        "remove" => Call::Remove { key, value: value()? },
        "contains" => Call::Contains { key, value: value()? },
        "delete" => Call::Delete { key },
        "increment" => Call::Increment { key, by: parse(raw, "value of an increment, a whole number")? },
        "enqueue" => Call::Enqueue { key, value: value()? },
        "dequeue" => Call::Dequeue { key },
        "drain" => Call::Drain { key },
        "open-session" => Call::OpenSession { owner: call.owner()? },
        "keep-alive" => Call::KeepAlive { owner: call.owner()? },
        "acquire" => Call::Acquire { key, owner: call.owner()?, permits },
        "release" => Call::Release { key, owner: call.owner()?, permits },
        "generate" => Call::Generate { key },
        "transfer" => {
            let InTransfer { from, to, amount } = parse(raw, "value of a transfer")?;
            Call::Transfer { from: from.0, to: to.0, amount }
        }
        "send" => Call::Send { key, value: value()? },
        "poll" => Call::Poll { keys: keys() },
        "assign" => Call::Assign { keys: keys() },
        "txn" => Call::Txn { ops: micro_ops(raw, false)? },
        other => {
            return Err(format!(
                "\"f\" is {other:?}; known are read, write, cas, append, add, remove, contains, delete, increment, \
                 enqueue, dequeue, drain, open-session, keep-alive, acquire, release, generate, transfer, send, poll, \
                 assign and txn"
            ));
        }
    })
}

#[derive(Deserialize)]
struct InTransfer {
    from: InKey,
    to: InKey,
    amount: i64,
}

fn read_returned(line: &InLine<'_>, call: &Call) -> Result<Returned, String> {
    let raw = line.value.map_or("null", RawValue::get);
    let returned = match call {
        Call::Read { .. } if raw.starts_with('{') => {
            let entries: BTreeMap<String, Value> = parse(raw, "value of a read")?;
            Returned::Map(entries.into_iter().map(|(key, value)| (Key::from(key), value)).collect())
        }
        Call::Read { .. } | Call::Drain { .. } if raw.starts_with('[') => Returned::List(parse(raw, "value")?),
        Call::Drain { .. } => Returned::List(Vec::new()),
        Call::Read { .. } | Call::Dequeue { .. } | Call::Generate { .. } => Returned::Value(parse(raw, "value")?),
        Call::Cas { .. } if line.swapped == Some(false) => Returned::NotSwapped { current: line.current.clone() },
        Call::Cas { .. } => Returned::Swapped,
        Call::Increment { .. } => line.current.clone().map_or(Returned::Done, Returned::Value),
        Call::Contains { .. } => Returned::Flag(line.found.ok_or("an answered contains without \"found\"")?),
        Call::Add { .. } | Call::Remove { .. } => match (line.changed, line.token) {
            (Some(changed), _) => Returned::Flag(changed),
            (None, Some(token)) => Returned::Token(token),
            (None, None) => Returned::Done,
        },
        Call::Acquire { .. } => line.token.map_or(Returned::Done, Returned::Token),
        Call::Send { .. } => line.offset.map_or(Returned::Done, Returned::Offset),
        Call::Poll { .. } => Returned::Records(records(raw)?),
        Call::Txn { .. } => Returned::Txn(micro_ops(raw, true)?),
        Call::Write { .. }
        | Call::Append { .. }
        | Call::Delete { .. }
        | Call::Enqueue { .. }
        | Call::OpenSession { .. }
        | Call::KeepAlive { .. }
        | Call::Release { .. }
        | Call::Transfer { .. }
        | Call::Assign { .. } => Returned::Done,
    };
    Ok(match line.version {
        Some(version) => Returned::Versioned { version, returned: Box::new(returned) },
        None => returned,
    })
}

fn records(raw: &str) -> Result<Vec<Record>, String> {
    let records: Option<Vec<(InKey, u64, Value)>> = parse(raw, "value of a poll, [[log, offset, value], ...]")?;
    let record = |(key, offset, value): (InKey, u64, Value)| Record { key: key.0, offset, value };
    Ok(records.into_iter().flatten().map(record).collect())
}

#[derive(Deserialize)]
#[serde(untagged)]
enum InSeen {
    Value(Value),
    List(Vec<Value>),
}

/// The steps of a transaction: `["r", key, seen]`, `["w", key, value]`, `["append", key, element]`.
fn micro_ops(raw: &str, came_back: bool) -> Result<Vec<MicroOp>, String> {
    let ops: Option<Vec<(Cow<'_, str>, InKey, InSeen)>> =
        parse(raw, "value of a txn, [[\"r\", key, null], [\"append\", key, element], ...]")?;
    let op = |(f, InKey(key), seen): (Cow<'_, str>, InKey, InSeen)| match (f.trim_start_matches(':'), seen) {
        ("r", seen) => {
            let seen = came_back.then_some(match seen {
                InSeen::Value(value) => Seen::Value(value),
                InSeen::List(values) => Seen::List(values),
            });
            Ok(MicroOp::Read { key, seen })
        }
        ("w", InSeen::Value(value)) => Ok(MicroOp::Write { key, value }),
        ("append", InSeen::Value(value)) => Ok(MicroOp::Append { key, value }),
        ("w" | "append", InSeen::List(_)) => Err(format!("a txn writes a list to {key}; it can write one value")),
        (other, _) => Err(format!("a txn has the step {other:?}; known are \"r\", \"w\" and \"append\"")),
    };
    ops.into_iter().flatten().map(op).collect()
}

fn parse<'a, T: Deserialize<'a>>(raw: &'a str, field: &str) -> Result<T, String> {
    serde_json::from_str(raw).map_err(|error| format!("\"{field}\" is {raw}: {error}"))
}
