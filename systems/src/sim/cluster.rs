//! The cluster: takes the events in turn, and lets the nodes do what they want done.

mod writing;

use std::collections::{BTreeMap, BTreeSet};

use rashomon_draw::Draw;

use crate::outlet::Effect;
use crate::server::{Input, Micros, NodeId, Output, Server};
use crate::sim::clock::Clock;
use crate::sim::disk::Crash;
use crate::sim::events::Events;
use crate::sim::host::{Delivery, Down, Host, Life};
use crate::sim::network::{Disturbance, Network, NetworkOptions};
use crate::sim::{BATCH_US, Build, DiskOptions, Draws, Happening, Lost, Observer, Token};
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

    /// Something has come to a node that runs: it takes it at once, or when it has time.
    fn deliver(&mut self, node: NodeId, delivery: Delivery<B::Server>) {
        let now = self.now;
        let host = self.host_mut(node);
        host.inbox.push(delivery);
        if host.paused || host.work_announced {
            return;
        }
        if host.busy_until <= now {
            self.work(node);
        } else {
            host.work_announced = true;
            let event = Event::Work { node, life: host.lives };
            let at = host.busy_until;
            self.events.announce(at, event);
        }
    }

    fn timer(&mut self, node: NodeId, life: u32) {
        let now = self.now;
        let host = self.host_mut(node);
        if host.lives != life || host.timer_at != Some(now) {
            return;
        }
        host.timer_at = None;
        let is_due = host.life.as_ref().is_ok_and(|life| life.server.deadline() <= host.clock.at(now));
        if is_due && !host.paused {
            self.work(node);
        } else {
            self.set_timer(node);
        }
    }

    /// A node takes all that has come, as [`crate::node`]'s driver does: steps, a tick where one is due, and a flush.
    fn work(&mut self, node: NodeId) {
        let now = self.now;
        let host = &mut self.hosts[usize::from(node.0) - 1];
        let Ok(life) = &mut host.life else { return };
        if host.paused {
            return;
        }
        let local = host.clock.at(now);
        let mut inbox = std::mem::take(&mut host.inbox);
        let mut outputs = std::mem::take(&mut self.outputs);
        let mut released = Vec::new();
        for delivery in inbox.drain(..) {
            if let Delivery::Durable(id) = delivery {
                released.extend(std::iter::from_fn(|| life.outlet.release(id)));
            }
            if let Some(input) = life.input(delivery) {
                life.server.step(local, input, &mut outputs);
            }
        }
        if life.server.deadline() <= local {
            life.server.step(local, Input::Tick, &mut outputs);
        }
        life.server.flush(local, &mut outputs);
        host.inbox = inbox;
        host.busy_until = now.after(BATCH_US);
        self.observer.stepped(now, node, &life.server);
        for effect in released {
            self.carry_out(node, effect);
        }
        for output in outputs.drain(..) {
            let Ok(life) = &mut self.hosts[usize::from(node.0) - 1].life else { break };
            if let Some(effect) = life.outlet.offer(output) {
                self.carry_out(node, effect);
            }
        }
        self.outputs = outputs;
        self.set_timer(node);
    }

    fn carry_out(
        &mut self,
        node: NodeId,
        effect: Effect<<B::Server as Server>::Message, <B::Server as Server>::Response>,
    ) {
        match effect {
            Effect::Send { to, message } => self.send(node, to, message),
            Effect::Reply { id, response } => {
                let Ok(life) = &mut self.host_mut(node).life else { return };
                if let Some(token) = life.answered(id) {
                    self.answer(token, Ok(response));
                }
            }
            Effect::Write { id, write } => {
                let Ok(life) = &mut self.host_mut(node).life else { return };
                life.writes.push((id, write));
                if life.in_flight.is_empty() {
                    self.begin_writing(node);
                }
            }
        }
    }

    fn send(&mut self, from: NodeId, to: NodeId, message: <B::Server as Server>::Message) {
        if to.0 == 0 || usize::from(to.0) > self.hosts.len() {
            return;
        }
        self.sent += 1;
        let number = self.sent;
        self.observer.sent(self.now, number, from, to, &message);
        let arrivals = self.network.send(self.now, from, to);
        if let Some(double) = arrivals.double {
            self.events.announce(double, Event::Arrive { from, to, number, message: message.clone() });
        }
        if let Some(first) = arrivals.first {
            self.events.announce(first, Event::Arrive { from, to, number, message });
        }
    }

    fn set_timer(&mut self, node: NodeId) {
        let now = self.now;
        let host = self.host_mut(node);
        let Ok(life) = &host.life else { return };
        let deadline = life.server.deadline();
        if deadline == Micros(u64::MAX) || host.paused {
            return;
        }
        let at = host.clock.when(deadline).max(host.busy_until).max(now);
        if host.timer_at.is_some_and(|earlier| earlier <= at) {
            return;
        }
        host.timer_at = Some(at);
        let event = Event::Timer { node, life: host.lives };
        self.events.announce(at, event);
    }
}

