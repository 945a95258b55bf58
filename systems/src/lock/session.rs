//! Sessions: leases in the time of the log, and commands that are applied once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use rashomon_history::Key;
use serde::{Deserialize, Serialize};

use super::command::{Answer, LockRefusal};

/// Answers that one session may wait for at a time.
pub(super) const MAX_AWAITED: usize = 256;

/// Names a session: they are counted from 1, and never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub u64);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session {}", self.0)
    }
}

/// One session that is open.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Session {
    /// How long a lease lasts for the client.
    pub(super) ttl_us: u64,
    /// When the lease ends, in the time of the log.
    pub(super) deadline_us: u64,
    /// The lowest number whose answer the client still waits for.
    awaiting: u64,
    answers: BTreeMap<u64, Answer>,
    /// The locks that it holds or waits for.
    pub(super) keys: BTreeSet<Key>,
}

impl Session {
    pub(super) fn new(ttl_us: u64, deadline_us: u64) -> Self {
        Self { ttl_us, deadline_us, awaiting: 0, answers: BTreeMap::new(), keys: BTreeSet::new() }
    }

    /// Looks whether a command was applied before, as [`crate::session::Sessions`] does. `Ok(None)` where it shall be
    /// applied now.
    pub(super) fn admit(&mut self, sequence: u64, awaiting: u64) -> Result<Option<Answer>, LockRefusal> {
        if awaiting > sequence {
            return Err(LockRefusal::Malformed);
        }
        if awaiting > self.awaiting {
            self.awaiting = awaiting;
            self.answers = self.answers.split_off(&awaiting);
        }
        if sequence < self.awaiting {
            return Err(LockRefusal::StaleSequence);
        }
        if let Some(answer) = self.answers.get(&sequence) {
            return Ok(Some(answer.clone()));
        }
        if self.answers.len() >= MAX_AWAITED {
            return Err(LockRefusal::TooManyAwaited);
        }
        Ok(None)
    }

    /// What the command was answered, as far as the client still waits for it.
    pub(super) fn answer(&self, sequence: u64) -> Option<&Answer> {
        self.answers.get(&sequence)
    }

    /// Whether the client no longer waits for answers for which it waited before, if it waits from `awaiting` on.
    pub(super) fn forgets(&self, awaiting: u64) -> bool {
        awaiting > self.awaiting && self.answers.range(..awaiting).next().is_some()
    }

    /// The commands whose answers are remembered.
    pub(super) fn remembered(&self) -> impl Iterator<Item = u64> {
        self.answers.keys().copied()
    }

    /// The command is answered so from now on.
    pub(super) fn note(&mut self, sequence: u64, answer: Answer) {
        if sequence >= self.awaiting {
            self.answers.insert(sequence, answer);
        }
    }
}
