//! A simulated cluster with its clients.

use std::collections::BTreeMap;
use std::sync::Arc;

use rashomon_draw::Draw;
use rashomon_history::{Call, OpenOperation, Operation, Outcome, ProcessId, Recording, TimeNs};

use super::super::{
    CommitApi, CommitClient, CommitClientOptions, CommitInvariants, CommitNode, Config, Request, Response, TxnId,
    invariants,
};
use super::workload::Workload;
use crate::api::{Api, HttpResponse, TransportError};
use crate::client::{ClientMachine, Next};
use crate::server::{Micros, NodeId, Recovered};
use crate::sim::{Build, Cluster, DiskOptions, Happening, Lost, NetworkOptions, Token};
use crate::wal::WalOptions;

/// How long an operation may take.
const OPERATION_US: u64 = 600_000;

/// Makes the servers.
pub(super) struct Members(pub(super) Config);

impl Build for Members {
    type Server = CommitNode;

    fn build(&mut self, node: NodeId, life: u32, recovered: Recovered) -> Result<CommitNode, String> {
        let seed = self.0.seed ^ (u64::from(node.0) << 40 | u64::from(life) << 20);
        let config = Config { id: node, seed, ..self.0.clone() };
        CommitNode::recover(config, recovered).map_err(|error| error.to_string())
    }
}

struct Client {
    machine: CommitClient,
    process: u64,
    open: Option<OpenOperation>,
    until: Micros,
    draw: Draw,
}

pub(super) struct World {
    pub(super) cluster: Cluster<Members, CommitInvariants>,
    pub(super) config: Config,
    pub(super) ended: Vec<String>,
    pub(super) recording: Recording,
    api: CommitApi,
    clients: Vec<Client>,
    workload: Workload,
    /// Which client waits for which attempt.
    asked: BTreeMap<Token, (usize, u64)>,
    last_token: u64,
    last_wake: u64,
    wakes: BTreeMap<u64, usize>,
    /// No operation begins after this.
    stop_at: Micros,
    /// Responses to requests that no client made.
    pub(super) answers: BTreeMap<Token, Result<Response, Lost>>,
}

impl World {
    pub(super) fn new(config: Config, workload: Workload, seed: u64) -> Self {
        let config = Config { seed, ..config };
        let nodes = (config.coordinators.len() + config.shards.len()) as u16;
        let (network, disk) = (NetworkOptions::default(), DiskOptions::default());
        let invariants = CommitInvariants::default();
        let build = Members(config.clone());
        let mut cluster = Cluster::new(build, invariants, nodes, network, disk, WalOptions::simulated(), seed);
        cluster.nodes().for_each(|node| cluster.start(node));
        Self {
            cluster,
            config,
            ended: Vec::new(),
            recording: Recording::default(),
            api: CommitApi::default(),
            clients: Vec::new(),
            workload,
            asked: BTreeMap::new(),
            last_token: 0,
            last_wake: 0,
            wakes: BTreeMap::new(),
            stop_at: Micros(0),
            answers: BTreeMap::new(),
        }
    }

    /// Clients that ask one thing after the other until `stop_at`.
    pub(super) fn add_clients(&mut self, count: u16, seed: u64, stop_at: Micros) {
        self.stop_at = stop_at;
        let nodes: Vec<NodeId> = self.cluster.nodes().collect();
        for number in 0..count {
            let options = CommitClientOptions {
                home: nodes[usize::from(number) % nodes.len()],
                coordinators: self.config.coordinators.clone(),
                bank: self.config.bank,
                bug: self.config.bug,
            };
            let draw = Draw::stream(seed, &format!("client {number}"));
            let machine = CommitClient::new(options);
            self.clients.push(Client { machine, process: number.into(), open: None, until: Micros(0), draw });
            self.wake_client(self.clients.len() - 1, self.cluster.now().after(u64::from(number) * 500));
        }
    }

    /// Lets time pass.
    pub(super) fn pass_until(&mut self, until: Micros) {
        while let Some(happening) = self.cluster.next(until) {
            match happening {
                Happening::Answered { token, result } => self.answered(token, result),
                Happening::Wake(number) => {
                    if let Some(client) = self.wakes.remove(&number) {
                        self.time(client);
                    }
                }
                Happening::Ended { node, reason } => self.ended.push(format!("{node}: {reason}")),
                Happening::Noticed => {}
                Happening::Storm => self.ended.push("the servers keep each other busy".into()),
            }
        }
    }

