//! Queues, by key: first-in first-out, or of any order.

use std::collections::VecDeque;

use rashomon_history::{Call, Returned, Value};

use super::{HistoryModel, words};
use crate::fast::FastPath;
use crate::model::{Model, ObjectKey, Observed, SubHistory, effect_of};
use crate::operation::{Entry, Partition};
use crate::queue::{QueueStep, TakesHelp, check_bag, check_queue, operations_of, sub_history, tell_answer};

/// One first-in first-out queue a key, empty at first: enqueue, dequeue. A dequeue of nil found it empty.
///
/// A queue whose own values may be nil can't be told from an empty one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Queue;

/// One queue of any order a key, empty at first: a dequeue takes any value that is there. A dequeue of nil found it empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Bag;

/// What is in a [`Bag`].
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct BagState {
    /// The values, sorted, each as often as it is there ...
    values: Vec<Value>,
    /// ... but for so many of them, taken by dequeues of unknown outcome: nobody knows which. Fewer than all, or none.
    taken: usize,
}

impl Model for Queue {
    type Call = Call;
    type Return = Returned;
    type State = VecDeque<Value>;

    fn init(&self) -> VecDeque<Value> {
        VecDeque::new()
    }

    fn step(&self, state: &VecDeque<Value>, call: &Call, returned: Option<&Returned>) -> Option<VecDeque<Value>> {
        match (call, returned) {
            (Call::Enqueue { value, .. }, _) => Some(state.iter().chain([value]).cloned().collect()),
            (Call::Dequeue { .. }, Some(Returned::Value(value))) => {
                (state.front().unwrap_or(&Value::Nil) == value).then(|| state.iter().skip(1).cloned().collect())
            }
            (Call::Dequeue { .. }, None) => Some(state.iter().skip(1).cloned().collect()),
            _ => None,
        }
    }

    fn object<'c>(&self, call: &'c Call) -> ObjectKey<'c> {
        words::object(call)
    }

    fn is_pure(&self, call: &Call, returned: Option<&Returned>) -> bool {
        found_nothing(call, returned)
    }

    fn effect(&self, call: &Call) -> u64 {
        effect(call)
    }

    fn observes(&self, call: &Call, _: Option<&Returned>) -> Observed {
        match call {
            // A dequeue owes what it got to all dequeues before it.
            Call::Dequeue { .. } => Observed::Anything,
            _ => Observed::NOTHING,
        }
    }

    fn sub_history(
        &self,
        kept: &Partition<'_, Call, Returned>,
        dropped: &Partition<'_, Call, Returned>,
    ) -> SubHistory<Call, Returned> {
        sub_history(kept, dropped, TakesHelp::All, step_of)
    }

    fn fast_path(&self, partition: &Partition<'_, Call, Returned>) -> FastPath {
        match operations_of(partition, step_of) {
            Some(operations) => tell_answer(self, check_queue(&operations), partition),
            None => FastPath::NotApplicable("an operation is none of a queue's"),
        }
    }

    fn state_heap_bytes(&self, state: &VecDeque<Value>) -> usize {
        state.iter().map(words::value_bytes).sum()
    }

    fn describe(&self, call: &Call, returned: Option<&Returned>) -> String {
        words::tell(call, returned)
    }
}

impl HistoryModel for Queue {
    fn name(&self) -> &'static str {
        "queue"
    }

    fn known_calls(&self) -> &'static str {
        KNOWN_CALLS
    }

    fn knows(&self, call: &Call, returned: Option<&Returned>) -> bool {
        knows(call, returned)
    }
}

impl Model for Bag {
    type Call = Call;
    type Return = Returned;
    type State = BagState;

    fn init(&self) -> BagState {
        BagState::default()
    }

