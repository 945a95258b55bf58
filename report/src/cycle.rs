//! Transactions that each must come before the next, all the way round.

use serde::{Deserialize, Serialize};

use crate::verdict::OperationRecord;

/// A cycle of transactions. The edges follow each other: each leads from a transaction to the next one, the last back to
/// the first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Cycle {
    /// The transactions, in the order of the edges.
    pub transactions: Vec<OperationRecord>,
    /// Why each comes before the next.
    pub edges: Vec<CycleEdge>,
}

/// Why one transaction must come before another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CycleEdge {
    /// Who comes first, as a place in [`Cycle::transactions`].
    pub from: usize,
    /// Who comes then.
    pub to: usize,
    /// What makes it so: `ww`, `wr`, `rw`, `process`, `realtime`.
    pub kind: String,
    /// The object, where it is about one.
    pub key: Option<String>,
    /// The reason, in a sentence.
    pub why: String,
}
