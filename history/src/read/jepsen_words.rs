//! Jepsen's words for calls, and ours.

use crate::intern::Names;
use crate::read::form::Form;
use crate::read::jepsen::key_name;
use crate::{Call, Key, MicroOp, ProcessId, Record, Returned, Seen, Value};

/// Our word for what Jepsen's `:f` says; `None` where the value tells.
pub(crate) fn word<'a>(f: &'a Form<'_>) -> Option<&'a str> {
    Some(match f.name()? {
        "get" => "read",
        "put" => "write",
        "inc" | "incr" | "dec" | "decr" | "decrement" => "increment",
        "subscribe" => "assign",
        "lock" => "acquire",
        "unlock" => "release",
        name => name,
    })
}

/// What an invocation asks for.
pub(crate) fn call(
    f: &Form<'_>,
    key: Key,
    value: &Form<'_>,
    process: ProcessId,
    names: &mut Names,
) -> Result<Call, String> {
    let one = |what: &str| scalar(value, what);
    let owner = || i64::try_from(process.0).map_or(Value::Nil, Value::Int);
    Ok(match word(f).unwrap_or("txn") {
        "read" => Call::Read { key },
        "write" => Call::Write { key, value: one("write")? },
        "cas" => match value.list() {
            Some([from, to]) => Call::Cas { key, from: scalar(from, "cas")?, to: scalar(to, "cas")? },
            _ => return Err(format!("the value of a cas is {value}; it must be [from to]")),
        },
        "append" => Call::Append { key, value: one("append")? },
        "add" => Call::Add { key, value: one("add")? },
        "remove" => Call::Remove { key, value: one("remove")? },
        "contains" => Call::Contains { key, value: one("contains")? },
        "delete" => Call::Delete { key },
        "increment" => Call::Increment { key, by: step(f, value)? },
        "enqueue" => Call::Enqueue { key, value: one("enqueue")? },
        "dequeue" => Call::Dequeue { key },
        "drain" => Call::Drain { key },
        "open-session" => Call::OpenSession { owner: owner() },
        "keep-alive" => Call::KeepAlive { owner: owner() },
        "acquire" => Call::Acquire { key, owner: owner(), permits: 1 },
        "release" => Call::Release { key, owner: owner(), permits: 1 },
        "generate" => Call::Generate { key },
        "transfer" => transfer(value, names)?,
        "send" => send(key, value, names)?,
        "poll" => Call::Poll { keys: Vec::new() },
        "assign" => {
            Call::Assign { keys: value.list().unwrap_or_default().iter().map(|key| named(key, names)).collect() }
        }
        "txn" => Call::Txn { ops: micro_ops(value, false, names)? },
        other => {
            return Err(format!(
                "the call :f is {other}; known are read, write, cas, append, add, remove, contains, delete, increment, \
                 enqueue, dequeue, drain, open-session, keep-alive, acquire, release, generate, transfer, send, poll, \
                 assign and txn"
            ));
        }
    })
}

/// What the completion of a call brought back.
pub(crate) fn returned(call: &Call, value: &Form<'_>, names: &mut Names) -> Result<Returned, String> {
    Ok(match call {
        Call::Read { .. } => match value.untagged() {
            Form::List(forms) => Returned::List(scalars(forms, "read")?),
            Form::Set(forms) => {
                let mut values = scalars(forms, "read")?;
                values.sort_unstable();
                Returned::List(values)
            }
            Form::Map(entries) => {
                let entry = |(key, value): &(Form<'_>, Form<'_>)| Ok((named(key, names), scalar(value, "read")?));
                let mut entries = entries.iter().map(entry).collect::<Result<Vec<_>, String>>()?;
                entries.sort_unstable();
                Returned::Map(entries)
            }
            _ => Returned::Value(scalar(value, "read")?),
        },
        Call::Dequeue { .. } | Call::Generate { .. } => Returned::Value(scalar(value, call.f())?),
        Call::Drain { .. } => Returned::List(scalars(value.list().unwrap_or_default(), "drain")?),
        Call::Cas { .. } => Returned::Swapped,
        Call::Contains { .. } => match value.untagged() {
            Form::Bool(flag) => Returned::Flag(*flag),
            form => return Err(format!("the answer to contains is {form}; it must be true or false")),
        },
        Call::Acquire { .. } => match value.get("fence").map(Form::untagged) {
            Some(Form::Int(token)) => u64::try_from(*token).map_or(Returned::Done, Returned::Token),
            _ => Returned::Done,
        },
        Call::Send { .. } => sent(value),
        Call::Poll { .. } => Returned::Records(records(value, names)?),
        Call::Txn { .. } => Returned::Txn(micro_ops(value, true, names)?),
        Call::Write { .. }
        | Call::Append { .. }
        | Call::Add { .. }
        | Call::Remove { .. }
        | Call::Delete { .. }
        | Call::Increment { .. }
        | Call::Enqueue { .. }
        | Call::OpenSession { .. }
        | Call::KeepAlive { .. }
        | Call::Release { .. }
        | Call::Transfer { .. }
        | Call::Assign { .. } => Returned::Done,
    })
}

