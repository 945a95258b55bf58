//! Makes up a run: clients that ask a register, and faults that slow them down.

use std::path::Path;

use rashomon_history::{History, HistoryError, parse_history};
use serde_json::{Value, json};

pub(crate) const MS: u64 = 1_000_000;
pub(crate) const SECOND: u64 = 1000 * MS;

/// What a made-up run looks like.
pub(crate) struct Shape {
    pub(crate) clients: u64,
    pub(crate) length_ns: u64,
    pub(crate) faults: u64,
    pub(crate) keys: u64,
    /// How long a client rests between two operations, at most.
    pub(crate) rest_ns: u64,
    /// Whether every operation is refused or lost.
    pub(crate) down: bool,
    /// Characters of a value; 0 for small numbers.
    pub(crate) value_chars: usize,
    /// Whether one read near the end of the run returns what was overwritten before.
    pub(crate) stale: bool,
}

#[derive(Clone)]
struct Asked {
    process: u64,
    node: u64,
    from: u64,
    to: u64,
    effect: u64,
    f: &'static str,
    key: u64,
    outcome: &'static str,
    value: Value,
}

struct Fault {
    kind: &'static str,
    detail: String,
    from: u64,
    to: u64,
    bites: bool,
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most.max(1)
    }
}

pub(crate) fn make_up(shape: &Shape) -> Result<History, HistoryError> {
    let mut dice = Dice(42);
    let faults = faults(shape, &mut dice);
    let mut operations = ask(shape, &faults, &mut dice);
    answer(shape, &mut operations);
    let mut lines: Vec<(u64, Value)> = Vec::new();
    for operation in &operations {
        lines.extend(operation.lines());
    }
    for (number, fault) in faults.iter().enumerate() {
        lines.extend(fault.lines(number));
    }
    lines.sort_by_key(|(time, _)| *time);
    let text: String = lines.iter().map(|(_, line)| format!("{line}\n")).collect();
    parse_history(Path::new("sample"), text.as_bytes())
}

fn faults(shape: &Shape, dice: &mut Dice) -> Vec<Fault> {
    let apart = shape.length_ns / (shape.faults + 1);
    (0..shape.faults)
        .map(|number| {
            let from = apart / 2 + number * apart;
            let node = 1 + dice.below(5);
            let (kind, detail) = match number % 3 {
                0 => (
                    "partition",
                    format!(
                        "n{node} | n{} n{} n{} n{}",
                        1 + node % 5,
                        1 + (node + 1) % 5,
                        1 + (node + 2) % 5,
                        1 + (node + 3) % 5
                    ),
                ),
                1 => ("kill", format!("n{node}, the leader")),
                _ => ("pause", format!("n{node} and n{}", 1 + node % 5)),
            };
            Fault { kind, detail, from, to: from + apart * (40 + dice.below(35)) / 100, bites: number != 7 }
        })
        .collect()
}

fn ask(shape: &Shape, faults: &[Fault], dice: &mut Dice) -> Vec<Asked> {
    let mut operations = Vec::new();
    let mut next_process = shape.clients;
    for client in 0..shape.clients {
        let mut process = client;
        let mut now = dice.below(20 * MS);
        while now < shape.length_ns {
            let troubled = faults.iter().any(|fault| fault.from <= now && now < fault.from + 700 * MS);
            let shaky = faults.iter().any(|fault| fault.from <= now && now < fault.to);
            let mut took = MS / 2 + dice.below(3 * MS) + if dice.below(50) == 0 { dice.below(12 * MS) } else { 0 };
            if shaky {
                took += dice.below(6 * MS);
            }
            let luck = dice.below(100);
            let outcome =
                if shape.down || troubled && luck < 70 { if luck < 40 { "info" } else { "fail" } } else { "ok" };
            if outcome == "info" {
                took = 500 * MS;
            }
            let f = ["read", "read", "write", "cas"][usize::try_from(dice.below(4)).unwrap_or(0)];
            // Keys rotate, so that each one's history stays short.
            let key = now / (2 * SECOND) * shape.keys + dice.below(shape.keys);
            let effect = now + 1 + dice.below(took.saturating_sub(2));
            let node = client % 5 + 1;
            operations.push(Asked {
                process,
                node,
                from: now,
                to: now + took,
                effect,
                f,
                key,
                outcome,
                value: Value::Null,
            });
            if outcome == "info" {
                process = next_process;
                next_process += 1;
            }
            now += took + 1 + dice.below(shape.rest_ns);
        }
    }
    operations
}

/// Lets the operations take effect one after the other.
fn answer(shape: &Shape, operations: &mut [Asked]) {
    operations.sort_by_key(|operation| operation.effect);
    let mut held: std::collections::BTreeMap<u64, Value> = std::collections::BTreeMap::new();
    let mut before: std::collections::BTreeMap<u64, (Value, u64)> = std::collections::BTreeMap::new();
    let mut stale = shape.stale;
    for (number, operation) in operations.iter_mut().enumerate() {
        let now = held.entry(operation.key).or_insert(Value::Null);
        let fresh = if shape.value_chars == 0 {
            json!(number)
        } else {
            json!(format!(
                "{number}-</script><script>alert(1)</script>{}",
                "lorem ipsum ".repeat(shape.value_chars / 12)
            ))
        };
        operation.value = match operation.f {
            "read" => now.clone(),
            "write" => fresh.clone(),
            _ => json!([now, fresh]),
        };
        if let (true, "read", "ok", Some((old, overwritten))) =
            (stale, operation.f, operation.outcome, before.get(&operation.key))
            && operation.from > *overwritten
            && operation.from > shape.length_ns * 6 / 10
        {
            operation.value = old.clone();
            stale = false;
        }
        if operation.f != "read" && operation.outcome == "ok" {
            before.insert(operation.key, (now.clone(), operation.to));
            *now = fresh;
        }
    }
}

impl Asked {
    fn lines(&self) -> [(u64, Value); 2] {
        let node = format!("n{}", self.node);
        let key = format!("k{}", self.key);
        let asked = if self.f == "read" { Value::Null } else { self.value.clone() };
        let invoke = json!({"time": self.from, "process": self.process, "type": "invoke", "f": self.f, "key": key, "value": asked, "node": node});
        let mut complete = json!({"time": self.to, "process": self.process, "type": self.outcome, "f": self.f, "key": key, "value": self.value, "node": node});
        match self.outcome {
            "ok" if self.f == "cas" => complete["swapped"] = true.into(),
            "fail" => complete["error"] = "not the leader".into(),
            "info" => complete["error"] = "no answer within 500 ms".into(),
            _ => {}
        }
        [(self.from, invoke), (self.to, complete)]
    }
}

impl Fault {
    fn lines(&self, number: usize) -> Vec<(u64, Value)> {
        let line = |time: u64, phase: &str, detail: &str| {
            (
                time,
                json!({"time": time, "process": "nemesis", "type": "info", "fault": number, "f": self.kind, "phase": phase, "detail": detail}),
            )
        };
        if !self.bites {
            return vec![
                line(self.from, "begin", &self.detail),
                line(self.from + 90 * MS, "failed", "the process was still there after 90 ms"),
            ];
        }
        let how = match self.kind {
            "partition" => "37 packets dropped",
            "kill" => "the process is gone",
            _ => "state T in /proc",
        };
        vec![line(self.from, "begin", &self.detail), line(self.from + 40 * MS, "bites", how), line(self.to, "end", "")]
    }
}
