//! What a node does with what has come to it, and when.

use super::{Cluster, Event};
use crate::outlet::Effect;
use crate::server::{Input, Micros, NodeId, Server};
use crate::sim::host::Delivery;
use crate::sim::{BATCH_US, Build, Observer};

impl<B: Build, O: Observer<B::Server>> Cluster<B, O> {
    /// Something has come to a node that runs: it takes it at once, or when it has time.
    pub(super) fn deliver(&mut self, node: NodeId, delivery: Delivery<B::Server>) {
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

    pub(super) fn timer(&mut self, node: NodeId, life: u32) {
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
    pub(super) fn work(&mut self, node: NodeId) {
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

    pub(super) fn set_timer(&mut self, node: NodeId) {
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
