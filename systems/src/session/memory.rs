//! What some planted bugs remember that is not part of the replicated state.

use std::collections::BTreeMap;

use crate::raft::Local;
use crate::server::Micros;
use crate::session::SessionId;

/// RX-04: a session that was not used for so long is gone.
const UNUSED_US: u64 = 1_000_000;

/// What some planted bugs remember. Nothing of the right code follows from it.
#[derive(Clone, Debug)]
pub(super) struct Memory<A> {
    /// RX-02: answers since this replica leads.
    pub answers: BTreeMap<(SessionId, u64), A>,
    /// RX-04: what this replica's clock shows, and showed when a session was last used.
    now: Micros,
    used_at: BTreeMap<SessionId, Micros>,
}

impl<A> Default for Memory<A> {
    fn default() -> Self {
        Self { answers: BTreeMap::new(), now: Micros::default(), used_at: BTreeMap::new() }
    }
}

impl<A> Memory<A> {
    pub(super) fn overhear(&mut self, local: Local) {
        match local {
            Local::Leads => self.answers.clear(),
            Local::Clock(now) => self.now = now,
        }
    }

    /// Whether the session was not used for long; it is used now.
    pub(super) fn is_long_unused(&mut self, id: SessionId) -> bool {
        self.used_at.insert(id, self.now).is_some_and(|used_at| self.now.since(used_at) >= UNUSED_US)
    }
}
