//! Registers that report versions, by key.

use rashomon_history::{Call, Returned, Value};
use rustc_hash::FxHashSet;

use super::tell_versions::tell_clash;
use super::{HistoryModel, words};
use crate::fast::FastPath;
use crate::model::{Model, ObjectKey, Observed, SubHistory, effect_of};
use crate::operation::{Entry, Operation, Partition};
use crate::register::RegisterStep;
use crate::versions::{Growth, VersionedOperation, VersionsAnswer, check_versions};

/// One register a key: read, write, compare-and-set, which report the register's version. It grows with every write. A
/// write that reports none may have any.
///
/// In a part of a history, where what else was written is not known, a version stands twice where the value must come from
/// the part, and three times where it need not. No history may have that.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct VersionedRegister {
    /// What every register holds at first.
    pub initial: Value,
    /// The version of that.
    pub first: u64,
    /// How versions grow.
    pub growth: Growth,
}

/// What a [`VersionedRegister`] holds.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct VersionedState {
    version: u64,
    /// Whether the version may be higher, because a write did not tell its own.
    is_lowest: bool,
    held: Held,
}

/// What is known of a value.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Held {
    /// It is this.
    Value(Value),
    /// It is this, or in a part of a history one that others wrote.
    Perhaps(Value),
    /// Others wrote it, and nobody knows what.
    Lost,
}

/// What is known of the versions around an operation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// All.
    All,
    /// Others may have written before, but not the value that it saw.
    NotTheVersions,
    /// Others may have written before, whatever it saw.
    Little,
}

impl VersionedState {
    /// The version, or the lowest that it may be where a write did not tell its own.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The value. `None` in a part of a history where nobody knows.
    #[must_use]
    pub fn value(&self) -> Option<&Value> {
        match &self.held {
            Held::Value(value) => Some(value),
            Held::Perhaps(_) | Held::Lost => None,
        }
    }

    /// Whether the value may be this one, which others did not write.
    fn may_be(&self, value: &Value) -> bool {
        match &self.held {
            Held::Value(held) | Held::Perhaps(held) => held == value,
            Held::Lost => false,
        }
    }
}

impl VersionedRegister {
    /// Whether an operation that told this version fits one that comes after `state`: with its own write or without.
    fn fits(&self, state: &VersionedState, version: u64, writes: bool, known: Known) -> bool {
        let next = state.version + u64::from(writes);
        let may_be_higher = state.is_lowest && (self.growth == Growth::AtLeastOne || known != Known::All);
        if may_be_higher || writes && self.growth == Growth::AtLeastOne { version >= next } else { version == next }
    }

    /// The state after an operation that told a version.
    fn told(&self, state: &VersionedState, call: &Call, told: Told<'_>) -> Option<VersionedState> {
        let Told { version, known, returned } = told;
        let writes = matches!(call, Call::Write { .. }) || matches!(returned, Returned::Swapped);
        let (seen, new) = match (call, returned) {
            (Call::Write { value, .. }, Returned::Done) => (None, value),
            (Call::Cas { from, to, .. }, Returned::Swapped) => (Some(from), to),
            (Call::Read { .. }, Returned::Value(value)) => (Some(value), value),
            (Call::Cas { from, .. }, Returned::NotSwapped { current: Some(current) }) if from != current => {
                (Some(current), current)
            }
            (Call::Cas { from, .. }, Returned::NotSwapped { current: None }) => {
                return self.refused(state, from, version, known);
            }
            _ => return None,
        };
        let after = Some(VersionedState { version, is_lowest: false, held: Held::Value(new.clone()) });
        if known == Known::Little && state.version + u64::from(writes) < version {
            // Others may have written what it saw, just before.
            return after;
        }
        let is_lost = known == Known::Little && !matches!(state.held, Held::Value(_));
        let is_seen = is_lost || seen.is_none_or(|seen| state.may_be(seen));
        // Of the last write before a write nothing need be known.
        let is_next = if writes && known != Known::All && seen.is_none() {
            version > state.version
        } else {
            self.fits(state, version, writes, known)
        };
        if is_seen && is_next { after } else { None }
    }

    /// The state after a compare-and-set that did not find `from`.
    fn refused(&self, state: &VersionedState, from: &Value, version: u64, known: Known) -> Option<VersionedState> {
        let is_written_by_others = known != Known::All && !state.is_lowest && state.version < version;
        let may_be_written_by_others = known != Known::All && state.version < version;
        let held = match &state.held {
            _ if is_written_by_others => Held::Lost,
            Held::Lost => Held::Lost,
            Held::Value(value) | Held::Perhaps(value) if may_be_written_by_others && value != from => {
                Held::Perhaps(value.clone())
            }
            Held::Value(_) if may_be_written_by_others => Held::Lost,
            Held::Perhaps(value) if value == from => Held::Lost,
            Held::Value(value) if value == from => return None,
            held @ (Held::Value(_) | Held::Perhaps(_)) => held.clone(),
        };
        let fits = is_written_by_others || self.fits(state, version, false, known);
        fits.then_some(VersionedState { version, is_lowest: false, held })
    }
}

