//! Members of etcd for the tests, on this machine.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rashomon_history::{Call, Outcome};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::{client, look};
use crate::client::{Client, Future, Seat, StandStill, Standing};

const READY: Duration = Duration::from_secs(20);

/// A cluster that is gone when this is.
pub(super) struct Cluster {
    members: Vec<Child>,
    pub(super) nodes: Arc<[SocketAddr]>,
    _data: TempDir,
}

/// Nobody stands still.
pub(super) struct Free;

impl StandStill for Free {
    fn pass(&self) -> Future<'_, ()> {
        Box::pin(async {})
    }
}

/// Ports of this machine that nobody listens at.
pub(super) fn free_ports(count: usize) -> Vec<u16> {
    let listeners: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port")).collect();
    listeners.iter().map(|listener| listener.local_addr().expect("an address").port()).collect()
}

impl Cluster {
    /// Starts that many members and waits until they have a leader. `None`, and says so, where there is no etcd.
    pub(super) async fn start(members: usize) -> Option<Self> {
        if Command::new("etcd").arg("--version").output().is_err() {
            eprintln!("skipped: there is no etcd on PATH (Debian: etcd-server)");
            return None;
        }
        let ports = free_ports(2 * members);
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let initial: Vec<String> = (0..members).map(|n| format!("n{}={}", n + 1, url(ports[members + n]))).collect();
        let data = TempDir::new().expect("a folder");
        let start = |n: usize| {
            let (client, peer) = (url(ports[n]), url(ports[members + n]));
            let mut command = Command::new("etcd");
            command.args(["--name", &format!("n{}", n + 1), "--heartbeat-interval", "50", "--election-timeout", "500"]);
            command.arg("--data-dir").arg(data.path().join(format!("n{}", n + 1)));
            command.args(["--listen-client-urls", &client, "--advertise-client-urls", &client]);
            command.args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer]);
            command.args(["--initial-cluster", &initial.join(",")]);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("etcd starts")
        };
        let nodes = ports[..members].iter().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, *port))).collect();
        let cluster = Self { members: (0..members).map(start).collect(), nodes, _data: data };
        let until = Instant::now() + READY;
        for node in 0..members {
            while !cluster.standing(node).await.is_some_and(|standing| standing.is_ready) {
                assert!(Instant::now() < until, "etcd is not ready");
                sleep(Duration::from_millis(20)).await;
            }
        }
        Some(cluster)
    }

    pub(super) async fn standing(&self, node: usize) -> Option<Standing> {
        let mut look = look(Arc::clone(&self.nodes), node).expect("an HTTP client");
        tokio::time::timeout(std::time::Duration::from_secs(1), look.look()).await.ok().flatten()
    }

    pub(super) fn seat(&self, home: usize, settings: &[(&str, &str)]) -> Seat {
        let settings: BTreeMap<String, String> =
            settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Seat {
            nodes: Arc::clone(&self.nodes),
            home,
            number: 0,
            settings: Arc::new(settings),
            resource: None,
            ttl: Duration::from_secs(2),
            fencing: true,
            careful: true,
            standstill: Arc::new(Free),
        }
    }

    pub(super) fn client(&self, home: usize, settings: &[(&str, &str)]) -> Box<dyn Client> {
        client(self.seat(home, settings)).expect("an HTTP client")
    }

    /// A client of the lock service, whose leases last so long; nobody is at the store that the locks guard.
    pub(super) fn lock_client(&self, keepalive: &str, ttl_s: u64) -> Box<dyn Client> {
        let resource = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 9)));
        let ttl = Duration::from_secs(ttl_s);
        client(Seat { resource, ttl, ..self.seat(0, &[("keepalive", keepalive)]) }).expect("an HTTP client")
    }

    /// SIGSTOP or SIGCONT.
    pub(super) fn signal(&self, node: usize, signal: &str) {
        let pid = self.members[node].id().to_string();
        let status = Command::new("kill").args([signal, &pid]).status().expect("kill runs");
        assert!(status.success());
    }

    pub(super) fn kill(&mut self, node: usize) {
        self.members[node].kill().expect("it still runs");
        self.members[node].wait().expect("it ends");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for member in &mut self.members {
            let _ = member.kill();
            let _ = member.wait();
        }
    }
}

/// What becomes of one call within two seconds.
pub(super) async fn ask(client: &mut Box<dyn Client>, call: Call) -> Outcome {
    ask_within(client, call, Duration::from_secs(2)).await
}

pub(super) async fn ask_within(client: &mut Box<dyn Client>, call: Call, deadline: Duration) -> Outcome {
    client.call(&call, Instant::now() + deadline).await
}
