//! A FIFO queue as a model.

use std::collections::VecDeque;
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;

use super::{QueueAnswer, QueueClash, QueueOperation, QueueStep, check_queue};
use crate::fast::{Clash, FastPath};
use crate::model::{Model, Observed, SubHistory, effect_of};
use crate::operation::Partition;
use crate::witness::Kind;

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

    /// A queue without some of its values, neither put nor taken, is a queue.
    fn sub_history(
        &self,
        kept: &Partition<'_, Self::Call, Self::Return>,
        dropped: &Partition<'_, Self::Call, Self::Return>,
    ) -> SubHistory<Self::Call, Self::Return> {
        let put = |value: &V| {
            let is_it = |call: &QueueCall<V>| *call == QueueCall::Enqueue(value.clone());
            (kept.iter().any(|entry| is_it(entry.call)), dropped.iter().any(|entry| is_it(entry.call)))
        };
        // A dequeue of unknown outcome that is kept may have taken a value that is dropped: then it need not have happened.
        let is_torn = kept.iter().any(|entry| match entry.returned {
            Some(QueueReturn::Value(value)) => put(value).1,
            Some(QueueReturn::Empty | QueueReturn::Done) | None => false,
        });
        let loses_its_dequeue = dropped.iter().any(|entry| match (entry.call, entry.returned) {
            (QueueCall::Dequeue, Some(QueueReturn::Value(value))) => put(value).0,
            (QueueCall::Dequeue, None) => true,
            (QueueCall::Enqueue(_), _) | (QueueCall::Dequeue, Some(QueueReturn::Empty | QueueReturn::Done)) => false,
        });
        if is_torn || loses_its_dequeue { SubHistory::Unsound } else { SubHistory::AsItIs }
    }

    fn fast_path(&self, partition: &Partition<'_, Self::Call, Self::Return>) -> FastPath {
        let operations: Vec<_> = partition
            .iter()
            .map(|entry| QueueOperation {
                step: match (entry.call, entry.returned) {
                    (QueueCall::Enqueue(value), _) | (QueueCall::Dequeue, Some(QueueReturn::Value(value))) => {
                        if *entry.call == QueueCall::Dequeue {
                            QueueStep::Dequeue(value)
                        } else {
                            QueueStep::Enqueue(value)
                        }
                    }
                    (QueueCall::Dequeue, Some(QueueReturn::Empty | QueueReturn::Done) | None) => QueueStep::Empty,
                },
                is_known: entry.returned.is_some(),
                invoked: entry.invoked,
                completed: entry.completed,
            })
            .collect();
        match check_queue(&operations) {
            QueueAnswer::NotApplicable(why) => FastPath::NotApplicable(why),
            QueueAnswer::Valid(order) => FastPath::Valid(order),
            QueueAnswer::Invalid(clash) => {
                let explanation = self.tell(&clash, partition);
                let kind = match clash {
                    QueueClash::NeverEnqueued { .. } => Kind::NeverWritten,
                    QueueClash::DequeuedTwice { .. } => Kind::Duplicate,
                    QueueClash::DequeuedEarly { .. } => Kind::ReadBeforeWrite,
                    QueueClash::OutOfOrder { .. } => Kind::OrderViolation,
                    QueueClash::NotEmpty { .. } => Kind::LostWrite,
                };
                FastPath::Invalid(Clash { kind, operations: clash.operations(), explanation })
            }
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

impl<V: Clone + Eq + Hash + fmt::Debug + Sync> FifoQueue<V> {
    fn tell(&self, clash: &QueueClash, partition: &Partition<'_, QueueCall<V>, QueueReturn<V>>) -> String {
        let narrator = partition.narrator;
        let did = |place: &u32| {
            let entry = &partition.entries[*place as usize];
            format!("{} {}", narrator.who(entry.position), self.describe(entry.call, entry.returned))
        };
        let begun = |place: &u32| narrator.invoked(partition.entries[*place as usize].position);
        let over = |place: &u32| narrator.completed(partition.entries[*place as usize].position);
        match clash {
            QueueClash::NeverEnqueued { dequeue } => format!("{}, which nobody ever enqueued.", did(dequeue)),
            QueueClash::DequeuedTwice { enqueue, first, second } => {
                format!("{}, and {}, although {} only once.", did(first), did(second), did(enqueue))
            }
            QueueClash::DequeuedEarly { enqueue, dequeue } => {
                format!("{} by {}, before {} from {} on.", did(dequeue), over(dequeue), did(enqueue), begun(enqueue))
            }
            QueueClash::OutOfOrder { first, first_taken, second, second_taken } => {
                let fate = match first_taken {
                    Some(taken) => format!("{} only from {} on", did(taken), begun(taken)),
                    None => "nobody ever took the first".into(),
                };
                format!(
                    "{} by {}, before {} from {} on; but {} by {}, and {fate}.",
                    did(first),
                    over(first),
                    did(second),
                    begun(second),
                    did(second_taken),
                    over(second_taken)
                )
            }
            QueueClash::NotEmpty { dequeue, values } => {
                let told: Vec<String> = values.iter().map(did).collect();
                let (from, to) = (begun(dequeue), over(dequeue));
                format!(
                    "{} from {from} to {to}, although something was there all the time: {}.",
                    did(dequeue),
                    told.join("; ")
                )
            }
        }
    }
}
