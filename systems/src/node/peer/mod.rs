//! What members tell each other, over TCP.
//!
//! A member dials every other one and sends on the connection it dialled; it hears the others on the connections that they
//! dialled. Messages may be lost, so nothing here waits for a slow or dead peer: what is too much is thrown away, and a
//! connection on which nothing is acknowledged is closed and dialled anew, long before TCP itself would give up.

mod frame;
mod hello;
mod incoming;
mod outgoing;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use serde::Serialize;
use tokio::task::JoinSet;

pub use hello::{HelloRefusal, PROTOCOL_VERSION};
pub(super) use incoming::listen;

use crate::server::NodeId;
use outgoing::Outbox;

/// Who is who.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Membership {
    /// The cluster's name. Members of different clusters refuse each other.
    pub cluster: String,
    /// This member.
    pub id: NodeId,
    /// Where the other members listen.
    pub others: BTreeMap<NodeId, SocketAddr>,
}

/// The connections to the other members. Dropping it closes them.
#[derive(Debug)]
pub(super) struct Peers {
    outboxes: BTreeMap<NodeId, Arc<Outbox>>,
    _connections: JoinSet<()>,
}

impl Peers {
    /// Begins to dial the others.
    pub(super) fn dial(membership: &Membership) -> Self {
        let mut connections = JoinSet::new();
        let mut outboxes = BTreeMap::new();
        for (&to, &address) in &membership.others {
            let outbox = Arc::new(Outbox::default());
            let hello = hello::Hello::new(membership, to);
            connections.spawn(outgoing::keep_connected(address, hello, Arc::clone(&outbox)));
            outboxes.insert(to, outbox);
        }
        Self { outboxes, _connections: connections }
    }

    /// Sends soon, or never.
    pub(super) fn send(&self, to: NodeId, message: &impl Serialize) {
        match self.outboxes.get(&to) {
            Some(outbox) => outbox.push(message),
            None => tracing::debug!(%to, "a message for nobody we know"),
        }
    }
}

#[cfg(test)]
mod tests;