impl Model for VersionedRegister {
    type Call = Call;
    type Return = Returned;
    type State = VersionedState;

    fn init(&self) -> VersionedState {
        VersionedState { version: self.first, is_lowest: false, held: Held::Value(self.initial.clone()) }
    }

    fn step(&self, state: &VersionedState, call: &Call, returned: Option<&Returned>) -> Option<VersionedState> {
        if let Some(told) = returned.and_then(told) {
            return self.told(state, call, told);
        }
        let write = |value: &Value, is_lowest| {
            Some(VersionedState { version: state.version + 1, is_lowest, held: Held::Value(value.clone()) })
        };
        match (call, returned) {
            (Call::Write { value, .. }, _) => write(value, true),
            (Call::Cas { from, to, .. }, Some(Returned::Swapped) | None) if state.may_be(from) => {
                // It came next after the write of what it found.
                write(to, state.is_lowest || self.growth == Growth::AtLeastOne)
            }
            (Call::Cas { from, .. }, Some(Returned::NotSwapped { current: Some(current) })) => {
                (from != current && state.may_be(current)).then(|| state.clone())
            }
            (Call::Cas { from, .. }, Some(Returned::NotSwapped { current: None })) => {
                (!state.may_be(from)).then(|| state.clone())
            }
            (Call::Read { .. }, Some(Returned::Value(value))) => state.may_be(value).then(|| state.clone()),
            (Call::Read { .. }, None) => Some(state.clone()),
            _ => None,
        }
    }

    fn object<'c>(&self, call: &'c Call) -> ObjectKey<'c> {
        words::object(call)
    }

    fn is_pure(&self, call: &Call, returned: Option<&Returned>) -> bool {
        // Where versions may be left out, one that is told tells of those before it.
        !writes(call, returned)
            && returned.and_then(told).is_none_or(|told| self.growth == Growth::One && told.known == Known::All)
    }

    fn effect(&self, call: &Call) -> u64 {
        effect_of(words::written(call, None))
    }

    fn observes(&self, call: &Call, returned: Option<&Returned>) -> Observed {
        if returned.is_some_and(|returned| told(returned).is_some()) {
            return Observed::Anything;
        }
        match (call, returned) {
            (Call::Read { .. }, Some(Returned::Value(value))) => Observed::Effects(vec![effect_of(Some(value))]),
            (Call::Cas { from, .. }, None | Some(Returned::Swapped)) => Observed::Effects(vec![effect_of(Some(from))]),
            (Call::Cas { .. }, Some(_)) => Observed::Anything,
            _ => Observed::NOTHING,
        }
    }

    fn sub_history(
        &self,
        kept: &Partition<'_, Call, Returned>,
        dropped: &Partition<'_, Call, Returned>,
    ) -> SubHistory<Call, Returned> {
        let lost = dropped.iter().filter(|entry| writes(entry.call, entry.returned));
        let lost: FxHashSet<&Value> = lost.filter_map(|entry| words::written(entry.call, None)).collect();
        if lost.is_empty() {
            return SubHistory::AsItIs;
        }
        SubHistory::Weakened(kept.iter().map(|entry| weaken(entry, &lost)).collect())
    }

    fn fast_path(&self, partition: &Partition<'_, Call, Returned>) -> FastPath {
        let Some(operations) = partition.iter().map(operation_of).collect::<Option<Vec<_>>>() else {
            return FastPath::NotApplicable("an operation is none of a versioned register's");
        };
        match check_versions(&operations, &self.initial, self.first, self.growth) {
            VersionsAnswer::NotApplicable(why) => FastPath::NotApplicable(why),
            VersionsAnswer::Valid(order) => FastPath::Valid(order),
            VersionsAnswer::Invalid(clash) => FastPath::Invalid(tell_clash(&clash, partition)),
        }
    }

    fn state_heap_bytes(&self, state: &VersionedState) -> usize {
        match &state.held {
            Held::Value(value) | Held::Perhaps(value) => words::value_bytes(value),
            Held::Lost => 0,
        }
    }

    fn describe(&self, call: &Call, returned: Option<&Returned>) -> String {
        words::tell(call, returned)
    }
}

