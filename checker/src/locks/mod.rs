//! Locks and semaphores: O(n log n), with owners, re-entrance, fencing tokens and unknown outcomes.
//!
//! A lock that knows its owners is held in *holds*, as a register keeps its values in blocks: an acquire, the release of
//! the same owner, and nothing of anybody else between. Which operations make a hold follows from their order, as the
//! operations of one owner do not overlap (`holds.rs`). A hold certainly lasts from the completion of its acquire to the
//! invocation of its release, so two holds contradict each other iff these times overlap (`schedule.rs`). With fencing
//! tokens the order of the holds is known, and has only to be held against their times (`tokens.rs`).
//!
//! A lock that does not know its owners is a row of acquires and releases, in turn; see `ownerless.rs`.
//!
//! The definitions are those of Hazelcast's models for Knossos (its fenced lock, CP subsystem); the rules and the treatment
//! of unknown outcomes were reasoned out here.

mod clash;
mod holds;
mod ownerless;
mod owners;
mod permits;
mod schedule;
mod tokens;

use std::hash::Hash;

pub use clash::{LockClash, LockContradiction};
pub use ownerless::check_ownerless_lock;

use clash::Closure;
use owners::Owners;

/// What one operation did with the lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LockStep {
    /// It got so many permits, and the fencing token if the lock has them and it came back.
    Acquire {
        /// How many; 1 of a lock.
        permits: u32,
        /// The fencing token.
        token: Option<u64>,
    },
    /// It gave so many permits back.
    Release {
        /// How many; 1 of a lock.
        permits: u32,
    },
}

/// One operation on the lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LockOperation<O> {
    /// What it did, or would have done.
    pub step: LockStep,
    /// Who holds what it acquired, and held what it released.
    pub owner: O,
    /// Whether it came back. Otherwise it may have happened at any time after its invocation, or never.
    pub is_known: bool,
    /// When it was invoked.
    pub invoked: u64,
    /// When it completed; not looked at where it did not come back.
    pub completed: u64,
}

/// What a lock allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LockRules {
    /// One owner at a time.
    Exclusive {
        /// How many times the owner may acquire it before it must release it; 1 where it is not re-entrant.
        holds_max: u32,
        /// Whether every hold gets a token larger than all before, and acquires of one hold the same.
        is_fenced: bool,
    },
    /// As many owners as there are permits.
    Semaphore {
        /// How many permits there are.
        permits: u32,
    },
}

/// What [`check_owned_lock`] and [`check_ownerless_lock`] answer. Numbers are places in the operations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LockAnswer {
    /// The rule says nothing, and why.
    NotApplicable(&'static str),
    /// A legal order. Operations of unknown outcome that nothing needs are not in it.
    Valid(Vec<u32>),
    /// There is none.
    Invalid(LockClash),
}

/// Why no answer was given, or the contradiction before all that belongs to it was found.
#[derive(Debug)]
enum Failed {
    NotApplicable(&'static str),
    Contradiction(LockContradiction),
}

const AMBIGUOUS: Failed = Failed::NotApplicable("an unknown release may have ended a hold early");

/// Decides whether the operations on a lock that is free at first are linearizable, where the operations of each owner
/// that came back do not overlap. `operations` are in the order of their invocations.
///
/// Unknown outcomes are decided exactly, with these exceptions: an owner of which both a release and an acquire are unknown
/// and may have cut a hold in two; unknown releases of a re-entrant lock that may have ended a hold early; operations on
/// several permits beside unknown ones of the same owner. Then an order that is found is an answer all the same.
///
/// ```
/// use rashomon_checker::locks::{LockAnswer, LockOperation, LockRules, LockStep, check_owned_lock};
///
/// let acquire = |owner, invoked, completed| LockOperation {
///     step: LockStep::Acquire { permits: 1, token: None },
///     owner,
///     is_known: true,
///     invoked,
///     completed,
/// };
/// let rules = LockRules::Exclusive { holds_max: 1, is_fenced: false };
/// // Both hold it for ever.
/// let answer = check_owned_lock(&[acquire("a", 0, 1), acquire("b", 2, 3)], rules);
/// assert!(matches!(answer, LockAnswer::Invalid(clash) if clash.operations == [0, 1]));
/// ```
pub fn check_owned_lock<O: Copy + Eq + Hash>(operations: &[LockOperation<O>], rules: LockRules) -> LockAnswer {
    let Some(owners) = Owners::new(operations) else {
        return LockAnswer::NotApplicable("operations of one owner overlap");
    };
    let found = match rules {
        LockRules::Exclusive { holds_max: 0, .. } => Err(Failed::NotApplicable("nobody may ever hold the lock")),
        LockRules::Exclusive { holds_max, is_fenced } => holds::order(operations, &owners, holds_max, is_fenced),
        LockRules::Semaphore { permits } => permits::order(operations, &owners, permits),
    };
    match found {
        Ok(order) => LockAnswer::Valid(order),
        Err(Failed::NotApplicable(why)) => LockAnswer::NotApplicable(why),
        Err(Failed::Contradiction(contradiction)) => {
            LockAnswer::Invalid(Closure::new(operations, &owners, rules).clash(contradiction))
        }
    }
}

impl<O> LockOperation<O> {
    /// When it was over; never where it did not come back.
    fn end(&self) -> u64 {
        if self.is_known { self.completed } else { u64::MAX }
    }

    fn permits(&self) -> u32 {
        match self.step {
            LockStep::Acquire { permits, .. } | LockStep::Release { permits } => permits,
        }
    }

    fn token(&self) -> Option<u64> {
        match self.step {
            LockStep::Acquire { token, .. } if self.is_known => token,
            LockStep::Acquire { .. } | LockStep::Release { .. } => None,
        }
    }

    fn is_acquire(&self) -> bool {
        matches!(self.step, LockStep::Acquire { .. })
    }
}
