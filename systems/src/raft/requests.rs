//! Requests of clients that were not yet answered.

use std::collections::BTreeMap;

use crate::raft::Position;
use crate::server::RequestId;

/// Requests of clients that were not yet answered. One that was abandoned is no longer here, and so never answered.
#[derive(Default)]
pub(super) struct Requests {
    /// With the place of the entry, where it is a command.
    open: BTreeMap<RequestId, Option<Position>>,
    /// Commands by index, then term.
    commands: BTreeMap<(u64, u64), RequestId>,
    /// No command of an earlier term is open.
    settled_term: u64,
}

impl Requests {
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn open(&mut self, id: RequestId) {
        self.open.insert(id, None);
    }

    pub(super) fn open_command(&mut self, id: RequestId, at: Position) {
        self.open.insert(id, Some(at));
        self.commands.insert((at.index, at.term), id);
    }

    /// The request is about to be answered, or its client is gone. Answers whether it was open.
    pub(super) fn close(&mut self, id: RequestId) -> bool {
        let closed = self.open.remove(&id);
        if let Some(Some(at)) = closed {
            self.commands.remove(&(at.index, at.term));
        }
        closed.is_some()
    }

    /// Closes the open commands of terms before `term`.
    pub(super) fn close_commands_before(&mut self, term: u64) -> Vec<RequestId> {
        if term <= self.settled_term {
            return Vec::new();
        }
        self.settled_term = term;
        let old = self.commands.iter().filter(|((_, proposed), _)| *proposed < term).map(|(_, id)| *id);
        let old = old.collect::<Vec<_>>();
        for id in &old {
            self.close(*id);
        }
        old
    }

    /// Closes all open commands.
    pub(super) fn close_commands(&mut self) -> Vec<RequestId> {
        let all = self.commands.values().copied().collect::<Vec<_>>();
        for id in &all {
            self.close(*id);
        }
        all
    }

    /// Closes the first open command whose place is at or before `index`.
    pub(super) fn close_command_until(&mut self, index: u64) -> Option<(RequestId, Position)> {
        let first = self.commands.first_entry()?;
        let (at, term) = *first.key();
        if at > index {
            return None;
        }
        let id = first.remove();
        self.open.remove(&id);
        Some((id, Position { term, index: at }))
    }
}
