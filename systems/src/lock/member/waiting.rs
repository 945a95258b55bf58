//! Requests that wait for something to be applied: acquires in a queue, and watches.

use std::collections::BTreeMap;

use rashomon_history::Key;

use super::super::command::{Answer, LockView};
use super::super::machine::LockMachine;
use super::super::session::SessionId;
use crate::server::{Micros, RequestId};

/// A watch is answered after so long also where nothing has changed.
const WATCH_US: u64 = 30_000_000;

/// What waits.
#[derive(Default)]
pub(super) struct Waiting {
    /// Acquires: session and sequence number.
    acquires: BTreeMap<RequestId, (SessionId, u64)>,
    watches: BTreeMap<RequestId, Watch>,
    /// The log was looked at up to here.
    seen_index: u64,
}

struct Watch {
    key: Key,
    /// The version that the client knows.
    after: u64,
    until: Micros,
    /// Whether the client knew the newest version when it asked: what is applied from now on is news.
    is_confirmed: bool,
}

impl Waiting {
    /// The acquire stands in the queue.
    pub(super) fn wait(&mut self, id: RequestId, session: SessionId, sequence: u64) {
        self.acquires.insert(id, (session, sequence));
        // It may have come to something in the same batch.
        self.seen_index = 0;
    }

    /// A client wants to hear of the next change.
    pub(super) fn watch(&mut self, id: RequestId, key: Key, after: u64, now: Micros) {
        self.watches.insert(id, Watch { key, after, until: now.after(WATCH_US), is_confirmed: false });
    }

    /// What a query about a lock saw. Answers it, unless a watch waits for another.
    pub(super) fn saw(&mut self, id: RequestId, view: LockView) -> Option<LockView> {
        match self.watches.get_mut(&id) {
            Some(watch) if watch.after == view.version => {
                watch.is_confirmed = true;
                self.seen_index = 0;
                None
            }
            Some(_) | None => {
                self.watches.remove(&id);
                Some(view)
            }
        }
    }

    pub(super) fn forget(&mut self, id: RequestId) {
        self.acquires.remove(&id);
        self.watches.remove(&id);
    }

    /// When the next watch has waited for long enough.
    pub(super) fn due(&self) -> Micros {
        self.watches.values().map(|watch| watch.until).min().unwrap_or(Micros(u64::MAX))
    }

    /// What is decided now, with the answers; `None` where nobody knows any more.
    pub(super) fn take_decided(
        &mut self,
        now: Micros,
        applied_index: u64,
        machine: &LockMachine,
    ) -> Vec<(RequestId, Option<Answer>)> {
        if applied_index == self.seen_index && now < self.due() {
            return Vec::new();
        }
        self.seen_index = applied_index;
        let mut decided = Vec::new();
        self.acquires.retain(|id, (session, sequence)| {
            let outcome = machine.outcome(*session, *sequence);
            let waits = matches!(outcome, Some(Answer::Waiting { .. }));
            if !waits {
                decided.push((*id, outcome));
            }
            waits
        });
        self.watches.retain(|id, watch| {
            let waits = now < watch.until;
            if waits && !watch.is_confirmed {
                return true;
            }
            let view = machine.view(&watch.key);
            let is_over = !waits || view.version != watch.after;
            if is_over {
                decided.push((*id, Some(Answer::Lock(view))));
            }
            !is_over
        });
        decided
    }
}
