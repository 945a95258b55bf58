//! What a check answers.

use std::fmt;

use serde::Serialize;

use crate::witness::Witness;

/// The answer, and what it took.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Report {
    /// The answer.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// How it was found.
    pub algorithm: Used,
    /// What it took.
    pub statistics: Statistics,
}

/// Whether the history is linearizable.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(tag = "verdict", content = "detail", rename_all = "kebab-case")]
pub enum Verdict {
    /// It is.
    Valid {
        /// A legal order of the operations on each object.
        #[serde(skip)]
        order: Vec<Linearization>,
    },
    /// It is not.
    Invalid(Witness),
    /// The budget ran out first.
    Unknown {
        /// What ran out.
        why: Why,
        /// What is known all the same.
        proven: Proven,
        /// What would help, the likeliest first: which option to raise, or what to change in the model or the history.
        help: Vec<String>,
    },
}

impl Verdict {
    /// Whether the history was found linearizable.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        matches!(self, Self::Valid { .. })
    }

    /// Whether the history was found not linearizable.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        matches!(self, Self::Invalid(_))
    }

    /// The witness, of an invalid history.
    #[must_use]
    pub fn witness(&self) -> Option<&Witness> {
        match self {
            Self::Invalid(witness) => Some(witness),
            Self::Valid { .. } | Self::Unknown { .. } => None,
        }
    }
}

/// A legal order of the operations on one object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Linearization {
    /// The object.
    pub object: String,
    /// Positions in the history that was given. Operations of unknown outcome that need not have happened are not in it.
    pub order: Vec<usize>,
}

/// Why there is no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Why {
    /// The time budget is spent.
    TimeBudget,
    /// The memory budget is spent.
    MemoryBudget,
    /// Only a fast path was allowed, and there is none for this history.
    NoFastPath {
        /// What stands in its way.
        reason: &'static str,
    },
    /// More operations are open at once than the search can tell apart.
    TooConcurrent {
        /// How many are.
        open: usize,
    },
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimeBudget => f.write_str("the time budget is spent"),
            Self::MemoryBudget => f.write_str("the memory budget is spent"),
            Self::NoFastPath { reason } => write!(f, "no fast path: {reason}"),
            Self::TooConcurrent { open } => {
                write!(f, "{open} operations are open at once, which is too many to search")
            }
        }
    }
}

/// What is known although the answer is not.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Proven {
    /// Objects whose operations are linearizable.
    pub objects_valid: usize,
    /// Objects in all.
    pub objects: usize,
    /// Operations on the objects found linearizable.
    pub operations_valid: usize,
    /// How far the search came on an object that is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<ProvenPrefix>,
}

/// The beginning of one object's history, found linearizable.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ProvenPrefix {
    /// The object.
    pub object: String,
    /// Operations that had come back by then.
    pub operations: usize,
    /// The position of the first operation whose completion is not part of it.
    pub until: usize,
}

/// Which algorithm gave the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Used {
    /// The general search.
    Search,
    /// A fast path.
    Fast,
    /// A fast path for some objects, the search for others.
    FastAndSearch,
}

impl fmt::Display for Used {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Search => "search",
            Self::Fast => "fast",
            Self::FastAndSearch => "fast-and-search",
        })
    }
}

/// What a check took. Where an object is invalid, the steps depend on how far other threads were when that was known.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct Statistics {
    /// Operations that were given.
    pub operations: usize,
    /// Objects that they are about.
    pub objects: usize,
    /// Steps of all searches.
    pub steps: u64,
    /// Configurations remembered by all searches.
    pub configurations: u64,
    /// An estimate of the most memory that the check held at once, without the history itself.
    pub peak_memory_bytes: usize,
    /// Wall time until the verdict was known.
    pub check_seconds: f64,
    /// Wall time after that, spent on the witness.
    pub explain_seconds: f64,
}
