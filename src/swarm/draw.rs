//! The plan of a simulated run: what the command line does not fix is drawn from the seed.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod faults;
mod hardware;
mod load;
mod settings;
#[cfg(test)]
mod tests;

use rashomon_draw::Draw;
use rashomon_nemesis::{FaultKind, Schedule, ScheduleError, ScheduleOptions};
use rashomon_systems::commit::Protocol;
use rashomon_systems::sim::NetworkOptions;

use crate::plan::{PLAN_VERSION, Plan, Simulation, System, World};
use crate::swarm::Fixed;
use faults::{draw_aim, draw_kinds, draw_times, last_partition};
use hardware::{draw_clients_network, draw_disk, draw_network, promptly_written, timely};
use load::{Size, draw_clients, draw_deadline, draw_traffic};
use settings::{draw_commit, draw_lock, draw_raft};

/// Draws the plan of a seed. The same seed and the same fixed values give the same plan; what is fixed moves nothing of the
/// rest but what can't go with it.
///
/// Runs differ in everything, and each leaves out much: of the kinds of faults a run has any subset, since a kind that is
/// always there hides what only happens without it (Groce and others, *Swarm Testing*, ISSTA 2012). All times follow the
/// election timeout of the run, so that faults, delays and syncs lie on both sides of it.
///
/// # Errors
/// What is fixed makes no sense.
pub(crate) fn draw(fixed: &Fixed, seed: u64) -> Result<Plan, ScheduleError> {
    let stream = |label: &str| Draw::stream(seed, &format!("swarm: {label}"));
    let commit = (fixed.system == System::Commit).then(|| draw_commit(fixed, &mut stream("commit")));
    let size = Size::draw(fixed, commit, &mut stream("size"));
    let lease_reads = fixed.lease_reads.unwrap_or(stream("lease").chance(40));
    let raft = draw_raft(size.snapshot_entries, lease_reads, &mut stream("raft"));
    // What nobody asked for by name runs where it is right.
    let spared =
        fixed.commit.protocol.is_none() && commit.is_some_and(|commit| commit.protocol == Protocol::ThreePhase);
    let nemesis = draw_kinds(fixed, size.nodes, spared, &mut stream("kinds"));
    let lock = (fixed.system == System::Lock).then(|| draw_lock(&fixed.lock, &raft, &mut stream("lock")));
    let prompt = fixed.lock.fencing.is_none() && lock.is_some_and(|lock| !lock.fencing);
    let options = draw_times(&size, nemesis.clone(), &raft, lease_reads, lock, &mut stream("times"));
    let traffic = draw_traffic(&raft, &mut stream("traffic"));
    let clients = fixed.clients.unwrap_or_else(|| draw_clients(&size, &raft, &traffic, &mut stream("slow clients")));
    let options = fixed.faults.apply(ScheduleOptions { clients, ..draw_aim(options, &mut stream("aim")) });
    let mut world = stream("world");
    let sent_passes_cut = stream("cuts").chance(50);
    let wake_us = (stream("wake").pick(&[0, 1, 3]) * raft.election_min_us) as u32;
    let network = NetworkOptions { sent_passes_cut, wake_us, ..draw_network(&raft, &mut world) };
    let network = if spared { timely(network) } else { network };
    let network = draw_clients_network(network, &raft, &mut stream("clients' network"));
    let network = if prompt { promptly_written(network) } else { network };
    let disk = draw_disk(&raft, &mut world);
    let mut schedule = Schedule::draw(&options, seed)?;
    let worst_majority = stream("worst majority").chance(50) && fixed.system == System::Raft;
    if worst_majority && nemesis.contains(&FaultKind::Partition) && size.nodes >= 3 {
        let last = last_partition(&size, &raft, &mut stream("last partition"));
        schedule.entries.push(last);
        schedule.entries.sort_by_key(|entry| entry.at_ms);
    }
    Ok(Plan {
        plan_version: PLAN_VERSION,
        rashomon_version: env!("CARGO_PKG_VERSION").into(),
        system: fixed.system,
        workload: fixed.workload.unwrap_or(stream("workload").pick(fixed.system.workloads())),
        world: World::Sim,
        nodes: size.nodes,
        clients,
        rate: size.rate,
        time_limit_ms: size.time_limit_ms,
        operation_deadline_ms: fixed.operation_deadline_ms.unwrap_or(draw_deadline(
            &network,
            &disk,
            &mut stream("deadline"),
        )),
        seed,
        bug: fixed.bug,
        sessions: fixed.sessions.unwrap_or(stream("sessions").chance(50)),
        lease_reads,
        lock,
        commit,
        real: None,
        snapshot_entries: size.snapshot_entries,
        nemesis,
        faults: fixed.faults,
        schedule,
        script: None,
        simulation: Some(Simulation { network, disk, raft, traffic, worst_majority, command: fixed.command(seed) }),
    })
}
