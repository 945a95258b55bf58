//! Takes away whatever disturbs the run beside the faults of its schedule, and whatever is not as it usually is.

use rashomon_systems::sim::{DiskOptions, NetworkOptions};

use crate::plan::{Plan, RaftSettings, SNAPSHOT_ENTRIES, Simulation, Traffic};
use crate::shrink::search::Search;

/// One message in twenty.
const OFTEN_PPM: u32 = 50_000;

/// Each makes a plan plainer.
const PLAINER: [fn(&mut Plan, &mut Simulation); 17] = [
    |_, simulation| simulation.network = NetworkOptions::default(),
    |_, simulation| simulation.raft = RaftSettings::default(),
    |_, simulation| simulation.disk = DiskOptions::default(),
    |_, simulation| simulation.traffic = Traffic::default(),
    |_, simulation| simulation.traffic.transfer_every_us = 0,
    |_, simulation| simulation.worst_majority = false,
    |_, simulation| simulation.network.client_loss_ppm = 0,
    |_, simulation| (simulation.network.client_straggler_ppm, simulation.network.client_straggler_max_us) = (0, 0),
    |_, simulation| simulation.network.loss_ppm = 0,
    |_, simulation| simulation.network.duplicate_ppm = 0,
    |_, simulation| (simulation.network.straggler_ppm, simulation.network.straggler_max_us) = (0, 0),
    |_, simulation| simulation.network.in_order = true,
    |_, simulation| simulation.network.latency_extra_us = 0,
    |_, simulation| simulation.disk.sync_extra_us = 0,
    |plan, _| plan.sessions = false,
    |plan, _| plan.lease_reads = false,
    |plan, _| plan.nemesis = plan.schedule.kinds().into_iter().collect(),
];

/// Tries each way to make the plan plainer once. What is left hangs together less by chance, so that more can be left out
/// without changing the rest.
pub(super) fn calm(plan: &mut Plan, search: &Search<'_>) {
    PLAINER.into_iter().for_each(|plainer| attempt(plan, search, plainer));
}

/// Snapshots after so few entries that few operations lead to one.
pub(super) fn snapshots_soon(plan: &mut Plan, search: &Search<'_>) {
    if plan.snapshot_entries < SNAPSHOT_ENTRIES {
        attempt(plan, search, |plan, simulation| {
            (plan.snapshot_entries, simulation.raft.trailing_entries) = (2, 0);
        });
    }
}

/// Messages with few entries, so that few operations fill several.
pub(super) fn small_messages(plan: &mut Plan, search: &Search<'_>) {
    let usual = RaftSettings::default();
    if plan.simulation.as_ref().is_some_and(|simulation| simulation.raft.append_entries < usual.append_entries) {
        attempt(plan, search, |_, simulation| {
            (simulation.raft.append_entries, simulation.raft.inflight_appends) = (1, 1);
        });
    }
}

/// What the network does by chance, and the failure needs, more often: then it takes less else to meet with it.
pub(super) fn more_often(plan: &mut Plan, search: &Search<'_>) {
    attempt(plan, search, |_, simulation| {
        let network = &mut simulation.network;
        for ppm in [&mut network.loss_ppm, &mut network.duplicate_ppm, &mut network.straggler_ppm] {
            *ppm = if *ppm == 0 { 0 } else { (*ppm).max(OFTEN_PPM) };
        }
    });
}

/// No snapshots, where the failure needs none.
pub(super) fn no_snapshots(plan: &mut Plan, search: &Search<'_>) {
    attempt(plan, search, |plan, _| plan.snapshot_entries = SNAPSHOT_ENTRIES);
}

fn attempt(plan: &mut Plan, search: &Search<'_>, plainer: impl FnOnce(&mut Plan, &mut Simulation)) {
    let mut candidate = plan.clone();
    let mut simulation = candidate.simulation.clone().unwrap_or_default();
    plainer(&mut candidate, &mut simulation);
    candidate.simulation = Some(simulation);
    if candidate != *plan
        && let Some(found) = search.any_seed(&candidate)
    {
        *plan = found;
    }
}
