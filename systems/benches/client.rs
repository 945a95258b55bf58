//! What an operation costs outside of Raft: the client, its request, the server's reading of it, the store, the answer and
//! the client's reading of that. `cargo bench -p rashomon-systems --bench client`

use divan::{Bencher, black_box};
use rashomon_history::Call;
use rashomon_systems::api::{Api, HttpRequest, HttpResponse, RaftRoutes};
use rashomon_systems::client::{Client, ClientOptions, Next};
use rashomon_systems::kv::{KvApi, SessionKv, session_kv};
use rashomon_systems::raft::{Refusal, Request, Response, StateMachine};
use rashomon_systems::server::{Micros, NodeId};
use rashomon_systems::session::SessionOptions;

fn main() {
    divan::main();
}

/// One node that leads and one that does not.
struct Store {
    api: KvApi,
    machine: SessionKv,
    index: u64,
}

impl Store {
    fn new() -> Self {
        let addresses = (1..=5).map(|node| (NodeId(node), format!("10.0.0.{node}:8000"))).collect();
        Self {
            api: KvApi { raft: RaftRoutes::new(addresses) },
            machine: session_kv(SessionOptions::default()),
            index: 0,
        }
    }

    fn serve(&mut self, node: NodeId, request: &HttpRequest) -> HttpResponse {
        let leader = NodeId(1);
        let routed = self.api.route(request).expect("clients ask what makes sense");
        if node != leader {
            return self.api.respond(Response::Refused(Refusal::NotLeader { leader: Some(leader) }));
        }
        self.index += 1;
        let answer = match routed {
            Request::Command(command) => self.machine.apply(self.index, &command),
            Request::Query(query) => self.machine.query(&query),
            Request::TransferLeadership { .. } | Request::ChangeMembership(_) => unreachable!("no client asks that"),
        };
        self.api.respond(Response::Answer(answer))
    }

    fn operation(&mut self, client: &mut Client, call: &Call) -> Next {
        let mut next = client.begin(Micros(0), call, Micros(1_000_000));
        while let Next::Ask { node, request, attempt, .. } = &next {
            let response = self.serve(*node, request);
            next = client.answered(Micros(0), *attempt, Ok(response)).expect("it waits for this attempt");
        }
        next
    }
}

fn run(bencher: Bencher<'_, '_>, home: u16, sessions: bool, call: &Call) {
    let mut store = Store::new();
    let mut client = Client::new(ClientOptions { home: NodeId(home), nodes: 5, sessions });
    let write = Call::Write { key: "r17".into(), value: 12345.into() };
    store.operation(&mut client, &write);
    bencher.bench_local(|| store.operation(&mut client, black_box(call)));
}

fn write() -> Call {
    Call::Write { key: "r17".into(), value: 12345.into() }
}

#[divan::bench]
fn write_at_the_leader(bencher: Bencher<'_, '_>) {
    run(bencher, 1, false, &write());
}

#[divan::bench]
fn write_in_a_session_at_the_leader(bencher: Bencher<'_, '_>) {
    run(bencher, 1, true, &write());
}

#[divan::bench]
fn write_at_a_follower(bencher: Bencher<'_, '_>) {
    run(bencher, 2, false, &write());
}

#[divan::bench]
fn read_at_the_leader(bencher: Bencher<'_, '_>) {
    run(bencher, 1, false, &Call::Read { key: "r17".into() });
}

#[divan::bench]
fn read_at_a_follower(bencher: Bencher<'_, '_>) {
    run(bencher, 2, false, &Call::Read { key: "r17".into() });
}

#[divan::bench]
fn compare_and_set_at_the_leader(bencher: Bencher<'_, '_>) {
    run(bencher, 1, false, &Call::Cas { key: "r17".into(), from: 12345.into(), to: 12345.into() });
}
