//! What a check of a property answers.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::witness::WitnessOperation;

/// Anomalies of one kind that are told. All are counted.
pub const TOLD_MAX: usize = 16;

/// The answer, what it rests on, and what it took.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PropertyReport {
    /// The name of the property.
    pub property: &'static str,
    /// The answer.
    #[serde(flatten)]
    pub verdict: PropertyVerdict,
    /// What breaks the property, by kind; at most [`TOLD_MAX`] of each.
    pub anomalies: Vec<PropertyAnomaly>,
    /// What is worth knowing but allowed as the property was asked for, such as stale elements of a set that need not be
    /// linearizable; at most [`TOLD_MAX`] of each kind.
    pub allowed: Vec<PropertyAnomaly>,
    /// How much there was of what. Anomalies, told or not, are counted under the names of their kinds.
    pub counts: BTreeMap<&'static str, u64>,
    /// What it took, and what was measured on the way.
    pub statistics: PropertyStatistics,
}

/// Whether the history has the property.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "verdict", content = "detail", rename_all = "kebab-case")]
pub enum PropertyVerdict {
    /// It has, and there was something to decide on.
    Valid,
    /// It has not.
    Invalid,
    /// It can't be said.
    Unknown {
        /// Why not.
        why: PropertyWhy,
    },
}

impl PropertyVerdict {
    /// Whether the history has the property.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        matches!(self, Self::Valid)
    }

    /// Whether the history was found not to have it.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        matches!(self, Self::Invalid)
    }
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PropertyWhy {
    /// The time budget is spent.
    TimeBudget,
    /// The memory budget is spent.
    MemoryBudget,
    /// Nothing happened that could have broken the property.
    NothingToDecide {
        /// What was missing.
        reason: String,
    },
    /// Something happened of which nobody can say whether it breaks the property.
    Undecided {
        /// What it is.
        reason: String,
    },
}

impl PropertyWhy {
    pub(super) fn nothing(reason: impl Into<String>) -> Self {
        Self::NothingToDecide { reason: reason.into() }
    }

    pub(super) fn undecided(reason: impl Into<String>) -> Self {
        Self::Undecided { reason: reason.into() }
    }
}

impl fmt::Display for PropertyWhy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimeBudget => f.write_str("the time budget is spent; a longer one would help"),
            Self::MemoryBudget => f.write_str("the memory budget is spent; a larger one would help"),
            Self::NothingToDecide { reason } => write!(f, "nothing to decide on: {reason}"),
            Self::Undecided { reason } => f.write_str(reason),
        }
    }
}

/// A few operations that show one anomaly.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PropertyAnomaly {
    /// What kind it is.
    pub kind: AnomalyKind,
    /// The object that it is about; `None` where it is about all of them.
    pub object: Option<String>,
    /// The operations, by invocation.
    pub operations: Vec<WitnessOperation>,
    /// What they show, in plain sentences.
    pub explanation: String,
}