impl HistoryModel for VersionedRegister {
    fn name(&self) -> &'static str {
        "versioned-register"
    }

    fn known_calls(&self) -> &'static str {
        "read of a value, write and cas, with versions"
    }

    fn knows(&self, call: &Call, returned: Option<&Returned>) -> bool {
        let returned = match returned {
            Some(Returned::Versioned { returned, .. }) => Some(&**returned),
            other => other,
        };
        matches!(
            (call, returned),
            (Call::Read { .. }, Some(Returned::Value(_)) | None)
                | (Call::Cas { .. }, Some(Returned::Swapped | Returned::NotSwapped { .. }) | None)
                | (Call::Write { .. }, Some(Returned::Done) | None)
        )
    }
}

/// A version that was told.
struct Told<'a> {
    version: u64,
    known: Known,
    returned: &'a Returned,
}

fn told(returned: &Returned) -> Option<Told<'_>> {
    let Returned::Versioned { version, returned } = returned else { return None };
    let (mut known, mut returned) = (Known::All, &**returned);
    while let Returned::Versioned { returned: inner, .. } = returned {
        known = if known == Known::All { Known::NotTheVersions } else { Known::Little };
        returned = inner;
    }
    Some(Told { version: *version, known, returned })
}

/// What came back beside the version.
fn plain(returned: Option<&Returned>) -> Option<&Returned> {
    returned.map(|returned| told(returned).map_or(returned, |told| told.returned))
}

/// Whether the operation may write.
fn writes(call: &Call, returned: Option<&Returned>) -> bool {
    match call {
        Call::Write { .. } => true,
        Call::Cas { .. } => !matches!(plain(returned), Some(Returned::NotSwapped { .. })),
        _ => false,
    }
}

fn operation_of<'a>(entry: &Entry<'a, Call, Returned>) -> Option<VersionedOperation<&'a Value>> {
    let version = match entry.returned {
        Some(Returned::Versioned { version, .. }) => Some(*version),
        _ => None,
    };
    let step = match (entry.call, plain(entry.returned)) {
        (Call::Read { .. }, Some(Returned::Value(value))) => RegisterStep::Read(value),
        // Of unknown outcome, so that what it saw does not matter.
        (Call::Read { .. }, None) => RegisterStep::Read(&Value::Nil),
        (Call::Write { value, .. }, _) => RegisterStep::Write(value),
        (Call::Cas { from, .. }, Some(Returned::NotSwapped { current: Some(current) })) if from != current => {
            RegisterStep::Read(current)
        }
        (Call::Cas { from, .. }, Some(Returned::NotSwapped { current: None })) => RegisterStep::Refused(from),
        (Call::Cas { from, to, .. }, Some(Returned::Swapped) | None) => RegisterStep::Cas(from, to),
        _ => return None,
    };
    let (invoked, completed) = (entry.invoked, entry.completed);
    Some(VersionedOperation { step, version, is_known: entry.returned.is_some(), invoked, completed })
}

/// What is certain of an operation without writes of these values.
fn weaken(entry: &Entry<'_, Call, Returned>, lost: &FxHashSet<&Value>) -> Option<Operation<Call, Returned>> {
    let told = entry.returned.and_then(told);
    let seen = match (entry.call, plain(entry.returned)) {
        (Call::Read { .. }, Some(Returned::Value(value))) => Some(value),
        (Call::Cas { from, .. }, Some(Returned::Swapped) | None) => Some(from),
        (Call::Cas { from, .. }, Some(Returned::NotSwapped { current: Some(current) })) if from != current => {
            Some(current)
        }
        (Call::Cas { .. }, Some(Returned::NotSwapped { current: None })) if told.is_none() => return None,
        _ => None,
    };
    let is_refused = matches!(plain(entry.returned), Some(Returned::NotSwapped { current: None }));
    let is_lost = is_refused || seen.is_some_and(|seen| lost.contains(seen));
    let (call, returned) = match (told, entry.call) {
        (Some(Told { version, returned, .. }), call) => {
            let wrap = |returned| Returned::Versioned { version, returned: Box::new(returned) };
            let twice = wrap(wrap(returned.clone()));
            (call.clone(), Some(if is_lost { wrap(twice) } else { twice }))
        }
        (None, Call::Cas { key, to, .. }) if is_lost && writes(entry.call, entry.returned) => {
            let call = Call::Write { key: key.clone(), value: to.clone() };
            (call, entry.returned.map(|_| Returned::Done))
        }
        (None, _) if is_lost => return None,
        (None, call) => (call.clone(), entry.returned.cloned()),
    };
    Some(Operation { process: 0, call, returned, invoked: entry.invoked, completed: entry.completed })
}
