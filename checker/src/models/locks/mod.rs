//! Locks and semaphores, by key.
//!
//! Owners are named in the calls. A refused try is a `fail` and never happened; an acquire that waits is one long
//! operation. Leases that end by themselves are no matter of these models.

mod model;
mod parts;
mod state;
mod tell;

use rashomon_history::{Call, Returned, Value};

pub use state::{FencedState, Holder, ReentrantFencedState};

use crate::locks::LockRules;

/// One lock a key that anybody may release who finds it held.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mutex;

/// One lock a key that only its owner may release.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OwnedMutex;

/// One lock a key that its owner may acquire again, and holds until it has released it as often.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReentrantMutex {
    /// How many times it may be held at once, by one owner.
    pub limit: u32,
}

/// One lock a key that only its owner may release, with a token for each hold that is larger than all before.
///
/// After the fenced mutex of Hazelcast's models for Knossos. An acquire of unknown outcome has a token that nobody knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FencedMutex;

/// A [`ReentrantMutex`] with a token for each hold: acquires of one hold get the same, the next hold a larger one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReentrantFencedMutex {
    /// How many times it may be held at once, by one owner.
    pub limit: u32,
}

/// So many permits a key; an owner releases only what it holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Semaphore {
    /// How many permits there are.
    pub permits: u32,
}

/// An acquire or a release, as a lock sees it.
#[derive(Clone, Copy)]
struct Step<'a> {
    is_acquire: bool,
    owner: &'a Value,
    permits: u32,
    token: Option<u64>,
}

impl<'a> Step<'a> {
    /// `None` where it is none of a lock's.
    fn new(call: &'a Call, returned: Option<&Returned>) -> Option<Self> {
        match call {
            Call::Acquire { owner, permits, .. } => {
                Some(Self { is_acquire: true, owner, permits: *permits, token: token(returned) })
            }
            Call::Release { owner, permits, .. } => {
                Some(Self { is_acquire: false, owner, permits: *permits, token: None })
            }
            _ => None,
        }
    }
}

/// What came back, without the version.
fn bare(returned: &Returned) -> &Returned {
    match returned {
        Returned::Versioned { returned, .. } => bare(returned),
        _ => returned,
    }
}

fn token(returned: Option<&Returned>) -> Option<u64> {
    match bare(returned?) {
        Returned::Token(token) => Some(*token),
        _ => None,
    }
}

/// Who may do what.
#[derive(Clone, Copy)]
enum Rules {
    Ownerless,
    Owned(LockRules),
}
