//! Cuts packets between hosts, and sees with own packets that they are dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Iptables, IptablesError, NetNamespace, render_rules};
use crate::{Grudge, Node, list_nodes};

/// A node's namespace, and how to send from it.
#[derive(Debug)]
pub struct Host {
    namespace: NetNamespace,
    address: Ipv4Addr,
    probe: UdpSocket,
}

/// Why a cut does not count.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// Rules can't be loaded or read.
    #[error("{node}: {source}")]
    Iptables {
        /// Where.
        node: Node,
        /// What iptables said.
        source: IptablesError,
    },
    /// No packet was seen to be dropped.
    #[error("no packet was dropped within {deadline_ms} ms: {edges}")]
    NotBiting {
        /// How long was tried.
        deadline_ms: u128,
        /// Who should have dropped whom.
        edges: String,
    },
    /// There are other rules than there should be.
    #[error("{node} drops packets of {found:?}, not of {expected:?}")]
    WrongRules {
        /// Where.
        node: Node,
        /// Whose packets are dropped.
        found: BTreeSet<Ipv4Addr>,
        /// Whose should be.
        expected: BTreeSet<Ipv4Addr>,
    },
}

/// Where probes are sent: the discard service, which nobody runs.
const PROBE_PORT: u16 = 9;
const DEADLINE: Duration = Duration::from_secs(2);

impl Host {
    /// A host whose interface has this address.
    ///
    /// # Errors
    /// No socket can be bound to the address inside of the namespace.
    pub fn new(namespace: NetNamespace, address: Ipv4Addr) -> io::Result<Self> {
        let probe = namespace.inside(|| {
            let socket = UdpSocket::bind((address, 0))?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        })?;
        Ok(Self { namespace, address, probe })
    }

    /// Its network.
    #[must_use]
    pub fn namespace(&self) -> &NetNamespace {
        &self.namespace
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }
}

/// Makes every host drop exactly the packets that the grudge says, and no others that an earlier call made it drop. Returns
/// when every cut was seen to drop a packet, and every rule that should be gone is gone: `n3 drops n1, n2 (5 packets)`.
///
/// # Errors
/// [`ProbeError`]; rules that could be loaded stay loaded.
pub fn cut(iptables: &Iptables, hosts: &BTreeMap<Node, Host>, grudge: &Grudge) -> Result<String, ProbeError> {
    let mut loading = Vec::new();
    for (node, host) in hosts {
        let senders: Vec<Ipv4Addr> = grudge.dropped_by(*node).filter_map(|sender| address(hosts, sender)).collect();
        let failed = |source| ProbeError::Iptables { node: *node, source };
        loading.push((*node, iptables.load(&host.namespace, &render_rules(&senders, false)).map_err(failed)?));
    }
    // All are waited for before the first error is told, so that no program is left behind.
    let loaded: Vec<Result<(), ProbeError>> = loading
        .into_iter()
        .map(|(node, loading)| loading.finish().map_err(|source| ProbeError::Iptables { node, source }))
        .collect();
    loaded.into_iter().collect::<Result<(), _>>()?;
    let seen = watch_drops(iptables, hosts, grudge)?;
    Ok(if seen.is_empty() { "all rules are gone".into() } else { seen.join("; ") })
}

fn address(hosts: &BTreeMap<Node, Host>, node: Node) -> Option<Ipv4Addr> {
    hosts.get(&node).map(Host::address)
}

/// Sends probes until every rule of every host has dropped one. Says what each host drops.
fn watch_drops(iptables: &Iptables, hosts: &BTreeMap<Node, Host>, grudge: &Grudge) -> Result<Vec<String>, ProbeError> {
    let began = Instant::now();
    let mut unseen: BTreeSet<Node> = hosts.keys().copied().collect();
    let mut seen: BTreeMap<Node, String> = BTreeMap::new();
    loop {
        for (sender, receiver) in grudge.edges().filter(|(_, receiver)| unseen.contains(receiver)) {
            if let (Some(from), Some(to)) = (hosts.get(&sender), address(hosts, receiver)) {
                // A probe that is lost on its way is sent again in the next round.
                let _ = from.probe.send_to(b"rashomon probe", (to, PROBE_PORT));
            }
        }
        let mut silent = Vec::new();
        for node in unseen.clone() {
            let Some(host) = hosts.get(&node) else { continue };
            let drops = read_drops(iptables, hosts, node, host, grudge)?;
            let quiet: Vec<Node> = drops.iter().filter(|(_, packets)| **packets == 0).map(|(node, _)| *node).collect();
            if quiet.is_empty() {
                unseen.remove(&node);
                if !drops.is_empty() {
                    let packets: u64 = drops.values().sum();
                    let unit = if packets == 1 { "packet" } else { "packets" };
                    seen.insert(node, format!("{node} drops {} ({packets} {unit})", list_nodes(drops.keys())));
                }
            } else {
                silent.push(format!("{node} from {}", list_nodes(&quiet)));
            }
        }
        if unseen.is_empty() {
            return Ok(seen.into_values().collect());
        }
        if began.elapsed() > DEADLINE {
            return Err(ProbeError::NotBiting { deadline_ms: DEADLINE.as_millis(), edges: silent.join("; ") });
        }
        sleep(Duration::from_millis(2));
    }
}

/// How many packets of whom a node has dropped, if its rules are those of the grudge.
fn read_drops(
    iptables: &Iptables,
    hosts: &BTreeMap<Node, Host>,
    node: Node,
    host: &Host,
    grudge: &Grudge,
) -> Result<BTreeMap<Node, u64>, ProbeError> {
    let counters = iptables.counters(&host.namespace).map_err(|source| ProbeError::Iptables { node, source })?;
    let drops: BTreeMap<Node, u64> = grudge
        .dropped_by(node)
        .filter_map(|sender| {
            let address = address(hosts, sender)?;
            counters.iter().find(|counter| counter.sender == address).map(|counter| (sender, counter.packets))
        })
        .collect();
    let expected: BTreeSet<Ipv4Addr> = grudge.dropped_by(node).filter_map(|sender| address(hosts, sender)).collect();
    let found: BTreeSet<Ipv4Addr> = counters.iter().map(|counter| counter.sender).collect();
    if found == expected { Ok(drops) } else { Err(ProbeError::WrongRules { node, found, expected }) }
}
