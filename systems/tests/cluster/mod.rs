//! A cluster of real members, each with a thread and a runtime of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rashomon_history::{Call, Outcome};
use rashomon_systems::api::{HttpRequest, HttpResponse, Method, TransportError};
use rashomon_systems::kv::client;
use rashomon_systems::node::raft::{RaftNodeOptions, serve};
use rashomon_systems::node::{Listeners, NodeError};
use rashomon_systems::raft::{Compaction, Timing};
use rashomon_systems::server::{NodeId, Status};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::http::request;

const DEADLINE: Duration = Duration::from_secs(20);

/// How a member is made to end.
enum End {
    /// Told to stop.
    Stop,
    /// Gone at once.
    Kill,
}

struct Member {
    end: oneshot::Sender<End>,
    thread: JoinHandle<()>,
}

pub(crate) struct Cluster {
    folder: TempDir,
    peers: BTreeMap<NodeId, SocketAddr>,
    clients: BTreeMap<NodeId, SocketAddr>,
    compaction: Compaction,
    initial_voters: BTreeSet<NodeId>,
    members: BTreeMap<u16, Member>,
}

impl Cluster {
    /// Three members, and a leader that serves.
    pub(crate) fn start() -> Self {
        Self::start_with(Compaction::default())
    }

    pub(crate) fn start_with(compaction: Compaction) -> Self {
        Self::start_voters(compaction, 3)
    }

    /// Three nodes of which the first `voters` are members, and a leader that serves.
    pub(crate) fn start_voters(compaction: Compaction, voters: u16) -> Self {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let listeners: BTreeMap<u16, Listeners> = (1..=3).map(|id| (id, Listeners::bind(any, any).unwrap())).collect();
        let mut cluster = Self {
            folder: tempfile::tempdir().unwrap(),
            peers: listeners.iter().map(|(&id, ports)| (NodeId(id), ports.peer_address().unwrap())).collect(),
            clients: listeners.iter().map(|(&id, ports)| (NodeId(id), ports.client_address().unwrap())).collect(),
            compaction,
            initial_voters: (1..=voters).map(NodeId).collect(),
            members: BTreeMap::new(),
        };
        for (id, listeners) in listeners {
            cluster.run(id, listeners);
        }
        cluster.call_until_ok(&Call::Read { key: "is anybody there".into() });
        cluster
    }

    fn data(&self, id: u16) -> PathBuf {
        self.folder.path().join(id.to_string())
    }

    fn options(&self, id: u16) -> RaftNodeOptions {
        RaftNodeOptions {
            client_addresses: self.clients.iter().map(|(&id, address)| (id, address.to_string())).collect(),
            compaction: self.compaction,
            initial_voters: Some(self.initial_voters.clone()),
            timing: Timing {
                heartbeat_us: 30_000,
                election_min_us: 200_000,
                election_max_us: 400_000,
                lease_us: 150_000,
            },
            ..RaftNodeOptions::new(NodeId(id), self.peers.clone(), self.data(id))
        }
    }

    fn run(&mut self, id: u16, listeners: Listeners) {
        let options = self.options(id);
        let (end, ended) = oneshot::channel();
        let thread = std::thread::spawn(move || run_member(&options, listeners, ended).unwrap());
        self.members.insert(id, Member { end, thread });
    }

    /// A second member with the number, ports aside; it must fail at once.
    pub(crate) fn start_a_second(&self, id: u16) -> Result<(), NodeError> {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let (_end, ended) = oneshot::channel();
        run_member(&self.options(id), Listeners::bind(any, any)?, ended)
    }

    pub(crate) fn kill(&mut self, id: u16) {
        self.end(id, End::Kill);
    }

    pub(crate) fn stop(&mut self, id: u16) {
        self.end(id, End::Stop);
    }

    fn end(&mut self, id: u16, end: End) {
        let member = self.members.remove(&id).expect("the member runs");
        assert!(member.end.send(end).is_ok(), "the member ended by itself");
        member.thread.join().expect("the member ended without an error");
    }

    pub(crate) fn restart(&mut self, id: u16) {
        let listeners = Listeners::bind(self.peer_address(id), self.client_address(id)).unwrap();
        self.run(id, listeners);
    }

    pub(crate) fn peer_address(&self, id: u16) -> SocketAddr {
        self.peers[&NodeId(id)]
    }

