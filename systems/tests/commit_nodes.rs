//! Real coordinators and shards in one process: real sockets, real disks.

mod http;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rashomon_history::{Call, Key, MicroOp, Outcome, Returned, Seen, Value};
use rashomon_systems::api::{ErrorBody, ErrorCode, HttpRequest, HttpResponse, Method, leader_of};
use rashomon_systems::client::{ClientMachine, Next};
use rashomon_systems::commit::{Bank, CommitClient, CommitClientOptions, Isolation, Protocol};
use rashomon_systems::node::Listeners;
use rashomon_systems::node::commit::{CommitNodeOptions, serve};
use rashomon_systems::raft::Timing;
use rashomon_systems::server::{Micros, NodeId};
use tempfile::TempDir;
use tokio::sync::oneshot;

use http::request;

const OPERATION: Duration = Duration::from_secs(5);

struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

struct Nodes {
    folder: TempDir,
    protocol: Protocol,
    isolation: Isolation,
    peers: BTreeMap<NodeId, SocketAddr>,
    clients: BTreeMap<NodeId, SocketAddr>,
    running: BTreeMap<u16, Running>,
    began: Instant,
}

impl Nodes {
    fn start(protocol: Protocol, isolation: Isolation, count: u16) -> Self {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let listeners: BTreeMap<u16, Listeners> =
            (1..=count).map(|id| (id, Listeners::bind(any, any).unwrap())).collect();
        let mut nodes = Self {
            folder: tempfile::tempdir().unwrap(),
            protocol,
            isolation,
            peers: listeners.iter().map(|(&id, ports)| (NodeId(id), ports.peer_address().unwrap())).collect(),
            clients: listeners.iter().map(|(&id, ports)| (NodeId(id), ports.client_address().unwrap())).collect(),
            running: BTreeMap::new(),
            began: Instant::now(),
        };
        listeners.into_iter().for_each(|(id, listeners)| nodes.run(id, listeners));
        nodes
    }

