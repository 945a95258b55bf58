//! A cluster in a simulated world: one thread, one queue of events, virtual time.
//!
//! The servers are the very state machines that [`crate::node`] gives real hands; the log under them is the very one of
//! [`crate::wal`], on a simulated disk. Everything else - the network, the disks, the clocks, crashes - is drawn from one
//! seed, so the same seed gives the same run, event by event.
//!
//! [`Cluster`] knows nothing of clients, workloads and schedules: it takes requests, tells when something happened that
//! concerns the outside ([`Happening`]), and can be broken in every way that a real cluster can.

mod clock;
mod cluster;
pub mod disk;
mod events;
mod host;
mod network;
mod observer;
#[cfg(test)]
mod tests;

use rashomon_draw::Draw;
use serde::{Deserialize, Serialize};

pub use cluster::Cluster;
pub use network::{Disturbance, NetworkOptions};
pub use observer::Observer;

use crate::server::{NodeId, Recovered, Server};

/// Names a client's request between the cluster and whoever asks. Never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Token(pub u64);

/// Makes the servers of a cluster.
pub trait Build {
    /// What they are.
    type Server: Server;

    /// A server that goes on from what its disk holds. `life` counts from 1.
    ///
    /// # Errors
    /// Why it can't; the node stays down then.
    fn build(&mut self, node: NodeId, life: u32, recovered: Recovered) -> Result<Self::Server, String>;
}

/// How the disks are when nothing breaks them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct DiskOptions {
    /// No sync is faster.
    pub sync_min_us: u32,
    /// What comes on top on average.
    pub sync_extra_us: u32,
}

impl Default for DiskOptions {
    /// A solid-state disk.
    fn default() -> Self {
        Self { sync_min_us: 200, sync_extra_us: 300 }
    }
}

/// Something that concerns the outside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Happening<R> {
    /// The moment has come for which [`Cluster::wake`] was called with this number.
    Wake(u64),
    /// A client hears of its request.
    Answered {
        /// The request.
        token: Token,
        /// What it hears.
        result: Result<R, Lost>,
    },
    /// The observer has seen what somebody may want to act on.
    Noticed,
    /// Hundreds of thousands of events, and none of them concerned the outside: the servers keep each other busy.
    Storm,
    /// A server ended though nobody killed it, or could not start.
    Ended {
        /// Which one.
        node: NodeId,
        /// What it said.
        reason: String,
    },
}

/// Why a request brings no response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lost {
    /// The connection was refused: nothing was sent.
    Refused,
    /// The connection broke after it was sent.
    Broken,
}

/// Microseconds that a node computes for one batch of inputs.
const BATCH_US: u64 = 10;

/// The streams of a seed from which a cluster draws.
struct Draws {
    disk: Draw,
    crash: Draw,
}
