//! One server of the lock service, for real: a member, or the guarded resource.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::time::Instant;

use super::raft::{RaftNodeOptions, on_this_thread, stop_signal};
use super::run::{Node, open_log};
use super::{Listeners, Membership, NodeError};
use crate::api::RaftRoutes;
use crate::lock::{Bug, LockApi, LockMachine, LockNode, LockOptions, Member, Resource, ResourceOptions};
use crate::raft::{Config, Raft};
use crate::server::NodeId;
use crate::wal::WalOptions;

/// What a member of the lock service is told before it starts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LockNodeOptions {
    /// What every member of a Raft cluster is told.
    pub member: RaftNodeOptions,
    /// How long a lease lasts, in milliseconds; the same for all members.
    pub ttl_ms: u64,
    /// A planted bug of the lock service.
    pub bug: Option<Bug>,
}

/// What the guarded resource is told before it starts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResourceNodeOptions {
    /// The cluster's name; it stands in the data folder.
    pub cluster: String,
    /// Who this node is.
    pub id: NodeId,
    /// The data folder. Created where it is missing.
    pub data: PathBuf,
    /// Whether it looks at fencing tokens.
    pub fencing: bool,
    /// A planted bug.
    pub bug: Option<Bug>,
}

/// Runs a member on this thread until SIGTERM or SIGINT, or until its disk fails.
///
/// # Errors
/// [`NodeError`], one line that says what to do.
pub fn run_member(options: &LockNodeOptions, listeners: Listeners) -> Result<(), NodeError> {
    on_this_thread(async {
        let stop = stop_signal()?;
        serve_member(options, listeners, stop).await
    })
}

/// Runs a member until `stop` is done, or until its disk fails. Dropping the future is like killing the member.
///
/// # Errors
/// [`NodeError`], one line that says what to do.
pub async fn serve_member(
    options: &LockNodeOptions,
    listeners: Listeners,
    stop: impl Future<Output = ()>,
) -> Result<(), NodeError> {
    let LockNodeOptions { member, ttl_ms, bug } = options;
    let config = member.config();
    let config = Config { bug: config.bug.or_else(|| bug.and_then(Bug::in_raft)), ..config };
    config.check()?;
    let membership = member.membership();
    let wal = WalOptions { bug: config.bug, ..WalOptions::default() };
    let (log, recovered) = open_log(&member.data, &membership, wal)?;
    let began = Instant::now();
    let machine = LockMachine::new(LockOptions { ttl_ms: *ttl_ms, bug: *bug, ..LockOptions::default() });
    let server = LockNode::Member(Box::new(Member::new(Raft::recover(config, machine, recovered)?)));
    let api = LockApi { raft: RaftRoutes::new(member.client_addresses.clone()) };
    tracing::info!(id = %member.id, cluster = member.cluster, members = member.peers.len(), ttl_ms, "started");
    Node { server, api, membership, listeners, log, began }.run(stop).await?;
    tracing::info!(id = %member.id, "stopped");
    Ok(())
}

/// Runs the guarded resource on this thread until SIGTERM or SIGINT, or until its disk fails.
///
/// # Errors
/// [`NodeError`], one line that says what to do.
pub fn run_resource(options: &ResourceNodeOptions, listeners: Listeners) -> Result<(), NodeError> {
    on_this_thread(async {
        let stop = stop_signal()?;
        serve_resource(options, listeners, stop).await
    })
}

/// Runs the guarded resource until `stop` is done, or until its disk fails. Dropping the future is like killing it.
///
/// # Errors
/// [`NodeError`], one line that says what to do.
pub async fn serve_resource(
    options: &ResourceNodeOptions,
    listeners: Listeners,
    stop: impl Future<Output = ()>,
) -> Result<(), NodeError> {
    let ResourceNodeOptions { cluster, id, data, fencing, bug } = options;
    let membership = Membership { cluster: cluster.clone(), id: *id, others: BTreeMap::new() };
    let (log, recovered) = open_log(data, &membership, WalOptions::default())?;
    let began = Instant::now();
    let fencing = *fencing && *bug != Some(Bug::LK01);
    let resource = Resource::recover(ResourceOptions { id: *id, fencing, bug: *bug }, recovered)?;
    let server = LockNode::Resource(Box::new(resource));
    tracing::info!(%id, cluster, fencing, "started the guarded resource");
    Node { server, api: LockApi::default(), membership, listeners, log, began }.run(stop).await?;
    tracing::info!(%id, "stopped");
    Ok(())
}
