//! Registers whose written values are unique: O(n log n), with compare-and-sets and unknown outcomes.
//!
//! After Gibbons and Korach ("Testing shared memories", 1997), who have neither. A write begins a *block*; a
//! compare-and-set goes on with the block of the value that it replaced. Inside a block the order is known; between two
//! blocks only their first completion and their last invocation count. See `blocks.rs` for the argument.

mod blocks;
mod clash;
mod refused;
mod seen;
mod smallest;

use std::hash::Hash;

pub use clash::{RegisterClash, RegisterContradiction};

/// What one operation did with the register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegisterStep<V> {
    /// It saw this value and left it: a read, or a compare-and-set that failed and told what it found.
    Read(V),
    /// It put this value there.
    Write(V),
    /// It replaced the first value by the second.
    Cas(V, V),
    /// It was refused because this value was not there, and nobody knows what was.
    Refused(V),
}

/// One operation on the register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RegisterOperation<V> {
    /// What it did, or would have done.
    pub step: RegisterStep<V>,
    /// Whether it came back. Otherwise it may have happened at any time after its invocation, or never.
    pub is_known: bool,
    /// When it was invoked.
    pub invoked: u64,
    /// When it completed; not looked at where it did not come back.
    pub completed: u64,
}

/// What [`check_register`] answers. Numbers are places in the operations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RegisterAnswer {
    /// A value is written twice, or a refused compare-and-set does not fit the order found: the rule says nothing.
    NotApplicable(&'static str),
    /// A legal order. Operations of unknown outcome that nobody observed are not in it.
    Valid(Vec<u32>),
    /// There is none.
    Invalid(RegisterClash),
}

/// Decides whether the operations on a register are linearizable, if every value is written at most once and the initial
/// one never. `operations` are in the order of their invocations.
///
/// ```
/// use rashomon_checker::register::{RegisterAnswer, RegisterOperation, RegisterStep, check_register};
///
/// let operation = |step, invoked, completed| RegisterOperation { step, is_known: true, invoked, completed };
/// let operations = [
///     operation(RegisterStep::Write(1), 0, 1),
///     operation(RegisterStep::Write(2), 2, 5),
///     operation(RegisterStep::Read(1), 3, 4),
/// ];
/// assert_eq!(check_register(&operations, 0), RegisterAnswer::Valid(vec![0, 2, 1]));
/// ```
pub fn check_register<V: Copy + Eq + Hash>(operations: &[RegisterOperation<V>], initial: V) -> RegisterAnswer {
    let seen = match seen::Seen::new(operations, initial) {
        Ok(seen) => seen,
        Err(answer) => return answer,
    };
    match blocks::order(operations, &seen) {
        Err(contradiction) => RegisterAnswer::Invalid(contradiction.into_clash(&seen)),
        Ok(order) => match refused::place_refused(operations, &seen, order) {
            Some(order) => RegisterAnswer::Valid(order),
            None => RegisterAnswer::NotApplicable("a refused compare-and-set does not fit the order found"),
        },
    }
}
