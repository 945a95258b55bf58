//! Histories of transactions in JSON, with Jepsen's field names.

use std::collections::{HashMap, VecDeque};

use rashomon_checker::transactions::{Transaction, TransactionHistory, TransactionOutcome};
use rashomon_history::{Key, Value};
use serde_json::Value as Json;

/// The history of these events; a process's completions belong to its invocations in their order. Positions count operations. Events of a process without an invocation before them are
/// transactions that took no time.
pub(crate) fn history<'a>(events: impl IntoIterator<Item = &'a Json>) -> TransactionHistory {
    let mut open: HashMap<u64, VecDeque<usize>> = HashMap::new();
    let mut transactions: Vec<(Transaction, Json)> = Vec::new();
    for (time, event) in (0..).zip(events) {
        let process = event["process"].as_u64().expect("a process");
        let outcome = match event["type"].as_str() {
            Some("ok") => TransactionOutcome::Committed,
            Some("fail") => TransactionOutcome::Aborted,
            Some("invoke" | "info") => TransactionOutcome::Unknown,
            other => panic!("{other:?}"),
        };
        let position = transactions.len();
        let begun = Transaction { process, outcome, invoked: time, completed: time, position };
        if event["type"] == "invoke" {
            open.entry(process).or_default().push_back(position);
            transactions.push((begun, event["value"].clone()));
        } else if let Some(position) = open.entry(process).or_default().pop_front() {
            let (transaction, value) = &mut transactions[position];
            transaction.outcome = outcome;
            transaction.completed = time;
            *value = event["value"].clone();
        } else {
            transactions.push((begun, event["value"].clone()));
        }
    }
    let mut history = TransactionHistory::new();
    for (transaction, micro_ops) in &transactions {
        history.begin(*transaction).expect("a sound transaction");
        for micro_op in micro_ops.as_array().expect("micro-operations") {
            add(&mut history, micro_op);
        }
    }
    history
}

fn add(history: &mut TransactionHistory, micro_op: &Json) {
    let key = match &micro_op[1] {
        Json::String(name) => Key::from(name.as_str()),
        other => Key::from(other.to_string()),
    };
    let argument = micro_op.get(2).unwrap_or(&Json::Null);
    let added = match (micro_op[0].as_str(), argument) {
        (Some("append"), value) => history.append(&key, &read(value)),
        (Some("w"), value) => history.write(&key, &read(value)),
        (Some("r"), Json::Null) => history.read_nothing(&key),
        (Some("r"), Json::Array(seen)) => history.read_list(&key, &seen.iter().map(read).collect::<Vec<_>>()),
        (Some("r"), value) => history.read_value(&key, &read(value)),
        other => panic!("{other:?}"),
    };
    added.expect("a sound micro-operation");
}

fn read(value: &Json) -> Value {
    serde_json::from_value(value.clone()).expect("a value")
}
