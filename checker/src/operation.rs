//! What is checked: operations with two times.

use std::fmt;

use crate::narrator::{Narrator, Nobody};

/// One call of one client, from its invocation to its completion.
///
/// The interval is closed: an operation may take effect at both of its ends, so that one which completes at time 5 and
/// one invoked at time 5 are concurrent. Times are in any unit that grows; positions in a log serve as well, and order
/// the events of one nanosecond.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operation<C, R> {
    /// Who asked. Only for people to read.
    pub process: u64,
    /// What was asked.
    pub call: C,
    /// What came back; `None` where the outcome is unknown: it may take effect at any time after its invocation, or never.
    pub returned: Option<R>,
    /// When it was invoked.
    pub invoked: u64,
    /// When it came back. Without meaning where the outcome is unknown.
    pub completed: u64,
}

impl<C, R> Operation<C, R> {
    /// An operation that came back.
    pub fn new(process: u64, call: C, returned: R, invoked: u64, completed: u64) -> Self {
        Self { process, call, returned: Some(returned), invoked, completed }
    }

    /// An operation of which nobody knows whether it happened.
    pub fn unknown(process: u64, call: C, invoked: u64) -> Self {
        Self { process, call, returned: None, invoked, completed: NEVER }
    }
}

/// Later than every time.
pub(crate) const NEVER: u64 = u64::MAX;

/// One operation of a [`Partition`], borrowed from the history.
#[derive(Debug)]
pub struct Entry<'a, C, R> {
    /// Its position in the history that was given.
    pub position: usize,
    /// What was asked.
    pub call: &'a C,
    /// What came back; `None` where the outcome is unknown.
    pub returned: Option<&'a R>,
    /// When it was invoked.
    pub invoked: u64,
    /// When it came back; `u64::MAX` where the outcome is unknown.
    pub completed: u64,
}

impl<C, R> Clone for Entry<'_, C, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C, R> Copy for Entry<'_, C, R> {}

impl<'a, C, R> Entry<'a, C, R> {
    pub(crate) fn new(position: usize, operation: &'a Operation<C, R>) -> Self {
        let Operation { call, returned, invoked, completed, .. } = operation;
        let completed = if returned.is_some() { *completed } else { NEVER };
        Self { position, call, returned: returned.as_ref(), invoked: *invoked, completed }
    }

    /// Whether it may never have happened. Where it has a return all the same, it can only have happened with that.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        self.completed == NEVER
    }

    /// Whether it was over before the other began.
    #[must_use]
    pub fn precedes(&self, other: &Self) -> bool {
        self.completed < other.invoked
    }
}

/// The operations on one object, in the order of their invocations.
pub struct Partition<'a, C, R> {
    pub(crate) entries: Vec<Entry<'a, C, R>>,
    pub(crate) narrator: &'a dyn Narrator,
}

impl<'a, C, R> Partition<'a, C, R> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The operations.
    pub fn iter(&self) -> std::slice::Iter<'_, Entry<'a, C, R>> {
        self.entries.iter()
    }

    /// Tells who did what when, in words.
    #[must_use]
    pub fn narrator(&self) -> &'a dyn Narrator {
        self.narrator
    }
}

impl<'a, C, R> FromIterator<&'a Operation<C, R>> for Partition<'a, C, R> {
    /// The operations by invocation, at the positions that they have here, with nothing known about who made them.
    fn from_iter<I: IntoIterator<Item = &'a Operation<C, R>>>(operations: I) -> Self {
        let entries = operations.into_iter().enumerate().map(|(position, operation)| Entry::new(position, operation));
        let mut entries: Vec<_> = entries.collect();
        entries.sort_by_key(|entry| entry.invoked);
        Self { entries, narrator: &Nobody }
    }
}

impl<C: fmt::Debug, R: fmt::Debug> fmt::Debug for Partition<'_, C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.entries).finish()
    }
}

/// A history that can't be checked.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// An operation ends before it begins.
    #[error("operation {position} completed at {completed}, before it was invoked at {invoked}")]
    EndsBeforeItBegins {
        /// Its position.
        position: usize,
        /// When it was invoked.
        invoked: u64,
        /// When it completed.
        completed: u64,
    },
    /// An operation is none of the model's.
    #[error("operation {position} ({call}) is no operation of the model {model}; it knows {known}")]
    NotOfTheModel {
        /// Its position.
        position: usize,
        /// What was asked, and what came back.
        call: String,
        /// The model.
        model: &'static str,
        /// What the model knows.
        known: &'static str,
    },
    /// The history has more operations than positions of 32 bits can tell apart.
    #[error("the history has {operations} operations; at most {} can be checked at once", u32::MAX / 4)]
    TooLong {
        /// How many it has.
        operations: usize,
    },
}
