//! Who holds what and who waits for it, to hold one state against the next.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_history::Key;

use crate::lock::machine::LockMachine;
use crate::lock::session::SessionId;

/// What one session holds of one lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Held {
    pub(super) token: u64,
    pub(super) permits: u32,
}

/// One who waits: the session, and the number of its acquire.
pub(super) type Waits = (SessionId, u64);

/// The locks of one state.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Shape {
    pub(super) sessions: BTreeSet<SessionId>,
    pub(super) holds: BTreeMap<(Key, SessionId), Held>,
    pub(super) queues: BTreeMap<Key, Vec<Waits>>,
    /// Commands that were applied, as far as sessions still remember them.
    pub(super) applied: BTreeSet<(SessionId, u64)>,
}

impl Shape {
    pub(super) fn of(machine: &LockMachine) -> Self {
        let mut shape = Self {
            sessions: machine.sessions().collect(),
            applied: machine.remembered_commands().collect(),
            ..Self::default()
        };
        for (key, lock) in machine.locks() {
            for (session, hold) in &lock.holds {
                shape.holds.insert((key.clone(), *session), Held { token: hold.token, permits: hold.permits });
            }
            let queue = lock.queue.iter().map(|waiter| (waiter.session, waiter.sequence));
            shape.queues.insert(key.clone(), queue.collect());
        }
        shape
    }
}