pub(crate) fn scalar(form: &Form<'_>, f: &str) -> Result<Value, String> {
    form.value().ok_or_else(|| {
        format!(
            "the value of a {f} is {form}; a value is nil, a number, a text or a keyword, and [key value] only where \
                 all values of the history are"
        )
    })
}

fn scalars(forms: &[Form<'_>], f: &str) -> Result<Vec<Value>, String> {
    // Collecting results would leave room for more elements.
    let mut values = Vec::with_capacity(forms.len());
    for form in forms {
        values.push(scalar(form, f)?);
    }
    Ok(values)
}

fn named(form: &Form<'_>, names: &mut Names) -> Key {
    match form.untagged() {
        Form::Text(text) => names.key(text),
        Form::Word(name) => names.key(name),
        form => names.key(&key_name(form)),
    }
}

fn step(f: &Form<'_>, value: &Form<'_>) -> Result<i64, String> {
    let by = match value.untagged() {
        Form::Nil => 1,
        Form::Int(by) => *by,
        form => return Err(format!("the value of an increment is {form}; it must be a whole number")),
    };
    let is_down = f.name().is_some_and(|name| name.starts_with("dec"));
    Ok(if is_down { by.saturating_neg() } else { by })
}

fn transfer(value: &Form<'_>, names: &mut Names) -> Result<Call, String> {
    let (Some(from), Some(to), Some(Form::Int(amount))) =
        (value.get("from"), value.get("to"), value.get("amount").map(Form::untagged))
    else {
        return Err(format!(
            "the value of a transfer is {value}; it must be {{:from account :to account :amount number}}"
        ));
    };
    Ok(Call::Transfer { from: named(from, names), to: named(to, names), amount: *amount })
}

/// `[[:send log value]]`, as Jepsen's Kafka workload has it, or the value alone.
fn send(key: Key, value: &Form<'_>, names: &mut Names) -> Result<Call, String> {
    let Some(steps) = value.list() else { return Ok(Call::Send { key, value: scalar(value, "send")? }) };
    match steps.first().and_then(Form::list) {
        Some([_, log, record]) if steps.len() == 1 => {
            Ok(Call::Send { key: named(log, names), value: scalar(record, "send")? })
        }
        _ => Err(format!("the value of a send is {value}; it must be [[:send log value]], one record an operation")),
    }
}

/// `[[:send log [offset value]]]`.
fn sent(value: &Form<'_>) -> Returned {
    let step = value.list().and_then(<[_]>::first).and_then(Form::list);
    let record = step.and_then(<[_]>::last).and_then(Form::list).or_else(|| value.list());
    match record.and_then(<[_]>::first).map(Form::untagged) {
        Some(Form::Int(offset)) => u64::try_from(*offset).map_or(Returned::Done, Returned::Offset),
        _ => Returned::Done,
    }
}

/// `[[:poll {log [[offset value] ...]}]]`.
fn records(value: &Form<'_>, names: &mut Names) -> Result<Vec<Record>, String> {
    let wrong = || format!("the answer to a poll is {value}; it must be [[:poll {{log [[offset value] ...]}}]]");
    let mut records = Vec::new();
    for step in value.list().unwrap_or_default() {
        let Some(Form::Map(logs)) = step.list().and_then(<[_]>::last).map(Form::untagged) else { continue };
        for (log, read) in logs {
            let key = named(log, names);
            for record in read.list().ok_or_else(wrong)? {
                let Some([offset, value]) = record.list() else { return Err(wrong()) };
                let Form::Int(offset) = offset.untagged() else { return Err(wrong()) };
                let offset = u64::try_from(*offset).map_err(|_| wrong())?;
                records.push(Record { key: key.clone(), offset, value: scalar(value, "poll")? });
            }
        }
    }
    Ok(records)
}

/// `[[:r key seen] [:w key value] [:append key element]]`.
fn micro_ops(value: &Form<'_>, came_back: bool, names: &mut Names) -> Result<Vec<MicroOp>, String> {
    let wrong =
        || format!("the value of a txn is {value}; it must be [[:r key nil] [:w key value] [:append key element] ...]");
    let steps = match value.untagged() {
        Form::Nil => &[],
        form => form.list().ok_or_else(wrong)?,
    };
    let mut step = |step: &Form<'_>| {
        let (f, key, value) = match step.list() {
            Some([f, key, value]) => (f, key, value),
            Some([f, key]) => (f, key, &Form::Nil),
            _ => return Err(wrong()),
        };
        let key = named(key, names);
        Ok(match f.name() {
            Some("r") => MicroOp::Read { key, seen: came_back.then(|| seen(value)).transpose()? },
            Some("w") => MicroOp::Write { key, value: scalar(value, "txn")? },
            Some("append") => MicroOp::Append { key, value: scalar(value, "txn")? },
            _ => return Err(format!("a txn has the step {f}; known are :r, :w and :append")),
        })
    };
    let mut ops = Vec::with_capacity(steps.len());
    for told in steps {
        ops.push(step(told)?);
    }
    Ok(ops)
}

fn seen(value: &Form<'_>) -> Result<Seen, String> {
    Ok(match value.untagged() {
        Form::List(forms) | Form::Set(forms) => Seen::List(scalars(forms, "txn")?),
        form => Seen::Value(scalar(form, "txn")?),
    })
}
