use std::collections::BTreeMap;

use super::*;
use crate::{Action, Choice, DiskTrouble, Node, Shape, StepKind};

const REAL: [FaultKind; 3] = [FaultKind::Partition, FaultKind::Kill, FaultKind::Pause];

fn usual(nodes: u16) -> ScheduleOptions {
    ScheduleOptions::new(nodes, REAL.to_vec(), 30_000)
}

/// All kinds, and short.
fn simulated(nodes: u16) -> ScheduleOptions {
    ScheduleOptions {
        kinds: FaultKind::ALL.to_vec(),
        duration_ms: RangeMs { min: 50, max: 900 },
        quiet_ms: RangeMs { min: 0, max: 300 },
        time_limit_ms: 10_000,
        ..usual(nodes)
    }
}

#[test]
fn the_same_seed_gives_the_same_schedule() {
    let drawn = Schedule::draw(&usual(5), 7).unwrap();
    assert_eq!(drawn, Schedule::draw(&usual(5), 7).unwrap());
    assert_ne!(drawn, Schedule::draw(&usual(5), 8).unwrap());
    let text = serde_json::to_string(&drawn).unwrap();
    assert_eq!(serde_json::from_str::<Schedule>(&text).unwrap(), drawn);
}

#[test]
fn thirty_seconds_hold_every_kind_twice_and_one_of_each_for_the_leader() {
    for seed in 0..500 {
        let schedule = Schedule::draw(&usual(5), seed).unwrap();
        assert!((8..=12).contains(&schedule.entries.len()), "seed {seed}: {} faults", schedule.entries.len());
        for kind in REAL {
            let of_kind: Vec<_> = schedule.entries.iter().filter(|entry| entry.fault.kind() == kind).collect();
            assert!(of_kind.len() >= 2, "seed {seed}: {kind} comes {} times", of_kind.len());
            assert!(of_kind.iter().any(|entry| entry.fault.wants_leader()), "seed {seed}: {kind} spares the leader");
        }
    }
}

#[test]
fn thirty_seconds_hold_a_split_in_halves() {
    for seed in 0..500 {
        let schedule = Schedule::draw(&usual(5), seed).unwrap();
        let is_split = |entry: &ScheduledFault| match &entry.fault {
            Fault::Partition(partition) => matches!(partition.shape, Shape::Halves | Shape::RandomHalves),
            _ => false,
        };
        assert!(schedule.entries.iter().any(is_split), "seed {seed}: {schedule:?}");
    }
}

#[test]
fn faults_keep_their_times() {
    for seed in 0..200 {
        for time_limit_ms in [1000, 2200, 5000, 13_300, 30_000, 300_000] {
            let options = ScheduleOptions { time_limit_ms, ..usual(5) };
            let schedule = Schedule::draw(&options, seed).unwrap();
            assert_eq!(schedule.entries.is_empty(), time_limit_ms < 2200);
            let mut free_from = 0;
            for entry in &schedule.entries {
                assert!((700..=1500).contains(&(entry.at_ms - free_from)), "seed {seed}: {entry:?}");
                assert!((1500..=3500).contains(&entry.duration_ms), "seed {seed}: {entry:?}");
                free_from = entry.end_ms();
            }
            assert!(free_from <= time_limit_ms, "seed {seed}");
        }
    }
}

#[test]
fn a_short_run_covers_what_fits() {
    let schedule = Schedule::draw(&ScheduleOptions { time_limit_ms: 6600, ..usual(5) }, 3).unwrap();
    assert_eq!(schedule.kinds().len(), 3);
    let one = Schedule::draw(&ScheduleOptions { time_limit_ms: 2500, ..usual(5) }, 3).unwrap();
    assert_eq!(one.entries.len(), 1);
    assert!(one.entries[0].fault.wants_leader());
}

