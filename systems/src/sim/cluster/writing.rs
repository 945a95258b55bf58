//! What a node's disk takes, and when it is done with it.

use super::{Cluster, Event};
use crate::server::{Micros, NodeId};
use crate::sim::disk::{Crash, DiskFaults};
use crate::sim::host::{Delivery, Flight};
use crate::sim::{Build, DiskOptions, Observer};

impl<B: Build, O: Observer<B::Server>> Cluster<B, O> {
    /// Hands to the disk all that it was not yet given.
    pub(super) fn begin_writing(&mut self, node: NodeId) {
        let host = &mut self.hosts[usize::from(node.0) - 1];
        let Ok(life) = &mut host.life else { return };
        let writes = std::mem::take(&mut life.writes);
        match life.wal.begin(writes.clone()) {
            Ok(batch) => {
                life.in_flight = writes;
                let DiskOptions { sync_min_us, sync_extra_us } = self.disk_options;
                let mut took_us = batch.bytes / 500;
                for _ in 0..batch.syncs {
                    let extra_us = self.draws.disk.exponential(sync_extra_us.into());
                    took_us += u64::from(sync_min_us) + extra_us + host.slow_sync_us;
                }
                let ends = self.now.after(took_us);
                life.flight = Some(Flight { durable: batch.durable, ends, took_us, syncs: batch.syncs.into() });
                self.events.announce(ends, Event::Synced { node, life: host.lives });
            }
            Err(error) => {
                let reason = error.to_string();
                self.crash(node, Crash::Process);
                self.events.announce(self.now, Event::Ended { node, reason });
            }
        }
    }

    /// The disk may be done with what it was given.
    pub(super) fn synced(&mut self, node: NodeId, life: u32) {
        let host = &mut self.hosts[usize::from(node.0) - 1];
        if host.lives != life {
            return;
        }
        let Ok(life) = &mut host.life else { return };
        let Some(Flight { durable, .. }) = life.flight.take_if(|flight| flight.ends == self.now) else { return };
        life.wal.finish();
        for (id, write) in life.in_flight.drain(..) {
            self.observer.durable(node, id, &write);
        }
        // A process that stands still hands nothing more to its disk.
        if !life.writes.is_empty() && !host.paused {
            self.begin_writing(node);
        }
        if self.host(node).life.is_ok() {
            self.deliver(node, Delivery::Durable(durable));
        }
    }

    /// The node's disk fails in these ways from now on, and each sync takes so much longer; also of what it is just
    /// writing, as far as that is not done.
    pub fn set_disk_faults(&mut self, node: NodeId, faults: DiskFaults, slow_sync_us: u64) {
        let now = self.now;
        let host = self.host_mut(node);
        host.disk.set_faults(faults);
        let before_us = std::mem::replace(&mut host.slow_sync_us, slow_sync_us);
        let life = host.lives;
        let Ok(Some(flight)) = host.life.as_mut().map(|life| life.flight.as_mut()) else { return };
        if before_us != slow_sync_us {
            flight.change_pace(now, before_us, slow_sync_us);
            let ends = flight.ends;
            self.events.announce(ends, Event::Synced { node, life });
        }
    }
}

impl Flight {
    /// Each sync takes longer or shorter from now on.
    fn change_pace(&mut self, now: Micros, before_us: u64, after_us: u64) {
        let takes_us = self.took_us - self.syncs * before_us + self.syncs * after_us;
        let left_us = self.ends.since(now) * takes_us / self.took_us.max(1);
        self.ends = now.after(left_us);
        self.took_us = takes_us;
    }
}
