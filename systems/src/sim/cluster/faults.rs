//! What can be done to a cluster from outside.

use super::{Cluster, Event};
use crate::server::NodeId;
use crate::sim::disk::Crash;
use crate::sim::host::{Delivery, Down, Life};
use crate::sim::network::{Disturbance, NetworkOptions};
use crate::sim::{Build, Lost, Observer, Token};

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
}
