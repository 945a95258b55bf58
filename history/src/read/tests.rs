//! What can be read and what is refused, whatever the format.

use std::path::Path;

use crate::{History, Outcome, TimeNs, parse_history};

const INVOKE: &str = r#"{"index":0,"time":10,"process":1,"type":"invoke","f":"write","key":"a","value":1}"#;
const OK: &str = r#"{"index":1,"time":20,"process":1,"type":"ok","f":"write","key":"a","value":1}"#;
const INFO: &str =
    r#"{"index":1,"time":20,"process":1,"type":"info","f":"write","key":"a","value":1,"error":"timeout"}"#;

fn read(lines: &[&str]) -> Result<History, String> {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    parse_history(Path::new("h.jsonl"), text.as_bytes()).map_err(|error| error.to_string())
}

fn complaint(lines: &[&str]) -> String {
    read(lines).expect_err("this history can't be")
}

#[test]
fn a_sound_history_is_paired() {
    let operations = read(&[INVOKE, OK]).unwrap().into_operations();
    assert_eq!(operations.len(), 1);
    assert_eq!(operations[0].outcome, Outcome::Ok(crate::Returned::Done));
    assert_eq!((operations[0].invoked, operations[0].completed), (TimeNs(10), Some(TimeNs(20))));
}

#[test]
fn an_operation_that_never_completed_is_info() {
    let operations = read(&[INVOKE]).unwrap().into_operations();
    assert!(matches!(operations[0].outcome, Outcome::Info(_)));
    assert_eq!(operations[0].completed, None);
}

#[test]
fn a_history_torn_at_any_byte_is_read_up_to_its_last_whole_line() {
    let text = format!("{INVOKE}\n{OK}\n");
    for end in INVOKE.len() + 1..text.len() - 1 {
        let history = parse_history(Path::new("h"), &text.as_bytes()[..end]).unwrap();
        let whole_lines = if end == text.len() - 1 { 2 } else { 1 };
        assert_eq!(history.events().len(), whole_lines, "cut at byte {end}");
        assert_eq!(history.torn_bytes(), end - INVOKE.len() - 1);
    }
}

#[test]
fn a_last_line_without_its_break_still_counts_when_it_is_whole() {
    let history = parse_history(Path::new("h"), format!("{INVOKE}\n{OK}").as_bytes()).unwrap();
    assert_eq!((history.events().len(), history.torn_bytes()), (2, 0));
}

#[test]
fn what_cant_be_a_history_is_refused_with_its_line() {
    assert!(complaint(&[]).starts_with("h.jsonl: the history is empty"));
    assert!(complaint(&[INVOKE, "{\"x\":"]).starts_with("h.jsonl:2: not JSON"));
    assert!(complaint(&["hello", INVOKE]).starts_with("h.jsonl: no history: it begins with \"hello"));
    assert!(complaint(&[OK]).starts_with("h.jsonl:1: process 1 completes an operation that it never invoked"));
    assert!(
        complaint(&[INVOKE, INVOKE]).starts_with("h.jsonl:2: process 1 has two open operations: the one of line 1")
    );
    assert!(complaint(&[INVOKE, INFO, &INVOKE.replace("10", "30")]).contains("new process"));
    assert!(
        complaint(&[INVOKE, &OK.replace("20", "5")]).starts_with("h.jsonl:2: time goes backwards: 5 ns after 10 ns")
    );
    assert!(complaint(&[INVOKE, &OK.replace("\"value\":1", "\"value\":2")]).contains("on line 1 it invoked"));
    assert!(complaint(&[&INVOKE.replace("write", "wrote")]).contains("\"f\" is \"wrote\""));
    assert!(complaint(&[&INVOKE.replace("invoke", "begin")]).contains("\"type\" is \"begin\""));
}
