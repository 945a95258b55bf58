//! The servers of a simulated run, as the plan wants them.

use rashomon_systems::kv::{SessionKv, session_kv};
use rashomon_systems::raft::{Compaction, Config, Limits, Raft, Timing};
use rashomon_systems::server::{NodeId, Recovered};
use rashomon_systems::session::SessionOptions;
use rashomon_systems::sim::Build;

use crate::plan::{Plan, RaftSettings};

/// Makes the members of one run.
#[derive(Debug)]
pub(crate) struct Members {
    config: Config,
    sessions: SessionOptions,
}

/// What the members of a cluster of Raft are told, those from n1 to `members`; but for their ids.
pub(super) fn raft_config(plan: &Plan, members: u16) -> Config {
    let RaftSettings { heartbeat_us, election_min_us, election_max_us, .. } = plan.raft_settings();
    let settings = plan.raft_settings();
    Config {
        // Five parts in six, as in the default settings.
        timing: Timing { heartbeat_us, election_min_us, election_max_us, lease_us: election_min_us / 6 * 5 },
        compaction: Compaction {
            threshold_entries: plan.snapshot_entries,
            trailing_entries: settings.trailing_entries,
            ..Compaction::default()
        },
        limits: Limits {
            append_entries: settings.append_entries,
            inflight_appends: settings.inflight_appends,
            snapshot_chunk_bytes: settings.snapshot_chunk_bytes,
            ..Limits::default()
        },
        lease_reads: plan.lease_reads,
        pre_vote: settings.pre_vote,
        check_quorum: settings.check_quorum,
        bug: plan.raft_bug(),
        seed: plan.seed,
        ..Config::new(NodeId(1), (1..=members).map(NodeId))
    }
}

impl Members {
    pub(crate) fn new(plan: &Plan) -> Self {
        let max_sessions = plan.raft_settings().max_sessions;
        let sessions = SessionOptions { max_sessions, bug: plan.raft_bug() };
        Self { config: raft_config(plan, plan.nodes), sessions }
    }
}

impl Build for Members {
    type Server = Raft<SessionKv>;

    fn build(&mut self, node: NodeId, life: u32, recovered: Recovered) -> Result<Raft<SessionKv>, String> {
        // Each life of each member has random timeouts of its own.
        let seed = self.config.seed ^ (u64::from(node.0) << 32 | u64::from(life)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let config = Config { id: node, seed, ..self.config.clone() };
        Raft::recover(config, session_kv(self.sessions), recovered).map_err(|error| error.to_string())
    }
}
