//! A history that is made in memory, at times that its maker gives: what a simulation records.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::sync::Arc;

use crate::wire::write_line;
use crate::{
    Call, ClientEvent, ClientEventKind, Event, EventRef, FaultPhase, History, NemesisEvent, Operation, Outcome,
    ProcessId, TimeNs,
};

/// Names an operation that was begun and not yet completed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenOperation(usize);

/// A history in the making. What [`crate::Recorder`] is for real runs.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    history: History,
    /// By operation: who answered.
    answered_by: Vec<Option<Arc<str>>>,
    next_index: u64,
}

impl Recording {
    fn index(&mut self) -> u64 {
        self.next_index += 1;
        self.next_index - 1
    }

    /// A client asks. `time` must not be before that of any earlier event.
    pub fn invoke(
        &mut self,
        time: TimeNs,
        process: ProcessId,
        node: &Arc<str>,
        is_final: bool,
        call: Call,
    ) -> OpenOperation {
        let invoke_index = self.index();
        self.history.operations.push(Operation {
            process,
            node: Some(Arc::clone(node)),
            is_final,
            call,
            outcome: Outcome::Info(String::new()),
            invoked: time,
            completed: None,
            invoke_index,
            complete_index: None,
        });
        self.answered_by.push(None);
        OpenOperation(self.history.operations.len() - 1)
    }

    /// What became of an operation, and who said so.
    pub fn complete(&mut self, time: TimeNs, open: OpenOperation, node: &Arc<str>, outcome: Outcome) {
        let index = self.index();
        let operation = &mut self.history.operations[open.0];
        operation.outcome = outcome;
        operation.completed = Some(time);
        operation.complete_index = Some(index);
        self.answered_by[open.0] = Some(Arc::clone(node));
    }

    /// The nemesis does something.
    pub fn nemesis(&mut self, time: TimeNs, fault: u64, f: &str, phase: FaultPhase, detail: String) {
        let index = self.index();
        self.history.nemesis.push(NemesisEvent { index, time, fault, f: f.into(), phase, detail });
    }

    /// What was asked.
    #[must_use]
    pub fn call(&self, open: OpenOperation) -> &Call {
        &self.history.operations[open.0].call
    }

    /// The history so far. Operations that are still open are `info`, without a completion.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The lines of `history.jsonl`.
    #[must_use]
    pub fn to_jsonl(&self) -> Vec<u8> {
        let mut lines = Vec::new();
        let client = |position: usize, index: u64, kind: ClientEventKind| {
            let operation = &self.history.operations[position];
            let (time, node) = match kind {
                ClientEventKind::Invoke => (operation.invoked, &operation.node),
                ClientEventKind::Complete(_) => {
                    (operation.completed.unwrap_or(operation.invoked), &self.answered_by[position])
                }
            };
            Event::Client(ClientEvent {
                index,
                time,
                process: operation.process,
                node: node.clone(),
                is_final: operation.is_final,
                call: operation.call.clone(),
                kind,
            })
        };
        // An operation's place follows from its invocation: they stand in that order.
        let place = |operation: &Operation| {
            self.history.operations.partition_point(|other| other.invoke_index < operation.invoke_index)
        };
        for event in self.history.events() {
            let event = match event {
                EventRef::Invoked(operation) => {
                    client(place(operation), operation.invoke_index, ClientEventKind::Invoke)
                }
                EventRef::Completed(operation) => client(
                    place(operation),
                    operation.complete_index.unwrap_or(operation.invoke_index),
                    ClientEventKind::Complete(operation.outcome.clone()),
                ),
                EventRef::Nemesis(event) => Event::Nemesis(event.clone()),
            };
            write_line(&event, &mut lines);
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{Returned, parse_history};

    #[test]
    fn what_is_written_reads_back_as_it_was_made() {
        let mut recording = Recording::default();
        let (n1, n2) = (Arc::from("n1"), Arc::from("n2"));
        let write = Call::Write { key: "a".into(), value: 1.into() };
        let first = recording.invoke(TimeNs(5), ProcessId(0), &n1, false, write);
        recording.nemesis(TimeNs(6), 0, "kill", FaultPhase::Begin, "kill n1".into());
        let second = recording.invoke(TimeNs(7), ProcessId(1), &n2, true, Call::Read { key: "a".into() });
        recording.complete(TimeNs(9), second, &n1, Outcome::Ok(Returned::Value(1.into())));
        let third = recording.invoke(TimeNs(10), ProcessId(1), &n2, true, Call::Read { key: "b".into() });
        recording.complete(TimeNs(11), first, &n1, Outcome::Info("timeout".into()));
        assert_eq!(recording.call(third), &Call::Read { key: "b".into() });

        let lines = recording.to_jsonl();
        let read = parse_history(Path::new("history.jsonl"), &lines).unwrap();
        assert_eq!(read.nemesis().collect::<Vec<_>>(), recording.history().nemesis().collect::<Vec<_>>());
        let [a, b, open] = read.operations() else { panic!("three operations") };
        let made = recording.history().operations();
        assert_eq!((a.invoked, a.completed, &a.outcome), (TimeNs(5), Some(TimeNs(11)), &made[0].outcome));
        assert_eq!((b.invoked, b.completed, &b.outcome), (TimeNs(7), Some(TimeNs(9)), &made[1].outcome));
        assert_eq!((open.invoked, open.completed), (TimeNs(10), None));
        assert!(matches!(open.outcome, Outcome::Info(_)));
        let completion = String::from_utf8(lines).unwrap().lines().nth(3).unwrap().to_owned();
        assert!(completion.contains(r#""node":"n1""#), "who answered is told: {completion}");
    }
}