    pub(super) fn pass(&mut self, millis: u64) {
        self.pass_until(self.cluster.now().after(millis * 1_000));
    }

    /// Asks a node without a client.
    pub(super) fn ask(&mut self, node: NodeId, request: Request) -> Token {
        self.last_token += 1;
        let token = Token(self.last_token);
        self.cluster.ask(node, token, request);
        token
    }

    fn wake_client(&mut self, client: usize, at: Micros) {
        self.last_wake += 1;
        self.wakes.insert(self.last_wake, client);
        self.clients[client].until = at;
        self.cluster.wake(at, self.last_wake);
    }

    fn time(&mut self, number: usize) {
        let now = self.cluster.now();
        if self.clients[number].until > now {
            return;
        }
        let client = &mut self.clients[number];
        if client.open.is_some() {
            if let Some(next) = client.machine.time(now) {
                self.go_on(number, next);
            }
        } else if now < self.stop_at {
            let call = self.workload.call(&mut client.draw);
            self.begin(number, call);
        }
    }

    fn begin(&mut self, number: usize, call: Call) {
        let now = self.cluster.now();
        let client = &mut self.clients[number];
        let next = client.machine.begin(now, &call, now.after(OPERATION_US));
        let node: Arc<str> = client.machine.home().to_string().into();
        let process = ProcessId(client.process);
        client.open = Some(self.recording.invoke(time_ns(now), process, &node, false, call));
        self.go_on(number, next);
    }

    fn go_on(&mut self, number: usize, next: Next) {
        match next {
            Next::Ask { node, request, attempt, until } => {
                self.wake_client(number, until);
                match self.api.route(&request) {
                    Ok(request) => {
                        let token = self.ask(node, request);
                        self.asked.insert(token, (number, attempt));
                    }
                    Err(response) => self.tell(number, attempt, Ok(response)),
                }
            }
            Next::Wait { until } => self.wake_client(number, until),
            Next::Done { outcome, node } => self.done(number, outcome, node),
        }
    }

    fn done(&mut self, number: usize, outcome: Outcome, node: NodeId) {
        let now = self.cluster.now();
        let clients = self.clients.len() as u64;
        let client = &mut self.clients[number];
        if matches!(outcome, Outcome::Info(_)) {
            client.process += clients;
        }
        if let Some(open) = client.open.take() {
            self.recording.complete(time_ns(now), open, &node.to_string().into(), outcome);
        }
        let pause_us = self.clients[number].draw.between(0, 8_000);
        self.wake_client(number, now.after(pause_us));
    }

    fn answered(&mut self, token: Token, result: Result<Response, Lost>) {
        let Some((number, attempt)) = self.asked.remove(&token) else {
            self.answers.insert(token, result);
            return;
        };
        let result = match result {
            Ok(response) => Ok(self.api.respond(response)),
            Err(Lost::Refused) => Err(TransportError::NotSent("connection refused".into())),
            Err(Lost::Broken) => Err(TransportError::Broken("connection reset".into())),
        };
        self.tell(number, attempt, result);
    }

    fn tell(&mut self, number: usize, attempt: u64, result: Result<HttpResponse, TransportError>) {
        let now = self.cluster.now();
        if let Some(next) = self.clients[number].machine.answered(now, attempt, result) {
            self.go_on(number, next);
        }
    }

    pub(super) fn operations(&self) -> &[Operation] {
        self.recording.history().operations()
    }

    /// What is wrong when nothing is asked any more and all faults are long over.
    pub(super) fn complaints(&mut self) -> Vec<String> {
        let mut complaints = std::mem::take(&mut self.ended);
        if let Some((at, violation)) = self.cluster.observer().violation() {
            complaints.push(format!("at {} us: {violation}", at.0));
        }
        self.cluster.show(|_, running| {
            let undecided: Vec<(NodeId, TxnId)> = invariants::undecided(running);
            complaints.extend(undecided.iter().map(|(node, txn)| format!("{node} never learned what became of {txn}")));
            let orphans = invariants::orphan_locks(running);
            complaints.extend(orphans.iter().map(|(node, count)| format!("{node}: {count} transactions keep locks")));
        });
        complaints
    }
}

fn time_ns(now: Micros) -> TimeNs {
    TimeNs(now.0 * 1_000)
}
