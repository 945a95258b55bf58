//! The cluster: takes the events in turn, and brings each to whom it concerns.

mod faults;
mod working;
mod writing;

use std::collections::{BTreeMap, BTreeSet};

use rashomon_draw::Draw;

use crate::server::{Micros, NodeId, Output, Server};
use crate::sim::clock::Clock;
use crate::sim::events::Events;
use crate::sim::host::{Delivery, Down, Host};
use crate::sim::network::{Network, NetworkOptions};
use crate::sim::{Build, DiskOptions, Draws, Happening, Lost, Observer, Token};
use crate::wal::WalOptions;

/// More events than this without anything that concerns the outside are no work any more.
const MOST_EVENTS: u64 = 300_000;

/// What a server of these wants done.
type Outputs<S> = Vec<Output<<S as Server>::Message, <S as Server>::Response>>;

/// What was announced.
enum Event<S: Server> {
    Arrive { from: NodeId, to: NodeId, number: u64, message: S::Message },
    Ask { node: NodeId, token: Token, request: S::Request },
    Answer { token: Token, result: Result<S::Response, Lost> },
    Abandon { node: NodeId, token: Token },
    Work { node: NodeId, life: u32 },
    Timer { node: NodeId, life: u32 },
    Synced { node: NodeId, life: u32 },
    Ended { node: NodeId, reason: String },
    Wake(u64),
}

/// A simulated cluster.
pub struct Cluster<B: Build, O: Observer<B::Server>> {
    build: B,
    observer: O,
    now: Micros,
    events: Events<Event<B::Server>>,
    hosts: Vec<Host<B::Server>>,
    network: Network,
    disk_options: DiskOptions,
    wal_options: WalOptions,
    draws: Draws,
    sent: u64,
    /// Events that were taken.
    taken: u64,
    /// Kept to spare allocations.
    outputs: Outputs<B::Server>,
}

impl<B: Build, O: Observer<B::Server>> Cluster<B, O> {
    /// A cluster of nodes from 1 to `nodes`, none of which runs.
    pub fn new(
        build: B,
        observer: O,
        nodes: u16,
        network: NetworkOptions,
        disk_options: DiskOptions,
        wal_options: WalOptions,
        seed: u64,
    ) -> Self {
        let mut clocks = Draw::stream(seed, "clocks");
        let mut clock = || Clock::new(Micros(clocks.between(0, 1_000_000_000)));
        Self {
            build,
            observer,
            now: Micros(0),
            events: Events::default(),
            hosts: (0..nodes).map(|_| Host::new(clock())).collect(),
            network: Network::new(network, nodes, seed),
            disk_options,
            wal_options,
            draws: Draws { disk: Draw::stream(seed, "disk"), crash: Draw::stream(seed, "crash") },
            sent: 0,
            taken: 0,
            outputs: Vec::new(),
        }
    }

    /// The world's time.
    #[must_use]
    pub fn now(&self) -> Micros {
        self.now
    }

