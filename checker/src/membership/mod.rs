//! One element of a set: it is there or not. O(n log n), with unknown outcomes, whatever was added or removed how often.
//!
//! A set without reads of the whole is a product of such elements. Lee and Mathur (arXiv 2410.04581) decide those that are
//! added and removed once; see `walk.rs` for the argument why as few changes as possible, as late as possible, decide all.

mod smallest;
mod walk;

pub(crate) use smallest::LeftOut;
use walk::Walk;

/// What one operation did with the element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MembershipStep {
    /// It saw whether the element is there, and changed nothing: contains, or an add that found it there.
    Saw(bool),
    /// It put the element there where it was not (`true`), or took it away where it was.
    Changed(bool),
    /// Since then the element was there (`true`) or not; nobody knows whether that was so before.
    Ensured(bool),
}

/// One operation on the element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MembershipOperation {
    /// What it did, or would have done.
    pub step: MembershipStep,
    /// Whether it came back. Otherwise it may have happened at any time after its invocation, or never.
    pub is_known: bool,
    /// When it was invoked.
    pub invoked: u64,
    /// When it completed; not looked at where it did not come back.
    pub completed: u64,
}

/// What [`check_membership`] answers. Numbers are places in the operations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MembershipAnswer {
    /// Too many operations may have changed something or not.
    NotApplicable(&'static str),
    /// A legal order. Operations of unknown outcome that nobody observed are not in it.
    Valid(Vec<u32>),
    /// There is none.
    Invalid(MembershipClash),
}

/// Why the operations are not linearizable. Numbers are places in the operations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MembershipClash {
    /// Needs the element to be there, or not to be there, and nothing makes it so by its completion.
    pub stuck: u32,
    /// What it needs.
    pub needs: bool,
    /// All operations that are part of it, each once.
    pub operations: Vec<u32>,
}

/// So many operations that may have changed something or not are tried both ways.
const ENSURED_MAX: usize = 6;

/// Decides whether the operations on one element, which is not there at first, are linearizable. `operations` are in the
/// order of their invocations.
///
/// ```
/// use rashomon_checker::membership::{MembershipAnswer, MembershipOperation, MembershipStep, check_membership};
///
/// let operation = |step, invoked, completed| MembershipOperation { step, is_known: true, invoked, completed };
/// let operations = [
///     operation(MembershipStep::Changed(true), 0, 3),
///     operation(MembershipStep::Saw(true), 1, 2),
///     operation(MembershipStep::Saw(false), 4, 5),
/// ];
/// assert_eq!(check_membership(&operations[..2]), MembershipAnswer::Valid(vec![0, 1]));
/// assert!(matches!(check_membership(&operations), MembershipAnswer::Invalid(_)));
/// ```
#[must_use]
pub fn check_membership(operations: &[MembershipOperation]) -> MembershipAnswer {
    match decide(operations) {
        None => MembershipAnswer::NotApplicable("nobody knows which adds and removes changed something"),
        Some(Ok(order)) => MembershipAnswer::Valid(order),
        Some(Err(stuck)) => MembershipAnswer::Invalid(smallest::clash(operations, stuck)),
    }
}

/// An operation that needs the element to be there, or not to be there.
#[derive(Clone, Copy)]
struct Stuck {
    place: u32,
    needs: bool,
}

/// An operation that ensured something changed it or saw it: all ways are tried. `None` if they are too many.
fn decide(operations: &[MembershipOperation]) -> Option<Result<Vec<u32>, Stuck>> {
    let is_open =
        |operation: &MembershipOperation| operation.is_known && matches!(operation.step, MembershipStep::Ensured(_));
    let ensured: Vec<usize> = (0..operations.len()).filter(|place| is_open(&operations[*place])).collect();
    if ensured.len() > ENSURED_MAX {
        return None;
    }
    let mut operations = operations.to_vec();
    let mut furthest: Option<Stuck> = None;
    for ways in 0..1u32 << ensured.len() {
        for (bit, place) in ensured.iter().enumerate() {
            let (MembershipStep::Saw(to) | MembershipStep::Changed(to) | MembershipStep::Ensured(to)) =
                operations[*place].step;
            // The ways in which most of them change something come first: mostly they do.
            let changed = ways >> bit & 1 == 0;
            operations[*place].step = if changed { MembershipStep::Changed(to) } else { MembershipStep::Saw(to) };
        }
        match Walk::new(&operations).order() {
            Ok(order) => return Some(Ok(order)),
            Err(stuck) => {
                let completed = |stuck: &Stuck| operations[stuck.place as usize].completed;
                if furthest.is_none_or(|furthest| completed(&furthest) < completed(&stuck)) {
                    furthest = Some(stuck);
                }
            }
        }
    }
    furthest.map(Err)
}
