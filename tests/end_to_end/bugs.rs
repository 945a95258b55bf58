//! Every planted bug is found, with a witness that a person can follow.

use crate::rashomon::{Run, can_build_sandboxes};

/// A bug may hide once: the schedule of a seed repeats, the timing does not.
const TRIES: u64 = 3;

fn is_found(bug: &str, nodes: &str) {
    if !can_build_sandboxes() {
        return;
    }
    for seed in 1..=TRIES {
        let run =
            Run::new(&["raft", "--bug", bug, "--nodes", nodes, "--seed", &seed.to_string(), "--time-limit", "20s"]);
        if run.answer.code != Some(1) {
            println!("{bug} was not found with seed {seed}: {:?}", run.answer.code);
            continue;
        }
        run.expect_verdict("invalid", 1);
        let verdict = run.verdict();
        let witness = verdict["witness"].as_array().expect("a witness");
        assert!((1..=6).contains(&witness.len()), "{witness:?}");
        let explanation = verdict["anomalies"][0]["explanation"].as_str().unwrap_or_default();
        assert!(explanation.contains("process "), "{explanation}");
        assert!(run.answer.stdout.contains(&format!("--bug {bug}")), "how to run it again: {}", run.answer.stdout);
        return;
    }
    panic!("{bug} was not found in {TRIES} runs");
}

#[test]
fn rr_01_a_leader_that_answers_reads_without_asking_a_majority() {
    is_found("RR-01", "5");
}

#[test]
fn rr_02_a_follower_that_answers_reads() {
    is_found("RR-02", "5");
}

#[test]
fn rl_11_a_leader_that_acknowledges_before_a_quorum_has_the_entry() {
    is_found("RL-11", "5");
}

#[test]
fn re_12_a_majority_of_half() {
    is_found("RE-12", "5");
}
