//! Who looks on while a cluster is simulated.

use crate::server::{Micros, NodeId, Server, Write, WriteId};

/// Looks on from outside: for invariants that no client can see, and to draw what happened. All times are the world's.
///
/// Nothing that an observer does changes the run, but what it wants to be noticed.
pub trait Observer<S: Server> {
    /// A server has come up from what its disk held.
    fn recovered(&mut self, now: Micros, node: NodeId, server: &S);

    /// A server has taken what there was to take, and was flushed.
    fn stepped(&mut self, now: Micros, node: NodeId, server: &S);

    /// A message has left a node. `number` names it; it may still be lost, and arrive twice.
    fn sent(&mut self, now: Micros, number: u64, from: NodeId, to: NodeId, message: &S::Message);

    /// A message has arrived.
    fn arrived(&mut self, now: Micros, number: u64, to: NodeId);

    /// This write is on the disk and would survive a loss of power, as far as the disk and its driver keep their word.
    fn durable(&mut self, node: NodeId, id: WriteId, write: &Write);

    /// A server is gone.
    fn crashed(&mut self, now: Micros, node: NodeId);

    /// Asked after every event: whether whoever drives the cluster should act on what was seen, with a
    /// [`Happening::Noticed`](crate::sim::Happening::Noticed).
    fn has_noticed(&mut self) -> bool {
        false
    }
}
