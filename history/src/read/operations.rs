//! `{"client":6,"input":{"op":"read"},"output":{"value":1},"call":65637,"return":1013087}`: an operation a line.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::Deserialize;

use crate::intern::Names;
use crate::read::Trouble;
use crate::read::form::Form;
use crate::read::input::Input;
use crate::read::jepsen::key_name;
use crate::read::jepsen_words::scalar;
use crate::read::pairing::Pairing;
use crate::{Call, Operation, Outcome, ProcessId, Returned, TimeNs, Value};

#[derive(Deserialize)]
struct InOperation<'a> {
    client: u64,
    #[serde(borrow)]
    input: Form<'a>,
    #[serde(borrow, default)]
    output: Form<'a>,
    call: u64,
    #[serde(rename = "return")]
    returned: Option<u64>,
}

/// What was read so far.
struct Reader {
    names: Names,
    operations: Vec<Operation>,
    /// The line of each.
    lines: Vec<usize>,
}

/// Reads all lines; also says how many bytes of a torn last line were left out.
pub(crate) fn read(input: &mut Input<'_>) -> Result<(Pairing, usize), Trouble> {
    let mut reader = Reader { names: Names::default(), operations: Vec::new(), lines: Vec::new() };
    let mut torn_bytes = 0;
    let mut number = 0;
    while let Some(line) = input.line()? {
        number += 1;
        if line.bytes.trim_ascii().is_empty() {
            continue;
        }
        match reader.line(line.bytes, number) {
            Ok(()) => {}
            Err(_) if !line.is_whole && !reader.operations.is_empty() => torn_bytes = line.bytes.len(),
            Err(reason) => return Err(Trouble::Line { line: number, reason }),
        }
    }
    Ok((Pairing::of(reader.in_order()?), torn_bytes))
}

