//! Models that may go on in more than one way.

use std::fmt;
use std::hash::Hash;

use crate::model::{Model, ObjectKey};

/// A specification that allows several next states, such as a dequeue that may take any element.
pub trait NondeterministicModel: Sync {
    /// What a client asks for.
    type Call: Clone + Eq + Hash + fmt::Debug + Sync;
    /// What comes back.
    type Return: Clone + Eq + Hash + fmt::Debug + Sync;
    /// What the object is.
    type State: Clone + Ord + Hash;

    /// The states that it may be in before the first operation.
    fn init(&self) -> Vec<Self::State>;

    /// The states that may follow; none where `call` can't come back with `returned` in this state. `returned` is `None`
    /// where the outcome is unknown.
    fn step(&self, state: &Self::State, call: &Self::Call, returned: Option<&Self::Return>) -> Vec<Self::State>;

    /// See [`Model::object`].
    fn object<'c>(&self, call: &'c Self::Call) -> ObjectKey<'c> {
        let _ = call;
        ObjectKey::Whole
    }
}

/// A [`NondeterministicModel`] as a [`Model`]: its state is the set of all states that the object may be in.
///
/// ```
/// use rashomon_checker::{Checker, NondeterministicModel, Operation, SetsOfStates};
///
/// /// A register that may keep its old value when it is written.
/// struct Flaky;
///
/// impl NondeterministicModel for Flaky {
///     type Call = Option<u8>;
///     type Return = u8;
///     type State = u8;
///
///     fn init(&self) -> Vec<u8> {
///         vec![0]
///     }
///
///     fn step(&self, state: &u8, call: &Option<u8>, returned: Option<&u8>) -> Vec<u8> {
///         match call {
///             Some(new) => vec![*state, *new],
///             None => vec![*state].into_iter().filter(|state| returned == Some(state)).collect(),
///         }
///     }
/// }
///
/// let read = |value, at| Operation::new(0, None, value, at, at);
/// let history = [Operation::new(0, Some(7), 0, 1, 1), read(0, 2), read(7, 3)];
/// // The write may have been ignored, or not; but not first the one and then the other.
/// let checker = Checker::new(SetsOfStates(Flaky));
/// assert!(checker.check(&history[..2])?.verdict.is_valid());
/// assert!(checker.check(&history)?.verdict.is_invalid());
/// # Ok::<(), rashomon_checker::CheckError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SetsOfStates<M>(pub M);

impl<M: NondeterministicModel> Model for SetsOfStates<M> {
    type Call = M::Call;
    type Return = M::Return;
    /// Sorted, without duplicates.
    type State = Vec<M::State>;

    fn init(&self) -> Self::State {
        sorted(self.0.init())
    }

    fn step(&self, states: &Self::State, call: &M::Call, returned: Option<&M::Return>) -> Option<Self::State> {
        let next = sorted(states.iter().flat_map(|state| self.0.step(state, call, returned)).collect());
        (!next.is_empty()).then_some(next)
    }

    fn object<'c>(&self, call: &'c M::Call) -> ObjectKey<'c> {
        self.0.object(call)
    }

    fn state_heap_bytes(&self, states: &Self::State) -> usize {
        states.capacity() * size_of::<M::State>()
    }
}

fn sorted<S: Ord>(mut states: Vec<S>) -> Vec<S> {
    states.sort_unstable();
    states.dedup();
    states
}
