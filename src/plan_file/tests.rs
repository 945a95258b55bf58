use rashomon_systems::raft::Bug;

use super::*;

const PLAN: &str = r#"{
  "plan_version": 1, "rashomon_version": "0.1.0", "system": "raft", "workload": "register", "world": "netns",
  "nodes": 3, "clients": 6, "rate": 100, "time_limit_ms": 5000, "operation_deadline_ms": 1000, "seed": 7,
  "bug": "RR-01", "sessions": false, "lease_reads": false, "snapshot_entries": 1000, "nemesis": ["kill"],
  "schedule": [{"at_ms": 1000, "duration_ms": 500, "fault": {"kill": {"choice": "one", "nodes": [2]}}}]
}"#;

/// What is said about the plan with one part of it written otherwise.
fn complaint(part: &str, instead: &str) -> String {
    assert!(PLAN.contains(part), "{part}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.json");
    fs::write(&path, PLAN.replace(part, instead)).unwrap();
    let error = PlanFile::read(folder.path()).map(|file| format!("{file:?}")).unwrap_err();
    let text = format!("{error:#}");
    assert!(text.contains("plan.json can't be carried out: "), "{text}");
    assert!(!text.contains('\n'), "{text}");
    text
}

#[test]
fn a_plan_is_found_in_the_folder_of_its_run_and_by_its_own_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.json");
    fs::write(&path, PLAN).unwrap();
    for run in [folder.path(), &path] {
        let file = PlanFile::read(run).unwrap();
        assert_eq!((file.plan.seed, file.plan.bug, file.history()), (7, Some(PlantedBug::Raft(Bug::RR01)), None));
    }
    fs::write(folder.path().join("history.jsonl"), "").unwrap();
    assert_eq!(PlanFile::read(&path).unwrap().history(), Some(folder.path().join("history.jsonl")));
}

#[test]
fn what_is_no_plan_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let complaint = |path: &Path| format!("{:#}", PlanFile::read(path).unwrap_err());
    assert!(complaint(folder.path()).contains("holds no plan.json; name the folder of a run, or a plan"));
    assert!(complaint(&folder.path().join("nothing")).contains("nothing: No such file"));
    for (text, expected) in
        [("{", "it is not JSON"), ("[]", "it has no plan_version"), ("{}", "it has no plan_version")]
    {
        let path = folder.path().join("other.json");
        fs::write(&path, text).unwrap();
        assert!(complaint(&path).contains(expected), "{text}: {}", complaint(&path));
    }
}

#[test]
fn a_newer_format_is_told_with_who_wrote_it() {
    let text = complaint(
        r#""plan_version": 1, "rashomon_version": "0.1.0""#,
        r#""plan_version": 99, "rashomon_version": "9.9.9""#,
    );
    assert!(text.contains("plan_version 99") && text.contains("rashomon 9.9.9 drew it"), "{text}");
}

#[test]
fn unknown_names_are_answered_with_the_known_ones() {
    for (part, instead, expected) in [
        (r#""raft""#, r#""paxos""#, r#"there is no system "paxos"; known are raft"#),
        (r#""netns""#, r#""moon""#, r#"there is no world "moon"; known are "#),
        (r#""register""#, r#""regster""#, r#"there is no workload "regster"; known are register"#),
        (r#""RR-01""#, r#""RR-99""#, r#"there is no planted bug "RR-99""#),
        (r#"["kill"]"#, r#"["meteor"]"#, r#"unknown fault "meteor"; known are partition, kill"#),
        (r#"{"kill": {"#, r#"{"meteor": {"#, r#"unknown fault "meteor"; known are partition, kill"#),
    ] {
        let text = complaint(part, instead);
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn parts_that_are_missing_or_can_not_work_are_named() {
    for (part, instead, expected) in [
        (r#""clients": 6, "#, "", "it is no whole plan: missing field `clients`"),
        (r#""seed": 7"#, r#""seed": "seven""#, "it is no whole plan: invalid type: string \"seven\""),
        (r#""nodes": 3"#, r#""nodes": 0"#, "it has 0 nodes, not 1 to 9"),
        (r#""clients": 6"#, r#""clients": 0"#, "it has 0 clients, not 1 to 1000"),
        (r#""nodes": [2]"#, r#""nodes": [4]"#, "fault 0 is done to n4, and there are 3 nodes"),
        (r#"{"kill": {"#, r#"{"power": {"#, "fault 0 is of the kind power, which world netns can't do"),
    ] {
        let text = complaint(part, instead);
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn a_plan_of_another_version_is_read_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.json");
    for (version, expected) in [(env!("CARGO_PKG_VERSION"), None), ("0.0.9", Some("0.0.9"))] {
        fs::write(&path, PLAN.replace("0.1.0", version)).unwrap();
        assert_eq!(PlanFile::read(&path).unwrap().other_version(), expected);
    }
}