    pub(crate) fn client_address(&self, id: u16) -> SocketAddr {
        self.clients[&NodeId(id)]
    }

    pub(crate) fn status(&self, id: u16) -> Option<Status> {
        let asked = HttpRequest { method: Method::Get, path_and_query: "/v1/status".into(), body: Bytes::new() };
        serde_json::from_slice(&self.ask(id, &asked).ok()?.body).ok()
    }

    /// The member that leads in the highest term, waiting for one.
    pub(crate) fn leader(&self) -> u16 {
        let mut found = None;
        self.wait_until(|cluster| {
            let leading = |&id: &u16| cluster.status(id).filter(|status| status.role == "leader");
            found = cluster.members.keys().filter_map(|id| Some((leading(id)?.term, *id))).max();
            found.is_some()
        });
        found.expect("it was waited for").1
    }

    pub(crate) fn follower(&self) -> u16 {
        let leader = self.leader();
        self.members.keys().copied().find(|&id| id != leader).expect("there are others")
    }

    /// Waits until the member has applied all that the leader has committed.
    pub(crate) fn wait_until_caught_up(&self, id: u16) {
        self.wait_until(|cluster| {
            let leader = cluster.status(cluster.leader()).map_or(u64::MAX, |status| status.commit_index);
            cluster.status(id).is_some_and(|status| status.applied_index >= leader)
        });
    }

    pub(crate) fn wait_until(&self, mut is_so: impl FnMut(&Self) -> bool) {
        let began = Instant::now();
        while !is_so(self) {
            assert!(began.elapsed() < DEADLINE, "it never came to be");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn ask(&self, id: u16, asked: &HttpRequest) -> Result<HttpResponse, TransportError> {
        request(self.client_address(id), asked)
    }

    /// Asks whoever leads, again and again until someone who leads answers.
    pub(crate) fn ask_leader(&self, asked: &HttpRequest) -> HttpResponse {
        let began = Instant::now();
        loop {
            assert!(began.elapsed() < DEADLINE, "nobody answers");
            match self.ask(self.leader(), asked) {
                Ok(response) if ![421, 500, 503].contains(&response.status) => return response,
                Ok(_) | Err(_) => {}
            }
        }
    }

    /// Makes the call once, at the leader.
    pub(crate) fn call(&self, call: &Call) -> Outcome {
        client::outcome(call, &self.ask(self.leader(), &client::request(call, None).expect("a call of the store")))
    }

    /// Makes the call until it is `ok`. Only for what may happen more than once.
    pub(crate) fn call_until_ok(&self, call: &Call) -> Outcome {
        client::outcome(call, &Ok(self.ask_leader(&client::request(call, None).expect("a call of the store"))))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for (_, member) in std::mem::take(&mut self.members) {
            // A member that failed has said so already.
            let _ = member.end.send(End::Kill);
            let _ = member.thread.join();
        }
    }
}

fn run_member(options: &RaftNodeOptions, listeners: Listeners, ended: oneshot::Receiver<End>) -> Result<(), NodeError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (stop, stopped) = oneshot::channel::<()>();
        let killed = async {
            match ended.await {
                Ok(End::Stop) => {
                    let _ = stop.send(());
                    std::future::pending::<()>().await;
                }
                Ok(End::Kill) | Err(_) => {}
            }
        };
        tokio::select! {
            result = serve(options, listeners, async { drop(stopped.await) }) => result,
            () = killed => Ok(()),
        }
    })
}

/// Writes to a cluster of one member until its disk is full, and gives the error with which it ends.
pub(crate) fn fill_the_disk_of_one_node(folder: &Path) -> NodeError {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let listeners = Listeners::bind(any, any).unwrap();
    let address = listeners.client_address().unwrap();
    let peers = [(NodeId(1), listeners.peer_address().unwrap())].into();
    let options = RaftNodeOptions::new(NodeId(1), peers, folder.join("data"));
    let (_end, ended) = oneshot::channel();
    let node = std::thread::spawn(move || run_member(&options, listeners, ended).unwrap_err());
    let large = Call::Write { key: "k".into(), value: "x".repeat(1 << 19).as_str().into() };
    let began = Instant::now();
    while !node.is_finished() {
        assert!(began.elapsed() < DEADLINE, "the disk does not fill");
        // Refused until it leads, acknowledged until the disk is full.
        let _ = request(address, &client::request(&large, None).expect("a call of the store"));
    }
    node.join().unwrap()
}
