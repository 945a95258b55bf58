//! Lists and sets that only grow, by key.

use rashomon_history::{Call, Returned, Value};
use rustc_hash::FxHashSet;

use super::tell_growth::tell_clash;
use super::{HistoryModel, words};
use crate::fast::FastPath;
use crate::growth::{GrowthAnswer, GrowthOperation, GrowthStep, Shape, check_growth};
use crate::model::{Model, ObjectKey, Observed, SubHistory, effect_of};
use crate::operation::{Operation, Partition};

/// One list a key, empty at first: append an element, read the whole list. Nil reads as the empty list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AppendList;

/// One set a key, empty at first: add an element, read the whole set. Nil reads as the empty set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct GrowSet;

impl Model for AppendList {
    type Call = Call;
    type Return = Returned;
    type State = Vec<Value>;

    fn init(&self) -> Vec<Value> {
        Vec::new()
    }

    fn step(&self, state: &Vec<Value>, call: &Call, returned: Option<&Returned>) -> Option<Vec<Value>> {
        match call {
            Call::Read { .. } => returned.is_none_or(|seen| elements(seen) == Some(state)).then(|| state.clone()),
            Call::Append { value, .. } => Some(state.iter().chain([value]).cloned().collect()),
            _ => None,
        }
    }

    fn object<'c>(&self, call: &'c Call) -> ObjectKey<'c> {
        words::object(call)
    }

    fn is_pure(&self, call: &Call, _: Option<&Returned>) -> bool {
        matches!(call, Call::Read { .. })
    }

    fn effect(&self, call: &Call) -> u64 {
        effect_of(words::written(call, None))
    }

    fn observes(&self, _: &Call, returned: Option<&Returned>) -> Observed {
        sees(returned)
    }

    fn sub_history(
        &self,
        kept: &Partition<'_, Call, Returned>,
        dropped: &Partition<'_, Call, Returned>,
    ) -> SubHistory<Call, Returned> {
        project(kept, dropped)
    }

    fn fast_path(&self, partition: &Partition<'_, Call, Returned>) -> FastPath {
        fast_path(partition, Shape::List)
    }

    fn state_heap_bytes(&self, state: &Vec<Value>) -> usize {
        heap_bytes(state)
    }

    fn describe(&self, call: &Call, returned: Option<&Returned>) -> String {
        words::tell(call, returned)
    }
}

impl HistoryModel for AppendList {
    fn name(&self) -> &'static str {
        "append"
    }

    fn known_calls(&self) -> &'static str {
        "append, and read of a list"
    }

    fn knows(&self, call: &Call, returned: Option<&Returned>) -> bool {
        matches!(call, Call::Append { .. }) && matches!(returned, Some(Returned::Done) | None)
            || is_read(call, returned)
    }
}

impl Model for GrowSet {
    type Call = Call;
    type Return = Returned;
    /// Sorted, without duplicates.
    type State = Vec<Value>;

    fn init(&self) -> Vec<Value> {
        Vec::new()
    }

    fn step(&self, state: &Vec<Value>, call: &Call, returned: Option<&Returned>) -> Option<Vec<Value>> {
        match call {
            Call::Read { .. } => {
                let is_all = |seen: &Returned| {
                    elements(seen).is_some_and(|seen| {
                        let mut seen: Vec<&Value> = seen.iter().collect();
                        seen.sort_unstable();
                        seen.into_iter().eq(state)
                    })
                };
                returned.is_none_or(is_all).then(|| state.clone())
            }
            Call::Add { value, .. } => {
                let mut new = state.clone();
                if let Err(place) = new.binary_search(value) {
                    new.insert(place, value.clone());
                }
                Some(new)
            }
            _ => None,
        }
    }