    fn step(&self, state: &BagState, call: &Call, returned: Option<&Returned>) -> Option<BagState> {
        let mut state = state.clone();
        match (call, returned) {
            (Call::Enqueue { value, .. }, _) => {
                let place = state.values.partition_point(|other| other <= value);
                state.values.insert(place, value.clone());
            }
            (Call::Dequeue { .. }, Some(Returned::Value(Value::Nil))) => {
                return state.values.is_empty().then_some(state);
            }
            (Call::Dequeue { .. }, Some(Returned::Value(value))) => {
                let place = state.values.binary_search(value).ok()?;
                state.values.remove(place);
            }
            // It may find nothing.
            (Call::Dequeue { .. }, None) if state.values.is_empty() => {}
            (Call::Dequeue { .. }, None) => state.taken += 1,
            _ => return None,
        }
        if state.taken == state.values.len() {
            state = BagState::default();
        }
        Some(state)
    }

    fn object<'c>(&self, call: &'c Call) -> ObjectKey<'c> {
        words::object(call)
    }

    fn is_pure(&self, call: &Call, returned: Option<&Returned>) -> bool {
        found_nothing(call, returned)
    }

    fn effect(&self, call: &Call) -> u64 {
        effect(call)
    }

    fn observes(&self, call: &Call, returned: Option<&Returned>) -> Observed {
        match call {
            Call::Dequeue { .. } if found_nothing(call, returned) => Observed::Effects(vec![TAKE]),
            // Where others took nobody knows what, any value that they may have taken helps.
            Call::Dequeue { .. } if returned.is_some() => Observed::AnythingBut(TAKE),
            _ => Observed::NOTHING,
        }
    }

    fn sub_history(
        &self,
        kept: &Partition<'_, Call, Returned>,
        dropped: &Partition<'_, Call, Returned>,
    ) -> SubHistory<Call, Returned> {
        sub_history(kept, dropped, TakesHelp::Empty, step_of)
    }

    fn fast_path(&self, partition: &Partition<'_, Call, Returned>) -> FastPath {
        match operations_of(partition, step_of) {
            Some(operations) => tell_answer(self, check_bag(&operations), partition),
            None => FastPath::NotApplicable("an operation is none of a queue's"),
        }
    }

    fn state_heap_bytes(&self, state: &BagState) -> usize {
        state.values.iter().map(words::value_bytes).sum()
    }

    fn describe(&self, call: &Call, returned: Option<&Returned>) -> String {
        words::tell(call, returned)
    }
}

impl HistoryModel for Bag {
    fn name(&self) -> &'static str {
        "bag"
    }

    fn known_calls(&self) -> &'static str {
        KNOWN_CALLS
    }

    fn knows(&self, call: &Call, returned: Option<&Returned>) -> bool {
        knows(call, returned)
    }
}

const KNOWN_CALLS: &str = "enqueue, and dequeue of a value";

/// The effect of every dequeue.
const TAKE: u64 = 0;

fn effect(call: &Call) -> u64 {
    match call {
        Call::Enqueue { value, .. } => effect_of(value).max(TAKE + 1),
        _ => TAKE,
    }
}

fn knows(call: &Call, returned: Option<&Returned>) -> bool {
    match call {
        // Nil is what an empty queue gives.
        Call::Enqueue { value, .. } => *value != Value::Nil && matches!(returned, Some(Returned::Done) | None),
        Call::Dequeue { .. } => matches!(returned, Some(Returned::Value(_)) | None),
        _ => false,
    }
}

fn found_nothing(call: &Call, returned: Option<&Returned>) -> bool {
    matches!((call, returned), (Call::Dequeue { .. }, Some(Returned::Value(Value::Nil))))
}

/// A dequeue of unknown outcome counts as one that found nothing: what it took is not looked at.
fn step_of<'p>(entry: &Entry<'p, Call, Returned>) -> Option<QueueStep<&'p Value>> {
    match (entry.call, entry.returned) {
        (Call::Enqueue { value, .. }, _) => Some(QueueStep::Enqueue(value)),
        (Call::Dequeue { .. }, Some(Returned::Value(Value::Nil)) | None) => Some(QueueStep::Empty),
        (Call::Dequeue { .. }, Some(Returned::Value(value))) => Some(QueueStep::Dequeue(value)),
        _ => None,
    }
}
