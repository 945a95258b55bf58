//! What a nemesis can do to the nodes of a sandbox.

use std::collections::BTreeSet;

use rashomon_nemesis::linux::cut;
use rashomon_nemesis::{Grudge, Hands, HandsError, Node, list_nodes};

use super::node::NodeProcess;
use super::{Sandbox, SandboxError};

impl Hands for Sandbox {
    fn cut(&self, grudge: &Grudge) -> Result<String, HandsError> {
        Ok(cut(&self.iptables, &self.hosts, grudge)?)
    }

    fn kill(&self, nodes: &BTreeSet<Node>) -> Result<String, HandsError> {
        let processes = self.processes_of(nodes)?;
        self.kill_all(processes.iter().copied())?;
        Ok(format!("{} {} dead", list_nodes(nodes), are(nodes)))
    }

    fn start(&self, nodes: &BTreeSet<Node>) -> Result<String, HandsError> {
        // Where a kill has failed, some of its nodes may never have died.
        let down: BTreeSet<Node> = nodes
            .iter()
            .copied()
            .filter(|node| self.process(*node).is_ok_and(|process| !process.is_running()))
            .collect();
        for node in &down {
            self.start_again(*node)?;
        }
        Ok(if down.is_empty() { "no node was down".into() } else { format!("{} started again", list_nodes(&down)) })
    }

    fn pause(&self, nodes: &BTreeSet<Node>) -> Result<String, HandsError> {
        let mut threads = 0;
        for process in self.processes_of(nodes)? {
            threads += process.pause()?;
        }
        let stand = if threads == 1 { "thread stands" } else { "threads stand" };
        Ok(format!("{} stopped, {threads} {stand} still", list_nodes(nodes)))
    }

    fn resume(&self, nodes: &BTreeSet<Node>) -> Result<String, HandsError> {
        // One that can't go on does not keep the others still.
        // One that has ended meanwhile can't go on either; that it did is told by the sandbox's channel.
        let running = self.processes_of(nodes)?.into_iter().filter(|process| process.is_running());
        let resumed: Vec<Result<(), SandboxError>> = running.map(NodeProcess::resume).collect();
        resumed.into_iter().collect::<Result<(), _>>()?;
        Ok(format!("{} {} running again", list_nodes(nodes), are(nodes)))
    }
}

impl Sandbox {
    fn processes_of(&self, nodes: &BTreeSet<Node>) -> Result<Vec<&NodeProcess>, SandboxError> {
        nodes.iter().map(|node| self.process(*node)).collect()
    }
}

fn are(nodes: &BTreeSet<Node>) -> &'static str {
    if nodes.len() == 1 { "is" } else { "are" }
}
