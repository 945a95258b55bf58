//! Plans that are carried out again.

use std::fs;
use std::path::Path;

use crate::rashomon::{Answer, Run, ask, can_build_sandboxes, rashomon, read_json};

/// Carries out a plan again, with a results folder of its own.
fn replay(run: &Path, out: &Path) -> Answer {
    rashomon(&["replay", run.to_str().unwrap()]).arg("--out").arg(out).output().unwrap().into()
}

#[test]
fn a_run_of_real_servers_is_carried_out_again_and_says_that_it_is_not_exact() {
    if !can_build_sandboxes() {
        return;
    }
    let run = Run::new(&["raft", "--nodes", "3", "--nemesis", "kill", "--time-limit", "8s", "--seed", "11"]);
    let out = tempfile::tempdir().unwrap();
    let answer = replay(&run.folder(), out.path());
    assert_eq!(answer.code, Some(0), "{}{}", answer.stdout, answer.stderr);
    assert!(answer.stderr.contains("the run will differ"), "{}", answer.stderr);
    let plan = |folder: &Path| read_json(&folder.join("plan.json"));
    assert_eq!(plan(&out.path().join("latest")), plan(&run.folder()));
}

/// A simulated run of a second or two.
fn simulated(seed: &str, more: &[&str]) -> Run {
    Run::new(&[&["raft", "--world", "sim", "--seed", seed], more].concat())
}

#[test]
fn a_simulated_run_is_carried_out_again_byte_for_byte() {
    for (seed, more) in [("21", &["--workload", "register"][..]), ("22", &["--bug", "RR-02", "--workload", "register"])]
    {
        let run = simulated(seed, more);
        let out = tempfile::tempdir().unwrap();
        let answer = replay(&run.folder(), out.path());
        assert_eq!(answer.code, run.answer.code, "{}{}", answer.stdout, answer.stderr);
        let history = |folder: &Path| fs::read(folder.join("history.jsonl")).unwrap();
        assert!(history(&run.folder()).len() > 1000);
        assert_eq!(history(&out.path().join("latest")), history(&run.folder()));
        assert!(answer.stdout.contains("byte for byte"), "{}", answer.stdout);
        assert_eq!(answer.stderr, "");
    }
}

#[test]
fn a_replay_says_where_the_history_parts_from_the_one_beside_the_plan() {
    let run = simulated("23", &[]);
    let history = run.folder().join("history.jsonl");
    let text = fs::read_to_string(&history).unwrap();
    fs::write(&history, text.replace("{\"index\":9,", "{\"index\": 9,")).unwrap();
    let out = tempfile::tempdir().unwrap();
    let answer = replay(&run.folder().join("plan.json"), out.path());
    assert!(answer.stdout.contains("they part at line 10"), "{}", answer.stdout);
    fs::remove_file(&history).unwrap();
    let answer = replay(&run.folder(), out.path());
    assert!(answer.stdout.contains("no history beside the plan"), "{}", answer.stdout);
}

#[test]
fn a_plan_of_another_version_runs_and_says_that_it_may_differ() {
    let run = simulated("24", &[]);
    let plan = run.folder().join("plan.json");
    let mut older = read_json(&plan);
    older["rashomon_version"] = "0.0.1".into();
    fs::write(&plan, older.to_string()).unwrap();
    let out = tempfile::tempdir().unwrap();
    let answer = replay(&plan, out.path());
    assert_eq!(answer.code, run.answer.code, "{}{}", answer.stdout, answer.stderr);
    assert!(answer.stderr.contains("rashomon 0.0.1 drew this plan"), "{}", answer.stderr);
}

#[test]
fn the_newest_run_can_be_replayed_into_the_same_results() {
    let run = simulated("25", &[]);
    let first = run.folder();
    let results = first.parent().and_then(Path::parent).unwrap();
    let answer = replay(&results.join("latest"), results);
    assert!(answer.stdout.contains("byte for byte"), "{}", answer.stdout);
    assert_ne!(run.folder(), first);
}

#[test]
fn a_plan_that_can_not_be_carried_out_is_one_clear_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.json");
    let out = folder.path().join("out");
    for (text, expected) in [
        (r#"{"plan_version": 99, "rashomon_version": "9.9.9"}"#, "plan_version 99"),
        (r#"{"plan_version": 1, "system": "paxos"}"#, "no system \"paxos\""),
        (r#"{"plan_version": 1, "bug": "RR-99"}"#, "no planted bug \"RR-99\""),
        (r#"{"plan_version": 1, "nemesis": ["meteor"]}"#, "unknown fault \"meteor\""),
        ("never", "not JSON"),
    ] {
        fs::write(&path, text).unwrap();
        let answer = replay(&path, &out);
        assert_eq!((answer.code, answer.stdout.as_str()), (Some(254), ""), "{text}: {}", answer.stderr);
        assert_eq!(answer.stderr.lines().count(), 1, "{}", answer.stderr);
        assert!(answer.stderr.contains(expected) && answer.stderr.contains("plan.json"), "{}", answer.stderr);
        assert!(!out.exists(), "nothing is written");
    }
    let answer = ask(&["replay", folder.path().join("nowhere").to_str().unwrap()]);
    assert_eq!(answer.code, Some(254), "{}", answer.stderr);
}
