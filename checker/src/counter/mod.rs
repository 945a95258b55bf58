//! Counters to which only is added: O(n log n), with additions that tell what they came to, and unknown outcomes.
//!
//! That each read lies between what was acknowledged before it and what may have been applied is necessary, but not enough:
//! reads are ordered too. Additions that tell nothing must be put between what was seen, and which of them add up to a
//! difference is a hard question in general. Where they all add the same it is a schedule of jobs with deadlines, decided
//! exactly; where they don't, the schedule still answers unless it needs one of them in two pieces. See `order.rs`.

mod clash;
mod order;

pub use clash::{CounterClash, CounterContradiction};

/// What one operation did with the counter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CounterStep {
    /// It saw this sum.
    Read(i64),
    /// It added this.
    Add(i64),
    /// It added the first, and was told the second, the sum after that.
    AddAndGet(i64, i64),
}

/// One operation on the counter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CounterOperation {
    /// What it did, or would have done.
    pub step: CounterStep,
    /// Whether it came back. Otherwise it may have happened at any time after its invocation, or never.
    pub is_known: bool,
    /// When it was invoked.
    pub invoked: u64,
    /// When it completed; not looked at where it did not come back.
    pub completed: u64,
}

/// What [`check_counter`] answers. Numbers are places in the operations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CounterAnswer {
    /// Something is taken away, or additions of different amounts could be put together in many ways.
    NotApplicable(&'static str),
    /// A legal order. Additions of unknown outcome that nobody observed are not in it.
    Valid(Vec<u32>),
    /// There is none.
    Invalid(CounterClash),
}

/// Decides whether the operations on a counter are linearizable. `operations` are in the order of their invocations.
///
/// ```
/// use rashomon_checker::counter::{CounterAnswer, CounterOperation, CounterStep, check_counter};
///
/// let operation = |step, invoked, completed| CounterOperation { step, is_known: true, invoked, completed };
/// let operations = [
///     operation(CounterStep::Add(1), 0, 5),
///     operation(CounterStep::Read(1), 1, 2),
///     operation(CounterStep::Read(0), 3, 4),
/// ];
/// assert_eq!(check_counter(&operations[..2], 0), CounterAnswer::Valid(vec![0, 1]));
/// // Each of the reads is possible; not the one after the other.
/// assert!(matches!(check_counter(&operations, 0), CounterAnswer::Invalid(_)));
/// ```
#[must_use]
pub fn check_counter(operations: &[CounterOperation], initial: i64) -> CounterAnswer {
    let known = |operation: &CounterOperation| match operation.step {
        CounterStep::Add(by) => by,
        CounterStep::AddAndGet(by, _) => by,
        CounterStep::Read(_) => 0,
    };
    if operations.iter().any(|operation| known(operation) < 0) {
        return CounterAnswer::NotApplicable("something is taken away from the counter");
    }
    match order::Schedule::new(operations, initial).and_then(order::Schedule::order) {
        Ok(order) => CounterAnswer::Valid(order),
        Err(answer) => answer,
    }
}
