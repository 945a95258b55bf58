//! What the state machine alone costs: a cluster in one thread, with a network and disks that take no time.
//!
//! One iteration is one batch of requests at the leader, from their arrival to their last answer. Messages are not encoded;
//! log records are. `cargo bench -p rashomon-systems --bench raft`

use std::collections::VecDeque;

use bytes::Bytes;
use divan::Bencher;
use divan::counter::ItemsCount;
use rashomon_systems::raft::{Config, Invariants, Message, Raft, Request, Response, RestoreError, StateMachine};
use rashomon_systems::server::{Input, Micros, NodeId, Output, Recovered, RequestId, Server};

fn main() {
    divan::main();
}

/// Counts commands.
struct Counter(u64);

impl StateMachine for Counter {
    type Query = ();
    type Answer = u64;

    fn apply(&mut self, _index: u64, _command: &[u8]) -> u64 {
        self.0 += 1;
        self.0
    }

    fn query(&self, (): &()) -> u64 {
        self.0
    }

    fn snapshot(&self) -> Bytes {
        Bytes::copy_from_slice(&self.0.to_be_bytes())
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
        let bytes = snapshot.try_into().map_err(|_| RestoreError { reason: "not eight bytes".to_owned() })?;
        self.0 = u64::from_be_bytes(bytes);
        Ok(())
    }
}

struct Cluster {
    members: Vec<Raft<Counter>>,
    network: VecDeque<(NodeId, NodeId, Message)>,
    now: Micros,
    next_request: u64,
    answered: usize,
    /// Who looks on, where that is measured.
    invariants: Option<Invariants<Counter>>,
}

impl Cluster {
    /// A cluster whose first member leads. Where it is `observed`, its invariants are checked.
    fn led(nodes: u16, observed: bool) -> Self {
        let ids = (1..=nodes).map(NodeId);
        let member = |id| {
            let config = Config::new(id, ids.clone());
            Raft::recover(config, Counter(0), Recovered::default()).expect("the usual settings work")
        };
        let members: Vec<_> = ids.clone().map(member).collect();
        let mut invariants = observed.then(|| Invariants::new(nodes, Counter(0)));
        if let Some(invariants) = &mut invariants {
            ids.clone().zip(&members).for_each(|(id, member)| invariants.recovered(id, member));
        }
        let mut cluster =
            Self { members, network: VecDeque::new(), now: Micros(1), next_request: 0, answered: 0, invariants };
        ids.for_each(|id| cluster.step(id, vec![Input::Tick]));
        cluster.now = cluster.now.after(600_000);
        cluster.step(NodeId(1), vec![Input::Tick]);
        cluster.settle();
        assert!(cluster.members[0].is_leader());
        cluster
    }

    /// Steps a batch, and carries out what follows.
    fn step(&mut self, id: NodeId, mut inputs: Vec<Input<Message, Request<()>>>) {
        while !inputs.is_empty() {
            let member = &mut self.members[usize::from(id.0) - 1];
            let mut outputs = Vec::new();
            inputs.drain(..).for_each(|input| member.step(self.now, input, &mut outputs));
            member.flush(self.now, &mut outputs);
            if let Some(invariants) = &mut self.invariants {
                invariants.stepped(id, member);
            }
            for output in outputs {
                if let Some(invariants) = &mut self.invariants {
                    match &output {
                        Output::Persist { write, .. } => invariants.durable(id, write),
                        Output::Send { to, message } | Output::SendNow { to, message } => {
                            invariants.sent(id, *to, message);
                        }
                        Output::Reply { .. } | Output::ReplyNow { .. } => {}
                    }
                }
                match output {
                    Output::Persist { id, .. } => inputs.push(Input::Persisted(id)),
                    Output::Send { to, message } | Output::SendNow { to, message } => {
                        self.network.push_back((id, to, message))
                    }
                    Output::Reply { response, .. } | Output::ReplyNow { response, .. } => {
                        assert!(matches!(response, Response::Answer(_)), "{response:?}");
                        self.answered += 1;
                    }
                }
            }
        }
    }

    fn settle(&mut self) {
        while let Some((from, to, message)) = self.network.pop_front() {
            self.step(to, vec![Input::Message { from, message }]);
        }
    }

    /// All of `requests` arrive at once.
    fn serve(&mut self, requests: usize, request: &Request<()>) {
        let inputs = (0..requests).map(|_| {
            self.next_request += 1;
            Input::Request { id: RequestId(self.next_request), request: request.clone() }
        });
        let inputs = inputs.collect();
        self.answered = 0;
        self.step(NodeId(1), inputs);
        self.settle();
        assert_eq!(self.answered, requests);
    }
}

const CASES: [(u16, usize); 5] = [(3, 1), (3, 20), (3, 200), (5, 20), (5, 200)];

#[divan::bench(args = CASES)]
fn commands(bencher: Bencher, (nodes, batch): (u16, usize)) {
    let mut cluster = Cluster::led(nodes, false);
    let request = Request::Command(Bytes::from(vec![7; 64]));
    bencher.counter(ItemsCount::new(batch)).bench_local(|| cluster.serve(batch, &request));
}

/// What [`Invariants`] add to [`commands`].
#[divan::bench(args = CASES)]
fn observed_commands(bencher: Bencher, (nodes, batch): (u16, usize)) {
    let mut cluster = Cluster::led(nodes, true);
    let request = Request::Command(Bytes::from(vec![7; 64]));
    bencher.counter(ItemsCount::new(batch)).bench_local(|| cluster.serve(batch, &request));
    assert_eq!(cluster.invariants.as_ref().and_then(Invariants::violation), None);
}

#[divan::bench(args = CASES)]
fn reads(bencher: Bencher, (nodes, batch): (u16, usize)) {
    let mut cluster = Cluster::led(nodes, false);
    bencher.counter(ItemsCount::new(batch)).bench_local(|| cluster.serve(batch, &Request::Query(())));
}
