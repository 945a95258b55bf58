//! What histories can be held against, by name.

mod check;
mod checks;
mod error;
mod guess;
mod parameters;

use std::fmt;
use std::str::FromStr;

pub use check::{Answer, Checked};
pub use error::{ModelError, UnknownModel};
pub use parameters::{AskedConsistency, Parameters};

/// Declares the models with their names and what they decide, so that each stands in one place.
macro_rules! models {
    ($($(#[$doc:meta])* $model:ident = $name:literal, $description:literal;)*) => {
        /// What a history is held against.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Model {
            $($(#[$doc])* $model,)*
        }

        impl Model {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$model,)*];

            /// The name on the command line.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$model => $name,)*
                }
            }

            /// What it decides, and on which calls.
            #[must_use]
            pub fn description(self) -> &'static str {
                match self {
                    $(Self::$model => $description,)*
                }
            }
        }
    };
}

models! {
    /// Registers by key.
    Register = "register", "linearizable registers by key: read, write, cas, delete";
    /// Registers that tell their versions.
    VersionedRegister = "versioned-register", "registers whose reads and writes tell a version: one more with every write (or more: --version-gaps)";
    /// Maps from keys to texts, every key on its own.
    KeyValue = "kv", "linearizable map from keys to texts, every key on its own: read, write, append, delete";
    /// The same as one object.
    KeyValueWhole = "kv-whole", "the same with the whole map as one object";
    /// Sets by key.
    Set = "set", "linearizable sets by key: add, remove, contains, read of the whole set";
    /// Counters by key.
    Counter = "counter", "linearizable counters by key: increment (or add of a number), read";
    /// Queues by key.
    Queue = "queue", "linearizable FIFO queues by key: enqueue, dequeue";
    /// Queues that keep no order.
    Bag = "bag", "linearizable queues of any order by key: enqueue, dequeue";
    /// Locks without owners.
    Mutex = "mutex", "linearizable locks that anybody may release: acquire, release";
    /// Locks with owners.
    OwnedMutex = "owned-mutex", "linearizable locks that only their owner releases: acquire, release";
    /// Locks that their owner may acquire again.
    ReentrantMutex = "reentrant-mutex", "the same, and the owner may acquire again, --holds times: acquire, release";
    /// Locks with fencing tokens.
    FencedMutex = "fenced-mutex", "owned locks whose tokens grow from hold to hold: acquire with a token, release";
    /// Both.
    ReentrantFencedMutex = "reentrant-fenced-mutex", "the same, and acquiring again, --holds times, keeps the token";
    /// Semaphores.
    Semaphore = "semaphore", "linearizable semaphores of --permits permits by key: acquire, release";
    /// Lists, by themselves or in transactions.
    ListAppend = "list-append", "lists by key: append, read of the whole list; in transactions any --consistency";
    /// Registers in transactions.
    RwRegister = "rw-register", "registers in transactions: read and write of unique values; any --consistency";
    /// Whether a set keeps what it was given.
    SetFull = "set-full", "no element of a set is lost, stale or there twice: add, read (--consistency linearizable: at once)";
    /// Whether a queue gives back what it was given.
    TotalQueue = "total-queue", "what is enqueued comes out, and nothing else: enqueue, dequeue, drain";
    /// Whether identifiers are unique.
    UniqueIds = "unique-ids", "no identifier is given twice: generate";
    /// Whether a counter stays within its bounds.
    CounterBounds = "counter-bounds", "reads of a counter lie between what was surely and what was possibly added";
    /// Whether numbers only grow.
    Monotonic = "monotonic", "versions, tokens and offsets never go down within one process";
    /// The same of values.
    MonotonicValues = "monotonic-values", "nor do the numbers that reads see";
    /// The four guarantees of a session.
    Session = "session", "read your writes, monotonic reads, monotonic writes, writes follow reads within one process";
    /// Whether reads are fresh enough.
    StaleReadBound = "stale-read-bound", "a read sees every write that was over --delta before it began";
    /// Logs with consumers.
    Log = "log", "logs such as Kafka's lose, repeat and reorder nothing: send, poll, assign";
    /// Whether all see one order of independent writes.
    LongFork = "long-fork", "no two transactions see two writes in opposite orders: txn of one write, or of reads";
    /// Whether a bank keeps its total.
    Bank = "bank", "the total of all accounts stays the same, none is overdrawn: transfer, read of everything";
    /// Whether locks with leases exclude.
    LeaseLock = "lease-lock", "locks whose leases last --ttl are held by one at a time, or by --permits; tokens grow: open-session, keep-alive, acquire, release";
    /// Whether a resource checks fencing tokens.
    Fencing = "fencing", "what a lock guards is written under fencing tokens that never fall: add or write that tells its number and token";
    /// Whether all nodes hold the same.
    Copies = "copies", "the nodes of a store with versions hold the same: reads of everything that a node holds itself";
    /// Whether transactions are atomic.
    Commit = "commit", "all nodes decide alike, and transactions happen as a whole: txn, read of decisions";
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Model {
    type Err = UnknownModel;

    fn from_str(name: &str) -> Result<Self, UnknownModel> {
        // A register checks compare-and-sets where there are some.
        let wanted = if name == "cas-register" { "register" } else { name };
        let found = Self::ALL.iter().find(|model| model.name() == wanted);
        found.copied().ok_or_else(|| UnknownModel { name: name.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_is_found_by_its_name() {
        for model in Model::ALL {
            assert_eq!(model.name().parse(), Ok(*model));
        }
        assert_eq!("cas-register".parse(), Ok(Model::Register));
        let error = "registers".parse::<Model>().unwrap_err().to_string();
        assert!(error.contains("list-append"), "{error}");
    }
}
