//! What models leave open.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rashomon_checker::transactions::{Consistency, UnknownConsistency};
use rashomon_history::Value;

/// What models leave open.
#[derive(Clone, Debug)]
pub struct Parameters {
    /// What every register holds at first.
    pub initial: Value,
    /// What the system promises; `None` for the strongest that the model knows.
    pub consistency: Option<AskedConsistency>,
    /// Whether versions may grow by more than one.
    pub version_gaps: bool,
    /// How often an owner may hold a reentrant lock at a time.
    pub holds_max: u32,
    /// The permits of a semaphore.
    pub permits: u32,
    /// How long the leases of lock sessions last at least; nothing where that is not known.
    pub ttl: Duration,
    /// Whether what locks guard is written under tokens that never fall: the resource refuses older ones, or holders stop in
    /// time.
    pub is_fenced: bool,
    /// Whether the final reads ask each node what it holds itself.
    pub tells_copies: bool,
    /// The total of all accounts of a bank; `None` for that of the first read.
    pub total: Option<i64>,
    /// Whether accounts of a bank may be overdrawn.
    pub negative_balances_allowed: bool,
    /// How old the value of a read may be for `stale-read-bound`.
    pub delta: Duration,
    /// Whether what comes out of a queue twice breaks `total-queue`.
    pub exactly_once: bool,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            initial: Value::Nil,
            consistency: None,
            version_gaps: false,
            holds_max: 2,
            permits: 1,
            ttl: Duration::ZERO,
            is_fenced: true,
            tells_copies: false,
            total: None,
            negative_balances_allowed: false,
            delta: Duration::from_secs(1),
            exactly_once: false,
        }
    }
}

/// What a system promises.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AskedConsistency {
    /// Of single operations: each takes effect at one moment between its two times.
    Linearizable,
    /// Of transactions.
    Transactions(Consistency),
}

impl fmt::Display for AskedConsistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linearizable => f.write_str("linearizable"),
            Self::Transactions(consistency) => f.write_str(consistency.name()),
        }
    }
}

impl FromStr for AskedConsistency {
    type Err = UnknownConsistency;

    fn from_str(name: &str) -> Result<Self, UnknownConsistency> {
        if name == "linearizable" { Ok(Self::Linearizable) } else { name.parse().map(Self::Transactions) }
    }
}