fn running<S: Server>(hosts: &[Host<S>]) -> BTreeMap<NodeId, &S> {
    let hosts = hosts.iter().zip(1..);
    hosts.filter_map(|(host, number)| Some((NodeId(number), &host.life.as_ref().ok()?.server))).collect()
}

/// What can be done to a cluster.
impl<B: Build, O: Observer<B::Server>> Cluster<B, O> {
    /// Starts a node that does not run. Where its disk or its server refuses, it stays down, and a
    /// [`Happening::Ended`] says why.
    pub fn start(&mut self, node: NodeId) {
        let now = self.now;
        let host = &mut self.hosts[usize::from(node.0) - 1];
        if host.life.is_ok() {
            return;
        }
        host.lives += 1;
        host.timer_at = None;
        host.work_announced = false;
        let started = host.disk.open(self.wal_options).map_err(|error| error.to_string());
        let started = started.and_then(|(wal, recovered)| {
            self.build.build(node, host.lives, recovered).map(|server| Life::new(server, wal))
        });
        match started {
            Ok(life) => {
                self.observer.recovered(now, node, &life.server);
                host.life = Ok(life);
                self.work(node);
            }
            Err(reason) => {
                host.life = Err(Down::Process);
                self.events.announce(now, Event::Ended { node, reason });
            }
        }
    }

    /// Ends a node at once, as `kill -9` or a loss of power does.
    pub fn crash(&mut self, node: NodeId, crash: Crash) {
        let now = self.now;
        self.network.wake(now, node);
        let host = &mut self.hosts[usize::from(node.0) - 1];
        let down = match crash {
            Crash::Process => Down::Process,
            Crash::Power => Down::Power,
        };
        let Ok(life) = std::mem::replace(&mut host.life, Err(down)) else { return };
        host.lives += 1;
        host.paused = false;
        host.timer_at = None;
        host.work_announced = false;
        let waiting = std::mem::take(&mut host.inbox).into_iter().filter_map(|delivery| match delivery {
            Delivery::Request { token, .. } => Some(token),
            Delivery::Message { .. } | Delivery::Abandon { .. } | Delivery::Durable(_) => None,
        });
        let asking: Vec<Token> = life.asking.iter().map(|(_, token)| *token).chain(waiting).collect();
        drop(life);
        host.disk.crash(crash, &mut self.draws.crash);
        self.observer.crashed(now, node);
        if down == Down::Process {
            for token in asking {
                self.answer(token, Err(Lost::Broken));
            }
        }
    }

    /// A node that runs stands still, as after SIGSTOP.
    pub fn pause(&mut self, node: NodeId) {
        let host = self.host_mut(node);
        host.paused = host.life.is_ok();
        if host.paused {
            self.network.sleep(node);
        }
    }

    /// A node goes on, as after SIGCONT.
    pub fn resume(&mut self, node: NodeId) {
        self.network.wake(self.now, node);
        let host = self.host_mut(node);
        host.paused = false;
        let is_idle = host.life.as_ref().is_ok_and(|life| life.in_flight.is_empty() && !life.writes.is_empty());
        if is_idle {
            self.begin_writing(node);
        }
        self.work(node);
    }

    /// From now on the link is disturbed so, and in no other way.
    pub fn disturb(&mut self, from: NodeId, to: NodeId, disturbance: Disturbance) {
        self.network.disturb(from, to, disturbance);
    }

    /// The network is like that from now on.
    pub fn set_network(&mut self, options: NetworkOptions) {
        self.network.set_options(options);
    }

    /// The node's clock jumps ahead.
    pub fn jump_clock(&mut self, node: NodeId, ahead_us: u64) {
        let now = self.now;
        self.host_mut(node).clock.jump(now, ahead_us);
        self.clock_changed(node);
    }

    /// The node's clock runs at this rate from now on: 0 is right, 1000 shows a millisecond too much in a second.
    pub fn set_clock_rate(&mut self, node: NodeId, rate_ppm: i32) {
        let now = self.now;
        self.host_mut(node).clock.set_rate(now, rate_ppm);
        self.clock_changed(node);
    }

    fn clock_changed(&mut self, node: NodeId) {
        self.host_mut(node).timer_at = None;
        self.set_timer(node);
    }

    /// Flips a bit of what the node's disk holds; says where.
    pub fn flip_bit(&mut self, node: NodeId) -> Option<String> {
        self.hosts[usize::from(node.0) - 1].disk.flip_bit(&mut self.draws.crash)
    }

    /// Those nodes that run, of all.
    #[must_use]
    pub fn up(&self) -> BTreeSet<NodeId> {
        self.nodes().filter(|node| self.is_up(*node)).collect()
    }
}
