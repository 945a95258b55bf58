//! What a member of a Raft cluster is told before it starts.

use crate::raft::{Bug, Configuration};
use crate::server::NodeId;

/// Everything that a member is told before it starts. All members need the same settings but for `id` and `seed`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Who this member is.
    pub id: NodeId,
    /// Who votes before any change of the members: the same for all members of a cluster, for ever. A node that is not among
    /// them waits to be added. What the log or a snapshot say later wins.
    pub initial_voters: Vec<NodeId>,
    /// Timeouts and intervals.
    pub timing: Timing,
    /// Where the random election timeouts come from. Give each life of each member its own.
    pub seed: u64,
    /// When the log is cut.
    pub compaction: Compaction,
    /// Bounds on what is under way.
    pub limits: Limits,
    /// Whether a leader answers reads without asking the others as long as its lease lasts (thesis 6.4.1). Cheaper, and
    /// right only while no member's clock runs much faster or slower than another's.
    pub lease_reads: bool,
    /// Whether a member asks around before it stands for election (thesis 9.6). Without, a member that was cut off comes back
    /// with a later term, and the leader has to be elected anew. Where members are removed, this or `check_quorum` is needed, or
    /// one that does not know of its removal deposes every leader.
    pub pre_vote: bool,
    /// Whether a leader that hears no majority steps down (thesis 6.2), and members that hear a leader do not vote for others
    /// (4.2.3). Without, a leader that was cut off keeps its clients waiting, and there are no leases.
    pub check_quorum: bool,
    /// A planted bug.
    pub bug: Option<Bug>,
}

/// Timeouts and intervals, in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timing {
    /// A leader is heard from at least this often.
    pub heartbeat_us: u64,
    /// No follower stands for election, and none votes for another, before it has heard no leader for so long.
    pub election_min_us: u64,
    /// Every follower that hears no leader for so long stands for election; a leader that hears no majority for so long
    /// steps down.
    pub election_max_us: u64,
    /// How long a lease lasts from the moment its heartbeat was sent. What it is shorter than `election_min_us` by makes
    /// up for clocks that run differently.
    pub lease_us: u64,
}

/// When the log is cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Compaction {
    /// A snapshot is taken when so many entries were applied since the last.
    pub threshold_entries: u64,
    /// Or when the commands that were applied since have so many bytes. Of those, a quarter may stay as trailing entries.
    pub threshold_bytes: u64,
    /// So many entries before a snapshot stay in memory, for followers that lag a little.
    pub trailing_entries: u64,
}

/// Bounds on what is under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Entries in one message or one record of the log.
    pub append_entries: usize,
    /// Bytes of commands in one message or one record of the log. A single larger command still goes, alone.
    pub append_bytes: usize,
    /// Messages with entries sent to one follower and not yet answered.
    pub inflight_appends: usize,
    /// Bytes of a snapshot in one message.
    pub snapshot_chunk_bytes: usize,
    /// Requests of clients that were not yet answered, and entries of the log that are not yet committed.
    pub open_requests: usize,
}

impl Config {
    /// The usual settings for member `id` of the cluster that began with `initial_voters`.
    #[must_use]
    pub fn new(id: NodeId, initial_voters: impl IntoIterator<Item = NodeId>) -> Self {
        Self {
            id,
            initial_voters: initial_voters.into_iter().collect(),
            timing: Timing::default(),
            seed: 0,
            compaction: Compaction::default(),
            limits: Limits::default(),
            lease_reads: false,
            pre_vote: true,
            check_quorum: true,
            bug: None,
        }
    }

    pub(super) fn initial_configuration(&self) -> Configuration {
        Configuration::new(self.initial_voters.iter().copied())
    }

    /// # Errors
    /// The first setting that no cluster can work with.
    pub fn check(&self) -> Result<(), ConfigError> {
        let Timing { heartbeat_us, election_min_us, election_max_us, lease_us } = self.timing;
        let Limits { append_entries, append_bytes, inflight_appends, snapshot_chunk_bytes, open_requests } =
            self.limits;
        if self.initial_voters.is_empty() {
            return Err(ConfigError::NoVoters);
        }
        if heartbeat_us == 0 || heartbeat_us >= election_min_us {
            return Err(ConfigError::Heartbeat { heartbeat_us, election_min_us });
        }
        if election_min_us >= election_max_us {
            return Err(ConfigError::Election { election_min_us, election_max_us });
        }
        if self.lease_reads && lease_us >= election_min_us {
            return Err(ConfigError::Lease { lease_us, election_min_us });
        }
        if self.lease_reads && !self.check_quorum {
            return Err(ConfigError::LeaseWithoutQuorum);
        }
        let limits = [
            ("append_entries", append_entries),
            ("append_bytes", append_bytes),
            ("inflight_appends", inflight_appends),
            ("snapshot_chunk_bytes", snapshot_chunk_bytes),
            ("open_requests", open_requests),
            ("threshold_entries", usize::from(self.compaction.threshold_entries > 0)),
            ("threshold_bytes", usize::from(self.compaction.threshold_bytes > 0)),
        ];
        match limits.into_iter().find(|(_, limit)| *limit == 0) {
            Some((name, _)) => Err(ConfigError::Zero { name }),
            None => Ok(()),
        }
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self { heartbeat_us: 50_000, election_min_us: 300_000, election_max_us: 600_000, lease_us: 250_000 }
    }
}

impl Default for Compaction {
    fn default() -> Self {
        Self { threshold_entries: 100_000, threshold_bytes: 64 << 20, trailing_entries: 5_000 }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            append_entries: 4_096,
            append_bytes: 1 << 20,
            inflight_appends: 128,
            snapshot_chunk_bytes: 256 << 10,
            open_requests: 16_384,
        }
    }
}

/// Settings that no cluster can work with.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ConfigError {
    /// A cluster that begins with nobody never elects a leader who could add someone.
    #[error("the cluster needs a first voter")]
    NoVoters,
    /// Followers would stand for election between two heartbeats.
    #[error(
        "the heartbeat interval ({heartbeat_us} us) must be above 0 and below the election timeout ({election_min_us} us)"
    )]
    Heartbeat {
        /// The interval.
        heartbeat_us: u64,
        /// The shortest election timeout.
        election_min_us: u64,
    },
    /// Nothing to draw a random timeout from.
    #[error("the shortest election timeout ({election_min_us} us) must be below the longest ({election_max_us} us)")]
    Election {
        /// The shortest timeout.
        election_min_us: u64,
        /// The longest timeout.
        election_max_us: u64,
    },
    /// A lease could outlive its leader's office.
    #[error("a lease ({lease_us} us) must be shorter than the shortest election timeout ({election_min_us} us)")]
    Lease {
        /// The lease.
        lease_us: u64,
        /// The shortest election timeout.
        election_min_us: u64,
    },
    /// Members would elect another while the lease lasts.
    #[error("leases need members that ignore candidates while they hear a leader: set check_quorum, or no lease_reads")]
    LeaseWithoutQuorum,
    /// A limit of nothing.
    #[error("the limit {name} must be above 0")]
    Zero {
        /// The setting.
        name: &'static str,
    },
}
