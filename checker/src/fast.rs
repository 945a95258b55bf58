//! What a fast path answers.

use crate::witness::Kind;

/// What a fast path says about the operations on one object. Numbers are places in the [`Partition`](crate::Partition).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FastPath {
    /// It can't decide these operations, and why.
    NotApplicable(&'static str),
    /// A legal order. Operations of unknown outcome that nobody observed are not in it.
    Valid(Vec<u32>),
    /// There is no legal order.
    Invalid(Clash),
}

/// The operations that contradict each other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clash {
    /// What kind of contradiction it is.
    pub kind: Kind,
    /// The operations, as places in the partition.
    pub operations: Vec<u32>,
    /// The contradiction, in a plain sentence.
    pub explanation: String,
}