    fn object<'c>(&self, call: &'c Call) -> ObjectKey<'c> {
        words::object(call)
    }

    fn is_pure(&self, call: &Call, _: Option<&Returned>) -> bool {
        matches!(call, Call::Read { .. })
    }

    fn effect(&self, call: &Call) -> u64 {
        effect_of(words::written(call, None))
    }

    fn observes(&self, _: &Call, returned: Option<&Returned>) -> Observed {
        sees(returned)
    }

    fn sub_history(
        &self,
        kept: &Partition<'_, Call, Returned>,
        dropped: &Partition<'_, Call, Returned>,
    ) -> SubHistory<Call, Returned> {
        project(kept, dropped)
    }

    fn fast_path(&self, partition: &Partition<'_, Call, Returned>) -> FastPath {
        fast_path(partition, Shape::Set)
    }

    fn state_heap_bytes(&self, state: &Vec<Value>) -> usize {
        heap_bytes(state)
    }

    fn describe(&self, call: &Call, returned: Option<&Returned>) -> String {
        words::tell(call, returned)
    }
}

impl HistoryModel for GrowSet {
    fn name(&self) -> &'static str {
        "set"
    }

    fn known_calls(&self) -> &'static str {
        "add, and read of a set"
    }

    fn knows(&self, call: &Call, returned: Option<&Returned>) -> bool {
        matches!(call, Call::Add { .. }) && matches!(returned, Some(Returned::Done) | None) || is_read(call, returned)
    }
}

fn is_read(call: &Call, returned: Option<&Returned>) -> bool {
    matches!(call, Call::Read { .. }) && returned.is_none_or(|seen| elements(seen).is_some())
}

/// The elements that a read saw.
pub(super) fn elements(returned: &Returned) -> Option<&[Value]> {
    match returned {
        Returned::List(values) => Some(values),
        Returned::Value(Value::Nil) => Some(&[]),
        _ => None,
    }
}

fn sees(returned: Option<&Returned>) -> Observed {
    let seen = returned.and_then(elements).unwrap_or_default();
    Observed::Effects(seen.iter().map(|element| effect_of(Some(element))).collect())
}

fn heap_bytes(state: &[Value]) -> usize {
    state.iter().map(words::value_bytes).sum()
}

/// The kept operations, with the elements of the dropped ones blotted out of all reads.
fn project(
    kept: &Partition<'_, Call, Returned>,
    dropped: &Partition<'_, Call, Returned>,
) -> SubHistory<Call, Returned> {
    let lost: FxHashSet<&Value> =
        dropped.iter().filter_map(|entry| words::written(entry.call, entry.returned)).collect();
    let was_seen = |element: &Value| {
        kept.iter().filter_map(|entry| entry.returned.and_then(elements)).any(|seen| seen.contains(element))
    };
    let is_put_by_both = |element: &Value| lost.contains(element) && was_seen(element);
    if kept.iter().any(|entry| words::written(entry.call, entry.returned).is_some_and(is_put_by_both)) {
        // Some of the reads owe it to the dropped operation, and nobody knows which.
        return SubHistory::Unsound;
    }
    let project = |returned: &Returned| match elements(returned) {
        Some(seen) => Returned::List(seen.iter().filter(|element| !lost.contains(element)).cloned().collect()),
        None => returned.clone(),
    };
    let operations = kept.iter().map(|entry| {
        Some(Operation {
            process: 0,
            call: entry.call.clone(),
            returned: entry.returned.map(project),
            invoked: entry.invoked,
            completed: entry.completed,
        })
    });
    SubHistory::Weakened(operations.collect())
}

pub(super) fn fast_path(partition: &Partition<'_, Call, Returned>, shape: Shape) -> FastPath {
    let mut operations = Vec::with_capacity(partition.len());
    for entry in partition.iter() {
        let step = match entry.call {
            Call::Append { value, .. } | Call::Add { value, .. } => GrowthStep::Put(value),
            Call::Read { .. } => match entry.returned.map(elements) {
                Some(Some(seen)) => GrowthStep::Read(seen),
                None => GrowthStep::Read(&[]),
                Some(None) => return FastPath::NotApplicable("a read saw no list"),
            },
            _ => {
                return FastPath::NotApplicable("an operation does more than to grow the object");
            }
        };
        let (invoked, completed) = (entry.invoked, entry.completed);
        operations.push(GrowthOperation { step, is_known: entry.returned.is_some(), invoked, completed });
    }
    match check_growth(&operations, shape) {
        GrowthAnswer::NotApplicable(why) => FastPath::NotApplicable(why),
        GrowthAnswer::Valid(order) => FastPath::Valid(order),
        GrowthAnswer::Invalid(clash) => FastPath::Invalid(tell_clash(&clash, partition)),
    }
}
