//! Events as lines of JSON. One flat object a line; the fields stand in `docs/HISTORY.md`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    Call, ClientEvent, ClientEventKind, Event, FaultPhase, Key, NemesisEvent, Outcome, ProcessId, Returned, TimeNs,
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
    let mut line = OutLine {
        key: Some(event.call.key().as_str()),
        value: asked_value(&event.call),
        node: event.node.as_deref(),
        is_final: event.is_final,
        ..blank_line(event.index, event.time, OutProcess::Client(event.process), kind, event.call.f())
    };
    match &event.kind {
        ClientEventKind::Invoke => {}
        ClientEventKind::Complete(Outcome::Fail(reason) | Outcome::Info(reason)) => line.error = Some(reason),
        ClientEventKind::Complete(Outcome::Ok(returned)) => match returned {
            Returned::Done => {}
            Returned::Value(value) => line.value = Some(OutValue::One(value)),
            Returned::List(values) => line.value = Some(OutValue::List(values)),
            Returned::Swapped => line.swapped = Some(true),
            Returned::NotSwapped { current } => {
                line.swapped = Some(false);
                line.current = current.as_ref();
            }
        },
    }
    line
}

fn asked_value(call: &Call) -> Option<OutValue<'_>> {
    match call {
        Call::Read { .. } | Call::Delete { .. } => None,
        Call::Write { value, .. } | Call::Append { value, .. } | Call::Add { value, .. } => Some(OutValue::One(value)),
        Call::Cas { from, to, .. } => Some(OutValue::Pair(from, to)),
    }
}

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
    let call = read_call(&line)?;
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
        node: line.node.map(|node| node.into_owned().into_boxed_str()),
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

fn read_call(line: &InLine<'_>) -> Result<Call, String> {
    let key = match line.key.map(RawValue::get) {
        None | Some("null") => Key::from(""),
        Some(raw) => match parse::<Value>(raw, "key")? {
            Value::Nil => Key::from(""),
            Value::Int(number) => Key::from(number.to_string()),
            Value::Text(name) => Key::from(name.as_ref()),
        },
    };
    let value = || parse::<Value>(line.value.map_or("null", RawValue::get), "value");
    Ok(match line.f.as_ref() {
        "read" => Call::Read { key },
        "write" => Call::Write { key, value: value()? },
        "cas" => {
            let (from, to) =
                parse::<(Value, Value)>(line.value.map_or("null", RawValue::get), "value of a cas, [from, to]")?;
            Call::Cas { key, from, to }
        }
        "append" => Call::Append { key, value: value()? },
        "add" => Call::Add { key, value: value()? },
        "delete" => Call::Delete { key },
        other => return Err(format!("\"f\" is {other:?}; known are read, write, cas, append, add and delete")),
    })
}

fn read_returned(line: &InLine<'_>, call: &Call) -> Result<Returned, String> {
    Ok(match call {
        Call::Read { .. } => match line.value.map(RawValue::get) {
            Some(raw) if raw.starts_with('[') => Returned::List(parse(raw, "value of a read")?),
            raw => Returned::Value(parse(raw.unwrap_or("null"), "value of a read")?),
        },
        Call::Cas { .. } if line.swapped == Some(false) => Returned::NotSwapped { current: line.current.clone() },
        Call::Cas { .. } => Returned::Swapped,
        Call::Write { .. } | Call::Append { .. } | Call::Add { .. } | Call::Delete { .. } => Returned::Done,
    })
}

fn parse<'a, T: Deserialize<'a>>(raw: &'a str, field: &str) -> Result<T, String> {
    serde_json::from_str(raw).map_err(|error| format!("\"{field}\" is {raw}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(call: Call, kind: ClientEventKind) -> Event {
        Event::Client(ClientEvent {
            index: 4,
            time: TimeNs(12_345),
            process: ProcessId(3),
            node: Some("n1".into()),
            is_final: false,
            call,
            kind,
        })
    }

    fn round_trip(event: &Event) -> String {
        let mut line = Vec::new();
        write_line(event, &mut line);
        let text = String::from_utf8(line).unwrap();
        assert_eq!(&read_line(text.trim_end(), 0).unwrap(), event, "{text}");
        text
    }

    #[test]
    fn a_write_has_jepsens_field_names() {
        let event = client(Call::Write { key: "7".into(), value: 12.into() }, ClientEventKind::Invoke);
        let line = round_trip(&event);
        let expected =
            r#"{"index":4,"time":12345,"process":3,"type":"invoke","f":"write","key":"7","value":12,"node":"n1"}"#;
        assert_eq!(line.trim_end(), expected);
    }

    #[test]
    fn every_call_and_outcome_survives_a_round_trip() {
        let key = Key::from("k \"quoted\"\n");
        let from = Value::Nil;
        let to = Value::from("text");
        let complete = |returned| ClientEventKind::Complete(Outcome::Ok(returned));
        let events = [
            client(Call::Read { key: key.clone() }, ClientEventKind::Invoke),
            client(Call::Read { key: key.clone() }, complete(Returned::Value(Value::Nil))),
            client(Call::Read { key: key.clone() }, complete(Returned::Value(Value::Int(-4)))),
            client(Call::Read { key: key.clone() }, complete(Returned::List(vec![]))),
            client(Call::Read { key: key.clone() }, complete(Returned::List(vec![1.into(), "a".into()]))),
            client(Call::Append { key: key.clone(), value: 1.into() }, complete(Returned::Done)),
            client(
                Call::Add { key: key.clone(), value: 1.into() },
                ClientEventKind::Complete(Outcome::Fail("no".into())),
            ),
            client(Call::Delete { key: key.clone() }, ClientEventKind::Complete(Outcome::Info("timeout".into()))),
        ];
        for event in &events {
            round_trip(event);
        }
        for returned in [
            Returned::Swapped,
            Returned::NotSwapped { current: None },
            Returned::NotSwapped { current: Some(Value::Nil) },
            Returned::NotSwapped { current: Some(5.into()) },
        ] {
            let call = Call::Cas { key: key.clone(), from: from.clone(), to: to.clone() };
            round_trip(&client(call, complete(returned)));
        }
        round_trip(&Event::Nemesis(NemesisEvent {
            index: 0,
            time: TimeNs(0),
            fault: 2,
            f: "partition".into(),
            phase: FaultPhase::Bites,
            detail: "n1 | n2 n3".into(),
        }));
    }
}
