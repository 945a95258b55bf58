//! Histories as files that other checkers read too.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use rashomon_checker::Operation;
use rashomon_checker::queue::{QueueCall, QueueReturn};
use rashomon_checker::transactions::Transaction;
use rashomon_history::{Call, MicroOp, Returned, Seen};
use serde_json::{Value as Json, json};

/// A file of lines `{"client","input","output","call","return"}`; an output of null where the outcome is unknown.
fn write<C, R>(
    path: &Path,
    history: &[Operation<C, R>],
    tell: impl Fn(&C, Option<&R>) -> (Json, Json),
) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for operation in history {
        let (input, output) = tell(&operation.call, operation.returned.as_ref());
        let completed = operation.returned.as_ref().map(|_| operation.completed);
        let line = json!({
            "client": operation.process, "input": input, "output": output,
            "call": operation.invoked, "return": completed,
        });
        writeln!(file, "{line}")?;
    }
    file.flush()
}

pub(crate) fn write_registers(path: &Path, history: &[Operation<Call, Returned>]) -> io::Result<()> {
    write(path, history, |call, returned| {
        let input = match call {
            Call::Read { key } => json!({"op": "read", "key": key}),
            Call::Write { key, value } => json!({"op": "write", "key": key, "value": value}),
            Call::Cas { key, from, to } => json!({"op": "cas", "key": key, "from": from, "to": to}),
            other => unreachable!("registers are generated without {other}"),
        };
        let output = match returned {
            None => Json::Null,
            Some(Returned::Value(value)) => json!({"value": value}),
            Some(Returned::Swapped) => json!({"ok": true}),
            Some(Returned::NotSwapped { current }) => json!({"ok": false, "current": current}),
            Some(_) => json!({}),
        };
        (input, output)
    })
}

pub(crate) fn write_queue(path: &Path, history: &[Operation<QueueCall<i64>, QueueReturn<i64>>]) -> io::Result<()> {
    write(path, history, |call, returned| {
        let input = match call {
            QueueCall::Enqueue(value) => json!({"op": "enqueue", "value": value}),
            QueueCall::Dequeue => json!({"op": "dequeue"}),
        };
        let output = match returned {
            None => Json::Null,
            Some(QueueReturn::Value(value)) => json!({"value": value}),
            Some(QueueReturn::Done | QueueReturn::Empty) => json!({}),
        };
        (input, output)
    })
}

/// A file of Jepsen's events, by time.
pub(crate) fn write_transactions(path: &Path, history: &[(Transaction, Vec<MicroOp>)]) -> io::Result<()> {
    let mut events = Vec::with_capacity(2 * history.len());
    for (transaction, micro_ops) in history {
        let asked = micro_ops.iter().map(|micro_op| told(micro_op, false)).collect::<Vec<_>>();
        let seen = micro_ops.iter().map(|micro_op| told(micro_op, true)).collect::<Vec<_>>();
        events.push((transaction.invoked, transaction.process, "invoke", asked));
        events.push((transaction.completed, transaction.process, "ok", seen));
    }
    // Invocations first: what begins when something else ends is concurrent with it.
    events.sort_by_key(|(time, _, kind, _)| (*time, *kind != "invoke"));
    let mut file = BufWriter::new(File::create(path)?);
    for (index, (time, process, kind, value)) in events.into_iter().enumerate() {
        let line = json!({
            "index": index, "time": time, "process": process, "type": kind, "f": "txn", "value": value,
        });
        writeln!(file, "{line}")?;
    }
    file.flush()
}

fn told(micro_op: &MicroOp, came_back: bool) -> Json {
    match micro_op {
        MicroOp::Read { key, seen: Some(Seen::Value(value)) } if came_back => json!(["r", key, value]),
        MicroOp::Read { key, seen: Some(Seen::List(values)) } if came_back => json!(["r", key, values]),
        MicroOp::Read { key, .. } => json!(["r", key, null]),
        MicroOp::Write { key, value } => json!(["w", key, value]),
        MicroOp::Append { key, value } => json!(["append", key, value]),
    }
}
