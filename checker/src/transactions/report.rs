//! What a check of transactions answers.

use std::fmt;

use serde::Serialize;

use super::consistency::Consistency;
use super::kind::AnomalyKind;
use crate::witness::WitnessOperation;

/// The answer, and what it took.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct TransactionReport {
    /// The answer.
    #[serde(flatten)]
    pub verdict: TransactionVerdict,
    /// The level that was asked for.
    pub consistency: Consistency,
    /// What was found, the worst first: of each kind the first few. Some may be allowed by the level that was asked for.
    pub anomalies: Vec<TransactionAnomaly>,
    /// How many of each kind were found, the worst first. Of the cycles in one component of the dependency graph only
    /// the clearest of a class counts, and none that a worse one implies.
    pub counts: Vec<AnomalyCount>,
    /// The weakest levels that the history breaks.
    pub ruled_out: Vec<Consistency>,
    /// All stronger levels, which it breaks as well.
    pub also_ruled_out: Vec<Consistency>,
    /// What was left out of the search because it would have taken too long. The verdict does not depend on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsearched: Option<Unsearched>,
    /// What it took.
    pub statistics: TransactionStatistics,
}

/// Whether the history satisfies the level that was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "verdict", content = "detail", rename_all = "kebab-case")]
pub enum TransactionVerdict {
    /// Nothing was found that the level forbids.
    Valid,
    /// Something was.
    Invalid,
    /// Nothing was found, but not all could be looked at.
    Unknown {
        /// Why not.
        why: TransactionWhy,
        /// What is known all the same.
        proven: TransactionProven,
    },
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TransactionWhy {
    /// The time budget is spent.
    TimeBudget,
    /// Too many transactions depend on each other to look for every kind of cycle among them.
    TooDense,
    /// The memory budget is too small.
    MemoryBudget {
        /// About how much the check would take, in bytes.
        needed_bytes: usize,
    },
    /// Several transactions wrote the same value to a key, so nobody can tell whose it is that was read.
    ValueNotUnique {
        /// The key.
        key: String,
        /// The value.
        value: String,
    },
}

impl fmt::Display for TransactionWhy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimeBudget => f.write_str("the time budget is spent; a longer one would help"),
            Self::TooDense => f.write_str(
                "too many transactions depend on each other to look for every kind of cycle; serializable or snapshot \
                 isolation, which need no such search, or more keys, would help",
            ),
            Self::MemoryBudget { needed_bytes } => {
                write!(f, "the memory budget is too small; {} MB would do", needed_bytes.div_ceil(1_000_000))
            }
            Self::ValueNotUnique { key, value } => write!(
                f,
                "several transactions wrote {value} to {key}, so nobody can tell whose it is that was read; \
                 unique values would help"
            ),
        }
    }
}

/// What is known although the answer is not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransactionProven {
    /// Nothing.
    #[default]
    Nothing,
    /// No read by itself, nor with the writer of what it saw, breaks the level. Cycles were not looked for.
    EveryReadAlone,
    /// The same, and there is no forbidden cycle as far as dependencies are certain.
    CertainDependencies,
}

impl fmt::Display for TransactionProven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "nothing is proven",
            Self::EveryReadAlone => "every read by itself is right, but cycles of transactions were not looked for",
            Self::CertainDependencies => "every read by itself is right, and certain dependencies have no cycle",
        })
    }
}

/// How many anomalies of a kind were found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct AnomalyCount {
    /// The kind.
    pub kind: AnomalyKind,
    /// How many.
    pub count: usize,
}

/// A part of the search that was left out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Unsearched {
    /// In how many components of the dependency graph.
    pub components: usize,
    /// How many transactions these have.
    pub transactions: usize,
    /// Kinds of cycles that may be there.
    pub kinds: Vec<AnomalyKind>,
}

/// Something that some level forbids.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TransactionAnomaly {
    /// What kind.
    pub kind: AnomalyKind,
    /// Whether the level that was asked for forbids it.
    pub is_forbidden: bool,
    /// The key that it is about, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The transactions that are part of it.
    pub operations: Vec<WitnessOperation>,
    /// What is wrong, in plain sentences.
    pub explanation: String,
    /// The cycle, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cycle: Option<Cycle>,
}

/// Transactions that must each come before the next, and the last before the first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Cycle {
    /// The transactions, each once, in the order of the cycle.
    pub transactions: Vec<WitnessOperation>,
    /// As many edges: from each transaction to the next, and from the last to the first.
    pub edges: Vec<CycleEdge>,
}

/// One transaction must come before another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CycleEdge {
    /// The one that comes first: its place among the cycle's transactions.
    pub from: usize,
    /// The one that comes later: its place among the cycle's transactions.
    pub to: usize,
    /// What orders them.
    pub kind: EdgeKind,
    /// The key, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Why, in words: "T2 read \[1, 2\] from x, without 3, which T1 appended".
    pub why: String,
}

/// What orders two transactions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EdgeKind {
    /// The later one replaced what the earlier one wrote.
    Ww,
    /// The later one read what the earlier one wrote.
    Wr,
    /// The later one replaced what the earlier one read.
    Rw,
    /// The same process made both, one after the other.
    Process,
    /// The earlier one was over before the later one began.
    Realtime,
}

impl fmt::Display for EdgeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ww => "ww",
            Self::Wr => "wr",
            Self::Rw => "rw",
            Self::Process => "process",
            Self::Realtime => "realtime",
        })
    }
}

/// What a check took.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct TransactionStatistics {
    /// Transactions that were given.
    pub transactions: usize,
    /// Of these, committed.
    pub committed: usize,
    /// Of unknown outcome.
    pub unknown: usize,
    /// Of unknown outcome, but somebody saw what they wrote.
    pub unknown_seen: usize,
    /// Keys.
    pub keys: usize,
    /// Edges of the dependency graph.
    pub edges: usize,
    /// Components of the dependency graph that contain a cycle.
    pub components: usize,
    /// Transactions in the largest of these.
    pub largest_component: usize,
    /// An estimate of the most memory that the check held at once, without the history itself.
    pub peak_memory_bytes: usize,
    /// Wall time until the verdict was known.
    pub check_seconds: f64,
    /// Wall time after that, spent on searching the clearest cycles and on telling of them.
    pub explain_seconds: f64,
}
