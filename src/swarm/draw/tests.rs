//! What the plans of many seeds have in common, and what not.

use std::collections::BTreeSet;

use rashomon_nemesis::{Fault, Place};
use rashomon_workloads::Workload;

use super::load::MOST_CALLS;
use super::*;
use crate::swarm::FixedLock;

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
            let Fault::Clock(clock) = entry.fault else { panic!("only clocks were asked for") };
            assert!(clock.trouble.ahead_ms == 0 && clock.trouble.rate_ppm.abs() <= 50_000);
        }
    }
}