#[test]
fn every_shape_and_choice_comes_and_names_only_members() {
    for nodes in [2, 3, 4, 5, 7, 9] {
        let kinds = FaultKind::ALL.to_vec();
        let options = ScheduleOptions { time_limit_ms: 900_000, kinds, ..usual(nodes) };
        let schedule = Schedule::draw(&options, u64::from(nodes)).unwrap();
        let mut shapes: BTreeMap<Shape, usize> = BTreeMap::new();
        let members: BTreeSet<Node> = Node::all(nodes).collect();
        for entry in &schedule.entries {
            let targets = match entry.fault.resolve(None, nodes) {
                Action::Cut(grudge) => grudge.edges().flat_map(|(from, to)| [from, to]).collect(),
                Action::Packets(links, _) => links.0.into_iter().flat_map(|(from, to)| [from, to]).collect(),
                Action::Kill(nodes)
                | Action::Pause(nodes)
                | Action::PowerOff(nodes)
                | Action::Disks(nodes, _)
                | Action::Clocks(nodes, _)
                | Action::Remove(nodes) => nodes,
                Action::PauseClients(clients) => {
                    let known = |number: &u16| *number < options.clients;
                    assert!(!clients.0.is_empty() && clients.0.iter().all(known), "{clients}");
                    continue;
                }
            };
            assert!(!targets.is_empty() && targets.is_subset(&members), "{}", entry.fault);
            if let Fault::Partition(partition) = &entry.fault {
                *shapes.entry(partition.shape).or_default() += 1;
            }
        }
        let fitting: BTreeSet<Shape> = Shape::ALL.into_iter().filter(|shape| shape.fewest_nodes() <= nodes).collect();
        assert_eq!(shapes.keys().copied().collect::<BTreeSet<_>>(), fitting, "{nodes} nodes");
    }
}

#[test]
fn sizes_are_what_the_choice_says() {
    let options = ScheduleOptions { kinds: vec![FaultKind::Kill], time_limit_ms: 200_000, ..usual(5) };
    let schedule = Schedule::draw(&options, 1).unwrap();
    let sizes: BTreeMap<Choice, usize> = schedule
        .entries
        .iter()
        .filter_map(|entry| match &entry.fault {
            Fault::Kill(target) => Some((target.choice, target.nodes.len())),
            _ => None,
        })
        .collect();
    let expected =
        [(Choice::One, 1), (Choice::Minority, 2), (Choice::Majority, 3), (Choice::All, 5), (Choice::Leader, 1)];
    assert_eq!(sizes, BTreeMap::from(expected));
}

#[test]
fn options_that_make_no_sense_are_refused() {
    assert_eq!(Schedule::draw(&usual(0), 1), Err(ScheduleError::NoNodes));
    assert_eq!(Schedule::draw(&usual(1), 1), Err(ScheduleError::TooFewNodes { kind: FaultKind::Partition }));
    let backwards = ScheduleOptions { quiet_ms: RangeMs { min: 2, max: 1 }, ..usual(5) };
    assert!(matches!(Schedule::draw(&backwards, 1), Err(ScheduleError::EmptyRange { .. })));
    let alone = ScheduleOptions { kinds: vec![FaultKind::Kill, FaultKind::Pause], ..usual(1) };
    assert!(Schedule::draw(&alone, 1).unwrap().entries.len() >= 8);
    let calm = ScheduleOptions { kinds: vec![], ..usual(5) };
    assert_eq!(Schedule::draw(&calm, 1), Ok(Schedule::default()));
}

#[test]
fn ten_seconds_of_short_faults_hold_all_kinds_and_one_of_each_for_the_leader() {
    for seed in 0..300 {
        for lanes in [1, 3] {
            let schedule = Schedule::draw(&ScheduleOptions { lanes, ..simulated(5) }, seed).unwrap();
            assert!(schedule.entries.len() >= 16 * usize::from(lanes), "{} faults", schedule.entries.len());
            for kind in FaultKind::ALL {
                let of_kind = schedule.entries.iter().filter(|entry| entry.fault.kind() == kind);
                let for_leader = of_kind.clone().filter(|entry| entry.fault.wants_leader()).count();
                let least_for_leader = usize::from(kind != FaultKind::Client);
                assert!(of_kind.count() >= 2 && for_leader >= least_for_leader, "seed {seed}: {kind}");
            }
        }
    }
}

#[test]
fn as_many_faults_overlap_as_there_are_lanes() {
    for lanes in 1..=4 {
        let schedule = Schedule::draw(&ScheduleOptions { lanes, ..simulated(5) }, 5).unwrap();
        assert!(schedule.entries.is_sorted_by_key(|entry| entry.at_ms));
        let mut active = 0_u16;
        let mut most = 0;
        for step in schedule.timeline() {
            active = if step.kind == StepKind::Begin { active + 1 } else { active - 1 };
            most = most.max(active);
            assert!(step.at_ms <= 10_000);
        }
        assert_eq!(most, lanes);
    }
}