    /// Events that were taken so far: the work that the simulation has done.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.taken
    }

    /// All nodes, in order.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + use<B, O> {
        (1..=u16::try_from(self.hosts.len()).unwrap_or(u16::MAX)).map(NodeId)
    }

    /// The server of a node, where it runs.
    #[must_use]
    pub fn server(&self, node: NodeId) -> Option<&B::Server> {
        self.host(node).life.as_ref().ok().map(|life| &life.server)
    }

    /// Whether a node runs and is not paused.
    #[must_use]
    pub fn is_up(&self, node: NodeId) -> bool {
        let host = self.host(node);
        host.life.is_ok() && !host.paused
    }

    /// All nodes that run and are not paused.
    #[must_use]
    pub fn up(&self) -> BTreeSet<NodeId> {
        self.nodes().filter(|node| self.is_up(*node)).collect()
    }

    /// Who looks on.
    #[must_use]
    pub fn observer(&self) -> &O {
        &self.observer
    }

    /// Who looks on.
    pub fn observer_mut(&mut self) -> &mut O {
        &mut self.observer
    }

    /// All servers that run, those that are paused included.
    #[must_use]
    pub fn running(&self) -> BTreeMap<NodeId, &B::Server> {
        running(&self.hosts)
    }

    /// Shows the observer all servers that run.
    pub fn show(&mut self, look: impl FnOnce(&mut O, &BTreeMap<NodeId, &B::Server>)) {
        look(&mut self.observer, &running(&self.hosts));
    }

    fn host(&self, node: NodeId) -> &Host<B::Server> {
        &self.hosts[usize::from(node.0) - 1]
    }

    fn host_mut(&mut self, node: NodeId) -> &mut Host<B::Server> {
        &mut self.hosts[usize::from(node.0) - 1]
    }

    /// When the last message between servers that is on its way arrives; now, where none is.
    #[must_use]
    pub fn last_arrival(&self) -> Micros {
        let arrivals = self.events.announced().filter(|(_, event)| matches!(event, Event::Arrive { .. }));
        arrivals.map(|(at, _)| at).max().unwrap_or(self.now)
    }

    /// Announces a [`Happening::Wake`].
    pub fn wake(&mut self, at: Micros, number: u64) {
        self.events.announce(at.max(self.now), Event::Wake(number));
    }

    /// A client sends a request to a node.
    pub fn ask(&mut self, node: NodeId, token: Token, request: <B::Server as Server>::Request) {
        if let Some(at) = self.network.send_of_client(self.now) {
            self.events.announce(at, Event::Ask { node, token, request });
        }
    }

    /// A client no longer waits for the answer.
    pub fn abandon(&mut self, node: NodeId, token: Token) {
        if let Some(at) = self.network.send_of_client(self.now) {
            self.events.announce(at, Event::Abandon { node, token });
        }
    }

    /// Goes on until something happens that concerns the outside, or until `until`. Where time hardly moves because the
    /// servers keep each other busy for nothing, that is a [`Happening::Storm`].
    pub fn next(&mut self, until: Micros) -> Option<Happening<<B::Server as Server>::Response>> {
        let last = self.taken + MOST_EVENTS;
        while self.taken < last {
            let Some((at, event)) = self.events.next(until) else { break };
            self.now = at;
            self.taken += 1;
            let happening = self.take(event);
            if happening.is_some() {
                return happening;
            }
            if self.observer.has_noticed() {
                return Some(Happening::Noticed);
            }
        }
        if self.taken == last {
            return Some(Happening::Storm);
        }
        self.now = self.now.max(until);
        None
    }

    fn take(&mut self, event: Event<B::Server>) -> Option<Happening<<B::Server as Server>::Response>> {
        match event {
            Event::Arrive { from, to, number, message } => self.arrive(from, to, number, message),
            Event::Ask { node, token, request } => self.asked(node, token, request),
            Event::Answer { token, result } => return Some(Happening::Answered { token, result }),
            Event::Abandon { node, token } => {
                if self.host(node).life.is_ok() {
                    self.deliver(node, Delivery::Abandon { token });
                }
            }
            Event::Work { node, life } => {
                if self.host(node).lives == life {
                    self.host_mut(node).work_announced = false;
                    self.work(node);
                }
            }
            Event::Timer { node, life } => self.timer(node, life),
            Event::Synced { node, life } => self.synced(node, life),
            Event::Ended { node, reason } => return Some(Happening::Ended { node, reason }),
            Event::Wake(number) => return Some(Happening::Wake(number)),
        }
        None
    }

    fn arrive(&mut self, from: NodeId, to: NodeId, number: u64, message: <B::Server as Server>::Message) {
        if self.network.drops_at_arrival(from, to) || self.host(to).life.is_err() {
            return;
        }
        self.observer.arrived(self.now, number, to);
        self.deliver(to, Delivery::Message { from, message });
    }

    fn asked(&mut self, node: NodeId, token: Token, request: <B::Server as Server>::Request) {
        match self.host(node).life {
            Ok(_) => self.deliver(node, Delivery::Request { token, request }),
            Err(Down::Process) => self.answer(token, Err(Lost::Refused)),
            Err(Down::Power) => {}
        }
    }

    fn answer(&mut self, token: Token, result: Result<<B::Server as Server>::Response, Lost>) {
        if let Some(at) = self.network.send_of_client(self.now) {
            self.events.announce(at, Event::Answer { token, result });
        }
    }
}

fn running<S: Server>(hosts: &[Host<S>]) -> BTreeMap<NodeId, &S> {
    let hosts = hosts.iter().zip(1..);
    hosts.filter_map(|(host, number)| Some((NodeId(number), &host.life.as_ref().ok()?.server))).collect()
}
