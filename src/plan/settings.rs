//! How the systems are set.

use std::fmt;

use rashomon_checker::transactions::Consistency;
use rashomon_systems::commit::{Isolation, Protocol};
use rashomon_systems::raft::{Limits, Timing};
use rashomon_systems::session::SessionOptions;
use serde::{Deserialize, Serialize};

use super::SNAPSHOT_ENTRIES;

/// How the members of a simulated cluster are set. What an older plan does not say is as it was then: the default.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RaftSettings {
    pub(crate) heartbeat_us: u64,
    pub(crate) election_min_us: u64,
    pub(crate) election_max_us: u64,
    /// Entries before a snapshot that stay in the log.
    pub(crate) trailing_entries: u64,
    /// Entries in one message.
    pub(crate) append_entries: usize,
    /// Messages with entries under way to one follower.
    pub(crate) inflight_appends: usize,
    /// Bytes of a snapshot in one message.
    pub(crate) snapshot_chunk_bytes: usize,
    /// Whether a candidate asks first whether it could win.
    pub(crate) pre_vote: bool,
    /// Whether a leader that hears no majority steps down, and members that hear a leader ignore candidates.
    pub(crate) check_quorum: bool,
    /// Sessions that may be open at a time.
    pub(crate) max_sessions: usize,
}

impl Default for RaftSettings {
    fn default() -> Self {
        let (timing, limits) = (Timing::default(), Limits::default());
        Self {
            heartbeat_us: timing.heartbeat_us,
            election_min_us: timing.election_min_us,
            election_max_us: timing.election_max_us,
            trailing_entries: SNAPSHOT_ENTRIES / 10,
            append_entries: limits.append_entries,
            inflight_appends: limits.inflight_appends,
            snapshot_chunk_bytes: limits.snapshot_chunk_bytes,
            pre_vote: true,
            check_quorum: true,
            max_sessions: SessionOptions::default().max_sessions,
        }
    }
}

/// How a lock service is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct LockSettings {
    /// How long a lease lasts.
    pub(crate) ttl_ms: u64,
    /// Whether the guarded resource looks at fencing tokens.
    pub(crate) fencing: bool,
    /// Whether clients look at their leases before they touch the resource.
    pub(crate) careful: bool,
    /// Whether acquires only try, and do not wait.
    pub(crate) tries: bool,
}

impl Default for LockSettings {
    fn default() -> Self {
        Self { ttl_ms: 2_000, fencing: true, careful: false, tries: false }
    }
}

impl LockSettings {
    /// As they stand on the command line, each with a space before it.
    pub(crate) fn options(self) -> String {
        let Self { ttl_ms, fencing, careful, tries } = self;
        format!(" --ttl {ttl_ms}ms --fencing {fencing} --careful {careful} --tries {tries}")
    }

    /// Those of them that real systems have.
    pub(crate) fn lease_options(self) -> String {
        let Self { ttl_ms, fencing, careful, tries: _ } = self;
        format!(" --ttl {ttl_ms}ms --fencing {fencing} --careful {careful}")
    }
}

impl fmt::Display for LockSettings {
    /// For people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ttl_ms, fencing, careful, tries } = self;
        let fencing = if *fencing { "fencing tokens are looked at" } else { "nobody looks at fencing tokens" };
        let careful = if *careful { "clients look at their leases" } else { "clients trust their locks" };
        let tries = if *tries { "nobody waits for a lock" } else { "who finds a lock taken waits" };
        write!(f, "leases of {ttl_ms} ms, {fencing}, {careful}, {tries}")
    }
}

/// How atomic commitment is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct CommitSettings {
    /// How the shards come to agree.
    pub(crate) protocol: Protocol,
    /// What concurrent transactions may see of each other.
    pub(crate) isolation: Isolation,
    /// What histories are held against, where that is not what the isolation promises.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) consistency: Option<Consistency>,
}

impl CommitSettings {
    /// As they stand on the command line, each with a space before it.
    pub(crate) fn options(self) -> String {
        let Self { protocol, isolation, consistency } = self;
        let consistency = consistency.map_or(String::new(), |level| format!(" --consistency {level}"));
        format!(" --protocol {protocol} --isolation {isolation}{consistency}")
    }

    /// The level that the isolation promises.
    pub(crate) fn promised(self) -> Consistency {
        match self.isolation {
            Isolation::Serializable => Consistency::StrictSerializable,
            Isolation::Snapshot => Consistency::StrongSnapshotIsolation,
            Isolation::ReadCommitted => Consistency::ReadCommitted,
        }
    }

    /// The level that histories are held against.
    pub(crate) fn demanded(self) -> Consistency {
        self.consistency.unwrap_or(self.promised())
    }

    /// Of the nodes the first so many coordinate.
    pub(crate) fn coordinators(self) -> u16 {
        match self.protocol {
            Protocol::TwoPhase | Protocol::ThreePhase => 1,
            Protocol::TwoPhaseRaft => 3,
        }
    }

    /// What is known of the protocol's own limits.
    pub(crate) fn limits(self) -> &'static str {
        match self.protocol {
            Protocol::TwoPhase => "while the coordinator is down, shards that voted yes wait with their locks",
            Protocol::ThreePhase => {
                "goes on without its coordinator, and by design breaks agreement (AC1) where the network is cut or slow is taken \
                 for dead"
            }
            Protocol::TwoPhaseRaft => "goes on while a majority of the coordinators does",
        }
    }
}

impl fmt::Display for CommitSettings {
    /// For people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}; {}", self.protocol, self.isolation, self.limits())?;
        match self.consistency {
            Some(level) => write!(f, "; held against {level}, where {} is promised", self.promised()),
            None => Ok(()),
        }
    }
}