#[test]
fn times_of_nothing_are_times_too() {
    for (max, lanes) in [(0, 1), (0, 3), (1, 2), (40, 1)] {
        let (duration_ms, quiet_ms) = (RangeMs { min: 0, max }, RangeMs { min: 0, max: 0 });
        let options = ScheduleOptions { duration_ms, quiet_ms, lanes, time_limit_ms: 300, ..simulated(3) };
        let schedule = Schedule::draw(&options, 1).unwrap();
        assert!(!schedule.entries.is_empty() && schedule.entries.iter().all(|entry| entry.end_ms() <= 300));
    }
}

#[test]
fn bits_flip_on_one_disk_that_the_others_outvote() {
    let mut flips = 0;
    for nodes in 1..=7 {
        for seed in 0..50 {
            let options = ScheduleOptions { kinds: vec![FaultKind::Disk], ..simulated(nodes) };
            let schedule = Schedule::draw(&options, seed).unwrap();
            let flipped: BTreeSet<Node> = schedule
                .entries
                .iter()
                .filter_map(|entry| match entry.fault.resolve(None, nodes) {
                    Action::Disks(disks, DiskTrouble::BitFlip) => Some(disks),
                    _ => None,
                })
                .flatten()
                .collect();
            assert!(flipped.len() <= usize::from(nodes >= 3), "{nodes} nodes, seed {seed}: {flipped:?}");
            flips += flipped.len();
        }
    }
    assert!(flips > 200, "{flips}");
}

#[test]
fn troubles_keep_their_bounds_and_are_never_nothing() {
    let options =
        ScheduleOptions { longest_delay_us: 7_000, clock_rate_ppm: 900, clock_ahead_ms: 3, lanes: 4, ..simulated(5) };
    let mut seen = BTreeSet::new();
    for seed in 0..100 {
        for entry in Schedule::draw(&options, seed).unwrap().entries {
            match entry.fault {
                Fault::Packet(packet) => {
                    let trouble = packet.trouble;
                    assert!(trouble.delay_min_us <= trouble.delay_max_us && trouble.delay_max_us <= 7_000);
                    assert!(trouble.delay_max_us > 0 || trouble.loss_per_mille > 0 || trouble.duplicate_per_mille > 0);
                    seen.insert(format!("{:?}", std::mem::discriminant(&packet.on)));
                }
                Fault::Disk(disk) => {
                    seen.insert(format!("{:?}", std::mem::discriminant(&disk.trouble)));
                    if let DiskTrouble::SlowSync { us } = disk.trouble {
                        assert!((1..=7_000).contains(&us));
                    }
                }
                Fault::Clock(clock) => {
                    assert!((90..=900).contains(&clock.trouble.rate_ppm.unsigned_abs()) && clock.trouble.ahead_ms <= 3);
                }
                _ => {}
            }
        }
    }
    assert_eq!(seen.len(), 4, "{seen:?}");
}

#[test]
fn a_fault_at_the_leader_may_have_a_companion_that_meets_the_same_leader() {
    let options = ScheduleOptions { companion_percent: 100, leader_percent: 50, ..simulated(5) };
    let mut one_way = 0;
    for seed in 0..50 {
        let alone = Schedule::draw(&ScheduleOptions { companion_percent: 0, ..options.clone() }, seed).unwrap();
        let schedule = Schedule::draw(&options, seed).unwrap();
        let at_leader = |entry: &&ScheduledFault| entry.fault.wants_leader();
        let (before, now) = (alone.entries.len(), schedule.entries.len());
        assert_eq!(now - before, alone.entries.iter().filter(at_leader).count(), "seed {seed}");
        assert!(schedule.entries.is_sorted_by_key(|entry| entry.at_ms));
        for companion in schedule.entries.iter().filter(|entry| !alone.entries.contains(entry)) {
            let meets = |other: &&ScheduledFault| {
                other.fault.kind() != companion.fault.kind()
                    && (other.at_ms..=other.end_ms()).contains(&companion.at_ms)
            };
            assert!(alone.entries.iter().filter(at_leader).any(|other| meets(&other)), "seed {seed}: {companion:?}");
            assert!(companion.end_ms() <= 10_000, "seed {seed}: {companion:?}");
            one_way += usize::from(companion.fault.to_string().contains("one-way"));
        }
    }
    assert!(one_way > 50, "{one_way}");
}
