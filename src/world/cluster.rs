//! The cluster of a run: servers on the hosts of a sandbox, ours or those of a real system, or servers that the user runs.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use rashomon_external::Programs;
use rashomon_nemesis::{Hands, Node};
use tokio::sync::mpsc::UnboundedReceiver;

use super::hosts::{HostsHands, reach};
use super::own_servers::{client_address, server_command};
use super::real_servers::RealServers;
use crate::clients::{Address, Standstill};
use crate::plan::{Hosts, Plan};
use crate::world::hands::ClusterHands;
use crate::world::netns::{Inside, Sandbox, UnexpectedExit, last_lines};

/// Where a cluster stands.
pub(crate) enum Ground {
    /// In a sandbox, with the programs of the plan's system, where it is a real one.
    Sandbox { inside: Inside, programs: Option<Programs> },
    /// On hosts that the user runs.
    Hosts(Hosts),
}

/// The servers of a run.
pub(crate) struct Cluster {
    nodes: Arc<[Address]>,
    place: Place,
}

enum Place {
    Sandbox { sandbox: Arc<Sandbox>, programs: Option<Programs>, deaths: Mutex<Deaths> },
    Hosts(Hosts),
}

struct Deaths {
    told: Vec<String>,
    news: UnboundedReceiver<UnexpectedExit>,
}

impl Cluster {
    /// Builds the sandbox and starts every server, or finds those that run already; logs and data go below `folder`.
    pub(crate) fn start(plan: &Plan, folder: &Path, ground: &Ground) -> Result<Self> {
        let (inside, programs) = match ground {
            Ground::Sandbox { inside, programs } => (inside, programs.clone()),
            Ground::Hosts(hosts) => {
                return Ok(Self { nodes: reach(hosts)?.into(), place: Place::Hosts(hosts.clone()) });
            }
        };
        let (sandbox, news) = Sandbox::build(inside, plan.nodes, folder)?;
        let nodes: Vec<Node> = sandbox.nodes().collect();
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
        let deaths = Mutex::new(Deaths { told: Vec::new(), news });
        let place = Place::Sandbox { sandbox: Arc::new(sandbox), programs, deaths };
        Ok(Self { nodes: addresses.into(), place })
    }

    /// Joins servers that answer to a cluster, where they don't do so by themselves. Blocks.
    pub(crate) fn set_up(&self, plan: &Plan) -> Result<()> {
        match &self.place {
            Place::Sandbox { sandbox, programs, .. } => {
                let real = real_servers(plan, programs.as_ref(), sandbox)?;
                real.map_or(Ok(()), |real| real.set_up(sandbox))
            }
            Place::Hosts(_) => Ok(()),
        }
    }

    /// Where clients reach the servers.
    pub(crate) fn nodes(&self) -> Arc<[Address]> {
        Arc::clone(&self.nodes)
    }

    /// What the nemesis can do to the servers, and to the clients.
    pub(crate) fn hands(&self, clients: Standstill) -> Result<Arc<dyn Hands>> {
        Ok(match &self.place {
            Place::Sandbox { sandbox, .. } => Arc::new(ClusterHands::new(Arc::clone(sandbox), &self.nodes, clients)?),
            Place::Hosts(hosts) => Arc::new(HostsHands::new(hosts, clients)),
        })
    }

    /// What else may matter to who compares two runs.
    pub(crate) fn surroundings(&self) -> Vec<(&'static str, String)> {
        let Place::Sandbox { sandbox, programs, .. } = &self.place else { return Vec::new() };
        let rto = sandbox.tcp_rto_max_ms();
        let rto = rto.map_or_else(|| "as the kernel has it".into(), |ms| format!("{ms} ms at most"));
        let mut rows = vec![("TCP back-off", rto)];
        rows.extend(programs.as_ref().map(|programs| ("servers", programs.to_string())));
        rows
    }

    /// The servers that ended though nobody killed them.
    pub(crate) fn deaths(&self) -> Vec<String> {
        let Place::Sandbox { deaths, .. } = &self.place else { return Vec::new() };
        let mut deaths = deaths.lock().unwrap_or_else(PoisonError::into_inner);
        while let Ok(exit) = deaths.news.try_recv() {
            deaths.told.push(exit.to_string());
        }
        deaths.told.clone()
    }

    /// The last lines of every server's log, each on a line of its own.
    pub(crate) fn ends_of_logs(&self) -> String {
        let Place::Sandbox { sandbox, .. } = &self.place else { return String::new() };
        let end = |node: Node| {
            let log = sandbox.log(node).ok()?;
            let lines: String = last_lines(&log).iter().map(|line| format!("\n  | {line}")).collect();
            Some(format!("\nthe end of {}:{lines}", log.display()))
        };
        sandbox.nodes().filter_map(end).collect()
    }

    /// Ends every server that we started, and says which had ended before.
    pub(crate) fn stop(&self) -> Result<Vec<String>> {
        let deaths = self.deaths();
        match &self.place {
            Place::Sandbox { sandbox, .. } => sandbox.shut_down()?,
            Place::Hosts(_) => {}
        }
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
