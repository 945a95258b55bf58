//! Options of `rashomon test` that only one system has.

use std::time::Duration;

use clap::Args;

use super::whole_millis;
use crate::cli::Failure;
use crate::cli::duration::parse_duration;
use crate::swarm::FixedLock;

/// Of the lock service.
#[derive(Args)]
pub(super) struct LockArgs {
    /// lock: how long a lease lasts [default: 2s; drawn in the world sim]
    #[arg(long, value_parser = parse_duration)]
    ttl: Option<Duration>,
    /// lock: whether the guarded resource looks at fencing tokens [default: true]
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    fencing: Option<bool>,
    /// lock: whether clients look at their leases before they touch the resource [default: false; drawn in the world sim]
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    careful: Option<bool>,
    /// lock: whether acquires only try, and do not wait [default: false; drawn in the world sim]
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    tries: Option<bool>,
}

impl LockArgs {
    pub(super) fn fixed(&self) -> Result<FixedLock, Failure> {
        let ttl_ms = self.ttl.map(whole_millis).transpose()?.map(|ms| ms.max(1));
        Ok(FixedLock { ttl_ms, fencing: self.fencing, careful: self.careful, tries: self.tries })
    }
}
