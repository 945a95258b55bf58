//! A whole history: the operations of its clients, and what the nemesis did.

use crate::{Call, NemesisEvent, Outcome, ProcessId, TimeNs};
use std::sync::Arc;

/// A sound history: every completion has its invocation, a process has one open operation at a time and none after an
/// `info`, and time does not go backwards. Made by [`crate::read_history`].
#[derive(Clone, Debug, Default)]
pub struct History {
    pub(crate) operations: Vec<Operation>,
    pub(crate) nemesis: Vec<NemesisEvent>,
    pub(crate) torn: Torn,
}

/// What a crash took from the end of a history.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Torn {
    /// Bytes of an unfinished last line.
    pub(crate) bytes: usize,
    /// Whether the compressed file ends before its end.
    pub(crate) is_cut: bool,
}

/// One call of one client, from its invocation to its completion.
#[derive(Clone, PartialEq, Debug)]
pub struct Operation {
    /// Who asked.
    pub process: ProcessId,
    /// The node that was asked, where it is known.
    pub node: Option<Arc<str>>,
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

/// One event of a history.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum EventRef<'a> {
    /// A client asked.
    Invoked(&'a Operation),
    /// A client was answered, or gave up.
    Completed(&'a Operation),
    /// The nemesis did something.
    Nemesis(&'a NemesisEvent),
}

impl EventRef<'_> {
    /// Its position in the history.
    #[must_use]
    pub fn index(&self) -> u64 {
        match self {
            Self::Invoked(operation) => operation.invoke_index,
            Self::Completed(operation) => operation.complete_index.unwrap_or(u64::MAX),
            Self::Nemesis(event) => event.index,
        }
    }

    /// When it was written down.
    #[must_use]
    pub fn time(&self) -> TimeNs {
        match self {
            Self::Invoked(operation) => operation.invoked,
            Self::Completed(operation) => operation.completed.unwrap_or(TimeNs(u64::MAX)),
            Self::Nemesis(event) => event.time,
        }
    }
}

impl History {
    /// The operations, by invocation.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The operations, by invocation, where nothing else is asked of the history.
    #[must_use]
    pub fn into_operations(self) -> Vec<Operation> {
        self.operations
    }

    /// What the nemesis did, in order.
    pub fn nemesis(&self) -> impl Iterator<Item = &NemesisEvent> {
        self.nemesis.iter()
    }

    /// The events of clients and nemesis, in their order. They are sorted anew by every call.
    #[must_use]
    pub fn events(&self) -> Vec<EventRef<'_>> {
        let mut events = Vec::with_capacity(2 * self.operations.len() + self.nemesis.len());
        for operation in &self.operations {
            events.push(EventRef::Invoked(operation));
            events.extend(operation.complete_index.map(|_| EventRef::Completed(operation)));
        }
        events.extend(self.nemesis.iter().map(EventRef::Nemesis));
        events.sort_by_key(EventRef::index);
        events
    }

    /// Bytes of an unfinished last line that were left out: the run was killed while it wrote.
    #[must_use]
    pub fn torn_bytes(&self) -> usize {
        self.torn.bytes
    }

    /// Whether the file was compressed and ends too early, so that only its beginning could be read.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.torn.is_cut
    }
}
