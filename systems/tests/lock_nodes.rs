//! Three real members of the lock service and a guarded resource in one process: real sockets, real disks.

mod http;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rashomon_history::{Call, Outcome, Returned, Value};
use rashomon_systems::api::{ErrorBody, ErrorCode, HttpRequest, HttpResponse, Method};
use rashomon_systems::client::{ClientMachine, Next};
use rashomon_systems::lock::{LockClient, LockClientOptions};
use rashomon_systems::node::Listeners;
use rashomon_systems::node::lock::{LockNodeOptions, ResourceNodeOptions, serve_member, serve_resource};
use rashomon_systems::node::raft::RaftNodeOptions;
use rashomon_systems::raft::Timing;
use rashomon_systems::server::{Micros, NodeId};
use tempfile::TempDir;
use tokio::sync::oneshot;

use http::request;

const TTL_MS: u64 = 1_000;
const RESOURCE: u16 = 4;

struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

struct Nodes {
    folder: TempDir,
    peers: BTreeMap<NodeId, SocketAddr>,
    clients: BTreeMap<NodeId, SocketAddr>,
    running: BTreeMap<u16, Running>,
    began: Instant,
}

impl Nodes {
    /// Three members and the resource.
    fn start() -> Self {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let listeners: BTreeMap<u16, Listeners> =
            (1..=RESOURCE).map(|id| (id, Listeners::bind(any, any).unwrap())).collect();
        let members = listeners.iter().filter(|(id, _)| **id < RESOURCE);
        let mut nodes = Self {
            folder: tempfile::tempdir().unwrap(),
            peers: members.map(|(&id, ports)| (NodeId(id), ports.peer_address().unwrap())).collect(),
            clients: listeners.iter().map(|(&id, ports)| (NodeId(id), ports.client_address().unwrap())).collect(),
            running: BTreeMap::new(),
            began: Instant::now(),
        };
        listeners.into_iter().for_each(|(id, listeners)| nodes.run(id, listeners));
        nodes
    }

