//! Sets whose elements come and go, by key.

use std::borrow::Cow;

use rashomon_history::{Call, Key, Operation, Returned, Value};
use rustc_hash::{FxHashMap, FxHashSet};

use super::tell_set::tell_clash;
use super::{GrowSet, HistoryModel, growing, words};
use crate::fast::FastPath;
use crate::growth::Shape;
use crate::membership::{LeftOut, MembershipAnswer, MembershipOperation, MembershipStep, check_membership};
use crate::model::{Model, ObjectKey, Observed, SubHistory, effect_of};
use crate::operation::{self, Entry, Partition};

/// One set a key, empty at first: add, remove, contains, read of the whole set. Add and remove may say whether the set
/// changed.
///
/// A set that nobody read as a whole is as many objects as it has elements, each of which is there or not, see
/// [`Set::of`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Set {
    /// The sets that were read as a whole; `None` where any may be.
    read: Option<FxHashSet<Key>>,
}

impl Set {
    /// The model for these operations: sets that none of them reads are checked element by element.
    #[must_use]
    pub fn of(operations: &[Operation]) -> Self {
        let read = operations.iter().filter_map(|operation| match &operation.call {
            Call::Read { key } => Some(key.clone()),
            _ => None,
        });
        Self { read: Some(read.collect()) }
    }

    fn is_whole(&self, key: &Key) -> bool {
        self.read.as_ref().is_none_or(|read| read.contains(key))
    }
}

impl Model for Set {
    type Call = Call;
    type Return = Returned;
    /// Sorted, without duplicates.
    type State = Vec<Value>;

    fn init(&self) -> Vec<Value> {
        Vec::new()
    }

    fn step(&self, state: &Vec<Value>, call: &Call, returned: Option<&Returned>) -> Option<Vec<Value>> {
        let place = match call {
            Call::Read { .. } => return returned.is_none_or(|seen| is_all(seen, state)).then(|| state.clone()),
            Call::Add { value, .. } | Call::Remove { value, .. } | Call::Contains { value, .. } => {
                state.binary_search(value)
            }
            _ => return None,
        };
        let flag = match returned {
            None | Some(Returned::Done) => None,
            Some(Returned::Flag(flag)) => Some(*flag),
            Some(_) => return None,
        };
        let (told, next) = match (call, place) {
            (Call::Add { value, .. }, Err(place)) => {
                let mut next = state.clone();
                next.insert(place, value.clone());
                (true, next)
            }
            (Call::Remove { .. }, Ok(place)) => {
                let mut next = state.clone();
                next.remove(place);
                (true, next)
            }
            (Call::Contains { .. }, Ok(_)) => (true, state.clone()),
            (_, Ok(_) | Err(_)) => (false, state.clone()),
        };
        flag.is_none_or(|flag| flag == told).then_some(next)
    }

    fn object<'c>(&self, call: &'c Call) -> ObjectKey<'c> {
        match element(call) {
            Some((key, value)) if !self.is_whole(key) => ObjectKey::Name(Cow::Owned(format!("{value} in {key}"))),
            _ => words::object(call),
        }
    }

    fn is_pure(&self, call: &Call, returned: Option<&Returned>) -> bool {
        matches!(call, Call::Read { .. }) || matches!(membership(call, returned), Some(MembershipStep::Saw(_)))
    }

    fn effect(&self, call: &Call) -> u64 {
        let is_there = !matches!(call, Call::Remove { .. });
        effect_of((element(call).map(|(_, value)| value), is_there))
    }

    fn observes(&self, call: &Call, returned: Option<&Returned>) -> Observed {
        let needs = match (membership(call, returned), returned) {
            // What a read does not show may have been removed.
            _ if matches!(call, Call::Read { .. }) => return Observed::Anything,
            (_, None) | (None | Some(MembershipStep::Ensured(_)), _) => return Observed::NOTHING,
            (Some(MembershipStep::Saw(seen)), _) => seen,
            (Some(MembershipStep::Changed(to)), _) => !to,
        };
        Observed::Effects(vec![effect_of((element(call).map(|(_, value)| value), needs))])
    }

    fn sub_history(
        &self,
        kept: &Partition<'_, Call, Returned>,
        dropped: &Partition<'_, Call, Returned>,
    ) -> SubHistory<Call, Returned> {
        project(kept, dropped)
    }

    fn fast_path(&self, partition: &Partition<'_, Call, Returned>) -> FastPath {
        let mut operations = Vec::with_capacity(partition.len());
        let mut only: Option<&Value> = None;
        for entry in partition.iter() {
            let (Some((_, value)), Some(step)) = (element(entry.call), membership(entry.call, entry.returned)) else {
                return whole(partition);
            };
            if *only.get_or_insert(value) != value {
                return whole(partition);
            }
            let (invoked, completed) = (entry.invoked, entry.completed);
            operations.push(MembershipOperation { step, is_known: entry.returned.is_some(), invoked, completed });
        }
        match check_membership(&operations) {
            MembershipAnswer::NotApplicable(why) => FastPath::NotApplicable(why),
            MembershipAnswer::Valid(order) => FastPath::Valid(order),
            MembershipAnswer::Invalid(clash) => FastPath::Invalid(tell_clash(&clash, partition)),
        }
    }

    fn state_heap_bytes(&self, state: &Vec<Value>) -> usize {
        state.iter().map(words::value_bytes).sum()
    }

    fn describe(&self, call: &Call, returned: Option<&Returned>) -> String {
        words::tell(call, returned)
    }
}

