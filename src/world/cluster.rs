//! The cluster of a run: servers on the hosts of a sandbox, ours or those of a real system.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use rashomon_external::Programs;
use rashomon_nemesis::{Hands, Node};
use tokio::sync::mpsc::UnboundedReceiver;

use super::own_servers::{client_address, server_command};
use super::real_servers::RealServers;
use crate::clients::{Address, Standstill};
use crate::plan::Plan;
use crate::world::hands::ClusterHands;
use crate::world::netns::{Inside, Sandbox, UnexpectedExit, last_lines};

/// Where a cluster stands: a sandbox, and the programs of a real system.
pub(crate) struct Ground {
    /// The sandbox.
    pub(crate) inside: Inside,
    /// Where the programs of the plan's system are, where it is a real one.
    pub(crate) programs: Option<Programs>,
}

/// The servers of a run.
pub(crate) struct Cluster {
    sandbox: Arc<Sandbox>,
    nodes: Arc<[Address]>,
    programs: Option<Programs>,
    deaths: Mutex<Deaths>,
}

struct Deaths {
    told: Vec<String>,
    news: UnboundedReceiver<UnexpectedExit>,
}

impl Cluster {
    /// Builds the sandbox and starts every server; logs and data go below `folder`.
    pub(crate) fn start(plan: &Plan, folder: &Path, ground: &Ground) -> Result<Self> {
        let (sandbox, news) = Sandbox::build(&ground.inside, plan.nodes, folder)?;
        let nodes: Vec<Node> = sandbox.nodes().collect();
        let programs = ground.programs.clone();
        let real = real_servers(plan, programs.as_ref(), &sandbox)?;
        let mut addresses = Vec::new();
        for &node in &nodes {
            let (command, address) = match &real {
                Some(real) if real.has(node) => (real.prepare(node)?, real.client_address(node)),
                Some(_) | None => {
                    let data = sandbox.data_folder(node)?;
                    (server_command(plan, node, &nodes, &data), client_address(node))
                }
            };
            sandbox.launch(node, command).with_context(|| format!("starting {node}"))?;
            addresses.push(Address { name: node.to_string(), http: address });
        }
        Ok(Self {
            nodes: addresses.into(),
            programs,
            sandbox: Arc::new(sandbox),
            deaths: Mutex::new(Deaths { told: Vec::new(), news }),
        })
    }

    /// Joins servers that answer to a cluster, where they don't do so by themselves. Blocks.
    pub(crate) fn set_up(&self, plan: &Plan) -> Result<()> {
        let real = real_servers(plan, self.programs.as_ref(), &self.sandbox)?;
        real.map_or(Ok(()), |real| real.set_up(&self.sandbox))
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

    /// The programs of a real system, for people.
    pub(crate) fn programs(&self) -> Option<&Programs> {
        self.programs.as_ref()
    }

    /// The servers that ended though nobody killed them.
    pub(crate) fn deaths(&self) -> Vec<String> {
        let mut deaths = self.deaths.lock().unwrap_or_else(PoisonError::into_inner);
        while let Ok(exit) = deaths.news.try_recv() {
            deaths.told.push(exit.to_string());
        }
        deaths.told.clone()
    }

    /// The last lines of every server's log, each on a line of its own.
    pub(crate) fn ends_of_logs(&self) -> String {
        let end = |node: Node| {
            let log = self.sandbox.log(node).ok()?;
            let lines: String = last_lines(&log).iter().map(|line| format!("\n  | {line}")).collect();
            Some(format!("\n{}:{lines}", log.display()))
        };
        self.sandbox.nodes().filter_map(end).collect()
    }

    /// Ends every server, and says which had ended before.
    pub(crate) fn stop(&self) -> Result<Vec<String>> {
        let deaths = self.deaths();
        self.sandbox.shut_down()?;
        Ok(deaths)
    }
}

fn real_servers<'a>(
    plan: &'a Plan,
    programs: Option<&'a Programs>,
    sandbox: &Sandbox,
) -> Result<Option<RealServers<'a>>> {
    let parts = plan.real.as_ref().zip(programs);
    parts.map(|(real, programs)| RealServers::new(plan, real, programs, sandbox)).transpose()
}
