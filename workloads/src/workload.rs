//! The workloads by name.

use std::fmt;
use std::str::FromStr;

use rashomon_history::{Call, Outcome};
use serde::{Deserialize, Serialize};

use crate::Asker;
use crate::counter::CounterGenerator;
use crate::elements::ElementGenerator;
use crate::locks::LockGenerator;
use crate::queue::QueueGenerator;
use crate::register::RegisterGenerator;
use crate::transactions::{AtomicGenerator, BankGenerator, LongForkGenerator, MixedGenerator, WriteSkewGenerator};
use crate::watch::WatchGenerator;

/// Draws the calls of one run. What a client is asked to do may rest on what became of its earlier calls.
pub trait Generator: Send {
    /// The next call of this client.
    fn next_call(&mut self, asker: Asker) -> Call;

    /// Learns what became of a call of this client, to ask for something more interesting next.
    fn observe(&mut self, client: usize, call: &Call, outcome: &Outcome);

    /// What each node is asked once all faults are healed.
    fn final_reads(&self) -> Vec<Call>;
}

/// Declares the workloads with their names, what they decide and who draws their calls, so that each stands in one place.
macro_rules! workloads {
    ($($(#[$doc:meta])* $workload:ident = $name:literal, $description:literal, $generator:expr;)*) => {
        /// What the clients ask for.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
        pub enum Workload {
            $($(#[$doc])* #[serde(rename = $name)] $workload,)*
        }

        impl Workload {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$workload,)*];

            /// The name on the command line.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$workload => $name,)*
                }
            }

            /// One sentence for `rashomon list workloads`.
            #[must_use]
            pub fn description(self) -> &'static str {
                match self {
                    $(Self::$workload => $description,)*
                }
            }

            /// The calls of a run with this seed.
            #[must_use]
            pub fn generator(self, seed: u64) -> Box<dyn Generator> {
                match self {
                    $(Self::$workload => Box::new($generator(seed)),)*
                }
            }
        }
    };
}

workloads! {
    /// Reads, writes and compare-and-set of unique values over several registers.
    Register = "register",
        "reads, writes and compare-and-set of unique values over several keys; linearizable?",
        RegisterGenerator::new;
    /// Appends of unique elements to several lists, and reads of whole lists.
    Append = "append",
        "appends of unique elements to lists, reads of whole lists; linearizable, nothing lost or twice?",
        ElementGenerator::lists;
    /// Adds of unique elements to several sets, and reads of whole sets.
    Set = "set",
        "adds of unique elements to sets, reads of whole sets; linearizable, nothing lost?",
        ElementGenerator::sets;
    /// Increments and reads of several counters.
    Counter = "counter",
        "increments and reads of counters; linearizable, no increment lost or counted twice?",
        CounterGenerator::new;
    /// Enqueues of unique values, dequeues, and at the end all that is left.
    Queue = "queue",
        "enqueues of unique values and dequeues, at the end all that is left; in order, nothing lost or twice?",
        QueueGenerator::new;
    /// Locks that are held for a short while.
    Lock = "lock",
        "sessions that acquire a lock, write what it guards, release it; never two at once, tokens that only grow?",
        LockGenerator::locks;
    /// Locks that are acquired again and held for longer.
    FencedLock = "fenced-lock",
        "the same, with locks acquired again by their holder and more writes under each; tokens kept and enforced?",
        LockGenerator::fenced_locks;
    /// Permits of semaphores.
    Semaphore = "semaphore",
        "sessions that acquire and release one or two of the three permits of a semaphore; never too many?",
        LockGenerator::semaphores;
    /// Sets that are read and written back under a lock.
    LockSet = "lock-set",
        "sets that are read and written back under a lock; no element lost because two held it at once?",
        LockGenerator::guarded_sets;
    /// Transfers between the accounts of a bank, and reads of all accounts.
    Bank = "bank",
        "transfers between accounts, reads of all accounts; the same total in every read, nobody overdrawn?",
        BankGenerator::new;
    /// Transactions that read and append to several lists.
    AppendTxn = "append-txn",
        "transactions of reads of and appends to lists (`append` where a system has transactions); anomalies?",
        MixedGenerator::lists;
    /// Transactions that read and write several registers.
    RwTxn = "rw",
        "transactions of reads and writes of registers, each read before it is written; anomalies?",
        MixedGenerator::registers;
    /// Transactions that read two registers and write one.
    WriteSkew = "write-skew",
        "transactions that read two registers and write one of them; as if one came after the other?",
        WriteSkewGenerator::new;
    /// Single writes of registers, and transactions that read several.
    LongFork = "long-fork",
        "single writes, and transactions that read several keys; do all see the writes in one order?",
        LongForkGenerator::new;
    /// Transactions that put one element into several lists.
    Commit = "commit",
        "transactions that put an element into lists of several nodes; in all or in none, as every node and client says?",
        AtomicGenerator::new;
    /// Records that are sent to logs and watched.
    Watch = "watch",
        "unique records sent to logs, whose readers go on where they stopped; in order, no gap, none twice, none lost?",
        WatchGenerator::new;
}

/// There is no workload of that name.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("there is no workload {name:?}; known are {}", names())]
pub struct UnknownWorkload {
    /// The name that was asked for.
    pub name: String,
}

fn names() -> String {
    Workload::ALL.iter().map(|workload| workload.name()).collect::<Vec<_>>().join(", ")
}

impl Workload {
    /// Those of a key-value store.
    pub const KEY_VALUE: &[Self] = &[Self::Register, Self::Append, Self::Set];
    /// Those of a store that knows such objects; none of our own does.
    pub const OBJECTS: &[Self] = &[Self::Counter, Self::Queue, Self::Watch];
    /// Those of a lock service and what it guards.
    pub const LOCKS: &[Self] = &[Self::Lock, Self::FencedLock, Self::Semaphore, Self::LockSet];
    /// Those of a store with transactions.
    pub const TRANSACTIONS: &[Self] =
        &[Self::Bank, Self::AppendTxn, Self::RwTxn, Self::WriteSkew, Self::LongFork, Self::Commit];

    /// The workload that is meant by this one's name where a system serves these. A system with transactions calls its
    /// transactions of appends `append`.
    #[must_use]
    pub fn among(self, served: &[Self]) -> Option<Self> {
        let in_transactions = (self == Self::Append).then_some(Self::AppendTxn);
        [Some(self), in_transactions].into_iter().flatten().find(|workload| served.contains(workload))
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Workload {
    type Err = UnknownWorkload;

    fn from_str(name: &str) -> Result<Self, UnknownWorkload> {
        let found = Self::ALL.iter().find(|workload| workload.name() == name);
        found.copied().ok_or_else(|| UnknownWorkload { name: name.into() })
    }
}

#[cfg(test)]
mod tests;
