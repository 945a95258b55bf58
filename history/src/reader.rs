//! Reads histories back, and refuses those that can't be true.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::wire::read_line;
use crate::{ClientEvent, ClientEventKind, Event, History, HistoryError, Outcome, ProcessId, TimeNs};

/// Reads a history of JSON lines. A last line without its line break was torn by a crash and is left out.
///
/// # Errors
/// [`HistoryError`] where the file can't be read, holds no client's event, or can't be a history.
pub fn read_history(path: &Path) -> Result<History, HistoryError> {
    let bytes = std::fs::read(path).map_err(|cause| HistoryError::Io { path: path.into(), cause })?;
    parse_history(path, &bytes)
}

/// The same from memory; `path` is what errors call it.
///
/// # Errors
/// As [`read_history`].
pub fn parse_history(path: &Path, bytes: &[u8]) -> Result<History, HistoryError> {
    let mut reader = Reader::new(path);
    let mut rest = bytes;
    while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
        reader.line(&rest[..end])?;
        rest = &rest[end + 1..];
    }
    // Editors leave out the last line break: what is whole is not torn.
    let whole = serde_json::from_slice::<serde::de::IgnoredAny>(rest).is_ok();
    if !rest.is_empty() && (whole || reader.events.is_empty()) {
        reader.line(rest)?;
        rest = &[];
    }
    reader.finish(rest.len())
}

/// Where an open operation was invoked.
#[derive(Clone, Copy)]
struct Invoked {
    line: usize,
    position: usize,
}

struct Reader {
    path: PathBuf,
    events: Vec<Event>,
    line: usize,
    latest: TimeNs,
    open: HashMap<ProcessId, Invoked>,
    over: HashMap<ProcessId, usize>,
    has_client_event: bool,
}

impl Reader {
    fn new(path: &Path) -> Self {
        Self {
            path: path.into(),
            events: Vec::new(),
            line: 0,
            latest: TimeNs(0),
            open: HashMap::new(),
            over: HashMap::new(),
            has_client_event: false,
        }
    }

    fn line(&mut self, bytes: &[u8]) -> Result<(), HistoryError> {
        self.line += 1;
        let event = std::str::from_utf8(bytes)
            .map_err(|error| format!("not UTF-8 ({error}): is this a history?"))
            .and_then(|text| if text.trim().is_empty() { Ok(None) } else { self.event(text).map(Some) })
            .map_err(|reason| HistoryError::Line { path: self.path.clone(), line: self.line, reason })?;
        self.events.extend(event);
        Ok(())
    }

    fn event(&mut self, text: &str) -> Result<Event, String> {
        let event = read_line(text, self.events.len() as u64)?;
        if event.time() < self.latest {
            return Err(format!(
                "time goes backwards: {} ns after {} ns; sort the events by time if their order was lost",
                event.time().0,
                self.latest.0
            ));
        }
        self.latest = event.time();
        if let Event::Client(event) = &event {
            self.has_client_event = true;
            self.client_event(event)?;
        }
        Ok(event)
    }

    fn client_event(&mut self, event: &ClientEvent) -> Result<(), String> {
        let process = event.process;
        match &event.kind {
            ClientEventKind::Invoke => {
                if let Some(line) = self.over.get(&process) {
                    return Err(format!(
                        "process {process} goes on although its operation of line {line} ended with info; \
                         after an info a client must go on as a new process"
                    ));
                }
                let invoked = Invoked { line: self.line, position: self.events.len() };
                if let Some(first) = self.open.insert(process, invoked) {
                    return Err(format!(
                        "process {process} has two open operations: the one of line {} was not completed; \
                         give each sequential client a process of its own",
                        first.line
                    ));
                }
            }
            ClientEventKind::Complete(outcome) => {
                let Some(invoked) = self.open.remove(&process) else {
                    return Err(format!(
                        "process {process} completes an operation that it never invoked; \
                         an invocation stands before its completion"
                    ));
                };
                self.same_call(event, invoked)?;
                if matches!(outcome, Outcome::Info(_)) {
                    self.over.insert(process, self.line);
                }
            }
        }
        Ok(())
    }

    fn same_call(&self, completion: &ClientEvent, invoked: Invoked) -> Result<(), String> {
        match &self.events[invoked.position] {
            Event::Client(invocation) if invocation.call != completion.call => Err(format!(
                "process {} completes `{}`, but on line {} it invoked `{}`",
                completion.process, completion.call, invoked.line, invocation.call
            )),
            Event::Client(_) | Event::Nemesis(_) => Ok(()),
        }
    }

    fn finish(self, torn_bytes: usize) -> Result<History, HistoryError> {
        if !self.has_client_event {
            return Err(HistoryError::Empty { path: self.path });
        }
        Ok(History { events: self.events, torn_bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let operations = read(&[INVOKE, OK]).unwrap().operations();
        assert_eq!(operations.len(), 1);
        assert_eq!(operations[0].outcome, Outcome::Ok(crate::Returned::Done));
        assert_eq!((operations[0].invoked, operations[0].completed), (TimeNs(10), Some(TimeNs(20))));
    }

    #[test]
    fn an_operation_that_never_completed_is_info() {
        let operations = read(&[INVOKE]).unwrap().operations();
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
        assert!(complaint(&["hello", INVOKE]).starts_with("h.jsonl:1: not JSON"));
        assert!(complaint(&[OK]).starts_with("h.jsonl:1: process 1 completes an operation that it never invoked"));
        assert!(
            complaint(&[INVOKE, INVOKE]).starts_with("h.jsonl:2: process 1 has two open operations: the one of line 1")
        );
        assert!(complaint(&[INVOKE, INFO, &INVOKE.replace("10", "30")]).contains("new process"));
        assert!(
            complaint(&[INVOKE, &OK.replace("20", "5")])
                .starts_with("h.jsonl:2: time goes backwards: 5 ns after 10 ns")
        );
        assert!(complaint(&[INVOKE, &OK.replace("\"value\":1", "\"value\":2")]).contains("on line 1 it invoked"));
        assert!(complaint(&[&INVOKE.replace("write", "wrote")]).contains("\"f\" is \"wrote\""));
        assert!(complaint(&[&INVOKE.replace("invoke", "begin")]).contains("\"type\" is \"begin\""));
    }

    #[test]
    fn what_is_not_json_is_called_so_even_without_a_line_break() {
        let error = parse_history(Path::new("h"), b"PK\x03\x04 whatever").unwrap_err().to_string();
        assert!(error.starts_with("h:1: not JSON"), "{error}");
    }
}
