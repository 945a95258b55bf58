//! Three-phase commit: right while only processes die, and wrong where slow is taken for dead.

use super::super::{Isolation, Protocol};
use super::faults::Fault;
use super::random::{complaints, run, settings};
use super::workload::{Kind, consistency};

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
    assert_eq!(broken(&[Fault::Kill], 0..60), Vec::<String>::new());
    assert_eq!(broken(&[], 0..3), Vec::<String>::new());
}

#[test]
fn partitions_break_agreement() {
    let broken = broken(&[Fault::Partition], 0..40);
    assert!(broken.iter().any(|complaint| complaint.contains("(AC1)")), "{broken:?}");
}

#[test]
fn machines_that_stand_still_break_agreement() {
    let broken = broken(&[Fault::Pause], 0..60);
    assert!(broken.iter().any(|complaint| complaint.contains("(AC1)")), "{broken:?}");
}
