//! What a client believes to hold.

use std::collections::BTreeMap;

use rashomon_history::{Key, Value};
use tokio::time::Instant;

use super::service::{LockService, NotDone, Refusal};

/// A hold, as it was granted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Hold {
    /// Its fencing token, where the service has such.
    pub(super) token: Option<u64>,
    /// How often it was acquired and not given back.
    depth: u32,
}

/// What a client believes.
pub(super) struct Belief {
    careful: bool,
    owner: Option<Value>,
    holds: BTreeMap<Key, Hold>,
}

impl Belief {
    pub(super) fn new(careful: bool) -> Self {
        Self { careful, owner: None, holds: BTreeMap::new() }
    }

    pub(super) fn open(&mut self, owner: Value) {
        self.owner = Some(owner);
        self.holds.clear();
    }

    /// Whether this owner has the session.
    pub(super) fn has_session(&self, owner: &Value) -> Result<(), NotDone> {
        if self.owner.as_ref() == Some(owner) {
            return Ok(());
        }
        Err(NotDone::refused(Refusal::UnknownSession, format!("this client has no session {owner}; nothing was asked")))
    }

    pub(super) fn granted(&mut self, lock: &Key, token: Option<u64>) {
        let hold = self.holds.entry(lock.clone()).or_insert(Hold { token, depth: 0 });
        hold.token = token;
        hold.depth += 1;
    }

    pub(super) fn released(&mut self, lock: &Key) {
        let Some(hold) = self.holds.get_mut(lock) else { return };
        hold.depth -= 1;
        if hold.depth == 0 {
            self.holds.remove(lock);
        }
    }

    /// The service says so.
    pub(super) fn session_is_over(&mut self) {
        self.owner = None;
        if self.careful {
            self.holds.clear();
        }
    }

    /// What became of a command on this lock is open: the session is left to expire.
    pub(super) fn give_up_session(&mut self, lock: &Key) {
        self.holds.remove(lock);
        self.session_is_over();
    }

    /// What became of a write under this lock is open: no other is made under the same hold.
    pub(super) fn distrust(&mut self, set: &Key) {
        self.holds.remove(&lock_of(set));
    }

    /// The hold under which this set may be used now; else why it was not touched.
    pub(super) fn hold_for(&self, set: &Key, service: &dyn LockService) -> Result<Hold, String> {
        let lock = lock_of(set);
        let Some(hold) = self.holds.get(&lock) else {
            return Err(format!("not-held: this client does not hold {lock}; {set} was not touched"));
        };
        let lasts = |until: Instant| Instant::now() < until;
        if self.careful && !service.lease_until(&lock).is_some_and(lasts) {
            return Err(format!("lease-over: the lease of {lock} is over; {set} was not touched"));
        }
        Ok(*hold)
    }
}

/// The lock that guards a set: `l3` for `s3`.
fn lock_of(set: &Key) -> Key {
    let number = set.as_str().trim_start_matches(|letter: char| !letter.is_ascii_digit());
    Key::from(format!("l{number}"))
}
