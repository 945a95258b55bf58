//! A cluster of an own system, its servers on the hosts of a sandbox.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use rashomon_nemesis::{Hands, Node};
use rashomon_systems::server::NodeId;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::clients::{Address, Standstill};
use crate::plan::Plan;
use crate::world::hands::ClusterHands;
use crate::world::netns::{Inside, NodeCommand, Sandbox, UnexpectedExit};

const PEER_PORT: u16 = 7000;
const CLIENT_PORT: u16 = 8000;

/// The servers of a run.
pub(crate) struct Cluster {
    sandbox: Arc<Sandbox>,
    nodes: Arc<[Address]>,
    deaths: Mutex<Deaths>,
}

struct Deaths {
    told: Vec<String>,
    news: UnboundedReceiver<UnexpectedExit>,
}

impl Cluster {
    /// Builds the sandbox and starts every server; logs and data go below `folder`.
    pub(crate) fn start(plan: &Plan, folder: &Path, inside: &Inside) -> Result<Self> {
        let (sandbox, news) = Sandbox::build(inside, plan.nodes, folder)?;
        let nodes: Vec<Node> = sandbox.nodes().collect();
        for &node in &nodes {
            let data = sandbox.data_folder(node)?;
            let command = server_command(plan, node, &nodes, &data);
            sandbox.launch(node, command).with_context(|| format!("starting {node}"))?;
        }
        let address = |&node: &Node| Address { name: node.to_string(), http: client_address(node) };
        Ok(Self {
            nodes: nodes.iter().map(address).collect(),
            sandbox: Arc::new(sandbox),
            deaths: Mutex::new(Deaths { told: Vec::new(), news }),
        })
    }

    /// Where clients reach the servers.
    pub(crate) fn nodes(&self) -> Arc<[Address]> {
        Arc::clone(&self.nodes)
    }

    /// What the nemesis can do to the servers, and to the clients.
    pub(crate) fn hands(&self, clients: Standstill) -> Result<Arc<dyn Hands>> {
        Ok(Arc::new(ClusterHands::new(Arc::clone(&self.sandbox), &self.nodes, clients)?))
    }

    /// The longest time between two tries of TCP, where it is limited.
    pub(crate) fn tcp_rto_max_ms(&self) -> Option<u32> {
        self.sandbox.tcp_rto_max_ms()
    }

    /// The servers that ended though nobody killed them.
    pub(crate) fn deaths(&self) -> Vec<String> {
        let mut deaths = self.deaths.lock().unwrap_or_else(PoisonError::into_inner);
        while let Ok(exit) = deaths.news.try_recv() {
            deaths.told.push(exit.to_string());
        }
        deaths.told.clone()
    }

    /// Ends every server, and says which had ended before.
    pub(crate) fn stop(&self) -> Result<Vec<String>> {
        let deaths = self.deaths();
        self.sandbox.shut_down()?;
        Ok(deaths)
    }
}

fn server_command(plan: &Plan, node: Node, nodes: &[Node], data: &Path) -> NodeCommand {
    let mut args = vec![OsString::from("node")];
    args.extend(plan.server_args(NodeId(node.0)));
    args.extend(["--id".into(), node.0.to_string().into()]);
    let peers = plan.peers_of(NodeId(node.0));
    for &other in nodes {
        if peers.contains(&NodeId(other.0)) {
            args.extend(["--peer".into(), format!("{}={}", other.0, peer_address(other)).into()]);
        }
        if peers.contains(&NodeId(other.0)) || other == node {
            args.extend(["--client".into(), format!("{}={}", other.0, client_address(other)).into()]);
        }
    }
    args.extend(["--data".into(), data.into()]);
    NodeCommand { program: "/proc/self/exe".into(), args, env: Vec::new() }
}

fn peer_address(node: Node) -> SocketAddr {
    (Sandbox::address(node), PEER_PORT).into()
}

fn client_address(node: Node) -> SocketAddr {
    (Sandbox::address(node), CLIENT_PORT).into()
}
