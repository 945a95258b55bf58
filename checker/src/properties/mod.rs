//! Properties of recorded histories that are decided without a search, in linear time or nearly so.
//!
//! Each says less than a linearizability check and costs less; some say what it can't: whether a set *ever* forgot an
//! element, how stale a read was, whether a log skipped a record. `docs/PROPERTIES.md` in the project tells for each what
//! it decides, on which calls, and what an `unknown` means.
//!
//! ```
//! use rashomon_checker::Options;
//! use rashomon_checker::properties::{AnomalyKind, Property};
//! use rashomon_history::parse_history;
//!
//! let text = r#"
//! {"time":0,"process":0,"type":"invoke","f":"add","key":"s","value":1}
//! {"time":5,"process":0,"type":"ok","f":"add","key":"s","value":1}
//! {"time":6,"process":1,"type":"invoke","f":"read","key":"s"}
//! {"time":9,"process":1,"type":"ok","f":"read","key":"s","value":[]}
//! "#;
//! let history = parse_history("history.jsonl".as_ref(), text.trim_start().as_bytes())?;
//! let property = Property::SetFull { linearizable: false };
//! let report = property.check(&history.operations(), &Options::default())?;
//! assert!(report.verdict.is_invalid());
//! assert_eq!(report.anomalies[0].kind, AnomalyKind::Lost);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bank;
mod commit;
mod copies;
mod counter_bounds;
mod fencing;
mod lease_lock;
mod log;
mod long_fork;
mod membership;
mod monotonic;
mod report;
mod run;
mod session;
mod set_full;
mod stale_read_bound;
mod story;
mod total_queue;
mod unique_ids;

use std::time::Duration;

use rashomon_history::{Key, Operation};

pub use commit::DECISIONS;
pub use copies::COPY;
pub use report::{
    AnomalyKind, PropertyAnomaly, PropertyReport, PropertyStatistics, PropertyVerdict, PropertyWhy, Quantiles, TOLD_MAX,
};

use crate::models::words;
use crate::operation::CheckError;
use crate::options::Options;
use run::{Halt, Run};

/// A property of a recorded history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Property {
    /// No element of a set is lost: whatever was acknowledged or seen is seen by all reads that begin late enough.
    SetFull {
        /// Whether late enough is at once: no read that began after an element was acknowledged or seen may miss it.
        linearizable: bool,
    },
    /// What was put into a queue comes out, and nothing else does.
    TotalQueue {
        /// Whether what comes out more often than it was put in breaks the property.
        exactly_once: bool,
    },
    /// No identifier is given twice.
    UniqueIds,
    /// No read of a counter is less or more than any selection of the additions that may have happened by then.
    CounterBounds,
    /// Versions, tokens and offsets never go down within one process.
    Monotonic {
        /// Whether the numbers that reads see may not go down either.
        values: bool,
    },
    /// Read your writes, monotonic reads, monotonic writes, writes follow reads: within one process, object by object.
    Session,
    /// A read sees every write that was over long enough before it began.
    StaleReadBound {
        /// How long is long enough.
        delta: Duration,
    },
    /// A log with consumers, such as Kafka's, loses, repeats and reorders nothing.
    Log,
    /// In a bank the total stays the same, and no account is overdrawn.
    Bank(BankRules),
    /// No two transactions see two writes in opposite orders.
    LongFork,
    /// Locks with leases are held by one at a time, semaphores by no more than there are permits, and their tokens grow.
    LeaseLock {
        /// How long a lease lasts at least; nothing where that is not known: then only what its holder released, or what it
        /// was answered meanwhile, says how long a lock was held.
        ttl: Duration,
        /// How many may hold a lock at a time: 1, or the permits of a semaphore.
        permits: u32,
    },
    /// What fenced locks guard is written under tokens that never fall.
    Fencing,
    /// Transactions over several nodes are decided once, by all, and happen as a whole.
    Commit,
    /// The nodes of a store that keeps versions hold the same.
    Copies,
}

/// What is known of a bank.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BankRules {
    /// The accounts; `None` for those of the first read.
    pub accounts: Option<Vec<Key>>,
    /// The total of all accounts; `None` for that of the first read.
    pub total: Option<i64>,
    /// Whether accounts may be overdrawn.
    pub negative_balances_allowed: bool,
}

