//! The fast reader of lines says what the slow one says, or nothing.

use std::path::Path;

use super::*;
use crate::intern::Names;
use crate::read::{Format, ReadOptions};
use crate::{Call, ClientEvent, ClientEventKind, Event, MicroOp, Outcome, ProcessId, Returned, TimeNs, Value};

struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    /// The first, but rarely one of the others.
    fn first<'a>(&mut self, of: &[&'a str]) -> &'a str {
        if self.below(30) == 0 { self.one(of) } else { of[0] }
    }

    fn scalar(&mut self) -> &'static str {
        if self.below(12) == 0 { self.one(&SCALARS) } else { self.one(&SCALARS[..8]) }
    }
}

/// The first eight are read fast.
const SCALARS: [&str; 20] = [
    "null",
    "0",
    "7",
    "-3",
    "123456789012345678",
    "\"a\"",
    "\"a b\"",
    "\"x]\"",
    "1234567890123456789",
    "-0",
    "01",
    "1.5",
    "1e3",
    "\"\"",
    "\"\\n\"",
    "\"\\u00e9\"",
    "\"é\"",
    "true",
    "9223372036854775808",
    "{}",
];

const CALLS: [&str; 13] = [
    "read", "write", "cas", "append", "add", "txn", "drain", "dequeue", "delete", "contains", "send", "txn", "unknown",
];

fn value(dice: &mut Dice, f: &str) -> String {
    let shape = match f {
        _ if dice.below(12) == 0 => dice.below(4),
        "txn" => 3,
        "cas" => 1,
        "read" => dice.below(3),
        _ => 0,
    };
    match shape {
        0 => dice.scalar().into(),
        1 => format!("[{}, {}]", dice.scalar(), dice.scalar()),
        2 => format!("[{}]", dice.scalar()),
        _ => {
            let steps: Vec<String> = (0..dice.below(4))
                .map(|_| {
                    let f = if dice.below(9) == 0 { dice.one(&[":r", "zap"]) } else { dice.one(&["r", "w", "append"]) };
                    let seen = if f == "r" && dice.below(2) == 0 {
                        format!("[{},{}]", dice.scalar(), dice.scalar())
                    } else {
                        dice.scalar().into()
                    };
                    let key = dice.first(&["1", "-1", "\"k\"", "null", "1.5"]);
                    format!("[\"{f}\",{key},{seen}]")
                })
                .collect();
            format!("[{}]", steps.join(","))
        }
    }
}

/// A line that is sound more often than not.
fn line(dice: &mut Dice) -> String {
    let f = dice.one(&CALLS);
    let mut fields = vec![
        format!("\"time\":{}", dice.first(&["5", "-1", "1.0"])),
        format!("\"process\":{}", dice.first(&["3", "\"nemesis\"", "-1"])),
        format!(
            "\"type\":\"{}\"",
            if dice.below(40) == 0 { "okay" } else { dice.one(&["invoke", "ok", "fail", "info"]) }
        ),
        format!("\"f\":\"{f}\""),
    ];
    for (name, odds) in [("index", 2), ("value", 9), ("key", 8), ("swapped", 2), ("current", 2), ("error", 2)] {
        if dice.below(10) < odds {
            let told = match name {
                "index" => dice.first(&["0", "17", "null"]).into(),
                "value" => value(dice, f),
                "key" => dice.first(&["\"k\"", "12", "null", "-4", "007", "[1]"]).into(),
                "swapped" => dice.first(&["true", "false", "null"]).into(),
                "current" => dice.scalar().into(),
                _ => dice.first(&["\"timeout\"", "\"\\\"\"", "7"]).into(),
            };
            fields.push(format!("\"{name}\":{told}"));
        }
    }
    for other in
        ["\"node\":\"n1\"", "\"final\":true", "\"extra\":[1,{}]", "\"f\":\"read\"", "\"found\":true", "\"version\":3"]
    {
        if dice.below(40) == 0 {
            fields.push(other.into());
        }
    }
    for place in (1..fields.len()).rev() {
        let other = dice.below(place + 1);
        fields.swap(place, other);
    }
    let comma = dice.one(&[",", ",", ", ", ",\t"]);
    let mut line = format!("{{{}}}{}", fields.join(comma), dice.first(&["", " ", "\r", "x"]));
    if dice.below(8) == 0 {
        let at = dice.below(line.len());
        if line.is_char_boundary(at) {
            let broken = dice.one(&["", "[", "]", "\"", ",", "\\", "{", "}", "0", " ", "-"]);
            let rest: String = line[at..].chars().skip(1).collect();
            line = format!("{}{broken}{rest}", &line[..at]);
        }
    }
    line
}

