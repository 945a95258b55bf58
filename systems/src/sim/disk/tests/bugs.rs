use super::lives::{Harm, many_nodes};
use super::*;
use crate::raft::Bug;

const PROCESS: &[Crash] = &[Crash::Process];
const POWER: &[Crash] = &[Crash::Power];

/// Under what each planted bug loses writes that were reported, or makes some up.
const CASES: [(Bug, &[Crash], Harm); 14] = [
    (Bug::RC06, PROCESS, Harm::Full),
    (Bug::RD01, POWER, Harm::Nothing),
    (Bug::RD02, POWER, Harm::Nothing),
    (Bug::RD03, POWER, Harm::Nothing),
    (Bug::RD04, POWER, Harm::Nothing),
    (Bug::RD05, PROCESS, Harm::Flips),
    (Bug::RD06, PROCESS, Harm::Flips),
    (Bug::RD07, PROCESS, Harm::Flips),
    (Bug::RD08, PROCESS, Harm::Nothing),
    (Bug::RD10, POWER, Harm::SyncErrors),
    (Bug::RD11, PROCESS, Harm::SyncErrors),
    (Bug::RS04, PROCESS, Harm::Nothing),
    (Bug::RS05, POWER, Harm::Nothing),
    (Bug::RS09, POWER, Harm::Nothing),
];

/// The first problem of a node with this bug that is more than a refusal to start.
fn wrong_contents(bug: Bug, crashes: &'static [Crash], harm: Harm) -> Option<String> {
    (0..2000).find_map(|seed| {
        let mut node = lives::Node::new(seed, crashes);
        (node.options.bug, node.harm) = (Some(bug), harm);
        node.lives(12).err().filter(|problem| problem.contains("writes were reported"))
    })
}

#[test]
fn every_planted_bug_loses_what_was_reported_or_makes_something_up() {
    for (bug, crashes, harm) in CASES {
        let problem = wrong_contents(bug, crashes, harm);
        eprintln!("{bug}: {problem:?}");
        assert!(problem.is_some(), "{bug} was not found");
    }
}

#[test]
fn the_cases_are_all_bugs_of_the_log() {
    let expected: Vec<Bug> = Bug::ALL.into_iter().filter(|bug| bug.is_in_log_on_disk()).collect();
    assert_eq!(CASES.map(|(bug, ..)| bug).to_vec(), expected);
}

#[test]
fn the_right_log_stands_all_that_the_bugs_are_found_by() {
    for crashes in [PROCESS, POWER, &[Crash::Process, Crash::Power]] {
        for harm in [Harm::SyncErrors, Harm::Full, Harm::Flips] {
            let seen = many_nodes(300, crashes, |node| node.harm = harm);
            let seen = seen.unwrap_or_else(|problem| panic!("{crashes:?}, {harm:?}: {problem}"));
            assert!(seen.failed + seen.refused > 100, "{crashes:?}, {harm:?}: {seen:?}");
        }
    }
}

#[test]
fn a_log_without_syncs_loses_nothing_where_only_the_process_dies() {
    many_nodes(600, PROCESS, |node| node.options.bug = Some(Bug::RD01)).unwrap();
}