/// Declares the kinds with their names, so that a name stands in one place.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)*) => {
        /// What kind of anomaly it is.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
        #[non_exhaustive]
        pub enum AnomalyKind {
            $($(#[$doc])* #[serde(rename = $name)] $kind,)*
        }

        impl AnomalyKind {
            /// Its name in reports: `poll-skip`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }
    };
}

kinds! {
    /// What was acknowledged is gone for good.
    Lost = "lost",
    /// What was acknowledged was missing from a read that began later than it should have been there.
    Stale = "stale",
    /// What was acknowledged was missing, and nobody can say whether it came back.
    Dubious = "dubious",
    /// Something is there, came out or was given more often than it was put in.
    Duplicated = "duplicated",
    /// Something was seen that nobody had tried to put there by then.
    Unexpected = "unexpected",
    /// Something was seen of which its writer was told that it certainly failed (Adya's G1a).
    AbortedRead = "aborted-read",
    /// A number is less or more than any selection of the operations could make it.
    OutOfBounds = "out-of-bounds",
    /// A number went down within one process.
    NonMonotonic = "non-monotonic",
    /// A process did not see its own earlier write.
    ReadYourWrites = "read-your-writes",
    /// A process saw something older than it had seen before.
    MonotonicReads = "monotonic-reads",
    /// Writes of one process took effect in another order.
    MonotonicWrites = "monotonic-writes",
    /// A write took effect before what its process had read before it.
    WritesFollowReads = "writes-follow-reads",
    /// Two values stand at one offset of a log.
    InconsistentOffset = "inconsistent-offset",
    /// A process that polled a log went past a record.
    PollSkip = "poll-skip",
    /// A process that polled a log went back, or stayed where it was.
    NonmonotonicPoll = "nonmonotonic-poll",
    /// A later record of a process stands before an earlier one.
    NonmonotonicSend = "nonmonotonic-send",
    /// An acknowledged record that no poll came to.
    Unseen = "unseen",
    /// The accounts of a bank don't add up.
    WrongTotal = "wrong-total",
    /// An account of a bank is overdrawn.
    NegativeValue = "negative-value",
    /// A read of a bank shows an account that is none of its own.
    UnexpectedKey = "unexpected-key",
    /// A read of a bank lacks an account.
    MissingKey = "missing-key",
    /// An account of a bank holds no number.
    NilBalance = "nil-balance",
    /// Two reads saw two writes in opposite orders.
    LongFork = "long-fork",
    /// A lock was held by two at a time.
    DoubleHold = "double-hold",
    /// More permits of a semaphore were held at a time than there are.
    TooManyPermits = "too-many-permits",
    /// Somebody released what he did not hold.
    ForeignRelease = "foreign-release",
    /// What was acquired, and neither released nor expired, was not held any more.
    LostHold = "lost-hold",
    /// A session was over before its lease was.
    ExpiredEarly = "expired-early",
    /// A session was over, and then it was not.
    RevivedSession = "revived-session",
    /// Two holds of a lock had the same fencing token.
    TokenReused = "token-reused",
    /// A later hold of a lock had a smaller fencing token.
    TokenFell = "token-fell",
    /// The fencing token changed while the lock was held.
    TokenChanged = "token-changed",
    /// A lock was granted to who did not hold it at that moment.
    GrantedWithoutHold = "granted-without-hold",
    /// A write was accepted under an older fencing token than a write before it.
    StaleToken = "stale-token",
    /// Two writes of an object had the same number.
    NumberReused = "number-reused",
    /// A later write of an object had a smaller number.
    NumberFell = "number-fell",
    /// A transaction was committed at one node and aborted at another.
    Disagreement = "disagreement",
    /// A transaction was still waiting for its decision when all faults were over.
    Undecided = "undecided",
    /// A part of a transaction happened, and another did not.
    Partial = "partial",
    /// Two nodes hold what can't be copies of one store.
    CopiesDiffer = "copies-differ",
}

impl fmt::Display for AnomalyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a check took, and what was measured on the way.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct PropertyStatistics {
    /// Operations that were given.
    pub operations: usize,
    /// Objects that they are about.
    pub objects: usize,
    /// An estimate of the most memory that the check held at once, without the history itself.
    pub peak_memory_bytes: usize,
    /// Wall time of the check.
    pub check_seconds: f64,
    /// Latencies by name, such as how long it took until an element was seen by all. In nanoseconds.
    pub latencies_ns: BTreeMap<&'static str, Quantiles>,
}

/// A distribution.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Quantiles {
    /// How many values there are.
    pub count: u64,
    /// The smallest.
    pub min: u64,
    /// Half of the values are not larger.
    pub p50: u64,
    /// 95% of the values are not larger.
    pub p95: u64,
    /// 99% of the values are not larger.
    pub p99: u64,
    /// The largest.
    pub max: u64,
}

impl Quantiles {
    /// Of the values, which are sorted on the way; `None` where there is none.
    pub(super) fn of(values: &mut [u64]) -> Option<Self> {
        values.sort_unstable();
        let last = values.len().checked_sub(1)?;
        let at = |percent: usize| values[(values.len() * percent).div_ceil(100) - 1];
        Some(Self {
            count: values.len() as u64,
            min: values[0],
            p50: at(50),
            p95: at(95),
            p99: at(99),
            max: values[last],
        })
    }
}
