//! How fast and how faithful networks and disks are, when nothing is done to them.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use rashomon_draw::Draw;
use rashomon_systems::sim::{DiskOptions, NetworkOptions};

use crate::plan::RaftSettings;

/// A message takes from a thousandth to a fifteenth of the shortest election timeout.
pub(super) fn draw_network(raft: &RaftSettings, draw: &mut Draw) -> NetworkOptions {
    let usual_us = raft.election_min_us / draw.pick(&[1_000, 300, 100, 30, 15]);
    let latency_min_us = usual_us * draw.pick(&[1, 5, 9]) / 10;
    let straggler_max_us = raft.election_max_us * draw.pick(&[1, 3, 10]);
    let in_order = draw.chance(50);
    // Where messages keep their order, all that follow wait for one that is held up.
    let straggler_ppm = draw.pick(&[0, 0, 0, 1_000, 20_000, 100_000]);
    NetworkOptions {
        latency_min_us: latency_min_us as u32,
        latency_extra_us: (usual_us - latency_min_us) as u32,
        straggler_ppm: if in_order { straggler_ppm.min(1_000) } else { straggler_ppm },
        straggler_max_us: straggler_max_us as u32,
        loss_ppm: draw.pick(&[0, 0, 0, 1_000, 10_000, 50_000]),
        duplicate_ppm: draw.pick(&[0, 0, 1_000, 50_000]),
        in_order,
        ..NetworkOptions::default()
    }
}

/// Between clients and nodes all is well in most runs. Where it is not, requests and answers come when nobody waits for them
/// any more, or not at all.
pub(super) fn draw_clients_network(network: NetworkOptions, raft: &RaftSettings, draw: &mut Draw) -> NetworkOptions {
    let held_up_us = raft.election_max_us * draw.pick(&[1, 10, 50]);
    let well = NetworkOptions { client_straggler_max_us: held_up_us.min(2_000_000) as u32, ..network };
    NetworkOptions {
        client_straggler_ppm: draw.pick(&[0, 0, 0, 1_000, 20_000]),
        client_loss_ppm: draw.pick(&[0, 0, 0, 1_000, 10_000]),
        ..well
    }
}

/// Three-phase commit is right where messages arrive in time, and only processes die.
pub(super) fn timely(network: NetworkOptions) -> NetworkOptions {
    NetworkOptions { loss_ppm: 0, straggler_ppm: 0, ..network }
}

/// A careful client is safe without fencing tokens where what it writes in time also arrives in time.
pub(super) fn promptly_written(network: NetworkOptions) -> NetworkOptions {
    NetworkOptions { client_straggler_ppm: 0, ..network }
}

/// A sync takes from a thousandth to a thirtieth of the shortest election timeout.
pub(super) fn draw_disk(raft: &RaftSettings, draw: &mut Draw) -> DiskOptions {
    let usual_us = raft.election_min_us / draw.pick(&[1_000, 300, 100, 30]);
    let sync_min_us = usual_us * draw.pick(&[1, 5, 9]) / 10;
    DiskOptions { sync_min_us: sync_min_us as u32, sync_extra_us: (usual_us - sync_min_us) as u32 }
}