    fn run(&mut self, id: u16, listeners: Listeners) {
        let data = self.folder.path().join(id.to_string());
        let (stop, stopped) = oneshot::channel();
        let stopped = async { drop(stopped.await) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let thread = if id == RESOURCE {
            let options = ResourceNodeOptions { cluster: "t".into(), id: NodeId(id), data, fencing: true, bug: None };
            std::thread::spawn(move || runtime.block_on(serve_resource(&options, listeners, stopped)).unwrap())
        } else {
            let timing =
                Timing { heartbeat_us: 30_000, election_min_us: 200_000, election_max_us: 400_000, lease_us: 150_000 };
            let member = RaftNodeOptions { timing, ..RaftNodeOptions::new(NodeId(id), self.peers.clone(), data) };
            let options = LockNodeOptions { member, ttl_ms: TTL_MS, bug: None };
            std::thread::spawn(move || runtime.block_on(serve_member(&options, listeners, stopped)).unwrap())
        };
        self.running.insert(id, Running { stop, thread });
    }

    fn stop(&mut self, id: u16) {
        let running = self.running.remove(&id).unwrap();
        running.stop.send(()).unwrap();
        running.thread.join().unwrap();
    }

    fn restart(&mut self, id: u16) {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let peers = self.peers.get(&NodeId(id)).copied().unwrap_or(any);
        let listeners = Listeners::bind(peers, self.clients[&NodeId(id)]).unwrap();
        self.run(id, listeners);
    }

    fn client(&self, home: u16) -> LockClient {
        let (home, resource) = (NodeId(home), NodeId(RESOURCE));
        let (tries, careful, fencing) = (false, true, true);
        let options = LockClientOptions {
            home,
            members: 3,
            resource,
            ttl_ms: TTL_MS,
            permits: 1,
            tries,
            careful,
            fencing,
            bug: None,
        };
        LockClient::new(options)
    }

    fn now(&self) -> Micros {
        Micros(u64::try_from(self.began.elapsed().as_micros()).unwrap())
    }

    fn ask(&self, node: u16, method: Method, path: &str, body: &'static str) -> HttpResponse {
        let asked = HttpRequest { method, path_and_query: path.into(), body: Bytes::from_static(body.as_bytes()) };
        request(self.clients[&NodeId(node)], &asked).unwrap()
    }

    /// One call, as a client makes it.
    fn call(&self, client: &mut LockClient, call: &Call) -> Outcome {
        // Shorter than a lease, so that a client that waits renews its own.
        let deadline = self.now().after(TTL_MS * 800);
        let mut next = client.begin(self.now(), call, deadline);
        loop {
            next = match next {
                Next::Done { outcome, .. } => return outcome,
                Next::Wait { until } => client.time(until).unwrap(),
                Next::Ask { node, request: asked, attempt, .. } => {
                    let result = request(self.clients[&node], &asked);
                    client.answered(self.now(), attempt, result).unwrap()
                }
            };
        }
    }

    /// The same until it is `ok`: somebody has to lead first.
    fn until_ok(&self, client: &mut LockClient, call: &Call) -> Returned {
        let began = Instant::now();
        loop {
            if let Outcome::Ok(returned) = self.call(client, call) {
                return returned;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "{call} is never answered");
        }
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        for (_, running) in std::mem::take(&mut self.running) {
            // A node that failed has said so already.
            let _ = running.stop.send(());
            let _ = running.thread.join();
        }
    }
}

fn open(owner: &str) -> Call {
    Call::OpenSession { owner: owner.into() }
}

fn acquire(owner: &str) -> Call {
    Call::Acquire { key: "l1".into(), owner: owner.into(), permits: 1 }
}

fn add(value: i64) -> Call {
    Call::Add { key: "s1".into(), value: value.into() }
}

fn token(returned: Returned) -> u64 {
    match returned {
        Returned::Token(token) => token,
        other => panic!("{other}"),
    }
}

#[test]
fn a_lock_passes_from_a_client_that_is_gone_to_one_that_waits_and_its_token_is_worth_nothing() {
    let nodes = Nodes::start();
    let (mut first, mut second) = (nodes.client(1), nodes.client(2));
    nodes.until_ok(&mut first, &open("a"));
    let old = token(nodes.until_ok(&mut first, &acquire("a")));
    assert!(matches!(nodes.call(&mut first, &add(1)), Outcome::Ok(Returned::Versioned { version: 1, .. })));
    nodes.until_ok(&mut second, &open("b"));

    let asked = Instant::now();
    let new = token(nodes.until_ok(&mut second, &acquire("b")));
    assert!(new > old && asked.elapsed() > Duration::from_millis(TTL_MS / 2), "{:?}", asked.elapsed());
    assert!(matches!(nodes.call(&mut second, &add(2)), Outcome::Ok(Returned::Versioned { version: 2, .. })));

    let late = nodes.ask(RESOURCE, Method::Put, &format!("/v1/resources/s1?token={old}"), r#"{"value":[9]}"#);
    let error: ErrorBody = serde_json::from_slice(&late.body).unwrap();
    assert_eq!((late.status, error.error), (409, ErrorCode::StaleToken));
    assert!(matches!(nodes.call(&mut first, &add(3)), Outcome::Fail(reason) if reason.starts_with("lease-over")));
    let read = nodes.call(&mut first, &Call::Read { key: "s1".into() });
    assert_eq!(read, Outcome::Ok(Returned::List(vec![Value::from(1), Value::from(2)])));
}

#[test]
fn a_resource_that_was_stopped_still_knows_its_tokens() {
    let mut nodes = Nodes::start();
    let put = |nodes: &Nodes, token: u64| {
        nodes.ask(RESOURCE, Method::Put, &format!("/v1/resources/r?token={token}"), r#"{"value":1}"#).status
    };
    assert_eq!((put(&nodes, 5), put(&nodes, 4), put(&nodes, 5)), (200, 409, 200));
    nodes.stop(RESOURCE);
    nodes.restart(RESOURCE);
    assert_eq!((put(&nodes, 4), put(&nodes, 6)), (409, 200));
    let read = nodes.ask(RESOURCE, Method::Get, "/v1/resources/r", "");
    assert_eq!(read.body, r#"{"value":1,"version":3,"token":6}"#);
}

#[test]
fn each_server_says_what_it_is_not() {
    let nodes = Nodes::start();
    for (node, path) in [(1, "/v1/resources/r"), (RESOURCE, "/v1/locks/l")] {
        let response = nodes.ask(node, Method::Get, path, "");
        let error: ErrorBody = serde_json::from_slice(&response.body).unwrap();
        assert_eq!((response.status, error.error), (404, ErrorCode::NotFound), "{path}");
    }
}