impl HistoryModel for Set {
    fn name(&self) -> &'static str {
        "set"
    }

    fn known_calls(&self) -> &'static str {
        "add, remove, contains, and read of a set"
    }

    fn knows(&self, call: &Call, returned: Option<&Returned>) -> bool {
        match call {
            Call::Read { key } => self.is_whole(key) && returned.is_none_or(|seen| growing::elements(seen).is_some()),
            _ => membership(call, returned).is_some(),
        }
    }
}

/// Sets that only grow have a rule.
fn whole(partition: &Partition<'_, Call, Returned>) -> FastPath {
    if partition.iter().all(|entry| GrowSet.knows(entry.call, entry.returned)) {
        growing::fast_path(partition, Shape::Set)
    } else {
        FastPath::NotApplicable("the whole set was read, and elements were removed or asked for")
    }
}

/// What an operation does with its element. What the outcome is does not matter where it is unknown.
fn membership(call: &Call, returned: Option<&Returned>) -> Option<MembershipStep> {
    Some(match (call, returned) {
        (Call::Contains { .. }, Some(Returned::Flag(seen))) => MembershipStep::Saw(*seen),
        (Call::Contains { .. }, None) => MembershipStep::Saw(false),
        (Call::Add { .. }, Some(Returned::Flag(false))) => MembershipStep::Saw(true),
        (Call::Remove { .. }, Some(Returned::Flag(false))) => MembershipStep::Saw(false),
        (Call::Add { .. }, Some(Returned::Flag(true))) => MembershipStep::Changed(true),
        (Call::Remove { .. }, Some(Returned::Flag(true))) => MembershipStep::Changed(false),
        (Call::Add { .. }, Some(Returned::Done) | None) => MembershipStep::Ensured(true),
        (Call::Remove { .. }, Some(Returned::Done) | None) => MembershipStep::Ensured(false),
        _ => return None,
    })
}

/// The set and the element that a call is about.
pub(super) fn element(call: &Call) -> Option<(&Key, &Value)> {
    match call {
        Call::Add { key, value } | Call::Remove { key, value } | Call::Contains { key, value } => Some((key, value)),
        _ => None,
    }
}

fn is_all(seen: &Returned, state: &[Value]) -> bool {
    growing::elements(seen).is_some_and(|seen| {
        let mut seen: Vec<&Value> = seen.iter().collect();
        seen.sort_unstable();
        seen.into_iter().eq(state)
    })
}

/// What is certain of the kept operations without the dropped ones. Where the whole set is read, nothing is said of an
/// element that a dropped one may have changed.
fn project(
    kept: &Partition<'_, Call, Returned>,
    dropped: &Partition<'_, Call, Returned>,
) -> SubHistory<Call, Returned> {
    let mut left_out: FxHashMap<&Value, LeftOut> = FxHashMap::default();
    for entry in dropped.iter() {
        match (element(entry.call), membership(entry.call, entry.returned)) {
            (Some(_), Some(MembershipStep::Saw(_))) => {}
            (Some((_, value)), Some(step)) => {
                left_out.entry(value).or_insert(LeftOut::NOTHING).add(step, entry.invoked);
            }
            _ => {}
        }
    }
    let is_read = kept.iter().any(|entry| matches!(entry.call, Call::Read { .. }));
    let weaken = |entry: &Entry<'_, Call, Returned>| {
        let lost = element(entry.call).and_then(|(_, value)| left_out.get(value));
        if is_read && lost.is_some() {
            return None;
        }
        let Some(returned) = entry.returned else { return Some(None) };
        if let Some(seen) = growing::elements(returned) {
            let rest = seen.iter().filter(|value| !left_out.contains_key(value)).cloned().collect();
            return Some(Some(Returned::List(rest)));
        }
        let step = membership(entry.call, entry.returned);
        let (Some(step), Some(lost)) = (step, lost) else { return Some(Some(returned.clone())) };
        match lost.weaken(step, entry.completed)? {
            MembershipStep::Ensured(_) => Some(Some(Returned::Done)),
            MembershipStep::Saw(_) | MembershipStep::Changed(_) => Some(Some(returned.clone())),
        }
    };
    let operations = kept.iter().map(|entry| {
        let (call, returned) = (entry.call.clone(), weaken(entry)?);
        let (invoked, completed) = (entry.invoked, entry.completed);
        Some(operation::Operation { process: 0, call, returned, invoked, completed })
    });
    SubHistory::Weakened(operations.collect())
}
