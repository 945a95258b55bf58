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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::command::{Action, Command, Entry};
    use crate::lock::machine::LockOptions;
    use crate::raft::StateMachine;

    const LATER: Micros = Micros(5_000);

    fn key() -> Key {
        "l".into()
    }

    fn apply(machine: &mut LockMachine, index: u64, command: Command) -> Answer {
        machine.apply(index, &Entry { by_us: 0, command }.encode())
    }

    fn acquire(machine: &mut LockMachine, index: u64, session: u64) -> Answer {
        let action = Action::Acquire { key: key(), permits: 1, of: 1, wait_us: 1_000_000 };
        apply(machine, index, Command::InSession { session: SessionId(session), sequence: 1, awaiting: 1, action })
    }

    /// Two sessions, the first of which holds the lock since entry 3.
    fn machine() -> LockMachine {
        let mut machine = LockMachine::new(LockOptions::default());
        apply(&mut machine, 1, Command::Open { ttl_ms: None });
        apply(&mut machine, 2, Command::Open { ttl_ms: None });
        assert_eq!(acquire(&mut machine, 3, 1), Answer::Granted { token: 1 });
        machine
    }

    #[test]
    fn an_acquire_is_answered_when_it_has_come_to_something() {
        let (mut machine, mut waiting) = (machine(), Waiting::default());
        acquire(&mut machine, 4, 2);
        waiting.wait(RequestId(7), SessionId(2), 1);
        assert_eq!(waiting.take_decided(LATER, 4, &machine), []);
        apply(&mut machine, 5, Command::Close { session: SessionId(1) });
        let granted = (RequestId(7), Some(Answer::Granted { token: 2 }));
        assert_eq!(waiting.take_decided(LATER, 5, &machine), [granted]);
        assert_eq!(waiting.take_decided(LATER, 6, &machine), [], "it is answered once");
    }

    #[test]
    fn a_watch_is_answered_when_the_lock_changes_or_after_a_while() {
        let (mut machine, mut waiting) = (machine(), Waiting::default());
        waiting.watch(RequestId(1), key(), 0, Micros(0));
        assert_eq!(waiting.saw(RequestId(1), machine.view(&key())), Some(machine.view(&key())), "news at once");
        for id in [2, 3] {
            waiting.watch(RequestId(id), key(), 3, Micros(id));
            assert_eq!(waiting.saw(RequestId(id), machine.view(&key())), None);
        }
        waiting.forget(RequestId(3));
        assert_eq!(waiting.take_decided(LATER, 3, &machine), []);
        acquire(&mut machine, 4, 2);
        let news = (RequestId(2), Some(Answer::Lock(machine.view(&key()))));
        assert_eq!(waiting.take_decided(LATER, 4, &machine), [news], "somebody waits now");

        waiting.watch(RequestId(4), key(), 4, LATER);
        waiting.saw(RequestId(4), machine.view(&key()));
        assert_eq!((waiting.take_decided(LATER, 4, &machine), waiting.due()), (vec![], LATER.after(WATCH_US)));
        let same = (RequestId(4), Some(Answer::Lock(machine.view(&key()))));
        assert_eq!(waiting.take_decided(LATER.after(WATCH_US), 4, &machine), [same]);
    }
}
