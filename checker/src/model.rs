//! The sequential specification that a history is held against.

use std::borrow::Cow;
use std::fmt;
use std::hash::{BuildHasher, Hash};

use rustc_hash::{FxBuildHasher, FxHashSet};

use crate::fast::FastPath;
use crate::operation::{Operation, Partition};

/// A sequential specification: a state and a step.
///
/// Only [`init`](Model::init) and [`step`](Model::step) must be written. The other methods are promises that make a check
/// faster or its witness shorter; a promise that does not hold makes verdicts wrong.
pub trait Model: Sync {
    /// What a client asks for.
    type Call: Clone + Eq + Hash + fmt::Debug + Sync;
    /// What comes back.
    type Return: Clone + Eq + Hash + fmt::Debug + Sync;
    /// What the object is.
    type State: Clone + Eq + Hash;

    /// The state before the first operation.
    fn init(&self) -> Self::State;

    /// The state after `call`, or `None` where `call` can't come back with `returned` in this state.
    ///
    /// `returned` is `None` where the outcome is unknown: the state is wanted that follows if the call takes effect. (That
    /// it may never take effect is taken care of.)
    fn step(&self, state: &Self::State, call: &Self::Call, returned: Option<&Self::Return>) -> Option<Self::State>;

    /// The object that the call is about. Operations on different objects must not influence each other: they are checked
    /// apart, each from [`init`](Model::init).
    fn object<'c>(&self, call: &'c Self::Call) -> ObjectKey<'c> {
        let _ = call;
        ObjectKey::Whole
    }

    /// Whether the operation leaves *every* state alone: a read, a compare-and-set known to have failed. Such operations
    /// are taken as soon as they fit, which saves most of a search.
    fn is_pure(&self, call: &Self::Call, returned: Option<&Self::Return>) -> bool {
        let _ = (call, returned);
        false
    }

    /// A name for what the call does to the object, for [`observes`](Model::observes); see [`effect_of`].
    fn effect(&self, call: &Self::Call) -> u64 {
        let _ = call;
        0
    }

    /// The effects that the operation may owe its legality to. All else is promised not to help it: where it is legal
    /// after some calls, it is legal as well when calls of other effects are left out of them.
    ///
    /// A read of 7 from a register owes it to a write of 7, and to nothing else. With that, the search leaves no state
    /// that a later operation still needs, and witnesses are short.
    fn observes(&self, call: &Self::Call, returned: Option<&Self::Return>) -> Observed {
        let _ = (call, returned);
        Observed::Anything
    }

    /// A part of a history that is linearizable if the whole is: the operations `kept`, out of `kept` and `dropped`.
    /// Witnesses are made of it. The default drops nothing that a kept operation may observe.
    fn sub_history(
        &self,
        kept: &Partition<'_, Self::Call, Self::Return>,
        dropped: &Partition<'_, Self::Call, Self::Return>,
    ) -> SubHistory<Self::Call, Self::Return> {
        let lost = dropped.iter().filter(|entry| !self.is_pure(entry.call, entry.returned));
        let lost: FxHashSet<u64> = lost.map(|entry| self.effect(entry.call)).collect();
        let needed = kept.iter().any(|entry| self.observes(entry.call, entry.returned).includes_any(&lost));
        if needed { SubHistory::Unsound } else { SubHistory::AsItIs }
    }

    /// Decides the operations on one object without a search, where they allow it.
    fn fast_path(&self, partition: &Partition<'_, Self::Call, Self::Return>) -> FastPath {
        let _ = partition;
        FastPath::NotApplicable("the model has no fast path")
    }

    /// Heap bytes that a state holds, for the memory budget.
    fn state_heap_bytes(&self, state: &Self::State) -> usize {
        let _ = state;
        0
    }

    /// One operation in words: "read 7 from x".
    fn describe(&self, call: &Self::Call, returned: Option<&Self::Return>) -> String {
        match returned {
            Some(returned) => format!("{call:?} -> {returned:?}"),
            None => format!("{call:?} -> unknown"),
        }
    }
}

/// The effects that an operation may owe its legality to. See [`Model::observes`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Observed {
    /// All of them.
    Anything,
    /// All but this one.
    AnythingBut(u64),
    /// These.
    Effects(Vec<u64>),
}

impl Observed {
    /// Not one: the operation is legal always, or never.
    pub const NOTHING: Self = Self::Effects(Vec::new());

    /// Whether the effect is one of them.
    #[must_use]
    pub fn includes(&self, effect: u64) -> bool {
        match self {
            Self::Anything => true,
            Self::AnythingBut(other) => *other != effect,
            Self::Effects(effects) => effects.contains(&effect),
        }
    }

    /// Whether one of the effects is one of them.
    pub(crate) fn includes_any(&self, others: &FxHashSet<u64>) -> bool {
        match self {
            Self::Anything => !others.is_empty(),
            Self::AnythingBut(effect) => others.iter().any(|other| other != effect),
            Self::Effects(effects) => effects.iter().any(|effect| others.contains(effect)),
        }
    }
}

/// A number for an effect, made of whatever tells it from others. That two effects get the same number is as unlikely as
/// it is harmless.
pub fn effect_of(what: impl Hash) -> u64 {
    FxBuildHasher.hash_one(what)
}

/// Names one of the objects that a history is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ObjectKey<'c> {
    /// There is only one object.
    Whole,
    /// A number.
    Number(u64),
    /// A name.
    Name(Cow<'c, str>),
}

impl fmt::Display for ObjectKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("the object"),
            Self::Number(number) => number.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// What becomes of a history when some of its operations are left out. See [`Model::sub_history`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SubHistory<C, R> {
    /// The kept operations as they are.
    AsItIs,
    /// The kept operations, weakened so that nothing misses what was left out. One for each kept operation, in their
    /// order; `None` where nothing is left of it.
    Weakened(Vec<Option<Operation<C, R>>>),
    /// The kept operations may contradict each other only because others were left out.
    Unsound,
}
