//! How to check.

use std::time::Duration;

/// Budgets, and which algorithm.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Wall time until there must be an answer; `None` for no limit.
    pub time_budget: Option<Duration>,
    /// Memory that the check may take, in bytes, without the history itself; `None` for no limit.
    pub memory_budget_bytes: Option<usize>,
    /// Which algorithm.
    pub algorithm: Algorithm,
    /// Threads that check objects at the same time. The answer does not depend on it, as long as no budget runs out.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { time_budget: None, memory_budget_bytes: None, algorithm: Algorithm::Auto, threads: 1 }
    }
}

/// Which algorithm to use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Algorithm {
    /// A fast path where the history allows it, the search elsewhere.
    #[default]
    Auto,
    /// The search only.
    Search,
    /// A fast path only; where there is none the answer is unknown.
    Fast,
}
