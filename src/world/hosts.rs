//! Hosts that the user runs: their servers are there already, and commands of the user break them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use rashomon_nemesis::{Clients, Grudge, Hands, HandsError, Node};

use crate::clients::{Address, Standstill};
use crate::plan::Hosts;

/// How long a host may take to accept a connection at the beginning.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// How long a command of the user may take.
const COMMAND_DEADLINE: Duration = Duration::from_secs(10);
/// How often a command is looked at while it runs.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Where the servers, and after them the store that locks guard, are; each accepts connections.
///
/// # Errors
/// One can't be found or reached: which, and why.
pub(super) fn reach(hosts: &Hosts) -> Result<Vec<Address>> {
    let places = hosts.addresses.iter().chain(&hosts.resource);
    let reach = |(number, place): (usize, &String)| {
        let name = format!("n{number}");
        let http = connect(place).with_context(|| format!("{name} ({place}) can't be reached"))?;
        Ok(Address { name, http })
    };
    (1..).zip(places).map(reach).collect()
}

fn connect(place: &str) -> Result<SocketAddr> {
    let mut problem = anyhow!("the name has no address");
    for address in place.to_socket_addrs().context("finding its address")? {
        match TcpStream::connect_timeout(&address, CONNECT_DEADLINE) {
            Ok(_) => return Ok(address),
            Err(error) => problem = anyhow!(error),
        }
    }
    Err(problem)
}

/// The hands of a run on hosts of the user. What a command prints last is what was seen.
pub(super) struct HostsHands {
    hosts: Hosts,
    clients: Standstill,
    /// Whose packets each node drops now.
    dropped: Mutex<BTreeMap<Node, BTreeSet<Node>>>,
}

impl HostsHands {
    pub(super) fn new(hosts: &Hosts, clients: Standstill) -> Self {
        Self { hosts: hosts.clone(), clients, dropped: Mutex::default() }
    }

    fn host(&self, node: Node) -> Result<&str> {
        let place = self.hosts.addresses.get(usize::from(node.0).wrapping_sub(1));
        let place = place.with_context(|| format!("{node} is none of the hosts"))?;
        Ok(place.rsplit_once(':').map_or(place.as_str(), |(host, _)| host))
    }

    fn on_each(&self, nodes: &BTreeSet<Node>, name: &str, command: Option<&String>) -> Result<String, HandsError> {
        let command = command.with_context(|| format!("there is no --{name}-command"))?;
        let mut seen = Vec::new();
        for node in nodes {
            seen.push(format!("{node}: {}", self.run(*node, name, command, "")?));
        }
        Ok(seen.join("; "))
    }

    /// Runs the command with the node in its environment; answers with its last line.
    fn run(&self, node: Node, name: &str, command: &str, drop: &str) -> Result<String> {
        let host = self.host(node)?;
        let doing = || format!("--{name}-command for {node} ({host}): `{command}`");
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        shell.env("RASHOMON_NODE", node.to_string()).env("RASHOMON_HOST", host).env("RASHOMON_DROP", drop);
        let mut child = shell.spawn().with_context(doing)?;
        let began = Instant::now();
        while child.try_wait().with_context(doing)?.is_none() {
            if began.elapsed() > COMMAND_DEADLINE {
                // It may have ended just now; then there is nobody to kill.
                let _ = child.kill();
                let _ = child.wait();
                return Err(anyhow!("not done after {} s", COMMAND_DEADLINE.as_secs())).with_context(doing);
            }
            std::thread::sleep(LOOK_EVERY);
        }
        let output = child.wait_with_output().with_context(doing)?;
        let last = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().lines().last().unwrap_or_default().to_owned();
        ensure!(output.status.success(), "{}: {}: {}", doing(), output.status, last(&output.stderr));
        let seen = last(&output.stdout);
        Ok(if seen.is_empty() { format!("the --{name}-command is done") } else { seen })
    }
}

