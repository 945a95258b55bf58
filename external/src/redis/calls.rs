//! What a call asks of Redis, and what the answer means.
//!
//! Values are kept as JSON: `12`, `"twelve"`; an empty register is a key that is not there, or holds `null`. A read says
//! nothing of the type of what it reads, so the name of the key does, as workloads give it: `s7` is a set, `l7` a list, and
//! anything else a register.

use rashomon_history::{Call, Key, Returned, Value};
use redis::Cmd;

/// Replaces what a register holds (`ARGV[2]`) if it holds `ARGV[1]`. Writes with its last step.
const CAS: &str = "local seen = redis.call('GET', KEYS[1]) or 'null'
if seen ~= ARGV[1] then return seen end
redis.call('SET', KEYS[1], ARGV[2])
return 1";

/// Takes everything out of a queue. Values are put in at the head and taken from the tail.
const DRAIN: &str = "local all = redis.call('LRANGE', KEYS[1], 0, -1)
redis.call('DEL', KEYS[1])
return all";

/// What is asked about one key.
pub(super) struct Request {
    pub(super) key: Key,
    pub(super) command: Cmd,
    pub(super) only_reads: bool,
}

/// What a call asks.
pub(super) struct Question {
    pub(super) request: Request,
    answer: fn(&redis::Value) -> Option<Returned>,
}

impl Request {
    pub(super) fn read(key: &Key, command: Cmd) -> Self {
        Self { key: key.clone(), command, only_reads: true }
    }

    pub(super) fn write(key: &Key, command: Cmd) -> Self {
        Self { key: key.clone(), command, only_reads: false }
    }
}

impl Question {
    /// `None` for calls that are not for a store of keys.
    pub(super) fn of(call: &Call) -> Option<Self> {
        let (key, command, answer): (_, _, fn(&redis::Value) -> Option<Returned>) = match call {
            Call::Read { key } => {
                let (command, answer) = read(key);
                return Some(Self { request: Request::read(key, command), answer });
            }
            Call::Contains { key, value } => {
                let mut command = on("SISMEMBER", key);
                command.arg(json(value));
                return Some(Self { request: Request::read(key, command), answer: flag });
            }
            Call::Write { key, value } => (key, with("SET", key, value), done),
            Call::Cas { key, from, to } => (key, script(CAS, key, &[json(from), json(to)]), swapped),
            Call::Append { key, value } => (key, with("RPUSH", key, value), counted),
            Call::Add { key, value } => (key, with("SADD", key, value), flag),
            Call::Remove { key, value } => (key, with("SREM", key, value), flag),
            Call::Delete { key } => (key, on("DEL", key), counted),
            Call::Increment { key, by } => {
                let mut command = on("INCRBY", key);
                command.arg(*by);
                (key, command, number)
            }
            Call::Enqueue { key, value } => (key, with("LPUSH", key, value), counted),
            Call::Dequeue { key } => (key, on("RPOP", key), register),
            Call::Drain { key } => (key, script(DRAIN, key, &[]), drained),
            Call::OpenSession { .. }
            | Call::KeepAlive { .. }
            | Call::Acquire { .. }
            | Call::Release { .. }
            | Call::Generate { .. }
            | Call::Transfer { .. }
            | Call::Send { .. }
            | Call::Poll { .. }
            | Call::Assign { .. }
            | Call::Txn { .. } => return None,
        };
        Some(Self { request: Request::write(key, command), answer })
    }

    /// What came back, if it makes sense.
    pub(super) fn read_answer(&self, answer: &redis::Value) -> Result<Returned, String> {
        (self.answer)(answer).ok_or_else(|| format!("{answer:?}"))
    }
}

fn read(key: &Key) -> (Cmd, fn(&redis::Value) -> Option<Returned>) {
    match key.as_str().as_bytes().first() {
        Some(b's') => (on("SMEMBERS", key), elements),
        Some(b'l') => {
            let mut command = on("LRANGE", key);
            command.arg(0).arg(-1);
            (command, elements)
        }
        Some(_) | None => (on("GET", key), register),
    }
}

pub(super) fn on(command: &str, key: &Key) -> Cmd {
    let mut command = redis::cmd(command);
    command.arg(key.as_str());
    command
}

fn with(command: &str, key: &Key, value: &Value) -> Cmd {
    let mut command = on(command, key);
    command.arg(json(value));
    command
}

/// A script on one key.
pub(super) fn script(text: &str, key: &Key, arguments: &[String]) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(text).arg(1).arg(key.as_str()).arg(arguments);
    command
}

fn json(value: &Value) -> String {
    serde_json::to_string(value).expect("a number or a text becomes JSON in memory")
}

fn value(answer: &redis::Value) -> Option<Value> {
    match answer {
        redis::Value::Nil => Some(Value::Nil),
        redis::Value::BulkString(json) => serde_json::from_slice(json).ok(),
        _ => None,
    }
}

fn register(answer: &redis::Value) -> Option<Returned> {
    value(answer).map(Returned::Value)
}

fn elements(answer: &redis::Value) -> Option<Returned> {
    let redis::Value::Array(elements) = answer else { return None };
    elements.iter().map(value).collect::<Option<_>>().map(Returned::List)
}

/// The head came in last.
fn drained(answer: &redis::Value) -> Option<Returned> {
    let redis::Value::Array(elements) = answer else { return None };
    elements.iter().rev().map(value).collect::<Option<_>>().map(Returned::List)
}

fn done(answer: &redis::Value) -> Option<Returned> {
    matches!(answer, redis::Value::Okay).then_some(Returned::Done)
}

/// Of what answers with a length that nobody asked for.
fn counted(answer: &redis::Value) -> Option<Returned> {
    matches!(answer, redis::Value::Int(_)).then_some(Returned::Done)
}

fn number(answer: &redis::Value) -> Option<Returned> {
    let redis::Value::Int(number) = answer else { return None };
    Some(Returned::Value(Value::Int(*number)))
}

fn flag(answer: &redis::Value) -> Option<Returned> {
    match answer {
        redis::Value::Int(0) => Some(Returned::Flag(false)),
        redis::Value::Int(1) => Some(Returned::Flag(true)),
        _ => None,
    }
}

fn swapped(answer: &redis::Value) -> Option<Returned> {
    match answer {
        redis::Value::Int(1) => Some(Returned::Swapped),
        found => Some(Returned::NotSwapped { current: Some(value(found)?) }),
    }
}
