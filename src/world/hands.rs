//! What a nemesis can do to a cluster in the sandbox: to its nodes as processes, to its members, and to its clients.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Result;
use rashomon_nemesis::{Clients, Grudge, Hands, HandsError, Node};
use tokio::runtime::Handle;

use super::raft_members::Members;
use crate::clients::{Address, Standstill};
use crate::world::netns::Sandbox;

/// The sandbox's hands, and those that reach through the API of the cluster.
pub(crate) struct ClusterHands {
    sandbox: Arc<Sandbox>,
    members: Members,
    clients: Standstill,
}

impl ClusterHands {
    pub(crate) fn new(sandbox: Arc<Sandbox>, nodes: &Arc<[Address]>, clients: Standstill) -> Result<Self> {
        Ok(Self { sandbox, members: Members::new(nodes)?, clients })
    }
}

/// Hands are called on a thread that may block, within the runtime.
impl Hands for ClusterHands {
    fn cut(&self, grudge: &Grudge) -> Result<String, HandsError> {
        self.sandbox.cut(grudge)
    }

    fn kill(&self, nodes: &BTreeSet<Node>) -> Result<String, HandsError> {
        self.sandbox.kill(nodes)
    }

    fn start(&self, nodes: &BTreeSet<Node>) -> Result<String, HandsError> {
        self.sandbox.start(nodes)
    }

    fn pause(&self, nodes: &BTreeSet<Node>) -> Result<String, HandsError> {
        self.sandbox.pause(nodes)
    }

    fn resume(&self, nodes: &BTreeSet<Node>) -> Result<String, HandsError> {
        self.sandbox.resume(nodes)
    }

    fn remove_member(&self, node: Node) -> Result<String, HandsError> {
        Ok(Handle::current().block_on(self.members.remove(node))?)
    }

    fn add_member(&self, node: Node) -> Result<String, HandsError> {
        Ok(Handle::current().block_on(self.members.add(node))?)
    }

    fn pause_clients(&self, clients: &Clients) -> Result<String, HandsError> {
        Ok(self.clients.set(clients))
    }
}
