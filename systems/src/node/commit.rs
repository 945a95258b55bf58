//! One server of a commitment cluster, for real: a coordinator, a member of a group of coordinators, or a shard.

use std::collections::BTreeMap;
use std::future::Future;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Instant;

use super::raft::{on_this_thread, stop_signal};
use super::run::{Node, open_log};
use super::{Listeners, Membership, NodeError};
use crate::commit::{Bug, CommitApi, CommitNode, CommitTiming, Config, Isolation, Protocol};
use crate::raft::Timing;
use crate::server::NodeId;
use crate::wal::WalOptions;

/// What a server is told before it starts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommitNodeOptions {
    /// The cluster's name. Servers of different clusters refuse each other.
    pub cluster: String,
    /// Who this server is.
    pub id: NodeId,
    /// Where each server listens for its peers, this one included: n1, n2 and so on, the coordinators first.
    pub peers: BTreeMap<NodeId, SocketAddr>,
    /// Where each server listens for clients, as far as known: shards tell their clients the coordinator's.
    pub client_addresses: BTreeMap<NodeId, String>,
    /// The data folder. Created where it is missing.
    pub data: PathBuf,
    /// How the shards come to agree; the same for all servers.
    pub protocol: Protocol,
    /// What concurrent transactions may see of each other; the same for all servers.
    pub isolation: Isolation,
    /// Timeouts and intervals; the same for all servers.
    pub timing: CommitTiming,
    /// Timeouts of a group of coordinators.
    pub raft_timing: Timing,
    /// A planted bug.
    pub bug: Option<Bug>,
    /// Where everything random comes from; `None` for the system's randomness.
    pub seed: Option<u64>,
}

impl CommitNodeOptions {
    /// The usual settings for server `id` with its data in `data`.
    #[must_use]
    pub fn new(id: NodeId, peers: BTreeMap<NodeId, SocketAddr>, data: PathBuf) -> Self {
        Self {
            cluster: "commit".into(),
            id,
            peers,
            client_addresses: BTreeMap::new(),
            data,
            protocol: Protocol::default(),
            isolation: Isolation::default(),
            timing: CommitTiming::default(),
            raft_timing: Timing::default(),
            bug: None,
            seed: None,
        }
    }

    fn config(&self) -> Config {
        let nodes = u16::try_from(self.peers.len()).unwrap_or(u16::MAX);
        Config {
            isolation: self.isolation,
            timing: self.timing,
            raft_timing: self.raft_timing,
            bug: self.bug,
            seed: self.seed.unwrap_or_else(|| RandomState::new().build_hasher().finish()),
            ..Config::new(self.id, nodes, self.protocol)
        }
    }

    fn membership(&self) -> Membership {
        let mut others = self.peers.clone();
        others.remove(&self.id);
        Membership { cluster: self.cluster.clone(), id: self.id, others }
    }
}

/// Runs a server on this thread until SIGTERM or SIGINT, or until its disk fails.
///
/// # Errors
/// [`NodeError`], one line that says what to do.
pub fn run(options: &CommitNodeOptions, listeners: Listeners) -> Result<(), NodeError> {
    on_this_thread(async {
        let stop = stop_signal()?;
        serve(options, listeners, stop).await
    })
}

/// Runs a server until `stop` is done, or until its disk fails. Dropping the future is like killing the server.
///
/// # Errors
/// [`NodeError`], one line that says what to do.
pub async fn serve(
    options: &CommitNodeOptions,
    listeners: Listeners,
    stop: impl Future<Output = ()>,
) -> Result<(), NodeError> {
    let config = options.config();
    config.check()?;
    let membership = options.membership();
    let (log, recovered) = open_log(&options.data, &membership, WalOptions::default())?;
    let began = Instant::now();
    let (protocol, isolation) = (config.protocol, config.isolation);
    let server = CommitNode::recover(config, recovered)?;
    let api = CommitApi::new(options.client_addresses.clone());
    tracing::info!(id = %options.id, cluster = options.cluster, servers = options.peers.len(), %protocol, %isolation, "started");
    Node { server, api, membership, listeners, log, began }.run(stop).await?;
    tracing::info!(id = %options.id, "stopped");
    Ok(())
}
