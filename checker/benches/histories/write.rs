//! Writes the histories to files, an operation a line, for other checkers to be measured on the same ones.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use rashomon_checker::Operation;
use rashomon_checker::queue::{QueueCall, QueueReturn};
use rashomon_history::{Call, Returned};
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
