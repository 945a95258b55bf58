//! What the harness needs of whoever speaks to a real system.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rashomon_history::{Call, Outcome};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// What an asynchronous method of a trait object answers with.
pub type Future<'a, T> = Pin<Box<dyn std::future::Future<Output = T> + Send + 'a>>;

/// A protocol that is spoken here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// RESP, as of Redis and Valkey.
    Redis,
    /// The JSON gateway of etcd's v3 API.
    Etcd,
    /// ZooKeeper's own.
    #[serde(rename = "zookeeper")]
    ZooKeeper,
}

/// One client of a real system. It has one operation at a time.
pub trait Client: Send {
    /// Makes one call, once. Its outcome is `info` where it was sent and not answered by `until`; a connection that is broken
    /// is made anew for the next call, not for this one.
    fn call<'a>(&'a mut self, call: &'a Call, until: Instant) -> Future<'a, Outcome>;
}

/// Who asks one node how it is, out of band.
pub trait Look: Send {
    /// What the node says of itself; `None` where it does not answer. May take long: the caller sets a deadline, after
    /// which it asks again.
    fn look(&mut self) -> Future<'_, Option<Standing>>;
}

/// How a node stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    /// What it is.
    pub role: Role,
    /// What grows with every change of leader; 0 where there is no such thing.
    pub term: u64,
    /// The node that leads, as this one believes: an index into [`Seat::nodes`].
    pub leader: Option<usize>,
    /// Whether it serves all that it is there for. A cluster is ready when all of its nodes are, and those that follow
    /// somebody follow the same.
    pub is_ready: bool,
}

/// What a node is in its cluster.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// The one that decides, or one of several that each decide for a part.
    Leader,
    /// One that copies what a leader decided.
    Follower,
    /// One that looks for a leader.
    Candidate,
    /// One that knows of no others.
    Alone,
}

/// Whether the client has to stand still, as a process that is stopped would.
pub trait StandStill: Send + Sync {
    /// Returns when the client may go on: to be awaited after every answer and before every request.
    fn pass(&self) -> Future<'_, ()>;
}

/// Where a client sits, and how it is set.
#[derive(Clone)]
pub struct Seat {
    /// Where clients reach the nodes of the system: n1, n2, ... in this order.
    pub nodes: Arc<[SocketAddr]>,
    /// The node that it stays with: an index.
    pub home: usize,
    /// The number of the client, from 0: its owner's name where the system wants one.
    pub number: usize,
    /// How the system and its clients are set: what the description declares, as it was chosen.
    pub settings: Arc<BTreeMap<String, String>>,
    /// The store that locks guard, where the run has one.
    pub resource: Option<SocketAddr>,
    /// How long leases of locks last.
    pub ttl: Duration,
    /// Whether the guarded store looks at fencing tokens.
    pub fencing: bool,
    /// Whether clients look at their leases before they touch what a lock guards.
    pub careful: bool,
    /// Makes it stand still.
    pub standstill: Arc<dyn StandStill>,
}
