//! The network of a sandbox: a bridge, and a host a node.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rashomon_nemesis::Node;
use rashomon_nemesis::linux::{Host, Iptables, NetNamespace};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::node::{NodeProcess, spawn};
use super::{Inside, NodeCommand, SandboxError, UnexpectedExit};

/// A built sandbox: hosts, and the processes on them.
#[derive(Debug)]
pub(crate) struct Sandbox {
    pub(super) iptables: Iptables,
    pub(super) hosts: BTreeMap<Node, Host>,
    processes: BTreeMap<Node, NodeProcess>,
    tcp_rto_max_ms: Option<u32>,
}

const BRIDGE: &str = "rashomon";
const MOST_NODES: u16 = 200;
/// TCP waits longer and longer before it tries again: after a cut of 10 s it came back only 3.4 s after the cut was healed,
/// with this limit 0.9 s.
const TCP_RTO_MAX_MS: u32 = 1000;

impl Sandbox {
    /// The address of the controller, from which clients speak to the nodes.
    pub(crate) const CONTROLLER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

    /// The address of a node.
    pub(crate) fn address(node: Node) -> Ipv4Addr {
        let [.., last] = node.0.to_be_bytes();
        Ipv4Addr::new(10, 77, 0, 10 + last)
    }

    /// Builds the network for `nodes` nodes, and a folder `n1`, `n2`, ... for each in `folder`. The channel tells of nodes
    /// that end without having been killed by us.
    pub(crate) fn build(
        inside: &Inside,
        nodes: u16,
        folder: &Path,
    ) -> Result<(Self, UnboundedReceiver<UnexpectedExit>), SandboxError> {
        if nodes == 0 || nodes > MOST_NODES {
            return Err(SandboxError::NodeCount { nodes, most: MOST_NODES });
        }
        let namespaces: Vec<(Node, NetNamespace)> = Node::all(nodes)
            .map(|node| Ok((node, NetNamespace::create()?)))
            .collect::<std::io::Result<_>>()
            .map_err(SandboxError::io("make a network namespace"))?;
        connect(&inside.tools.ip, &namespaces)?;
        let tcp_rto_max_ms = limit_tcp_backoff(&namespaces);

        let (exits, exits_out) = unbounded_channel();
        let mut hosts = BTreeMap::new();
        let mut processes = BTreeMap::new();
        for (node, namespace) in namespaces {
            inside.tools.iptables.hook(&namespace).map_err(|source| SandboxError::Iptables { source })?;
            let host = Host::new(namespace, Self::address(node)).map_err(SandboxError::io(format!("bind {node}")))?;
            hosts.insert(node, host);
            processes.insert(node, NodeProcess::new(node, folder.join(node.to_string()), exits.clone())?);
        }
        Ok((Self { iptables: inside.tools.iptables.clone(), hosts, processes, tcp_rto_max_ms }, exits_out))
    }

    /// The longest time between two tries of TCP, where this kernel can limit it; belongs into the record of a run.
    pub(crate) fn tcp_rto_max_ms(&self) -> Option<u32> {
        self.tcp_rto_max_ms
    }

    /// The nodes, in order.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = Node> {
        self.hosts.keys().copied()
    }

    /// Where a node keeps its data: on the disk of the results, so that a sync is a sync.
    pub(crate) fn data_folder(&self, node: Node) -> Result<PathBuf, SandboxError> {
        Ok(self.process(node)?.data_folder())
    }

    /// Where a node's log is.
    pub(crate) fn log(&self, node: Node) -> Result<PathBuf, SandboxError> {
        Ok(self.process(node)?.log_path())
    }

    /// Starts a node for the first time. Every later start takes the same command.
    pub(crate) fn launch(&self, node: Node, command: NodeCommand) -> Result<(), SandboxError> {
        self.process(node)?.launch(command, self.host(node)?.namespace())
    }

    /// Starts a process beside a node, which is none of its own: who starts it waits for it. What it says is added to `log`.
    pub(crate) fn spawn_beside(&self, node: Node, command: &NodeCommand, log: &Path) -> Result<Child, SandboxError> {
        let file = OpenOptions::new().create(true).append(true).open(log);
        let file = file.map_err(SandboxError::io(format!("write {}", log.display())))?;
        let doing = format!("start `{command}` beside {node}");
        spawn(command, self.host(node)?.namespace(), file).map_err(SandboxError::io(doing))
    }

    /// Starts a node again that was launched before and is not running.
    pub(crate) fn start_again(&self, node: Node) -> Result<(), SandboxError> {
        self.process(node)?.start(self.host(node)?.namespace())
    }

    /// Kills all nodes that run; none of them counts as unexpected.
    pub(crate) fn shut_down(&self) -> Result<(), SandboxError> {
        self.kill_all(self.processes.values().filter(|process| process.is_running()))
    }

    /// Kills all of them at once, then waits for each. One that can't be killed does not save the others.
    pub(super) fn kill_all<'a>(
        &self,
        processes: impl Iterator<Item = &'a NodeProcess> + Clone,
    ) -> Result<(), SandboxError> {
        let sent: Vec<Result<(), SandboxError>> = processes.clone().map(NodeProcess::send_kill).collect();
        let dead: Vec<Result<(), SandboxError>> = processes.map(NodeProcess::await_dead).collect();
        sent.into_iter().chain(dead).collect()
    }

    pub(super) fn process(&self, node: Node) -> Result<&NodeProcess, SandboxError> {
        self.processes.get(&node).ok_or(SandboxError::UnknownNode { node })
    }

    fn host(&self, node: Node) -> Result<&Host, SandboxError> {
        self.hosts.get(&node).ok_or(SandboxError::UnknownNode { node })
    }
}

