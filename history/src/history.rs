//! A whole history, and its events paired to operations.

use std::collections::HashMap;

use crate::{Call, ClientEventKind, Event, NemesisEvent, Outcome, ProcessId, TimeNs};

/// A sound history, in the order of its lines: every completion has its invocation, a process has one open operation at
/// a time and none after an `info`, and time does not go backwards. Made by [`crate::read_history`].
#[derive(Clone, Debug, Default)]
pub struct History {
    pub(crate) events: Vec<Event>,
    pub(crate) torn_bytes: usize,
}

/// One call of one client, from its invocation to its completion.
#[derive(Clone, PartialEq, Debug)]
pub struct Operation {
    /// Who asked.
    pub process: ProcessId,
    /// The node that was asked, where it is known.
    pub node: Option<Box<str>>,
    /// Whether it belongs to the final reads.
    pub is_final: bool,
    /// What was asked.
    pub call: Call,
    /// What became of it. An operation still open at the end of the history is `info`.
    pub outcome: Outcome,
    /// When it was asked.
    pub invoked: TimeNs,
    /// When the completion came; `None` where the history ends first. After an `info` the operation may still take
    /// effect at any later time, whatever stands here.
    pub completed: Option<TimeNs>,
    /// Position of the invocation in the history.
    pub invoke_index: u64,
    /// Position of the completion in the history. Positions order events of the same nanosecond.
    pub complete_index: Option<u64>,
}

impl History {
    /// The events, in the order of the lines.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Bytes of an unfinished last line that were left out: the run was killed while it wrote.
    #[must_use]
    pub fn torn_bytes(&self) -> usize {
        self.torn_bytes
    }

    /// What the nemesis did, in order.
    pub fn nemesis(&self) -> impl Iterator<Item = &NemesisEvent> {
        self.events.iter().filter_map(|event| match event {
            Event::Nemesis(event) => Some(event),
            Event::Client(_) => None,
        })
    }

    /// The operations, by invocation.
    #[must_use]
    pub fn operations(&self) -> Vec<Operation> {
        let mut operations: Vec<Operation> = Vec::with_capacity(self.events.len() / 2);
        let mut open: HashMap<ProcessId, usize> = HashMap::new();
        for event in &self.events {
            let Event::Client(event) = event else { continue };
            match &event.kind {
                ClientEventKind::Invoke => {
                    open.insert(event.process, operations.len());
                    operations.push(Operation {
                        process: event.process,
                        node: event.node.clone(),
                        is_final: event.is_final,
                        call: event.call.clone(),
                        outcome: Outcome::Info("still open when the history ends".into()),
                        invoked: event.time,
                        completed: None,
                        invoke_index: event.index,
                        complete_index: None,
                    });
                }
                ClientEventKind::Complete(outcome) => {
                    if let Some(position) = open.remove(&event.process) {
                        let operation = &mut operations[position];
                        operation.outcome = outcome.clone();
                        operation.completed = Some(event.time);
                        operation.complete_index = Some(event.index);
                    }
                }
            }
        }
        operations
    }
}
