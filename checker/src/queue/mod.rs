//! Queues whose enqueued values are unique: O(n log n). First-in first-out, or of any order (a bag).
//!
//! After Lee and Mathur (arXiv 2410.04581) and Abdulla et al. (arXiv 2509.17795), with a legal order where there is one;
//! see `order.rs` and `bag.rs` for the argument.

mod bag;
mod model;
mod order;
mod part;
mod tell;

pub use bag::check_bag;
pub use model::{FifoQueue, QueueCall, QueueReturn};
pub use order::check_queue;
pub(crate) use part::{TakesHelp, operations_of, sub_history};
pub(crate) use tell::tell_answer;

/// What one operation did with the queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QueueStep<V> {
    /// It put this value at the end.
    Enqueue(V),
    /// It took this value from the front.
    Dequeue(V),
    /// It found the queue empty.
    Empty,
}

/// One operation on the queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QueueOperation<V> {
    /// What it did, or would have done.
    pub step: QueueStep<V>,
    /// Whether it came back. An enqueue that did not may have happened at any time after its invocation, or never.
    pub is_known: bool,
    /// When it was invoked.
    pub invoked: u64,
    /// When it completed; not looked at where it did not come back.
    pub completed: u64,
}

/// What [`check_queue`] and [`check_bag`] answer. Numbers are places in the operations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum QueueAnswer {
    /// A value is enqueued twice, or a dequeue is of unknown outcome: the rule says nothing.
    NotApplicable(&'static str),
    /// A legal order. Enqueues of unknown outcome whose value nobody took are not in it.
    Valid(Vec<u32>),
    /// There is none.
    Invalid(QueueClash),
}

/// Why the operations on a queue are not linearizable. Numbers are places in the operations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum QueueClash {
    /// It took a value that nobody put there.
    NeverEnqueued {
        /// The dequeue.
        dequeue: u32,
    },
    /// Two took the same value.
    DequeuedTwice {
        /// Who put it there, once.
        enqueue: u32,
        /// One of them.
        first: u32,
        /// The other.
        second: u32,
    },
    /// It took a value and was over before the enqueue began.
    DequeuedEarly {
        /// Who put it there.
        enqueue: u32,
        /// Who took it.
        dequeue: u32,
    },
    /// A value was enqueued before another one, and the other was taken first.
    OutOfOrder {
        /// It was over before the other enqueue began.
        first: u32,
        /// Who took its value, only after the other was taken, if anybody did.
        first_taken: Option<u32>,
        /// The other.
        second: u32,
        /// Who took the other's value.
        second_taken: u32,
    },
    /// It found the queue empty, although at every moment meanwhile a value was in it.
    NotEmpty {
        /// The dequeue that found nothing.
        dequeue: u32,
        /// Enqueues and dequeues of the values that were there.
        values: Vec<u32>,
    },
}

impl QueueClash {
    /// All operations that are part of it, each once.
    #[must_use]
    pub fn operations(&self) -> Vec<u32> {
        let mut all = match self {
            Self::NeverEnqueued { dequeue } => vec![*dequeue],
            Self::DequeuedTwice { enqueue, first, second } => vec![*enqueue, *first, *second],
            Self::DequeuedEarly { enqueue, dequeue } => vec![*enqueue, *dequeue],
            Self::OutOfOrder { first, first_taken, second, second_taken } => {
                first_taken.iter().copied().chain([*first, *second, *second_taken]).collect()
            }
            Self::NotEmpty { dequeue, values } => values.iter().copied().chain([*dequeue]).collect(),
        };
        all.sort_unstable();
        all.dedup();
        all
    }
}
