//! A FIFO queue as a model.

use std::collections::VecDeque;
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;

use super::{QueueStep, TakesHelp, check_queue, operations_of, sub_history, tell_answer};
use crate::fast::FastPath;
use crate::model::{Model, Observed, SubHistory, effect_of};
use crate::operation::{Entry, Partition};

/// What is asked of a queue.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum QueueCall<V> {
    /// Put a value at the end.
    Enqueue(V),
    /// Take the value at the front.
    Dequeue,
}

/// What comes back.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum QueueReturn<V> {
    /// It was put there.
    Done,
    /// This was at the front.
    Value(V),
    /// Nothing was there.
    Empty,
}

/// A first-in first-out queue, empty at first.
///
/// ```
/// use rashomon_checker::queue::{FifoQueue, QueueCall, QueueReturn};
/// use rashomon_checker::{Checker, Operation};
///
/// let history = [
///     Operation::new(0, QueueCall::Enqueue(1), QueueReturn::Done, 0, 1),
///     Operation::new(0, QueueCall::Enqueue(2), QueueReturn::Done, 2, 3),
///     Operation::new(1, QueueCall::Dequeue, QueueReturn::Value(2), 4, 5),
/// ];
/// assert!(Checker::new(FifoQueue::default()).check(&history)?.verdict.is_invalid());
/// # Ok::<(), rashomon_checker::CheckError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FifoQueue<V>(PhantomData<fn() -> V>);

impl<V> Default for FifoQueue<V> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<V: Clone + Eq + Hash + fmt::Debug + Sync> Model for FifoQueue<V> {
    type Call = QueueCall<V>;
    type Return = QueueReturn<V>;
    type State = VecDeque<V>;

    fn init(&self) -> VecDeque<V> {
        VecDeque::new()
    }

    fn step(&self, state: &VecDeque<V>, call: &QueueCall<V>, returned: Option<&QueueReturn<V>>) -> Option<VecDeque<V>> {
        let mut state = state.clone();
        match (call, returned) {
            (QueueCall::Enqueue(value), _) => {
                state.push_back(value.clone());
                Some(state)
            }
            (QueueCall::Dequeue, returned) => {
                let front = state.pop_front().map_or(QueueReturn::Empty, QueueReturn::Value);
                returned.is_none_or(|returned| *returned == front).then_some(state)
            }
        }
    }

    fn is_pure(&self, _: &QueueCall<V>, returned: Option<&QueueReturn<V>>) -> bool {
        returned == Some(&QueueReturn::Empty)
    }

    fn effect(&self, call: &QueueCall<V>) -> u64 {
        match call {
            QueueCall::Enqueue(value) => effect_of(Some(value)),
            QueueCall::Dequeue => effect_of(None::<&V>),
        }
    }

    fn observes(&self, call: &QueueCall<V>, _: Option<&QueueReturn<V>>) -> Observed {
        match call {
            QueueCall::Enqueue(_) => Observed::NOTHING,
            // A dequeue owes what it got to all dequeues before it.
            QueueCall::Dequeue => Observed::Anything,
        }
    }

    fn sub_history(
        &self,
        kept: &Partition<'_, Self::Call, Self::Return>,
        dropped: &Partition<'_, Self::Call, Self::Return>,
    ) -> SubHistory<Self::Call, Self::Return> {
        sub_history(kept, dropped, TakesHelp::All, step_of)
    }

    fn fast_path(&self, partition: &Partition<'_, Self::Call, Self::Return>) -> FastPath {
        match operations_of(partition, step_of) {
            Some(operations) => tell_answer(self, check_queue(&operations), partition),
            None => FastPath::NotApplicable("an operation is none of a queue's"),
        }
    }

    fn state_heap_bytes(&self, state: &VecDeque<V>) -> usize {
        state.capacity() * size_of::<V>()
    }

    fn describe(&self, call: &QueueCall<V>, returned: Option<&QueueReturn<V>>) -> String {
        match (call, returned) {
            (QueueCall::Enqueue(value), Some(_)) => format!("enqueued {value:?}"),
            (QueueCall::Enqueue(value), None) => format!("tried to enqueue {value:?}"),
            (QueueCall::Dequeue, Some(QueueReturn::Value(value))) => format!("dequeued {value:?}"),
            (QueueCall::Dequeue, Some(QueueReturn::Empty | QueueReturn::Done)) => "found nothing to dequeue".into(),
            (QueueCall::Dequeue, None) => "tried to dequeue".into(),
        }
    }
}

/// A dequeue of unknown outcome counts as one that found nothing: what it took is not looked at.
fn step_of<'p, V>(entry: &Entry<'p, QueueCall<V>, QueueReturn<V>>) -> Option<QueueStep<&'p V>> {
    Some(match (entry.call, entry.returned) {
        (QueueCall::Enqueue(value), _) => QueueStep::Enqueue(value),
        (QueueCall::Dequeue, Some(QueueReturn::Value(value))) => QueueStep::Dequeue(value),
        (QueueCall::Dequeue, Some(QueueReturn::Empty | QueueReturn::Done) | None) => QueueStep::Empty,
    })
}
