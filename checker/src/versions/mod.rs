//! Registers that report a version with what they return: O(n log n), whether values are unique or not.
//!
//! The version grows with every write: by one, or by at least one where it counts writes to other objects too. It gives the
//! order of the writes, which is held against the times, the values and the compare-and-sets: it is never trusted. In that,
//! a version is a counter of the writes (see [`counter`](crate::counter)). A write of unknown outcome whose value was seen
//! with a version is the write of that version; others fill the gaps.
//!
//! Where only the writes tell their versions these are hints: they propose an order, which is valid if it is legal. Where it
//! is not, nothing is decided.

mod clash;
mod hints;
mod slots;

use std::hash::Hash;

pub use clash::{VersionsClash, VersionsContradiction};

use crate::counter::{CounterAnswer, CounterContradiction, CounterOperation, CounterStep, check_counter};
use crate::register::RegisterStep;
use slots::Slots;

/// One operation on the register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VersionedOperation<V> {
    /// What it did, or would have done.
    pub step: RegisterStep<V>,
    /// The version of the register after it, where it was told.
    pub version: Option<u64>,
    /// Whether it came back. Otherwise it may have happened at any time after its invocation, or never.
    pub is_known: bool,
    /// When it was invoked.
    pub invoked: u64,
    /// When it completed; not looked at where it did not come back.
    pub completed: u64,
}

/// How the version grows with a write.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Growth {
    /// By one.
    #[default]
    One,
    /// By at least one, as etcd's `mod_revision` does.
    AtLeastOne,
}

/// What [`check_versions`] answers. Numbers are places in the operations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum VersionsAnswer {
    /// Too little is told about the versions.
    NotApplicable(&'static str),
    /// A legal order. Operations of unknown outcome that nobody observed are not in it.
    Valid(Vec<u32>),
    /// There is none.
    Invalid(VersionsClash),
}

/// Decides whether the operations on a register with versions are linearizable. At first it holds `initial` with the
/// version `first`. `operations` are in the order of their invocations.
///
/// ```
/// use rashomon_checker::register::RegisterStep;
/// use rashomon_checker::versions::{Growth, VersionedOperation, VersionsAnswer, check_versions};
///
/// let operation = |step, version, invoked, completed| {
///     VersionedOperation { step, version: Some(version), is_known: true, invoked, completed }
/// };
/// let operations = [
///     operation(RegisterStep::Write('a'), 1, 0, 9),
///     operation(RegisterStep::Write('a'), 2, 1, 9),
///     operation(RegisterStep::Read('a'), 2, 2, 3),
///     operation(RegisterStep::Read('a'), 1, 4, 5),
/// ];
/// assert!(matches!(check_versions(&operations[..3], 'b', 0, Growth::One), VersionsAnswer::Valid(_)));
/// assert!(matches!(check_versions(&operations, 'b', 0, Growth::One), VersionsAnswer::Invalid(_)));
/// ```
pub fn check_versions<V: Copy + Eq + Hash>(
    operations: &[VersionedOperation<V>],
    initial: V,
    first: u64,
    growth: Growth,
) -> VersionsAnswer {
    let decide = |operations: &[VersionedOperation<V>]| {
        Slots::new(operations, initial, first, growth).and_then(|slots| order(operations, &slots))
    };
    if !hints::are_wanted(operations) {
        return decide(operations).map_or_else(|answer| answer, VersionsAnswer::Valid);
    }
    match hints::with_hints(operations, initial, first).map(|hinted| decide(&hinted)) {
        Some(Ok(order)) => VersionsAnswer::Valid(order),
        Some(Err(_)) | None => VersionsAnswer::NotApplicable("the versions of the writes hint at no legal order"),
    }
}

fn order<V: Copy + Eq + Hash>(
    operations: &[VersionedOperation<V>],
    slots: &Slots<'_, V>,
) -> Result<Vec<u32>, VersionsAnswer> {
    let (counted, places) = slots.as_counter();
    let back = |place: u32| places[place as usize];
    let order: Vec<u32> = match check_counter(&counted, 0) {
        CounterAnswer::NotApplicable(why) => return Err(VersionsAnswer::NotApplicable(why)),
        CounterAnswer::Valid(order) => order.into_iter().map(back).collect(),
        CounterAnswer::Invalid(clash) => {
            let contradiction = match clash.contradiction {
                CounterContradiction::Backwards { earlier, later } => {
                    VersionsContradiction::Backwards { earlier: back(earlier), later: back(later) }
                }
                CounterContradiction::TooLittle { earlier, later, added, .. } => VersionsContradiction::NoRoom {
                    earlier: earlier.map(back),
                    later: back(later),
                    writes: added.into_iter().map(back).collect(),
                },
                CounterContradiction::BelowInitial { .. }
                | CounterContradiction::Overlap { .. }
                | CounterContradiction::TooMuch { .. }
                | CounterContradiction::OffStep { .. } => {
                    return Err(VersionsAnswer::NotApplicable("a version is higher than the writes explain"));
                }
            };
            return Err(slots.invalid(contradiction));
        }
    };
    let mut value = slots.initial;
    for place in &order {
        match operations[*place as usize].step {
            RegisterStep::Write(new) => value = new,
            RegisterStep::Cas(from, to) if from == value => value = to,
            RegisterStep::Read(seen) if seen == value => {}
            RegisterStep::Refused(from) if from != value => {}
            RegisterStep::Cas(..) | RegisterStep::Read(_) | RegisterStep::Refused(_) => {
                return Err(VersionsAnswer::NotApplicable("values do not tell which write came with a version"));
            }
        }
    }
    Ok(order)
}

fn counter_operation<V>(operation: &VersionedOperation<V>, step: CounterStep) -> CounterOperation {
    let (invoked, completed) = (operation.invoked, operation.completed);
    CounterOperation { step, is_known: operation.is_known, invoked, completed }
}
