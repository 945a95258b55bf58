//! What a member of a commitment cluster is told before it starts.

use rashomon_history::Key;

use super::{Bug, Isolation, Protocol};
use crate::raft;
use crate::server::NodeId;

/// Everything that a member is told before it starts. All members need the same settings but for `id` and `seed`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Who this member is.
    pub id: NodeId,
    /// Who coordinates: one, or with [`Protocol::TwoPhaseRaft`] a group.
    pub coordinators: Vec<NodeId>,
    /// Who keeps data. Never changes: a key's shard depends on how many there are.
    pub shards: Vec<NodeId>,
    /// How the shards come to agree.
    pub protocol: Protocol,
    /// What concurrent transactions may see of each other.
    pub isolation: Isolation,
    /// Timeouts and intervals.
    pub timing: CommitTiming,
    /// Bounds.
    pub limits: CommitLimits,
    /// What stands in the bank at the beginning.
    pub bank: Bank,
    /// Raft's timeouts, for a group of coordinators.
    pub raft_timing: raft::Timing,
    /// Where everything random comes from. Give each life of each member its own.
    pub seed: u64,
    /// A planted bug.
    pub bug: Option<Bug>,
}

/// Timeouts and intervals, in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CommitTiming {
    /// What was not answered for so long is sent again.
    pub resend_us: u64,
    /// A transaction whose steps take longer is aborted. Bounds the wait for locks.
    pub execute_us: u64,
    /// A transaction whose votes take longer is aborted. With three-phase commit, so long too the coordinator waits for
    /// acknowledgements of the pre-commit.
    pub vote_us: u64,
    /// A shard drops a transaction on which it has not voted and of which it heard nothing for so long.
    pub idle_us: u64,
    /// A participant that voted yes and heard nothing for so long asks what has become of it.
    pub inquire_us: u64,
}

impl Default for CommitTiming {
    fn default() -> Self {
        Self { resend_us: 50_000, execute_us: 1_000_000, vote_us: 300_000, idle_us: 2_000_000, inquire_us: 400_000 }
    }
}

/// Bounds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CommitLimits {
    /// Steps of one transaction.
    pub ops: usize,
    /// Transactions under way at one coordinator.
    pub open: usize,
    /// Decisions that a member remembers after all that they concern have heard of them.
    pub decisions: usize,
    /// Versions of one key that a shard keeps for snapshots.
    pub versions: usize,
    /// Records of a log before it is written anew as a checkpoint.
    pub records: usize,
}

impl Default for CommitLimits {
    fn default() -> Self {
        Self { ops: 128, open: 4_096, decisions: 10_000, versions: 64, records: 5_000 }
    }
}

/// Accounts `a1`, `a2` and so on, all with the same balance at the beginning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bank {
    /// How many.
    pub accounts: u16,
    /// What each holds at the beginning.
    pub balance: i64,
}

impl Default for Bank {
    fn default() -> Self {
        Self { accounts: 5, balance: 100 }
    }
}

impl Bank {
    /// What all accounts hold together, at every time.
    #[must_use]
    pub fn total(self) -> i64 {
        i64::from(self.accounts) * self.balance
    }

    /// Every account.
    pub fn keys(self) -> impl Iterator<Item = Key> {
        (1..=self.accounts).map(|number| Key::from(format!("a{number}")))
    }
}

impl Config {
    /// The usual settings for member `id` of `nodes` servers: one or three coordinators first, then shards.
    #[must_use]
    pub fn new(id: NodeId, nodes: u16, protocol: Protocol) -> Self {
        let coordinators = match protocol {
            Protocol::TwoPhase | Protocol::ThreePhase => 1,
            Protocol::TwoPhaseRaft => 3,
        };
        Self {
            id,
            coordinators: (1..=coordinators).map(NodeId).collect(),
            shards: (coordinators + 1..=nodes).map(NodeId).collect(),
            protocol,
            isolation: Isolation::default(),
            timing: CommitTiming::default(),
            limits: CommitLimits::default(),
            bank: Bank::default(),
            raft_timing: raft::Timing::default(),
            seed: 0,
            bug: None,
        }
    }

    /// # Errors
    /// The first setting that no cluster can work with.
    pub fn check(&self) -> Result<(), CommitConfigError> {
        if self.shards.is_empty() {
            return Err(CommitConfigError::NoShard);
        }
        let coordinators = self.coordinators.len();
        let is_group = self.protocol == Protocol::TwoPhaseRaft;
        if coordinators == 0 || coordinators > 1 && !is_group {
            return Err(CommitConfigError::Coordinators { protocol: self.protocol, coordinators });
        }
        if let Some(node) = self.shards.iter().find(|node| self.coordinators.contains(node)) {
            return Err(CommitConfigError::TwoRoles { node: *node });
        }
        if !self.shards.contains(&self.id) && !self.coordinators.contains(&self.id) {
            return Err(CommitConfigError::Stranger { id: self.id });
        }
        let CommitTiming { resend_us, execute_us, vote_us, idle_us, inquire_us } = self.timing;
        let CommitLimits { ops, open, decisions, versions, records } = self.limits;
        let (ops, open, decisions) = (ops as u64, open as u64, decisions as u64);
        let settings = [
            ("resend_us", resend_us),
            ("execute_us", execute_us),
            ("vote_us", vote_us),
            ("idle_us", idle_us),
            ("inquire_us", inquire_us),
            ("ops", ops),
            ("open", open),
            ("decisions", decisions),
            ("versions", versions as u64),
            ("records", records as u64),
        ];
        match settings.into_iter().find(|(_, value)| *value == 0) {
            Some((name, _)) => Err(CommitConfigError::Zero { name }),
            None => Ok(()),
        }
    }

    /// The shard that keeps a key: FNV-1a of its name, modulo the number of shards.
    #[must_use]
    pub fn shard_of(&self, key: &Key) -> NodeId {
        let hash = key
            .as_str()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        let place = (hash >> 32) % self.shards.len() as u64;
        self.shards[place as usize]
    }

    pub(super) fn is_coordinator(&self, node: NodeId) -> bool {
        self.coordinators.contains(&node)
    }

    pub(super) fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }
}

/// Settings that no cluster can work with.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CommitConfigError {
    /// Nobody keeps data.
    #[error("the cluster needs a shard besides its coordinators")]
    NoShard,
    /// Too few or too many coordinate.
    #[error("{protocol} can't work with {coordinators} coordinators")]
    Coordinators {
        /// The protocol.
        protocol: Protocol,
        /// How many there are.
        coordinators: usize,
    },
    /// A shard would talk to itself.
    #[error("{node} can't be both a coordinator and a shard")]
    TwoRoles {
        /// Who.
        node: NodeId,
    },
    /// The member is not part of the cluster.
    #[error("{id} is neither a coordinator nor a shard")]
    Stranger {
        /// Who.
        id: NodeId,
    },
    /// A limit or an interval of nothing.
    #[error("the setting {name} must be above 0")]
    Zero {
        /// The setting.
        name: &'static str,
    },
}