/// Hands are called on a thread that may block.
impl Hands for HostsHands {
    fn cut(&self, grudge: &Grudge) -> Result<String, HandsError> {
        let mut wanted: BTreeMap<Node, BTreeSet<Node>> = BTreeMap::new();
        for (from, to) in grudge.edges() {
            wanted.entry(to).or_default().insert(from);
        }
        let Some(command) = &self.hosts.commands.partition else {
            return if wanted.is_empty() {
                Ok("nothing was cut".into())
            } else {
                Err("there is no --partition-command".into())
            };
        };
        let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        let nobody = BTreeSet::new();
        let mut seen = Vec::new();
        for number in 1..=self.hosts.addresses.len() {
            let node = Node(u16::try_from(number)?);
            let drops = wanted.get(&node).unwrap_or(&nobody);
            if dropped.get(&node).unwrap_or(&nobody) == drops {
                continue;
            }
            let hosts = drops.iter().map(|dropped| self.host(*dropped)).collect::<Result<Vec<_>>>()?;
            // Should it fail, nobody knows what it has done: it is run again at the next change.
            dropped.remove(&node);
            seen.push(format!("{node}: {}", self.run(node, "partition", command, &hosts.join(" "))?));
            dropped.insert(node, drops.clone());
        }
        Ok(if seen.is_empty() { "nothing changed".into() } else { seen.join("; ") })
    }

    fn kill(&self, nodes: &BTreeSet<Node>) -> Result<String, HandsError> {
        self.on_each(nodes, "kill", self.hosts.commands.kill.as_ref())
    }

    fn start(&self, nodes: &BTreeSet<Node>) -> Result<String, HandsError> {
        self.on_each(nodes, "start", self.hosts.commands.start.as_ref())
    }

    fn pause(&self, nodes: &BTreeSet<Node>) -> Result<String, HandsError> {
        self.on_each(nodes, "pause", self.hosts.commands.pause.as_ref())
    }

    fn resume(&self, nodes: &BTreeSet<Node>) -> Result<String, HandsError> {
        self.on_each(nodes, "resume", self.hosts.commands.resume.as_ref())
    }

    fn pause_clients(&self, clients: &Clients) -> Result<String, HandsError> {
        Ok(self.clients.set(clients))
    }
}

#[cfg(test)]
mod tests {
    use rashomon_nemesis::Direction;

    use super::*;
    use crate::plan::HostCommands;

    fn hands(folder: &std::path::Path, command: &str) -> HostsHands {
        let written = format!(
            "echo \"{command} $RASHOMON_NODE $RASHOMON_HOST [$RASHOMON_DROP]\" >> {}",
            folder.join("did").display()
        );
        let hosts = Hosts {
            addresses: vec!["a:1".into(), "b:1".into(), "c:1".into()],
            commands: HostCommands { partition: Some(written.clone()), kill: Some(written), ..HostCommands::default() },
            ..Hosts::default()
        };
        HostsHands::new(&hosts, Standstill::new())
    }

    fn did(folder: &std::path::Path) -> Vec<String> {
        let text = std::fs::read_to_string(folder.join("did")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_cut_is_told_to_the_hosts_whose_part_in_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let hands = hands(folder.path(), "drop");
        let grudge = Grudge::around(&BTreeSet::from([Node(2)]), 3, Direction::Both);
        hands.cut(&grudge).unwrap();
        assert_eq!(did(folder.path()), ["drop n1 a [b]", "drop n2 b [a c]", "drop n3 c [b]"]);
        hands.cut(&grudge).unwrap();
        assert_eq!(did(folder.path()).len(), 3, "nothing changed");
        hands.cut(&Grudge::default()).unwrap();
        assert_eq!(did(folder.path())[3..], ["drop n1 a []", "drop n2 b []", "drop n3 c []"]);
    }

    #[test]
    fn a_command_that_fails_or_is_missing_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let both = BTreeSet::from([Node(1), Node(3)]);
        let kill = hands(folder.path(), "kill");
        assert!(kill.kill(&both).unwrap().contains("n3: the --kill-command is done"));
        assert_eq!(did(folder.path()), ["kill n1 a []", "kill n3 c []"]);
        let missing = kill.pause(&both).unwrap_err().to_string();
        assert!(missing.contains("--pause-command"), "{missing}");
        let mut failing = hands(folder.path(), "x");
        failing.hosts.commands.kill = Some("echo no ssh key >&2; exit 3".into());
        let failed = failing.kill(&both).unwrap_err().to_string();
        assert!(failed.contains("n1 (a)") && failed.contains("no ssh key"), "{failed}");
    }

    #[test]
    fn a_host_that_cant_be_reached_is_named() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let open = taken.local_addr().unwrap();
        let hosts = |addresses: &[String]| Hosts { addresses: addresses.to_vec(), ..Hosts::default() };
        assert_eq!(reach(&hosts(&[open.to_string()])).unwrap()[0].http, open);
        let error = reach(&hosts(&[open.to_string(), "127.0.0.1:1".into()])).unwrap_err();
        assert!(format!("{error:#}").contains("n2 (127.0.0.1:1) can't be reached: Connection refused"), "{error:#}");
        assert!(reach(&hosts(&["no-port".into()])).is_err());
    }
}