impl Reader {
    fn line(&mut self, bytes: &[u8], number: usize) -> Result<(), String> {
        let told: InOperation<'_> = serde_json::from_slice(bytes).map_err(|error| {
            format!("no operation: {error}; one is {{\"client\":0,\"input\":{{\"op\":\"read\"}},\"output\":{{\"value\":1}},\"call\":0,\"return\":9}}")
        })?;
        let process = ProcessId(told.client);
        let call = self.call(&told.input, process)?;
        let outcome = match told.output.untagged() {
            Form::Nil => Outcome::Info("unknown".into()),
            output => Outcome::Ok(self.returned(&call, output)?),
        };
        let completed = match (&outcome, told.returned) {
            (_, Some(returned)) if returned < told.call => {
                return Err(format!("the operation returns at {returned}, before it is called at {}", told.call));
            }
            (Outcome::Ok(_), None) => return Err("an operation with an \"output\" but without \"return\"".into()),
            (_, returned) => returned.map(TimeNs),
        };
        self.operations.push(Operation {
            process,
            node: None,
            is_final: false,
            call,
            outcome,
            invoked: TimeNs(told.call),
            completed,
            invoke_index: 0,
            complete_index: None,
        });
        self.lines.push(number);
        Ok(())
    }

    fn call(&mut self, input: &Form<'_>, process: ProcessId) -> Result<Call, String> {
        let f = input.get("op").or_else(|| input.get("f")).and_then(Form::name).unwrap_or_default();
        let key = self.names.key(&input.get("key").map_or_else(|| "x".to_owned(), key_name));
        let value = |name: &str| input.get(name).map_or(Ok(Value::Nil), |form| scalar(form, f));
        let owner = || i64::try_from(process.0).map_or(Value::Nil, Value::Int);
        Ok(match f {
            "read" | "get" => Call::Read { key },
            "write" | "put" => Call::Write { key, value: value("value")? },
            "cas" => Call::Cas { key, from: value("from")?, to: value("to")? },
            "append" => Call::Append { key, value: value("value")? },
            "add" => Call::Add { key, value: value("value")? },
            "remove" => Call::Remove { key, value: value("value")? },
            "contains" => Call::Contains { key, value: value("value")? },
            "delete" => Call::Delete { key },
            "increment" => match value("value")? {
                Value::Int(by) => Call::Increment { key, by },
                Value::Nil => Call::Increment { key, by: 1 },
                other => return Err(format!("the value of an increment is {other}; it must be a whole number")),
            },
            "enqueue" => Call::Enqueue { key, value: value("value")? },
            "dequeue" => Call::Dequeue { key },
            "drain" => Call::Drain { key },
            "open-session" => Call::OpenSession { owner: owner() },
            "keep-alive" => Call::KeepAlive { owner: owner() },
            "acquire" | "lock" => Call::Acquire { key, owner: owner(), permits: 1 },
            "release" | "unlock" => Call::Release { key, owner: owner(), permits: 1 },
            "generate" => Call::Generate { key },
            other => {
                return Err(format!(
                    "the \"op\" of the input is {other:?}; known are read, write, cas, append, add, remove, contains, \
                     delete, increment, enqueue, dequeue, drain, open-session, keep-alive, acquire, release and \
                     generate"
                ));
            }
        })
    }

    fn returned(&mut self, call: &Call, output: &Form<'_>) -> Result<Returned, String> {
        let value = output.get("value").unwrap_or(&Form::Nil);
        let flag = match output.get("ok") {
            Some(Form::Bool(flag)) => Some(*flag),
            _ => None,
        };
        let list = |forms: &[Form<'_>]| forms.iter().map(|form| scalar(form, call.f())).collect::<Result<_, _>>();
        Ok(match (call, value) {
            (Call::Read { .. } | Call::Drain { .. }, Form::List(forms)) => Returned::List(list(forms)?),
            (Call::Read { .. } | Call::Dequeue { .. } | Call::Generate { .. }, _) => {
                Returned::Value(scalar(value, call.f())?)
            }
            (Call::Drain { .. }, _) => Returned::List(Vec::new()),
            (Call::Increment { .. }, Form::Int(sum)) => Returned::Value(Value::Int(*sum)),
            (Call::Cas { .. }, _) if flag == Some(false) => {
                let current = output.get("value").map(|form| scalar(form, "cas")).transpose()?;
                Returned::NotSwapped { current }
            }
            (Call::Cas { .. }, _) => Returned::Swapped,
            (Call::Contains { .. }, _) => {
                Returned::Flag(flag.ok_or("the output of contains must be {\"ok\":true} or {\"ok\":false}")?)
            }
            (Call::Add { .. } | Call::Remove { .. }, _) => flag.map_or(Returned::Done, Returned::Flag),
            _ => Returned::Done,
        })
    }

    /// Operations by call, with positions: at one time calls come before returns, so that they are concurrent.
    fn in_order(mut self) -> Result<Vec<Operation>, Trouble> {
        let mut order: Vec<usize> = (0..self.operations.len()).collect();
        order.sort_by_key(|&place| (self.operations[place].invoked, place));
        self.give_new_names(&order)?;
        let mut events: Vec<(TimeNs, bool, usize)> = Vec::with_capacity(2 * order.len());
        for (place, operation) in order.iter().map(|&place| (place, &self.operations[place])) {
            events.push((operation.invoked, false, place));
            events.extend(operation.completed.map(|time| (time, true, place)));
        }
        events.sort_by_key(|&(time, is_return, _)| (time, is_return));
        for (index, (_, is_return, place)) in events.into_iter().enumerate() {
            let operation = &mut self.operations[place];
            if is_return {
                operation.complete_index = Some(index as u64);
            } else {
                operation.invoke_index = index as u64;
            }
        }
        self.operations.sort_by_key(|operation| operation.invoke_index);
        Ok(self.operations)
    }

    /// A client that goes on after an operation of unknown outcome is a new process; one with two operations at a time
    /// is refused.
    fn give_new_names(&mut self, order: &[usize]) -> Result<(), Trouble> {
        let mut next = self.operations.iter().map(|operation| operation.process.0 + 1).max().unwrap_or(0);
        let mut last: FxHashMap<ProcessId, usize> = FxHashMap::default();
        let mut now: BTreeMap<ProcessId, ProcessId> = BTreeMap::new();
        for &place in order {
            let client = self.operations[place].process;
            let before = last.insert(client, place).map(|before| &self.operations[before]);
            match before.map(|before| (&before.outcome, before.completed)) {
                Some((Outcome::Info(_), _)) => {
                    now.insert(client, ProcessId(next));
                    next += 1;
                }
                Some((Outcome::Ok(_) | Outcome::Fail(_), Some(returned)))
                    if returned > self.operations[place].invoked =>
                {
                    let reason = format!(
                        "client {client} calls again at {} ns, before its earlier operation returns at {} ns; \
                         give each sequential client a number of its own",
                        self.operations[place].invoked.0, returned.0
                    );
                    return Err(Trouble::Line { line: self.lines[place], reason });
                }
                _ => {}
            }
            if let Some(&process) = now.get(&client) {
                self.operations[place].process = process;
            }
        }
        Ok(())
    }
}
