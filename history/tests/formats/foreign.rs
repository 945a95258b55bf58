//! Operations with call and return, and what is no history at all.

use rashomon_history::{Outcome, ProcessId};

use crate::{complaint, operations, read, told};

const OPERATIONS: &str = r#"{"client":6,"input":{"op":"read"},"output":{"value":1},"call":10,"return":40}
{"client":8,"input":{"op":"write","value":1},"output":{},"call":20,"return":30}
{"client":7,"input":{"op":"cas","from":0,"to":2},"output":{"ok":false},"call":30,"return":50}
{"client":7,"input":{"op":"cas","from":1,"to":2},"output":{"ok":true},"call":60,"return":70}
{"client":8,"input":{"op":"write","value":5},"output":null,"call":80,"return":null}
{"client":8,"input":{"op":"read","key":3},"output":{"value":null},"call":90,"return":95}
"#;

#[test]
fn operations_with_call_and_return_are_read() {
    let operations = operations(OPERATIONS);
    assert_eq!(
        told(&operations),
        [
            "read x: 1",
            "write x = 1: ok",
            "cas x 0 -> 2: not swapped",
            "cas x 1 -> 2: swapped",
            "write x = 5: info",
            "read 3: nil"
        ]
    );
    // At one time, calls come before returns: the operations are concurrent.
    assert!(operations[2].invoke_index < operations[1].complete_index.unwrap());
    assert_eq!(operations[4].process, ProcessId(8));
    assert_eq!(operations[5].process, ProcessId(9), "after an unknown outcome the client is a new process");
}

#[test]
fn operations_may_stand_in_any_order() {
    let reversed: String = OPERATIONS.lines().rev().map(|line| format!("{line}\n")).collect();
    let mut wanted = operations(OPERATIONS);
    let mut read = operations(&reversed);
    wanted.sort_by_key(|operation| (operation.invoked, operation.process));
    read.sort_by_key(|operation| (operation.invoked, operation.process));
    assert_eq!(told(&read), told(&wanted));
}

#[test]
fn other_objects_have_operations_too() {
    let cases = [
        (r#"{"op":"add","value":1}"#, r#"{}"#, "add 1 to x: ok"),
        (r#"{"op":"add","value":1}"#, r#"{"ok":false}"#, "add 1 to x: no"),
        (r#"{"op":"contains","value":1}"#, r#"{"ok":true}"#, "is 1 in x: yes"),
        (r#"{"op":"read"}"#, r#"{"value":[1,2]}"#, "read x: [1, 2]"),
        (r#"{"op":"append","value":1,"key":"l"}"#, r#"{}"#, "append 1 to l: ok"),
        (r#"{"op":"enqueue","value":1}"#, r#"{}"#, "enqueue 1 in x: ok"),
        (r#"{"op":"dequeue"}"#, r#"{"value":1}"#, "dequeue from x: 1"),
        (r#"{"op":"dequeue"}"#, r#"{}"#, "dequeue from x: nil"),
        (r#"{"op":"increment","value":2}"#, r#"{"value":7}"#, "increment x by 2: 7"),
        (r#"{"op":"increment"}"#, r#"{}"#, "increment x by 1: ok"),
        (r#"{"op":"cas","from":1,"to":2}"#, r#"{"ok":false,"value":3}"#, "cas x 1 -> 2: not swapped, found 3"),
        (r#"{"op":"lock"}"#, r#"{}"#, "acquire x for 4: ok"),
    ];
    for (input, output, wanted) in cases {
        let line = format!(r#"{{"client":4,"input":{input},"output":{output},"call":1,"return":2}}"#);
        assert_eq!(told(&operations(&line)), [wanted]);
    }
}

#[test]
fn operations_that_cant_be_are_refused_with_their_line() {
    let cases = [
        (OPERATIONS.replace(r#""call":60"#, r#""call":40"#), "h:4: client 7 calls again at 40 ns, before its earlier"),
        (
            OPERATIONS.replace(r#""return":30"#, r#""return":19"#),
            "h:2: the operation returns at 19, before it is called",
        ),
        (OPERATIONS.replace(r#""return":30"#, r#""return":null"#), "h:2: an operation with an \"output\" but without"),
        (OPERATIONS.replace(r#""op":"write""#, r#""op":"wrote""#), "h:2: the \"op\" of the input is \"wrote\""),
        (OPERATIONS.replace(r#""return":30}"#, r#""return":30"#), "h:2: no operation"),
        (
            OPERATIONS.replace(r#""value":1},"output":{}"#, r#""value":[1]},"output":{}"#),
            "h:2: the value of a write is [1]",
        ),
    ];
    for (text, wanted) in cases {
        assert!(complaint(&text).starts_with(wanted), "{wanted}\n{}", complaint(&text));
    }
    let torn = read(&OPERATIONS[..OPERATIONS.len() - 10]);
    assert_eq!((torn.operations().len(), torn.torn_bytes()), (5, 79));
    assert!(matches!(torn.operations()[4].outcome, Outcome::Info(_)));
}

#[test]
fn what_is_no_history_is_told_with_what_to_do() {
    let cases: [(&[u8], &str); 12] = [
        (b"", "h: the history is empty"),
        (b" \n\t\n", "h: the history is empty"),
        (b"garbage in one line", "h: no history: it begins with \"garbage in one line\""),
        (b"\xff\xfe{\0\"\0", "h: UTF-16 text: make it UTF-8 first"),
        (b"\xfe\xff\0{\0\"", "h: UTF-16 text"),
        (b"{\0\"\0a\0", "h: UTF-16 text"),
        (b"<!DOCTYPE html><html>", "h: HTML or XML"),
        (b"PK\x03\x04 whatever", "h: a ZIP archive"),
        (b"BZh91AY", "h: packed by bzip2"),
        (b"\xfd7zXZ\0", "h: packed by xz"),
        (b"\x7fELF\x02\x01\0\0", "h: binary data"),
        (b"{\"a\xff\":", "h:1: not UTF-8"),
    ];
    for (bytes, wanted) in cases {
        let error = rashomon_history::parse_history("h".as_ref(), bytes).unwrap_err().to_string();
        assert!(error.starts_with(wanted), "{wanted}: {error}");
        assert!(!error.contains('\n'), "one line: {error}");
    }
}
