//! How large a run is, and how its clients ask.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use rashomon_draw::Draw;
use rashomon_systems::sim::{DiskOptions, NetworkOptions};

use crate::plan::{CommitSettings, RaftSettings, System, Traffic};
use crate::swarm::Fixed;

/// Calls of all clients in one run, about: many small runs find more than a few long ones.
pub(super) const MOST_CALLS: u64 = 2_000;
/// Clients in one run, unless the command line wants more.
const MOST_CLIENTS: u64 = 40;

/// How large a run is.
pub(super) struct Size {
    pub(super) nodes: u16,
    pub(super) clients: u16,
    pub(super) rate: u32,
    pub(super) time_limit_ms: u64,
    pub(super) snapshot_entries: u64,
}

impl Size {
    pub(super) fn draw(fixed: &Fixed, commit: Option<CommitSettings>, draw: &mut Draw) -> Self {
        let needed = fixed.nemesis.iter().flatten().map(|kind| kind.fewest_nodes()).max().unwrap_or(1);
        let nodes = draw.pick(&[3, 3, 3, 3, 3, 3, 3, 3, 5, 5, 5, 5, 5, 5, 5, 4, 4, 7, 2, 1]).max(needed);
        let nodes = match fixed.system {
            System::Raft | System::Real => nodes,
            System::Lock => nodes + 1,
            System::Commit => {
                let shards = 1 + nodes.min(4);
                shards + commit.map_or(1, CommitSettings::coordinators)
            }
        };
        let clients = draw.pick(&[1, 2, 3, 4, 5, 6, 8, 10, 15]);
        let shortest = draw.between(2_000, 12_000).min(draw.between(2_000, 12_000));
        let time_limit_ms = fixed.time_limit_ms.unwrap_or(shortest.max(fixed.faults.least_time_ms()));
        let most = (MOST_CALLS * 1000 / time_limit_ms.max(1)).clamp(10, 1_000) as u32;
        let rate = draw.pick(&[50, 100, 200, 400, 800]).min(most);
        // Tiny ones, so that snapshots meet with everything else.
        let tiny = draw.between(5, 30);
        let snapshot_entries = draw.pick(&[tiny, tiny, tiny, 60, 200, 1_000]);
        Self {
            nodes: fixed.nodes.unwrap_or(nodes),
            clients: fixed.clients.unwrap_or(clients),
            rate: fixed.rate.unwrap_or(rate),
            time_limit_ms,
            snapshot_entries: fixed.snapshot_entries.unwrap_or(snapshot_entries),
        }
    }
}

/// Whether clients ask all at once, with long silences, and whether the leadership is moved.
pub(super) fn draw_traffic(raft: &RaftSettings, draw: &mut Draw) -> Traffic {
    let burst_every_us = draw.pick(&[1, 3, 10]) * raft.election_max_us;
    let transfer_every_us = draw.pick(&[2, 10, 40]) * raft.election_max_us;
    Traffic {
        burst_every_us: if draw.chance(20) { burst_every_us } else { 0 },
        transfer_every_us: if draw.chance(60) { transfer_every_us } else { 0 },
    }
}

/// In some runs many clients that ask seldom: few are held up when their node does not answer, and the others ask it in the
/// moment when it answers wrongly.
pub(super) fn draw_clients(size: &Size, raft: &RaftSettings, traffic: &Traffic, draw: &mut Draw) -> u16 {
    let gap_us = draw.pick(&[1, 3]) * raft.election_max_us.max(traffic.burst_every_us);
    let slow = (u64::from(size.rate) * gap_us / 1_000_000).min(MOST_CLIENTS) as u16;
    if draw.chance(30) { size.clients.max(slow) } else { size.clients }
}

/// Long enough for a client that has to find the leader, in a cluster that works; often not for more.
pub(super) fn draw_deadline(network: &NetworkOptions, disk: &DiskOptions, draw: &mut Draw) -> u64 {
    let message_us = u64::from(network.latency_min_us + network.latency_extra_us);
    let sync_us = u64::from(disk.sync_min_us + disk.sync_extra_us);
    let needed_ms = (40 * message_us + 10 * sync_us) / 1000;
    draw.pick(&[300, 1_000, 1_000, 2_000, 5_000]).max(needed_ms)
}