impl Property {
    /// All, with their usual rules.
    #[must_use]
    pub fn all() -> Vec<Self> {
        vec![
            Self::SetFull { linearizable: false },
            Self::TotalQueue { exactly_once: false },
            Self::UniqueIds,
            Self::CounterBounds,
            Self::Monotonic { values: false },
            Self::Session,
            Self::StaleReadBound { delta: Duration::ZERO },
            Self::Log,
            Self::Bank(BankRules::default()),
            Self::LongFork,
            Self::LeaseLock { ttl: Duration::ZERO, permits: 1 },
            Self::Fencing,
            Self::Commit,
            Self::Copies,
        ]
    }

    /// Its name on the command line.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::SetFull { .. } => "set-full",
            Self::TotalQueue { .. } => "total-queue",
            Self::UniqueIds => "unique-ids",
            Self::CounterBounds => "counter-bounds",
            Self::Monotonic { .. } => "monotonic",
            Self::Session => "session",
            Self::StaleReadBound { .. } => "stale-read-bound",
            Self::Log => "log",
            Self::Bank(_) => "bank",
            Self::LongFork => "long-fork",
            Self::LeaseLock { .. } => "lease-lock",
            Self::Fencing => "fencing",
            Self::Commit => "commit",
            Self::Copies => "copies",
        }
    }

    /// The calls that it knows, for people.
    #[must_use]
    pub fn known_calls(&self) -> &'static str {
        match self {
            Self::SetFull { .. } => "add, read and contains",
            Self::TotalQueue { .. } => "enqueue, dequeue and drain",
            Self::UniqueIds => "generate",
            Self::CounterBounds => "increment and read, of whole numbers",
            Self::Monotonic { .. } => "all calls",
            Self::Session => "read, write, cas and delete of registers, append to and read of lists, and txn",
            Self::StaleReadBound { .. } => {
                "read, write, cas and delete of registers, append to and read of lists, add to and read of sets"
            }
            Self::Log => "send, poll and assign",
            Self::Bank(_) => "transfer, read of everything and txn",
            Self::LongFork => "txn of one write or of reads, write and read",
            Self::LeaseLock { .. } | Self::Fencing | Self::Commit | Self::Copies => "all calls",
        }
    }

    /// Checks a history, inside the budgets of the options. Their threads and algorithm are not looked at.
    ///
    /// # Errors
    ///
    /// If an operation is none of the property's, or ends before it begins.
    pub fn check<'a>(&'a self, operations: &'a [Operation], options: &Options) -> Result<PropertyReport, CheckError> {
        let mut run = Run::new(operations, options)?;
        let answer = match self {
            Self::SetFull { linearizable } => set_full::check(&mut run, *linearizable),
            Self::TotalQueue { exactly_once } => total_queue::check(&mut run, *exactly_once),
            Self::UniqueIds => unique_ids::check(&mut run),
            Self::CounterBounds => counter_bounds::check(&mut run),
            Self::Monotonic { values } => monotonic::check(&mut run, *values),
            Self::Session => session::check(&mut run),
            Self::StaleReadBound { delta } => stale_read_bound::check(&mut run, *delta),
            Self::Log => log::check(&mut run),
            Self::Bank(rules) => bank::check(&mut run, rules),
            Self::LongFork => long_fork::check(&mut run),
            Self::LeaseLock { ttl, permits } => {
                lease_lock::check(&mut run, u64::try_from(ttl.as_nanos()).unwrap_or(u64::MAX), *permits)
            }
            Self::Fencing => fencing::check(&mut run),
            Self::Commit => commit::check(&mut run),
            Self::Copies => copies::check(&mut run),
        };
        match answer {
            Ok(doubt) => Ok(run.finish(self.name(), doubt)),
            Err(Halt::TimeSpent) => Ok(run.finish(self.name(), Some(PropertyWhy::TimeBudget))),
            Err(Halt::MemorySpent) => Ok(run.finish(self.name(), Some(PropertyWhy::MemoryBudget))),
            Err(Halt::NotOfTheProperty(position)) => {
                let operation = &operations[position as usize];
                let call = words::tell(&operation.call, words::returned(operation));
                let (model, known) = (self.name(), self.known_calls());
                Err(CheckError::NotOfTheModel { position: position as usize, call, model, known })
            }
        }
    }
}
