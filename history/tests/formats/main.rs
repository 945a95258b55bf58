//! Histories as others write them.

mod foreign;
mod jepsen;
mod nemesis;
mod packed;
mod porcupine;

use std::path::Path;

use rashomon_history::{History, HistoryError, Operation, Outcome, ReadOptions, Returned, parse_history};

/// Reads a text of which nothing else is known.
fn read(text: &str) -> History {
    parse_history(Path::new("h"), text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn operations(text: &str) -> Vec<Operation> {
    read(text).into_operations()
}

/// What a history is refused with.
fn complaint(text: &str) -> String {
    complaint_with(ReadOptions::default(), text)
}

fn complaint_with(options: ReadOptions, text: &str) -> String {
    let read: Result<History, HistoryError> = options.read_from(Path::new("h"), text.as_bytes());
    read.expect_err("this can't be a history").to_string()
}

/// The calls with what they brought back, in words: `write x = 1: ok`, `read x: 3`.
fn told(operations: &[Operation]) -> Vec<String> {
    operations.iter().map(tell).collect()
}

fn tell(operation: &Operation) -> String {
    match &operation.outcome {
        Outcome::Ok(returned) => format!("{}: {returned}", operation.call),
        Outcome::Fail(_) => format!("{}: fail", operation.call),
        Outcome::Info(_) => format!("{}: info", operation.call),
    }
}

fn returned(operation: &Operation) -> &Returned {
    match &operation.outcome {
        Outcome::Ok(returned) => returned,
        other => panic!("{other:?}"),
    }
}