    fn run(&mut self, id: u16, listeners: Listeners) {
        let options = CommitNodeOptions {
            protocol: self.protocol,
            isolation: self.isolation,
            client_addresses: self.clients.iter().map(|(&id, address)| (id, address.to_string())).collect(),
            raft_timing: Timing {
                heartbeat_us: 30_000,
                election_min_us: 200_000,
                election_max_us: 400_000,
                lease_us: 150_000,
            },
            ..CommitNodeOptions::new(NodeId(id), self.peers.clone(), self.folder.path().join(id.to_string()))
        };
        let (stop, stopped) = oneshot::channel();
        let stopped = async { drop(stopped.await) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let thread = std::thread::spawn(move || runtime.block_on(serve(&options, listeners, stopped)).unwrap());
        self.running.insert(id, Running { stop, thread });
    }

    fn stop(&mut self, id: u16) {
        let running = self.running.remove(&id).unwrap();
        running.stop.send(()).unwrap();
        running.thread.join().unwrap();
    }

    fn restart(&mut self, id: u16) {
        let listeners = Listeners::bind(self.peers[&NodeId(id)], self.clients[&NodeId(id)]).unwrap();
        self.run(id, listeners);
    }

    fn client(&self, home: u16) -> CommitClient {
        let coordinators = if self.protocol == Protocol::TwoPhaseRaft { 3 } else { 1 };
        let coordinators = (1..=coordinators).map(NodeId).collect();
        CommitClient::new(CommitClientOptions { home: NodeId(home), coordinators, bank: Bank::default(), bug: None })
    }

    fn now(&self) -> Micros {
        Micros(self.began.elapsed().as_micros() as u64)
    }

    fn call(&self, home: u16, call: &Call) -> Outcome {
        let mut client = self.client(home);
        let deadline = self.now().after(OPERATION.as_micros() as u64);
        let mut next = client.begin(self.now(), call, deadline);
        loop {
            next = match next {
                Next::Done { outcome, .. } => return outcome,
                Next::Wait { until } => {
                    std::thread::sleep(Duration::from_micros(until.since(self.now())));
                    client.time(until).unwrap()
                }
                Next::Ask { node, request: asked, attempt, .. } => {
                    let result = request(self.clients[&node], &asked);
                    client.answered(self.now(), attempt, result).unwrap()
                }
            };
        }
    }

    fn post(&self, id: u16, body: &'static str) -> HttpResponse {
        let path_and_query = "/v1/transactions".into();
        let asked = HttpRequest { method: Method::Post, path_and_query, body: Bytes::from_static(body.as_bytes()) };
        request(self.clients[&NodeId(id)], &asked).unwrap()
    }

    fn stop_all(mut self) {
        for id in self.running.keys().copied().collect::<Vec<_>>() {
            self.stop(id);
        }
    }
}

fn transfer(amount: i64) -> Call {
    Call::Transfer { from: "a1".into(), to: "a2".into(), amount }
}

fn balances(outcome: Outcome) -> Vec<i64> {
    let Outcome::Ok(Returned::Map(entries)) = outcome else { panic!("{outcome:?}") };
    let balance = |(_, value): (Key, Value)| match value {
        Value::Int(balance) => balance,
        Value::Nil | Value::Text(_) => panic!("{value}"),
    };
    entries.into_iter().map(balance).collect()
}

#[test]
fn money_moves_over_shards_and_survives_restarts_with_every_protocol() {
    for (protocol, count) in [(Protocol::TwoPhase, 4), (Protocol::ThreePhase, 4), (Protocol::TwoPhaseRaft, 6)] {
        let mut nodes = Nodes::start(protocol, Isolation::Serializable, count);
        assert_eq!(nodes.call(1, &transfer(30)), Outcome::Ok(Returned::Done), "{protocol}");
        let refused = nodes.call(count, &transfer(71));
        assert!(matches!(&refused, Outcome::Fail(why) if why.starts_with("aborted: ")), "{protocol}: {refused:?}");
        for id in 1..=count {
            nodes.stop(id);
        }
        (1..=count).for_each(|id| nodes.restart(id));
        let all = Call::Read { key: "".into() };
        assert_eq!(balances(nodes.call(count, &all)), [70, 130, 100, 100, 100], "{protocol}");
        let Outcome::Ok(Returned::Map(decisions)) = nodes.call(count, &Call::Read { key: "decisions".into() }) else {
            panic!("{protocol}")
        };
        assert!(decisions.iter().all(|(_, decision)| *decision != Value::from("prepared")), "{decisions:?}");
        nodes.stop_all();
    }
}

#[test]
fn a_transaction_reads_what_it_wrote_at_every_level() {
    for isolation in Isolation::ALL {
        let nodes = Nodes::start(Protocol::TwoPhase, isolation, 3);
        let read = |seen| MicroOp::Read { key: "x".into(), seen };
        let write = || MicroOp::Write { key: "x".into(), value: 7.into() };
        let append = || MicroOp::Append { key: "l".into(), value: 1.into() };
        let outcome = nodes.call(2, &Call::Txn { ops: vec![read(None), write(), append(), read(None)] });
        let seen = |value: Value| read(Some(Seen::Value(value)));
        let expected = vec![seen(Value::Nil), write(), append(), seen(7.into())];
        assert_eq!(outcome, Outcome::Ok(Returned::Txn(expected)), "{isolation}");
        nodes.stop_all();
    }
}

#[test]
fn bad_requests_are_refused_and_a_shard_names_the_coordinator() {
    let nodes = Nodes::start(Protocol::TwoPhase, Isolation::Serializable, 3);
    let code = |response: &HttpResponse| serde_json::from_slice::<ErrorBody>(&response.body).unwrap().error;
    assert_eq!(code(&nodes.post(1, "{")), ErrorCode::BadRequest);
    assert_eq!(code(&nodes.post(1, r#"{"ops":[["zap","x",1]]}"#)), ErrorCode::BadRequest);
    let refused = nodes.post(3, r#"{"ops":[["w","x",1]]}"#);
    assert_eq!((code(&refused), leader_of(&refused)), (ErrorCode::NotLeader, Some(NodeId(1))));
    let steps = vec![r#"["r","x",null]"#; 129].join(",");
    let body = Box::leak(format!(r#"{{"ops":[{steps}]}}"#).into_boxed_str());
    assert_eq!(code(&nodes.post(1, body)), ErrorCode::TxnTooLarge);
    nodes.stop_all();
}
