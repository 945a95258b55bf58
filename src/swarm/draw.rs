//! The plan of a simulated run: what the command line does not fix is drawn from the seed.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use rashomon_draw::Draw;
use rashomon_nemesis::{
    Cut, Direction, Fault, FaultKind, Grudge, Node, Partition, Place, RangeMs, Schedule, ScheduleError,
    ScheduleOptions, ScheduledFault, Shape,
};
use rashomon_systems::commit::{Isolation, Protocol};
use rashomon_systems::sim::{DiskOptions, NetworkOptions};

use crate::plan::{CommitSettings, LockSettings, PLAN_VERSION, Plan, RaftSettings, Simulation, System, Traffic, World};
use crate::swarm::{Fixed, FixedLock};

/// Calls of all clients in one run, about: many small runs find more than a few long ones.
const MOST_CALLS: u64 = 2_000;
/// Clients in one run, unless the command line wants more.
const MOST_CLIENTS: u64 = 40;

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

/// How large a run is.
struct Size {
    nodes: u16,
    clients: u16,
    rate: u32,
    time_limit_ms: u64,
    snapshot_entries: u64,
}

impl Size {
    fn draw(fixed: &Fixed, commit: Option<CommitSettings>, draw: &mut Draw) -> Self {
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

/// Any subset of the kinds that can be done to so many nodes; sometimes only one, sometimes none.
fn draw_kinds(fixed: &Fixed, nodes: u16, spared: bool, draw: &mut Draw) -> Vec<FaultKind> {
    let all = if spared { vec![FaultKind::Kill] } else { fixed.system.faults(Place::Simulated) };
    // Few kinds as often as many: some mistakes need two kinds that no third one disturbs.
    let percent = draw.pick(&[25, 25, 50, 75]);
    let kept: Vec<FaultKind> = match draw.below(20) {
        0 => Vec::new(),
        1..=3 => vec![draw.pick(&all)],
        _ => all.into_iter().filter(|_| draw.chance(percent)).collect(),
    };
    fixed.nemesis.clone().unwrap_or(kept.into_iter().filter(|kind| kind.fewest_nodes() <= nodes).collect())
}

fn draw_raft(snapshot_entries: u64, lease_reads: bool, draw: &mut Draw) -> RaftSettings {
    let election_min_us = draw.pick(&[20_000, 50_000, 150_000, 300_000]);
    let election_max_us = election_min_us * draw.pick(&[15, 20, 30]) / 10;
    let heartbeat_us = election_min_us / draw.pick(&[3, 6, 10]);
    // A lease rests on members that ignore candidates as long as they hear a leader.
    let check_quorum = draw.chance(80) || lease_reads;
    RaftSettings {
        heartbeat_us,
        election_min_us,
        election_max_us,
        trailing_entries: draw.pick(&[0, 1, 5, 50]).min(snapshot_entries),
        append_entries: draw.pick(&[1, 4, 64, 4_096]),
        inflight_appends: draw.pick(&[1, 4, 128]),
        snapshot_chunk_bytes: draw.pick(&[64, 1 << 10, 256 << 10]),
        pre_vote: draw.chance(80),
        check_quorum,
        // Fewer than clients, so that sessions expire, or more than enough.
        max_sessions: draw.pick(&[1, 3, 4_096, 4_096]),
    }
}

/// The protocols and levels of atomic commitment in turn.
fn draw_commit(fixed: &Fixed, draw: &mut Draw) -> CommitSettings {
    use Protocol::{ThreePhase, TwoPhase, TwoPhaseRaft};
    let protocol = draw.pick(&[TwoPhase, TwoPhase, TwoPhaseRaft, ThreePhase]);
    let isolation =
        draw.pick(&[Isolation::Serializable, Isolation::Serializable, Isolation::Snapshot, Isolation::ReadCommitted]);
    CommitSettings {
        protocol: fixed.commit.protocol.unwrap_or(if fixed.nodes.is_some_and(|nodes| nodes < 4) {
            TwoPhase
        } else {
            protocol
        }),
        isolation: fixed.commit.isolation.unwrap_or(isolation),
        consistency: fixed.commit.consistency,
    }
}

/// Three-phase commit is right where messages arrive in time, and only processes die.
fn timely(network: NetworkOptions) -> NetworkOptions {
    NetworkOptions { loss_ppm: 0, straggler_ppm: 0, ..network }
}

/// Leases last about as long as faults, so that some end while their holder can't say a word. Without fencing tokens only
/// careful clients protect the resource, so only they are drawn without.
fn draw_lock(fixed: &FixedLock, raft: &RaftSettings, draw: &mut Draw) -> LockSettings {
    let ttl_ms = (raft.election_max_us * draw.pick(&[2, 5, 10, 30]) / 1000).max(100);
    let (careful, tries, unfenced) = (draw.chance(50), draw.chance(30), draw.chance(50));
    let careful = fixed.careful.unwrap_or(careful);
    LockSettings {
        ttl_ms: fixed.ttl_ms.unwrap_or(ttl_ms),
        fencing: fixed.fencing.unwrap_or(!(careful && unfenced)),
        careful,
        tries: fixed.tries.unwrap_or(tries),
    }
}

/// A careful client is safe without fencing tokens where what it writes in time also arrives in time.
fn promptly_written(network: NetworkOptions) -> NetworkOptions {
    NetworkOptions { client_straggler_ppm: 0, ..network }
}

/// When faults come, how long they last and how bad they are.
fn draw_times(
    size: &Size,
    kinds: Vec<FaultKind>,
    raft: &RaftSettings,
    lease_reads: bool,
    lock: Option<LockSettings>,
    draw: &mut Draw,
) -> ScheduleOptions {
    let limit_ms = size.time_limit_ms;
    // In tenths of the longest election timeout: shorter than an election, as long as a few, longer than many.
    let (shortest, longest, most_quiet) = draw.pick(&[(1, 10, 10), (10, 30, 20), (30, 80, 30), (1, 80, 30)]);
    let tenths = |count: u64| (count * raft.election_max_us / 10_000).max(1);
    let longest_delay_us = tenths(draw.pick(&[1, 5, 10, 20, 50])) * 1000;
    // A lease counts on clocks that agree to a sixth, see `Timing::lease_us`.
    let (clock_rate_ppm, clock_ahead_ms) =
        (draw.pick(&[10_000, 100_000, 300_000]), tenths(draw.pick(&[1, 10, 100])) as u32);
    let (clock_rate_ppm, clock_ahead_ms) = if lease_reads { (50_000, 0) } else { (clock_rate_ppm, clock_ahead_ms) };
    let options = ScheduleOptions {
        duration_ms: RangeMs { min: tenths(shortest).min(limit_ms / 4), max: tenths(longest).min(limit_ms / 2) },
        quiet_ms: RangeMs { min: 0, max: tenths(most_quiet).min(limit_ms / 4) },
        lanes: draw.pick(&[1, 1, 2, 2, 3]),
        longest_delay_us: longest_delay_us as u32,
        clock_rate_ppm,
        clock_ahead_ms,
        ..ScheduleOptions::new(size.nodes, kinds, limit_ms)
    };
    lock.map_or(options.clone(), |lock| with_clocks_for_leases(options, lock))
}

/// The service counts on clocks that agree to a twentieth, and on no more than three jumps within a lease. What jumps leave of
/// a lease's margin is less than a write may be on its way, so that without fencing tokens there are none.
fn with_clocks_for_leases(options: ScheduleOptions, lock: LockSettings) -> ScheduleOptions {
    let clock_ahead_ms = if lock.fencing { options.clock_ahead_ms } else { 0 };
    let clock_rate_ppm = options.clock_rate_ppm.min(50_000);
    let options = ScheduleOptions { clock_rate_ppm, clock_ahead_ms, ..options };
    if options.clock_ahead_ms == 0 || !options.kinds.contains(&FaultKind::Clock) {
        return options;
    }
    let min = options.duration_ms.min.max(lock.ttl_ms / 2);
    let max = options.duration_ms.max.max(min);
    ScheduleOptions { lanes: 1, duration_ms: RangeMs { min, max }, ..options }
}

/// How often faults are aimed at the leader, and how often two at once: in some runs rather at it than elsewhere.
fn draw_aim(options: ScheduleOptions, draw: &mut Draw) -> ScheduleOptions {
    ScheduleOptions {
        leader_percent: draw.pick(&[20, 20, 50, 80]),
        companion_percent: draw.pick(&[0, 0, 30, 80]),
        ..options
    }
}

/// Whether clients ask all at once, with long silences, and whether the leadership is moved.
fn draw_traffic(raft: &RaftSettings, draw: &mut Draw) -> Traffic {
    let burst_every_us = draw.pick(&[1, 3, 10]) * raft.election_max_us;
    let transfer_every_us = draw.pick(&[2, 10, 40]) * raft.election_max_us;
    Traffic {
        burst_every_us: if draw.chance(20) { burst_every_us } else { 0 },
        transfer_every_us: if draw.chance(60) { transfer_every_us } else { 0 },
    }
}

/// In some runs many clients that ask seldom: few are held up when their node does not answer, and the others ask it in the
/// moment when it answers wrongly.
fn draw_clients(size: &Size, raft: &RaftSettings, traffic: &Traffic, draw: &mut Draw) -> u16 {
    let gap_us = draw.pick(&[1, 3]) * raft.election_max_us.max(traffic.burst_every_us);
    let slow = (u64::from(size.rate) * gap_us / 1_000_000).min(MOST_CLIENTS) as u16;
    if draw.chance(30) { size.clients.max(slow) } else { size.clients }
}

/// A minority that lags when the faults end.
fn last_partition(size: &Size, raft: &RaftSettings, draw: &mut Draw) -> ScheduledFault {
    let lasting_ms = draw.between(3, 15) * raft.election_max_us / 1_000;
    let duration_ms = lasting_ms.min(size.time_limit_ms / 3);
    let mut nodes: Vec<Node> = Node::all(size.nodes).collect();
    draw.shuffle(&mut nodes);
    nodes.truncate(usize::from(size.nodes - 1) / 2);
    let grudge = Grudge::around(&nodes.into_iter().collect(), size.nodes, Direction::Both);
    let fault = Fault::Partition(Partition { shape: Shape::RandomHalves, cut: Cut::Grudge(grudge) });
    ScheduledFault { at_ms: size.time_limit_ms - duration_ms, duration_ms, fault }
}

/// Between clients and nodes all is well in most runs. Where it is not, requests and answers come when nobody waits for them
/// any more, or not at all.
fn draw_clients_network(network: NetworkOptions, raft: &RaftSettings, draw: &mut Draw) -> NetworkOptions {
    let held_up_us = raft.election_max_us * draw.pick(&[1, 10, 50]);
    let well = NetworkOptions { client_straggler_max_us: held_up_us.min(2_000_000) as u32, ..network };
    NetworkOptions {
        client_straggler_ppm: draw.pick(&[0, 0, 0, 1_000, 20_000]),
        client_loss_ppm: draw.pick(&[0, 0, 0, 1_000, 10_000]),
        ..well
    }
}

/// A message takes from a thousandth to a fifteenth of the shortest election timeout.
fn draw_network(raft: &RaftSettings, draw: &mut Draw) -> NetworkOptions {
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

/// A sync takes from a thousandth to a thirtieth of the shortest election timeout.
fn draw_disk(raft: &RaftSettings, draw: &mut Draw) -> DiskOptions {
    let usual_us = raft.election_min_us / draw.pick(&[1_000, 300, 100, 30]);
    let sync_min_us = usual_us * draw.pick(&[1, 5, 9]) / 10;
    DiskOptions { sync_min_us: sync_min_us as u32, sync_extra_us: (usual_us - sync_min_us) as u32 }
}

/// Long enough for a client that has to find the leader, in a cluster that works; often not for more.
fn draw_deadline(network: &NetworkOptions, disk: &DiskOptions, draw: &mut Draw) -> u64 {
    let message_us = u64::from(network.latency_min_us + network.latency_extra_us);
    let sync_us = u64::from(disk.sync_min_us + disk.sync_extra_us);
    let needed_ms = (40 * message_us + 10 * sync_us) / 1000;
    draw.pick(&[300, 1_000, 1_000, 2_000, 5_000]).max(needed_ms)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rashomon_workloads::Workload;

    use super::*;

    fn nothing_fixed() -> Fixed {
        Fixed::nothing_but(System::Raft, None)
    }

    fn plans(fixed: &Fixed) -> Vec<Plan> {
        (0..500).map(|seed| draw(fixed, seed).unwrap()).collect()
    }

    /// As it is saved, without what is fixed.
    fn saved(plan: &Plan) -> serde_json::Map<String, serde_json::Value> {
        serde_json::to_value(plan).unwrap().as_object().unwrap().clone()
    }

    #[test]
    fn the_same_seed_gives_the_same_plan_and_another_another() {
        let texts: BTreeSet<String> =
            plans(&nothing_fixed()).iter().map(|plan| serde_json::to_string(plan).unwrap()).collect();
        assert_eq!(texts.len(), 500);
        let again = serde_json::to_string(&draw(&nothing_fixed(), 7).unwrap()).unwrap();
        assert!(texts.contains(&again));
    }

    #[test]
    fn everything_comes_in_some_run_and_is_missing_in_another() {
        let plans = plans(&nothing_fixed());
        let share = |is: &dyn Fn(&Plan) -> bool| plans.iter().filter(|plan| is(plan)).count();
        for kind in System::Raft.faults(Place::Simulated) {
            let with = share(&|plan| plan.nemesis.contains(&kind) && !plan.schedule.entries.is_empty());
            assert!((100..350).contains(&with), "{kind}: {with} of 500");
        }
        for workload in Workload::KEY_VALUE {
            assert!(share(&|plan| plan.workload == *workload) > 100, "{workload}");
        }
        let raft = |plan: &Plan| plan.simulation.as_ref().unwrap().raft;
        for (what, count) in [
            ("no faults", share(&|plan| plan.nemesis.is_empty())),
            ("one kind", share(&|plan| plan.nemesis.len() == 1)),
            ("one node", share(&|plan| plan.nodes == 1)),
            ("four nodes", share(&|plan| plan.nodes == 4)),
            ("seven nodes", share(&|plan| plan.nodes == 7)),
            ("no pre-vote", share(&|plan| !raft(plan).pre_vote)),
            ("no check-quorum", share(&|plan| !raft(plan).check_quorum)),
            ("leases", share(&|plan| plan.lease_reads)),
            ("sessions", share(&|plan| plan.sessions)),
            ("transfers", share(&|plan| plan.simulation.as_ref().unwrap().traffic.transfer_every_us > 0)),
            ("bursts", share(&|plan| plan.simulation.as_ref().unwrap().traffic.burst_every_us > 0)),
            ("the worst majority", share(&|plan| plan.simulation.as_ref().unwrap().worst_majority)),
            ("late requests", share(&|plan| plan.simulation.as_ref().unwrap().network.client_straggler_ppm > 0)),
            ("lost requests", share(&|plan| plan.simulation.as_ref().unwrap().network.client_loss_ppm > 0)),
            ("many clients", share(&|plan| plan.clients > 15)),
            ("tiny snapshots", share(&|plan| plan.snapshot_entries <= 30)),
        ] {
            assert!((10..400).contains(&count), "{what}: {count} of 500");
        }
        assert!(share(&|plan| matches!(plan.nodes, 3 | 5)) > 300);
    }

    #[test]
    fn runs_stay_small() {
        for plan in plans(&nothing_fixed()) {
            assert!((2_000..=12_000).contains(&plan.time_limit_ms));
            assert!(u64::from(plan.rate) * plan.time_limit_ms / 1000 <= MOST_CALLS);
            assert!(plan.schedule.entries.iter().all(|entry| entry.end_ms() <= plan.time_limit_ms));
        }
    }

    #[test]
    fn what_is_fixed_stays_and_moves_nothing_else() {
        let fixed = Fixed {
            workload: Some(Workload::Append),
            clients: Some(9),
            rate: Some(77),
            operation_deadline_ms: Some(123),
            sessions: Some(true),
            ..nothing_fixed()
        };
        for (free, fixed) in plans(&nothing_fixed()).iter().zip(plans(&fixed)) {
            assert_eq!((fixed.workload, fixed.clients, fixed.rate), (Workload::Append, 9, 77));
            assert_eq!((fixed.operation_deadline_ms, fixed.sessions), (123, true));
            let (free, fixed) = (saved(free), saved(&fixed));
            let moved: Vec<&String> = free.keys().filter(|key| free[*key] != fixed[*key]).collect();
            let fixed = ["workload", "clients", "rate", "operation_deadline_ms", "sessions", "simulation"];
            assert!(moved.iter().all(|key| fixed.contains(&key.as_str())), "{moved:?}");
        }
    }

    #[test]
    fn a_cluster_has_the_nodes_that_its_faults_need_and_faults_that_its_nodes_can_have() {
        let partitions = Fixed { nemesis: Some(vec![FaultKind::Partition]), ..nothing_fixed() };
        assert!(plans(&partitions).iter().all(|plan| plan.nodes >= 2 && !plan.schedule.entries.is_empty()));
        let alone = Fixed { nodes: Some(1), ..nothing_fixed() };
        assert!(plans(&alone).iter().all(|plan| plan.nemesis.iter().all(|kind| kind.fewest_nodes() == 1)));
    }

    #[test]
    fn only_careful_clients_do_without_fencing_and_then_what_they_write_comes_soon() {
        let plans = plans(&Fixed::nothing_but(System::Lock, None));
        let unfenced: Vec<&Plan> = plans.iter().filter(|plan| !plan.lock_settings().fencing).collect();
        assert!((80..200).contains(&unfenced.len()), "{} of 500", unfenced.len());
        for plan in unfenced {
            assert!(plan.lock_settings().careful);
            assert_eq!(plan.simulation.as_ref().unwrap().network.client_straggler_ppm, 0);
            for entry in &plan.schedule.entries {
                assert!(!matches!(&entry.fault, Fault::Clock(clock) if clock.trouble.ahead_ms != 0));
            }
        }
        let (fencing, careful) = (Some(false), Some(false));
        let asked = FixedLock { fencing, careful, ..FixedLock::default() };
        let asked = Fixed { lock: asked, ..Fixed::nothing_but(System::Lock, None) };
        let plans = self::plans(&asked);
        assert!(plans.iter().all(|plan| !plan.lock_settings().fencing && !plan.lock_settings().careful));
        let held_up = |plan: &&Plan| plan.simulation.as_ref().unwrap().network.client_straggler_ppm > 0;
        assert!(plans.iter().filter(held_up).count() > 100, "who asks for it sees what fencing is for");
    }

    #[test]
    fn leases_get_clocks_that_they_can_count_on() {
        let fixed = Fixed { lease_reads: Some(true), nemesis: Some(vec![FaultKind::Clock]), ..nothing_fixed() };
        for plan in plans(&fixed) {
            assert!(plan.simulation.unwrap().raft.check_quorum);
            for entry in plan.schedule.entries {
                let rashomon_nemesis::Fault::Clock(clock) = entry.fault else { panic!("only clocks were asked for") };
                assert!(clock.trouble.ahead_ms == 0 && clock.trouble.rate_ppm.abs() <= 50_000);
            }
        }
    }
}
