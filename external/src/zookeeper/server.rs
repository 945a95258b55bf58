//! Servers of ZooKeeper for the tests, on this machine, as the built-in description starts them.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use rashomon_history::{Call, Outcome};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::{client, look};
use crate::client::{Client, Future, Seat, StandStill, Standing};
use crate::template::{Place, Template};
use crate::{Description, Installer, Programs};

const READY: Duration = Duration::from_secs(60);

/// A cluster that is gone when this is.
pub(super) struct Cluster {
    description: Description,
    programs: Programs,
    settings: BTreeMap<String, String>,
    places: Vec<Place>,
    servers: Vec<Child>,
    pub(super) nodes: Arc<[SocketAddr]>,
    _data: TempDir,
}

/// Makes clients stand still.
#[derive(Clone)]
pub(super) struct Stand(watch::Sender<bool>);

impl Stand {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    pub(super) fn still(&self, still: bool) {
        self.0.send_replace(still);
    }
}

impl StandStill for Stand {
    fn pass(&self) -> Future<'_, ()> {
        let mut stands = self.0.subscribe();
        Box::pin(async move { stands.wait_for(|still| !still).await.map_or((), drop) })
    }
}

/// An address of this machine for every node, at which nobody listens: all of 127.0.0.0/8 is ours. Clusters of one process
/// have a network each.
fn addresses(nodes: usize, port: u16) -> Vec<Ipv4Addr> {
    static CLUSTERS: AtomicU8 = AtomicU8::new(77);
    let network = CLUSTERS.fetch_add(1, Ordering::Relaxed);
    let is_free = |address: &Ipv4Addr| TcpListener::bind((*address, port)).is_ok();
    let own = u8::try_from(std::process::id() % 250).unwrap_or(0);
    (1..=250).map(|last| Ipv4Addr::new(127, network, own, last)).filter(is_free).take(nodes).collect()
}

impl Cluster {
    /// Starts that many servers and waits until they serve. `None`, and says so, where there is no ZooKeeper.
    pub(super) async fn start(nodes: usize) -> Option<Self> {
        let description = Description::find("zookeeper").expect("it is built in");
        let found = Installer::new().and_then(|installer| installer.find(&description.install, &BTreeMap::new()));
        let programs = match found {
            Ok(programs) => programs,
            Err(error) => {
                eprintln!("skipped: {error}");
                return None;
            }
        };
        let data = TempDir::new().expect("a folder");
        let place = |(number, ip): (u16, Ipv4Addr)| {
            let folder = data.path().join(format!("n{number}"));
            fs::create_dir(&folder).expect("a folder");
            Place { number, name: format!("n{number}"), ip: ip.into(), data: folder }
        };
        let places: Vec<Place> = (1..).zip(addresses(nodes, description.port)).map(place).collect();
        let settings = description.settings(&BTreeMap::new()).expect("the usual settings");
        let nodes = places.iter().map(|place| (place.ip, description.port).into()).collect();
        let mut cluster = Self { description, programs, settings, places, servers: Vec::new(), nodes, _data: data };
        for node in 0..cluster.places.len() {
            for (path, content) in cluster.template(node).files().expect("templates") {
                fs::write(cluster.places[node].data.join(path), content).expect("written");
            }
            let server = cluster.spawn(node);
            cluster.servers.push(server);
        }
        for node in 0..cluster.servers.len() {
            cluster.ready(node).await;
        }
        Some(cluster)
    }

    fn template(&self, node: usize) -> Template<'_> {
        let place = &self.places[node];
        Template::new(&self.description, &self.settings, &self.places, place, self.programs.root())
    }

    fn spawn(&self, node: usize) -> Child {
        let command = self.template(node).commands().expect("templates").remove(0);
        let mut spawned = Command::new(self.programs.path(&command.words[0]));
        spawned.args(&command.words[1..]).envs(self.programs.environment());
        spawned.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("java starts")
    }

    pub(super) async fn ready(&self, node: usize) {
        let until = Instant::now() + READY;
        while !self.standing(node).await.is_some_and(|standing| standing.is_ready) {
            assert!(Instant::now() < until, "ZooKeeper is not ready");
            sleep(Duration::from_millis(50)).await;
        }
    }

    pub(super) async fn standing(&self, node: usize) -> Option<Standing> {
        // A server that is just starting may take a question and never answer it.
        timeout(Duration::from_secs(1), look(&self.seat(node)).look()).await.ok().flatten()
    }

    pub(super) fn seat(&self, home: usize) -> Seat {
        Seat {
            nodes: Arc::clone(&self.nodes),
            home,
            number: 0,
            settings: Arc::new(self.settings.clone()),
            resource: None,
            ttl: Duration::from_secs(2),
            fencing: true,
            careful: true,
            standstill: Arc::new(Stand::new()),
        }
    }

    pub(super) fn client(&self, home: usize, reads: &str) -> Box<dyn Client> {
        let mut settings = self.settings.clone();
        settings.insert("reads".into(), reads.into());
        client(&Seat { settings: Arc::new(settings), ..self.seat(home) }).expect("a client")
    }

    /// SIGSTOP or SIGCONT.
    pub(super) fn signal(&self, node: usize, signal: &str) {
        let pid = self.servers[node].id().to_string();
        let status = Command::new("kill").args([signal, &pid]).status().expect("kill runs");
        assert!(status.success());
    }

    pub(super) fn kill(&mut self, node: usize) {
        self.servers[node].kill().expect("it still runs");
        self.servers[node].wait().expect("it ends");
    }

    pub(super) async fn restart(&mut self, node: usize) {
        self.servers[node] = self.spawn(node);
        self.ready(node).await;
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

/// What becomes of one call within five seconds.
pub(super) async fn ask(client: &mut Box<dyn Client>, call: Call) -> Outcome {
    ask_within(client, call, Duration::from_secs(5)).await
}

pub(super) async fn ask_within(client: &mut Box<dyn Client>, call: Call, deadline: Duration) -> Outcome {
    client.call(&call, Instant::now() + deadline).await
}
