//! The names of things: transactions, moments of their order, decisions, protocols and levels of isolation.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A moment in the order that the coordinator gives to transactions. A coordinator never gives one twice, and those of a
/// later life, or of a later leader, are later.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Timestamp {
    /// The coordinator's life, or the leader's term.
    pub epoch: u64,
    /// Counts within the epoch.
    pub count: u64,
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.count)
    }
}

/// Names a transaction by the moment at which it began: an older one is smaller.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TxnId(pub Timestamp);

impl fmt::Display for TxnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What became of a transaction, for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Decision {
    /// All of it happened.
    Commit {
        /// Its place in the order of commits.
        at: Timestamp,
    },
    /// Nothing of it happened.
    Abort,
}

impl Decision {
    /// Whether it is a commit.
    #[must_use]
    pub fn is_commit(self) -> bool {
        match self {
            Self::Commit { .. } => true,
            Self::Abort => false,
        }
    }

    /// `commit` or `abort`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Commit { .. } => "commit",
            Self::Abort => "abort",
        }
    }
}

/// How the shards come to agree.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Protocol {
    /// Two-phase commit with presumed abort: blocks while the coordinator is down.
    #[default]
    #[serde(rename = "2pc")]
    TwoPhase,
    /// Three-phase commit: does not block, and is wrong where slow is taken for dead.
    #[serde(rename = "3pc")]
    ThreePhase,
    /// Two-phase commit whose decisions stand in a replicated log: goes on while a majority of the group does.
    #[serde(rename = "2pc-raft")]
    TwoPhaseRaft,
}

impl Protocol {
    /// Every protocol, the default first.
    pub const ALL: [Self; 3] = [Self::TwoPhase, Self::ThreePhase, Self::TwoPhaseRaft];

    /// As on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TwoPhase => "2pc",
            Self::ThreePhase => "3pc",
            Self::TwoPhaseRaft => "2pc-raft",
        }
    }
}

/// What concurrent transactions may see of each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// Strict two-phase locking: as if one ran after the other, in real time.
    #[default]
    Serializable,
    /// Each reads what was committed when it began; of two that write the same key, the first to commit wins. Lets write
    /// skew happen.
    Snapshot,
    /// Each read sees what is committed at that moment. Lets lost updates and read skew happen.
    ReadCommitted,
}

impl Isolation {
    /// Every level, the strictest first.
    pub const ALL: [Self; 3] = [Self::Serializable, Self::Snapshot, Self::ReadCommitted];

    /// As on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Serializable => "serializable",
            Self::Snapshot => "snapshot",
            Self::ReadCommitted => "read-committed",
        }
    }
}

/// No protocol, or no level of isolation, has this name.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("unknown {what} {name:?}; known are {known}")]
pub struct UnknownName {
    what: &'static str,
    name: String,
    known: String,
}

macro_rules! named {
    ($type:ident, $what:literal) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $type {
            type Err = UnknownName;

            fn from_str(name: &str) -> Result<Self, UnknownName> {
                let known = Self::ALL.map(Self::name).join(", ");
                let unknown = || UnknownName { what: $what, name: name.into(), known };
                Self::ALL.into_iter().find(|one| one.name() == name).ok_or_else(unknown)
            }
        }
    };
}

named!(Protocol, "protocol");
named!(Isolation, "level of isolation");

/// Why a transaction was aborted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum AbortReason {
    /// An older transaction needed a lock that this one held (wound-wait).
    Wounded,
    /// Another transaction has written the same key since this one began.
    Conflict,
    /// What it reads is older than what the shard still keeps.
    SnapshotTooOld,
    /// An account would fall below zero.
    InsufficientFunds,
    /// A list was added to, or a register appended to.
    WrongKind,
    /// A shard did not answer, or a lock was not free, in time.
    Timeout,
    /// A shard has lost the transaction before it voted, be it by a crash or because it heard nothing for too long.
    Lost,
    /// The coordinator lost its office before it decided.
    Deposed,
    /// Another member of the coordinator's group has aborted it.
    TakenOver,
}

impl fmt::Display for AbortReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wounded => "an older transaction needed a lock that this one held",
            Self::Conflict => "another transaction has written the same key since this one began",
            Self::SnapshotTooOld => "what it reads is older than what the shard still keeps",
            Self::InsufficientFunds => "an account would fall below zero",
            Self::WrongKind => "the object is of another kind",
            Self::Timeout => "a shard did not answer, or a lock was not free, in time",
            Self::Lost => "a shard has lost the transaction before it voted",
            Self::Deposed => "the coordinator lost its office before it decided",
            Self::TakenOver => "another coordinator has aborted it",
        })
    }
}