/// The event as the slow reader tells it.
fn event(scanned: crate::wire::scan::Scanned, index: u64) -> Event {
    let (call, kind) = match scanned.kind {
        ScannedKind::Invoke(call) => (call, ClientEventKind::Invoke),
        ScannedKind::Complete(Some(call), outcome) => (call, ClientEventKind::Complete(outcome)),
        ScannedKind::Complete(None, Outcome::Ok(Returned::Txn(ops))) => {
            let asked = ops.iter().map(|op| match op {
                MicroOp::Read { key, .. } => MicroOp::Read { key: key.clone(), seen: None },
                other => other.clone(),
            });
            (Call::Txn { ops: asked.collect() }, ClientEventKind::Complete(Outcome::Ok(Returned::Txn(ops))))
        }
        ScannedKind::Complete(None, other) => panic!("{other:?} does not repeat its call"),
    };
    let index = scanned.index.unwrap_or(index);
    Event::Client(ClientEvent {
        index,
        time: scanned.time,
        process: scanned.process,
        node: scanned.node,
        is_final: scanned.is_final,
        call,
        kind,
    })
}

#[test]
fn both_readers_say_the_same_of_random_lines() {
    let mut dice = Dice(1);
    let mut names = Names::default();
    let mut scanner = Scanner::default();
    let (mut fast, mut sound, mut unsound) = (0, 0, 0);
    for _ in 0..200_000 {
        let line = line(&mut dice);
        let slow = read_line(&line, 9);
        let scanned = scanner.scan(line.as_bytes(), &mut names);
        match (scanned, slow) {
            (Some(scanned), slow) => {
                assert_eq!(Ok(event(scanned, 9)), slow, "{line}");
                fast += 1;
            }
            (None, Ok(_)) => sound += 1,
            (None, Err(_)) => unsound += 1,
        }
    }
    eprintln!("{fast} fast, {sound} slow, {unsound} refused");
    assert!(fast > 20_000 && sound > 20_000 && unsound > 20_000, "{fast} fast, {sound} slow, {unsound} refused");
}

#[test]
fn what_the_recorder_writes_is_read_fast() {
    let key = crate::Key::from("k");
    let txn = |seen| Call::Txn {
        ops: vec![
            MicroOp::Read { key: "k".into(), seen },
            MicroOp::Append { key: "l".into(), value: 1.into() },
            MicroOp::Write { key: "m".into(), value: "text".into() },
        ],
    };
    let Call::Txn { ops: seen } = txn(Some(crate::Seen::List(vec![1.into(), Value::Nil]))) else { unreachable!() };
    let cases = [
        (Call::Read { key: key.clone() }, Returned::Value(7.into())),
        (Call::Read { key: key.clone() }, Returned::List(vec![1.into(), "a".into()])),
        (Call::Write { key: key.clone(), value: Value::Nil }, Returned::Done),
        (
            Call::Cas { key: key.clone(), from: 1.into(), to: 2.into() },
            Returned::NotSwapped { current: Some(3.into()) },
        ),
        (Call::Append { key: key.clone(), value: (-1).into() }, Returned::Done),
        (Call::Enqueue { key: key.clone(), value: 1.into() }, Returned::Done),
        (Call::Drain { key }, Returned::List(vec![])),
        (txn(None), Returned::Txn(seen)),
    ];
    for (call, returned) in cases {
        let kinds = [Outcome::Ok(returned), Outcome::Fail("no".into()), Outcome::Info("timeout".into())];
        for kind in kinds.map(ClientEventKind::Complete).into_iter().chain([ClientEventKind::Invoke]) {
            let written = Event::Client(ClientEvent {
                index: 1,
                time: TimeNs(2),
                process: ProcessId(3),
                node: Some("n1".into()),
                is_final: true,
                call: call.clone(),
                kind,
            });
            let mut line = Vec::new();
            write_line(&written, &mut line);
            let scanned = Scanner::default().scan(&line, &mut Names::default());
            let scanned = scanned.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&line)));
            assert_eq!(event(scanned, 0), written);
        }
    }
}

#[test]
fn a_line_between_others_may_be_read_slowly() {
    let slow = r#"{"time":1,"process":0,"type":"invoke","f":"write","key":"a","value":"\u0061","extra":1}"#;
    let fast = r#"{"time":2,"process":0,"type":"ok","f":"write","key":"a","value":"a"}"#;
    let options = ReadOptions { format: Some(Format::Jsonl), ..ReadOptions::default() };
    let history = options.read_from(Path::new("h"), format!("{slow}\n{fast}\n").as_bytes()).unwrap();
    assert_eq!(history.operations()[0].outcome, Outcome::Ok(Returned::Done));
}
