//! Makes the servers of a simulated lock service.

use super::bug::Bug;
use super::machine::{LockMachine, LockOptions};
use super::member::Member;
use super::resource::{Resource, ResourceOptions};
use super::server::LockNode;
use crate::raft::{Config, Raft};
use crate::server::{NodeId, Recovered};
use crate::sim::Build;

/// The servers of one run: the voters of `config` keep the locks, and one more node may be the guarded resource.
#[derive(Clone, Debug)]
pub struct LockServers {
    /// The settings of the members, but for the id. Its seed is the run's.
    pub config: Config,
    /// What all members are told about leases.
    pub options: LockOptions,
    /// Which node is the resource.
    pub resource: Option<NodeId>,
    /// Whether the resource looks at fencing tokens.
    pub fencing: bool,
}

impl Build for LockServers {
    type Server = LockNode;

    fn build(&mut self, node: NodeId, life: u32, recovered: Recovered) -> Result<LockNode, String> {
        let bug = self.options.bug;
        if self.resource == Some(node) {
            let fencing = self.fencing && bug != Some(Bug::LK01);
            let resource = Resource::recover(ResourceOptions { id: node, fencing, bug }, recovered);
            return resource.map(|resource| LockNode::Resource(Box::new(resource))).map_err(|error| error.to_string());
        }
        // Each life of each member has random timeouts of its own.
        let seed = self.config.seed ^ (u64::from(node.0) << 32 | u64::from(life)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let in_raft = self.config.bug.or_else(|| bug.and_then(Bug::in_raft));
        let config = Config { id: node, seed, bug: in_raft, ..self.config.clone() };
        let raft = Raft::recover(config, LockMachine::new(self.options), recovered);
        raft.map(|raft| LockNode::Member(Box::new(Member::new(raft)))).map_err(|error| error.to_string())
    }
}
