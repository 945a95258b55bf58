//! The simulated world, from the command line.

use std::collections::BTreeSet;
use std::fs;

use crate::rashomon::{Run, ask};

const SIM: [&str; 3] = ["raft", "--world", "sim"];

fn simulate(arguments: &[&str]) -> Run {
    Run::new(&[&SIM, arguments].concat())
}

/// The files of a simulated run that depend on nothing but the plan.
fn files_of(seed: u64) -> [Vec<u8>; 2] {
    let run = simulate(&["--seed", &seed.to_string()]);
    run.expect_verdict("valid", 0);
    let folder = run.folder();
    ["history.jsonl", "plan.json"].map(|file| fs::read(folder.join(file)).expect("a run leaves this file"))
}

#[test]
fn a_hundred_seeds_give_the_same_bytes_in_two_processes() {
    let mut bytes = 0;
    let mut histories = BTreeSet::new();
    for seed in 0..100 {
        let [[history, plan], again] = [files_of(seed), files_of(seed)];
        assert!([&history, &plan] == [&again[0], &again[1]], "seed {seed} does not repeat");
        bytes += history.len();
        histories.insert(history);
    }
    assert!(bytes > 1_000_000, "only {bytes} bytes of histories were compared");
    assert_eq!(histories.len(), 100, "each seed is another run");
}

#[test]
fn a_swarm_counts_its_runs_and_tells_which_faults_bit() {
    let run = simulate(&["--seed", "1", "--count", "200", "--nemesis", "all"]);
    let told = &run.answer.stdout;
    assert_eq!(run.answer.code, Some(0), "{told}");
    assert!(told.starts_with("200 valid, 0 invalid, 0 unknown of 200 runs"), "{told}");
    for kind in ["partition", "kill", "pause", "power", "packet", "disk", "clock", "membership"] {
        let faults = told.lines().find(|line| line.starts_with("faults")).expect("the faults are told");
        assert!(faults.contains(&format!("{kind} ")) && !faults.contains(&format!("{kind} 0 ")), "{faults}");
    }
}

#[test]
fn a_swarm_stops_at_the_first_violation_and_prints_the_command_that_repeats_it() {
    let swarm = simulate(&["--seed", "1", "--count", "2000", "--bug", "RR-02"]);
    let told = &swarm.answer.stdout;
    assert_eq!(swarm.answer.code, Some(1), "{told}");
    let is_command = |line: &&str| line.trim().starts_with("rashomon test raft --world sim");
    let command = told.lines().find(is_command).expect("the command is printed");
    let words: Vec<&str> = command.split_whitespace().skip(2).collect();
    let again = Run::new(&words);
    assert_eq!(again.answer.code, Some(1), "{}", again.answer.stdout);
    let [first, second] = [&swarm, &again].map(|run| fs::read(run.folder().join("history.jsonl")).expect("a history"));
    assert!(first == second, "{command}");
}

#[test]
fn a_log_without_fsync_loses_nothing_when_it_is_killed_and_is_found_when_the_power_fails() {
    let swarm = |nemesis: &str| simulate(&["--seed", "1", "--count", "150", "--bug", "RD-01", "--nemesis", nemesis]);
    let killed = swarm("kill");
    assert_eq!(killed.answer.code, Some(0), "the page cache survives a kill: {}", killed.answer.stdout);
    let lost = swarm("power");
    assert_eq!(lost.answer.code, Some(1), "{}", lost.answer.stdout);
}

#[test]
fn a_fault_that_only_a_simulation_can_do_is_refused_elsewhere() {
    let answer = ask(&["test", "raft", "--nemesis", "power"]);
    assert_eq!(answer.code, Some(254));
    assert!(answer.stderr.contains("power"), "{}", answer.stderr);
}
