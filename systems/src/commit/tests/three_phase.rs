//! Three-phase commit: right while only processes die, and wrong where slow is taken for dead.

use super::super::{Isolation, Protocol};
use super::claims::{stop_after_the_votes, world};
use super::faults::Fault;
use super::random::{complaints, run, seeds, settings};
use super::workload::{Kind, consistency};
use crate::server::NodeId;
use crate::sim::Disturbance;

fn broken(faults: &[Fault], seeds: std::ops::Range<u64>) -> Vec<String> {
    let config = settings(Protocol::ThreePhase, Isolation::Serializable);
    let of_seed = |seed| {
        let mut world = run(&config, Kind::Lists, faults, seed);
        let complaints = complaints(&mut world, Kind::Lists, consistency(Isolation::Serializable));
        complaints.into_iter().map(|complaint| format!("seed {seed}: {complaint}")).collect::<Vec<_>>()
    };
    seeds.flat_map(of_seed).collect()
}

#[test]
fn while_only_processes_die_all_is_well() {
    assert_eq!(broken(&[Fault::Kill], seeds(60)), Vec::<String>::new());
    assert_eq!(broken(&[], 0..3), Vec::<String>::new());
}

/// The last shard votes and hears no more, while the others are told that all have voted yes.
#[test]
fn a_partition_after_the_votes_breaks_agreement() {
    let mut world = world(Protocol::ThreePhase, Isolation::Serializable);
    let last = *world.config.shards.last().unwrap();
    stop_after_the_votes(&mut world, |world| {
        let cut = Disturbance { cut: true, ..Disturbance::default() };
        let others: Vec<NodeId> = world.cluster.nodes().filter(|node| *node != last).collect();
        others.into_iter().for_each(|other| world.cluster.disturb(other, last, cut));
    });
    world.pass(5_000);
    let complaints = world.complaints();
    let told = format!(
        "n1 decided to commit, knowing that all had voted yes, and {last} to abort, not knowing that all had voted yes (AC1)"
    );
    assert!(complaints.iter().any(|complaint| complaint.ends_with(&told)), "{complaints:?}");
}

#[test]
fn machines_that_stand_still_break_agreement() {
    let broken = broken(&[Fault::Pause], 0..60);
    assert!(broken.iter().any(|complaint| complaint.contains("(AC1)")), "{broken:?}");
}