/// Joins the namespaces by a bridge in the present one: a pair of interfaces a node, `n1` at the bridge and `eth0` inside.
fn connect(ip: &Path, namespaces: &[(Node, NetNamespace)]) -> Result<(), SandboxError> {
    let mut lines = format!(
        "link set lo up\n\
         link add {BRIDGE} type bridge stp_state 0 forward_delay 0\n\
         address add {}/24 dev {BRIDGE}\n\
         link set {BRIDGE} up\n",
        Sandbox::CONTROLLER
    );
    for (node, namespace) in namespaces {
        let _ = writeln!(lines, "link add {node} type veth peer name eth0 netns {}", namespace.path());
        let _ = writeln!(lines, "link set {node} master {BRIDGE} up");
    }
    IpBatch::start(ip, None, &lines)?.finish()?;

    let mut batches = Vec::new();
    for (node, namespace) in namespaces {
        // Partitions are made of IPv4 rules: there must be no other way from node to node.
        let without_ipv6 = namespace.inside(|| match fs::write("/proc/sys/net/ipv6/conf/eth0/disable_ipv6", "1") {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            written => written,
        });
        without_ipv6.map_err(SandboxError::io(format!("switch IPv6 off in {node}")))?;
        let address = Sandbox::address(*node);
        let lines = format!("address add {address}/24 dev eth0\nlink set lo up\nlink set eth0 up\n");
        batches.push(IpBatch::start(ip, Some(namespace), &lines)?);
    }
    batches.into_iter().try_for_each(IpBatch::finish)
}

/// Several commands of one `ip`.
struct IpBatch {
    child: Child,
}

impl IpBatch {
    fn start(ip: &Path, namespace: Option<&NetNamespace>, lines: &str) -> Result<Self, SandboxError> {
        let mut command = Command::new(ip);
        command
            .args(["-batch", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0);
        if let Some(namespace) = namespace {
            namespace.enter_with(&mut command);
        }
        let mut child = command.spawn().map_err(SandboxError::io(format!("run {}", ip.display())))?;
        if let Some(mut stdin) = child.stdin.take() {
            // Should `ip` end before it has read all, its exit status and words say why.
            let _ = stdin.write_all(lines.as_bytes());
        }
        Ok(Self { child })
    }

    fn finish(self) -> Result<(), SandboxError> {
        let doing = "build the network of the sandbox";
        let output = self.child.wait_with_output().map_err(SandboxError::io(doing))?;
        if output.status.success() {
            return Ok(());
        }
        let stderr = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
        Err(SandboxError::Program { doing: doing.into(), stderr: format!("ip: {}: {stderr}", output.status) })
    }
}

/// Answers with the limit, if this kernel knows it.
fn limit_tcp_backoff(namespaces: &[(Node, NetNamespace)]) -> Option<u32> {
    let limit = || fs::write("/proc/sys/net/ipv4/tcp_rto_max_ms", TCP_RTO_MAX_MS.to_string());
    limit().ok()?;
    for (_, namespace) in namespaces {
        namespace.inside(limit).ok()?;
    }
    Some(TCP_RTO_MAX_MS)
}
