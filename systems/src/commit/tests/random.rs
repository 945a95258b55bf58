//! Random runs: whatever happens, the right protocols keep their promises.

use rashomon_checker::transactions::Consistency;
use rashomon_history::{Operation, Outcome};

use super::super::{Config, Isolation, Protocol};
use super::faults::{Fault, torment};
use super::workload::{Kind, Workload, anomalies, bank_errors, consistency};
use super::world::World;
use crate::server::{Micros, NodeId};

/// A run of two seconds with faults, and the time after it in which all must come right.
pub(super) fn run(config: &Config, kind: Kind, faults: &[Fault], seed: u64) -> World {
    let mut world = World::new(config.clone(), Workload::new(kind), seed);
    world.pass(1_000);
    let until = world.cluster.now().after(2_000_000);
    world.add_clients(8, seed, until);
    if faults.is_empty() {
        world.pass_until(until);
    } else {
        torment(&mut world, faults, seed, until);
    }
    world.pass(6_000);
    world
}

pub(super) fn settings(protocol: Protocol, isolation: Isolation) -> Config {
    let nodes = match protocol {
        Protocol::TwoPhase | Protocol::ThreePhase => 4,
        Protocol::TwoPhaseRaft => 6,
    };
    let mut config = Config { isolation, ..Config::new(NodeId(1), nodes, protocol) };
    config.limits.records = 60;
    config
}

pub(super) fn acknowledged(operations: &[Operation]) -> usize {
    operations.iter().filter(|operation| matches!(operation.outcome, Outcome::Ok(_))).count()
}

/// Everything that is wrong with a run.
pub(super) fn complaints(world: &mut World, kind: Kind, level: Consistency) -> Vec<String> {
    let mut complaints = world.complaints();
    complaints.extend(match kind {
        Kind::Bank => bank_errors(world.operations()),
        Kind::Lists | Kind::Registers => anomalies(world.operations(), level),
    });
    complaints
}

fn keeps_its_promises(protocol: Protocol, isolation: Isolation, seeds: std::ops::Range<u64>) {
    let config = settings(protocol, isolation);
    let (mut acknowledged_operations, mut count) = (0, 0);
    for seed in seeds {
        let kind = match (seed % 3, isolation) {
            (0, _) => Kind::Lists,
            (1, _) => Kind::Registers,
            (_, Isolation::Serializable | Isolation::Snapshot) => Kind::Bank,
            (_, Isolation::ReadCommitted) => Kind::Lists,
        };
        let faults: &[Fault] = if seed % 10 == 0 { &[] } else { &Fault::ALL };
        let mut world = run(&config, kind, faults, seed);
        let complaints = complaints(&mut world, kind, consistency(isolation));
        assert!(complaints.is_empty(), "{protocol} {isolation} seed {seed}: {complaints:#?}");
        if faults.is_empty() {
            assert_eq!(world.cluster.observer().aborted_in_vain(), vec![], "seed {seed} (AC4)");
        }
        acknowledged_operations += acknowledged(world.operations());
        count += 1;
    }
    assert!(acknowledged_operations > count * 100, "{acknowledged_operations} in {count} runs");
}

/// So many seeds; more where the environment says so.
pub(super) fn seeds(usual: u64) -> std::ops::Range<u64> {
    let from = std::env::var("COMMIT_FROM").ok().and_then(|from| from.parse().ok()).unwrap_or(0);
    let count: u64 = std::env::var("COMMIT_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(usual);
    from..from + count
}

#[test]
fn two_phase_commit_with_locks_is_strictly_serializable() {
    keeps_its_promises(Protocol::TwoPhase, Isolation::Serializable, seeds(40));
}

#[test]
fn two_phase_commit_with_snapshots_keeps_strong_snapshot_isolation() {
    keeps_its_promises(Protocol::TwoPhase, Isolation::Snapshot, seeds(40));
}

#[test]
fn two_phase_commit_with_short_read_locks_keeps_read_committed() {
    keeps_its_promises(Protocol::TwoPhase, Isolation::ReadCommitted, seeds(40));
}

#[test]
fn a_group_of_coordinators_with_locks_is_strictly_serializable() {
    keeps_its_promises(Protocol::TwoPhaseRaft, Isolation::Serializable, seeds(40));
}

#[test]
fn a_group_of_coordinators_with_snapshots_keeps_strong_snapshot_isolation() {
    keeps_its_promises(Protocol::TwoPhaseRaft, Isolation::Snapshot, seeds(40));
}

#[test]
fn a_group_of_coordinators_with_short_read_locks_keeps_read_committed() {
    keeps_its_promises(Protocol::TwoPhaseRaft, Isolation::ReadCommitted, seeds(40));
}

/// Without any fault each level lets happen what the next one forbids, and nothing that it forbids itself.
#[test]
fn each_level_shows_the_anomalies_of_the_next() {
    let next = [
        (Isolation::Snapshot, Consistency::Serializable, "G2-item"),
        (Isolation::ReadCommitted, Consistency::SnapshotIsolation, "lost-update"),
    ];
    for (isolation, stricter, anomaly) in next {
        let config = settings(Protocol::TwoPhase, isolation);
        let mut broken = Vec::new();
        for seed in 0..5 {
            let mut world = run(&config, Kind::Lists, &[], seed);
            assert_eq!(complaints(&mut world, Kind::Lists, consistency(isolation)), Vec::<String>::new());
            broken.extend(anomalies(world.operations(), stricter));
        }
        assert!(broken.iter().any(|found| found.contains(anomaly)), "{isolation}: {broken:?}");
    }
}

#[test]
fn a_seed_tells_the_same_story_every_time() {
    let config = settings(Protocol::TwoPhaseRaft, Isolation::Serializable);
    let story = |seed| run(&config, Kind::Bank, &Fault::ALL, seed).recording.to_jsonl();
    assert_eq!(story(3), story(3));
    assert_ne!(story(3), story(4));
}

#[test]
fn without_faults_nothing_takes_long() {
    let config = settings(Protocol::TwoPhase, Isolation::Serializable);
    let world = run(&config, Kind::Bank, &[], 1);
    let slowest = world.operations().iter().filter_map(|operation| Some(operation.completed?.0 - operation.invoked.0));
    assert!(slowest.max().unwrap() < 100_000_000, "no more than 100 ms");
    assert!(world.cluster.now() > Micros(0));
}
