//! Options of `rashomon test` that only one system has.

use std::time::Duration;

use clap::Args;
use rashomon_checker::transactions::Consistency;
use rashomon_systems::commit::{Isolation, Protocol};

use super::whole_millis;
use crate::cli::Failure;
use crate::cli::duration::parse_duration;
use crate::swarm::{FixedCommit, FixedLock};

/// Of the lock service.
#[derive(Args)]
pub(super) struct LockArgs {
    /// locks: how long a lease lasts [default: 2s; drawn in the world sim]
    #[arg(long, value_parser = parse_duration)]
    ttl: Option<Duration>,
    /// locks: whether the guarded resource looks at fencing tokens [default: true, where locks come with them]
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    fencing: Option<bool>,
    /// locks: whether clients look at their leases before they touch the resource [default: false; drawn in the world sim]
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    careful: Option<bool>,
    /// lock: whether acquires only try, and do not wait [default: false; drawn in the world sim]
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    tries: Option<bool>,
}

impl LockArgs {
    pub(super) fn has_tries(&self) -> bool {
        self.tries.is_some()
    }

    pub(super) fn fixed(&self) -> Result<FixedLock, Failure> {
        let ttl_ms = self.ttl.map(whole_millis).transpose()?.map(|ms| ms.max(1));
        Ok(FixedLock { ttl_ms, fencing: self.fencing, careful: self.careful, tries: self.tries })
    }
}

/// Of atomic commitment.
#[derive(Args)]
pub(super) struct CommitArgs {
    /// commit: how the shards come to agree: 2pc, 3pc or 2pc-raft [default: 2pc; drawn in the world sim]
    #[arg(long)]
    protocol: Option<Protocol>,
    /// commit: serializable, snapshot or read-committed [default: serializable; drawn in the world sim]
    #[arg(long)]
    isolation: Option<Isolation>,
    /// commit: what transactions are held against, such as read-committed, snapshot-isolation, serializable or
    /// strict-serializable [default: what the isolation promises]
    #[arg(long, value_name = "LEVEL")]
    consistency: Option<Consistency>,
}

impl CommitArgs {
    pub(super) fn is_empty(&self) -> bool {
        self.protocol.is_none() && self.isolation.is_none()
    }

    pub(super) fn fixed(&self) -> FixedCommit {
        FixedCommit { protocol: self.protocol, isolation: self.isolation, consistency: self.consistency }
    }
}
