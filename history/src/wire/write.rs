//! Events as lines of JSON.

use serde::{Serialize, Serializer};

use crate::{
    Call, ClientEvent, ClientEventKind, Event, FaultPhase, Key, MicroOp, Outcome, ProcessId, Returned, Seen, TimeNs,
    Value,
};

#[derive(Serialize)]
struct OutLine<'a> {
    index: u64,
    time: TimeNs,
    process: OutProcess,
    #[serde(rename = "type")]
    kind: &'static str,
    f: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<OutValue<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    swapped: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<&'a [Key]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permits: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<&'a str>,
    #[serde(rename = "final", skip_serializing_if = "std::ops::Not::not")]
    is_final: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<FaultPhase>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

/// What an event says of its call.
#[derive(Serialize)]
pub(super) struct OutCall<'a> {
    f: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<OutValue<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<&'a [Key]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permits: Option<u32>,
}

impl<'a> From<&'a Call> for OutCall<'a> {
    fn from(call: &'a Call) -> Self {
        let key = call.key().map(Key::as_str);
        let mut out = Self { f: call.f(), key, value: None, keys: None, owner: None, permits: None };
        match call {
            Call::Read { .. }
            | Call::Delete { .. }
            | Call::Dequeue { .. }
            | Call::Drain { .. }
            | Call::Generate { .. } => {}
            Call::Write { value, .. }
            | Call::Append { value, .. }
            | Call::Add { value, .. }
            | Call::Remove { value, .. }
            | Call::Contains { value, .. }
            | Call::Enqueue { value, .. }
            | Call::Send { value, .. } => out.value = Some(OutValue::One(value)),
            Call::Cas { from, to, .. } => out.value = Some(OutValue::Pair(from, to)),
            Call::Increment { by, .. } => out.value = Some(OutValue::Number(*by)),
            Call::OpenSession { owner } | Call::KeepAlive { owner } => out.owner = Some(owner),
            Call::Acquire { owner, permits, .. } | Call::Release { owner, permits, .. } => {
                out.owner = Some(owner);
                out.permits = (*permits != 1).then_some(*permits);
            }
            Call::Transfer { from, to, amount } => out.value = Some(OutValue::Transfer { from, to, amount: *amount }),
            Call::Poll { keys } | Call::Assign { keys } => out.keys = Some(keys),
            Call::Txn { ops } => out.value = Some(txn(ops)),
        }
        out
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum OutProcess {
    Client(ProcessId),
    Nemesis(&'static str),
}

#[derive(Serialize)]
#[serde(untagged)]
enum OutValue<'a> {
    One(&'a Value),
    Pair(&'a Value, &'a Value),
    List(&'a [Value]),
    Number(i64),
    Map(Entries<'a>),
    Transfer { from: &'a Key, to: &'a Key, amount: i64 },
    Records(Vec<(&'a Key, u64, &'a Value)>),
    Txn(Vec<OutMicroOp<'a>>),
}

struct Entries<'a>(&'a [(Key, Value)]);

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

/// `["r", key, seen]`, `["w", key, value]`, `["append", key, element]`.
#[derive(Serialize)]
struct OutMicroOp<'a>(&'static str, &'a Key, OutSeen<'a>);

#[derive(Serialize)]
#[serde(untagged)]
enum OutSeen<'a> {
    One(&'a Value),
    List(&'a [Value]),
    Nothing(()),
}

impl<'a> From<&'a MicroOp> for OutMicroOp<'a> {
    fn from(op: &'a MicroOp) -> Self {
        match op {
            MicroOp::Read { key, seen: None } => Self("r", key, OutSeen::Nothing(())),
            MicroOp::Read { key, seen: Some(Seen::Value(value)) } => Self("r", key, OutSeen::One(value)),
            MicroOp::Read { key, seen: Some(Seen::List(values)) } => Self("r", key, OutSeen::List(values)),
            MicroOp::Write { key, value } => Self("w", key, OutSeen::One(value)),
            MicroOp::Append { key, value } => Self("append", key, OutSeen::One(value)),
        }
    }
}

/// Writes the event as one line, with its line break, at the end of `line`.
pub(crate) fn write_line(event: &Event, line: &mut Vec<u8>) {
    let out = match event {
        Event::Client(event) => client_line(event),
        Event::Nemesis(event) => OutLine {
            fault: Some(event.fault),
            phase: Some(event.phase),
            detail: Some(&event.detail),
            ..blank_line(event.index, event.time, OutProcess::Nemesis("nemesis"), "info", &event.f)
        },
    };
    serde_json::to_writer(&mut *line, &out).expect("plain structs of numbers and texts become JSON in memory");
    line.push(b'\n');
}

fn blank_line<'a>(index: u64, time: TimeNs, process: OutProcess, kind: &'static str, f: &'a str) -> OutLine<'a> {
    OutLine {
        index,
        time,
        process,
        kind,
        f,
        key: None,
        value: None,
        swapped: None,
        current: None,
        keys: None,
        owner: None,
        permits: None,
        changed: None,
        found: None,
        token: None,
        offset: None,
        version: None,
        error: None,
        node: None,
        is_final: false,
        fault: None,
        phase: None,
        detail: None,
    }
}

fn client_line(event: &ClientEvent) -> OutLine<'_> {
    let kind = match &event.kind {
        ClientEventKind::Invoke => "invoke",
        ClientEventKind::Complete(Outcome::Ok(_)) => "ok",
        ClientEventKind::Complete(Outcome::Fail(_)) => "fail",
        ClientEventKind::Complete(Outcome::Info(_)) => "info",
    };
    let OutCall { f, key, value, keys, owner, permits } = OutCall::from(&event.call);
    let mut line = OutLine {
        key,
        value,
        keys,
        owner,
        permits,
        node: event.node.as_deref(),
        is_final: event.is_final,
        ..blank_line(event.index, event.time, OutProcess::Client(event.process), kind, f)
    };
    match &event.kind {
        ClientEventKind::Invoke => {}
        ClientEventKind::Complete(Outcome::Fail(reason) | Outcome::Info(reason)) => line.error = Some(reason),
        ClientEventKind::Complete(Outcome::Ok(returned)) => put_returned(&mut line, &event.call, returned),
    }
    line
}

fn txn(ops: &[MicroOp]) -> OutValue<'_> {
    OutValue::Txn(ops.iter().map(Into::into).collect())
}

fn put_returned<'a>(line: &mut OutLine<'a>, call: &Call, returned: &'a Returned) {
    match returned {
        Returned::Done => {}
        Returned::Value(value) if matches!(call, Call::Increment { .. }) => line.current = Some(value),
        Returned::Value(value) => line.value = Some(OutValue::One(value)),
        Returned::List(values) => line.value = Some(OutValue::List(values)),
        Returned::Swapped => line.swapped = Some(true),
        Returned::NotSwapped { current } => {
            line.swapped = Some(false);
            line.current = current.as_ref();
        }
        Returned::Flag(flag) if matches!(call, Call::Contains { .. }) => line.found = Some(*flag),
        Returned::Flag(flag) => line.changed = Some(*flag),
        Returned::Token(token) => line.token = Some(*token),
        Returned::Map(entries) => line.value = Some(OutValue::Map(Entries(entries))),
        Returned::Offset(offset) => line.offset = Some(*offset),
        Returned::Records(records) => {
            let records = records.iter().map(|record| (&record.key, record.offset, &record.value));
            line.value = Some(OutValue::Records(records.collect()));
        }
        Returned::Txn(ops) => line.value = Some(txn(ops)),
        Returned::Versioned { version, returned } => {
            put_returned(line, call, returned);
            line.version = Some(*version);
        }
    }
}
