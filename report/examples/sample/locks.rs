//! A lock that a client still trusts when its lease is over: what it writes then is written over, or writes over.

use std::path::Path;

use rashomon_history::{History, HistoryError, parse_history};
use serde_json::{Value, json};

use crate::run::MS;

/// What one client asks: process, from, to (both in ms), the call, the outcome with what came back.
type Asked = (u64, u64, u64, Value, Value);

fn open(owner: &str) -> Value {
    json!({"f": "open-session", "owner": owner})
}

fn lock(f: &str, owner: &str) -> Value {
    json!({"f": f, "key": "l3", "owner": owner})
}

fn add(value: u64) -> Value {
    json!({"f": "add", "key": "s3", "value": value})
}

fn ok() -> Value {
    json!({"type": "ok"})
}

fn token(token: u64) -> Value {
    json!({"type": "ok", "token": token})
}

fn written(version: u64) -> Value {
    json!({"type": "ok", "version": version})
}

fn asked() -> Vec<Asked> {
    let expired = json!({"type": "fail", "error": "session-expired: 1.4 s ago"});
    vec![
        (0, 10, 22, open("c0-1"), ok()),
        (1, 14, 30, open("c1-1"), ok()),
        (2, 20, 41, open("c2-1"), ok()),
        (0, 60, 75, lock("acquire", "c0-1"), token(6)),
        (0, 90, 130, add(10), written(1)),
        (0, 150, 163, lock("release", "c0-1"), ok()),
        (1, 100, 170, lock("acquire", "c1-1"), token(7)),
        (1, 190, 230, add(11), written(2)),
        (1, 240, 252, json!({"f": "keep-alive", "owner": "c1-1"}), ok()),
        (2, 260, 1310, lock("acquire", "c2-1"), json!({"type": "ok", "token": 8})),
        (2, 1330, 1370, add(12), written(3)),
        (2, 1400, 1412, json!({"f": "keep-alive", "owner": "c2-1"}), ok()),
        (1, 280, 2240, add(13), written(5)),
        (2, 1450, 1490, add(14), written(4)),
        (1, 2260, 2275, lock("release", "c1-1"), expired),
        (2, 2300, 2312, lock("release", "c2-1"), ok()),
        (1, 2290, 2301, open("c1-2"), ok()),
        (0, 2350, 2364, lock("acquire", "c0-1"), json!({"type": "info", "error": "timed out"})),
        (3, 2600, 2610, json!({"f": "read", "key": "s3", "final": true}), json!({"type": "ok", "value": [10, 11, 13]})),
    ]
}

/// The history of three clients of one lock.
pub(crate) fn make_up() -> Result<History, HistoryError> {
    let mut lines: Vec<(u64, Value)> = Vec::new();
    for (process, from, to, call, outcome) in asked() {
        let line = |kind: &Value, more: &Value| {
            let mut line = call.clone();
            line["process"] = process.into();
            line["node"] = format!("n{}", process % 3 + 1).into();
            line["type"] = kind.clone();
            for (name, value) in more.as_object().into_iter().flatten() {
                line[name] = value.clone();
            }
            line
        };
        lines.push((from * MS, line(&"invoke".into(), &json!({}))));
        lines.push((to * MS, line(&outcome["type"], &outcome)));
    }
    let client = |phase: &str, detail: &str| json!({"process": "nemesis", "type": "info", "f": "client", "fault": 0, "phase": phase, "detail": detail});
    lines.push((285 * MS, client("begin", "client 1")));
    lines.push((285 * MS, client("bites", "it asked nothing for 1.9 s")));
    lines.push((2200 * MS, client("end", "")));
    lines.sort_by_key(|(time, _)| *time);
    let text: String = lines
        .into_iter()
        .map(|(time, mut line)| {
            line["time"] = time.into();
            format!("{line}\n")
        })
        .collect();
    parse_history(Path::new("locks"), text.as_bytes())
}
