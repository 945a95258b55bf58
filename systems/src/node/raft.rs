//! One member of the Raft key-value store, for real.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Instant;

use tokio::signal::unix::{SignalKind, signal};

use super::run::{Node, open_log};
use super::{Listeners, Membership, NodeError};
use crate::api::RaftRoutes;
use crate::kv::{KvApi, session_kv};
use crate::raft::{Bug, Compaction, Config, Raft, Timing};
use crate::server::NodeId;
use crate::session::SessionOptions;
use crate::wal::WalOptions;

/// What a member is told before it starts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RaftNodeOptions {
    /// The cluster's name. Members of different clusters refuse each other.
    pub cluster: String,
    /// Who this member is.
    pub id: NodeId,
    /// Where each member listens for its peers, this one included, and where each node does that may be added later.
    pub peers: BTreeMap<NodeId, SocketAddr>,
    /// Who votes before any change of the members; `None` for all of `peers`. A node that is not among them waits to be added.
    pub initial_voters: Option<BTreeSet<NodeId>>,
    /// Where each member listens for clients, as far as known: followers tell their clients the leader's.
    pub client_addresses: BTreeMap<NodeId, String>,
    /// The data folder. Created where it is missing.
    pub data: PathBuf,
    /// Intervals and timeouts; the same for all members.
    pub timing: Timing,
    /// When the log is cut.
    pub compaction: Compaction,
    /// Whether a leader answers reads by its lease.
    pub lease_reads: bool,
    /// A planted bug.
    pub bug: Option<Bug>,
    /// Where election timeouts come from; `None` for the system's randomness.
    pub seed: Option<u64>,
}

impl RaftNodeOptions {
    /// The usual settings for member `id` with its data in `data`.
    #[must_use]
    pub fn new(id: NodeId, peers: BTreeMap<NodeId, SocketAddr>, data: PathBuf) -> Self {
        Self {
            cluster: "raft".into(),
            id,
            peers,
            initial_voters: None,
            client_addresses: BTreeMap::new(),
            data,
            timing: Timing::default(),
            compaction: Compaction::default(),
            lease_reads: false,
            bug: None,
            seed: None,
        }
    }

    pub(super) fn config(&self) -> Config {
        Config {
            timing: self.timing,
            compaction: self.compaction,
            lease_reads: self.lease_reads,
            bug: self.bug,
            seed: self.seed.unwrap_or_else(|| RandomState::new().build_hasher().finish()),
            ..Config::new(self.id, self.initial_voters())
        }
    }

    fn initial_voters(&self) -> Vec<NodeId> {
        match &self.initial_voters {
            Some(voters) => voters.iter().copied().collect(),
            None => self.peers.keys().copied().collect(),
        }
    }

    pub(super) fn membership(&self) -> Membership {
        let mut others = self.peers.clone();
        others.remove(&self.id);
        Membership { cluster: self.cluster.clone(), id: self.id, others }
    }
}

/// Runs a member on this thread until SIGTERM or SIGINT, or until its disk fails.
///
/// # Errors
/// [`NodeError`], one line that says what to do.
pub fn run(options: &RaftNodeOptions, listeners: Listeners) -> Result<(), NodeError> {
    on_this_thread(async {
        let stop = stop_signal()?;
        serve(options, listeners, stop).await
    })
}

/// Runs a node on this thread until it is done.
pub(super) fn on_this_thread(node: impl Future<Output = Result<(), NodeError>>) -> Result<(), NodeError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| NodeError::System { doing: "starting the runtime", cause })?;
    runtime.block_on(node)
}

/// Runs a member until `stop` is done, or until its disk fails. Dropping the future is like killing the member.
///
/// # Errors
/// [`NodeError`], one line that says what to do.
pub async fn serve(
    options: &RaftNodeOptions,
    listeners: Listeners,
    stop: impl Future<Output = ()>,
) -> Result<(), NodeError> {
    let config = options.config();
    config.check()?;
    let membership = options.membership();
    let wal = WalOptions { bug: options.bug, ..WalOptions::default() };
    let (log, recovered) = open_log(&options.data, &membership, wal)?;
    let began = Instant::now();
    let sessions = SessionOptions { bug: options.bug, ..SessionOptions::default() };
    let server = Raft::recover(config, session_kv(sessions), recovered)?;
    let api = KvApi { raft: RaftRoutes::new(options.client_addresses.clone()) };
    tracing::info!(id = %options.id, cluster = options.cluster, members = options.peers.len(), "started");
    Node { server, api, membership, listeners, log, began }.run(stop).await?;
    tracing::info!(id = %options.id, "stopped");
    Ok(())
}

/// Done when the process is told to end.
pub(super) fn stop_signal() -> Result<impl Future<Output = ()>, NodeError> {
    let error = |cause| NodeError::System { doing: "listening to signals", cause };
    let mut terminate = signal(SignalKind::terminate()).map_err(error)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(error)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
