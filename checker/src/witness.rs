//! Why a history is not linearizable.

use std::fmt;

use serde::Serialize;

/// A few operations that contradict each other, whatever else happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Witness {
    /// What kind of contradiction it is.
    pub kind: Kind,
    /// The object that they are about.
    pub object: String,
    /// The operations, by invocation.
    pub operations: Vec<WitnessOperation>,
    /// The contradiction, in plain sentences.
    pub explanation: String,
    /// Whether no operation can be left out: `false` where the time for explaining ran out before that was known.
    pub is_minimal: bool,
    /// Whether another algorithm finds that they contradict each other: a search what a fast path found, a fast path what a
    /// search found. `false` also where no other applies or the time for explaining ran out.
    pub is_confirmed: bool,
    /// How much of the object's history can be one story; `None` where the time ran out before that was known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<LegalPrefix>,
}

/// The longest beginning of one object's history that is linearizable, where nobody knew the outcome of what was open at
/// its end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LegalPrefix {
    /// Operations that had come back.
    pub operations: usize,
    /// The position of the one that came back last, if one did.
    pub until: Option<usize>,
    /// The position of the operation that came back next: with it the history is no longer linearizable.
    pub stuck: usize,
    /// All that in a sentence.
    pub text: String,
}

/// One operation of a witness.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct WitnessOperation {
    /// Its position in the history that was checked.
    pub position: usize,
    /// Who did what, when.
    pub text: String,
}

/// What kind of contradiction a witness is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// A read saw what had certainly been replaced before it began.
    StaleRead,
    /// An acknowledged write, append or add is missing from all that came later.
    LostWrite,
    /// A value was seen that nobody had written.
    NeverWritten,
    /// A value was seen whose write is known to have failed.
    FailedWriteSeen,
    /// A value was seen before its write began.
    ReadBeforeWrite,
    /// Two compare-and-sets both found the same value and replaced it.
    LostUpdate,
    /// A compare-and-set failed although it found what it expected.
    WrongFailure,
    /// Compare-and-sets that each need another one first.
    Cycle,
    /// Values were seen in an order that their intervals rule out.
    OrderViolation,
    /// Two reads of a list or a set of which neither contains the other.
    IncompatibleReads,
    /// An element stands twice in a list or a set though it was put there once.
    Duplicate,
    /// A counter shows a sum that additions can't have made by then.
    WrongSum,
    /// Two held a lock at once.
    DoubleGrant,
    /// More permits of a semaphore were held, or a lock more times, than there may be.
    TooManyPermits,
    /// A lock or a permit was released by one who did not hold it.
    ForeignRelease,
    /// An acquire got a fencing token that an earlier hold had.
    TokenReused,
    /// A later hold of a lock got a smaller fencing token.
    TokenNotMonotone,
    /// The fencing token changed while the lock was held.
    TokenChanged,
    /// No order of the operations is legal; found by searching.
    NotLinearizable,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::StaleRead => "stale read",
            Self::LostWrite => "lost write",
            Self::NeverWritten => "never-written value",
            Self::FailedWriteSeen => "failed write seen",
            Self::ReadBeforeWrite => "read before write",
            Self::LostUpdate => "lost update",
            Self::WrongFailure => "wrong failure",
            Self::Cycle => "cycle",
            Self::OrderViolation => "order violation",
            Self::IncompatibleReads => "incompatible reads",
            Self::Duplicate => "duplicate",
            Self::WrongSum => "wrong sum",
            Self::DoubleGrant => "two holders at once",
            Self::TooManyPermits => "too many permits",
            Self::ForeignRelease => "release by one who does not hold it",
            Self::TokenReused => "fencing token given twice",
            Self::TokenNotMonotone => "fencing tokens not in order",
            Self::TokenChanged => "fencing token changed while held",
            Self::NotLinearizable => "not linearizable",
        })
    }
}
