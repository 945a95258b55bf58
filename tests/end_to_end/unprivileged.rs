//! The same as an ordinary user, who is made for the test.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::rashomon::{Answer, BINARY, can_build_sandboxes};

const USER: &str = "rashomon-test";

/// Makes the user when we are root; says why not where that is impossible.
fn user_exists() -> bool {
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if !is_root {
        println!("skipped: only root can make a user; the other tests run as an ordinary user already");
        return false;
    }
    let known = || Command::new("id").arg(USER).output().is_ok_and(|output| output.status.success());
    if !known() {
        let made = Command::new("useradd").args(["--system", "--no-create-home", USER]).output();
        println!("useradd: {made:?}");
    }
    if !known() {
        println!("skipped: the user {USER} can't be made");
    }
    known()
}

#[test]
fn an_ordinary_user_gets_the_same_verdict_and_owns_the_results() {
    if !can_build_sandboxes() || !user_exists() {
        return;
    }
    let folder = tempfile::tempdir_in("/var/tmp").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let binary = folder.path().join("rashomon");
    fs::copy(BINARY, &binary).unwrap();
    let results = folder.path().join("results");
    let run = |arguments: &[&str]| -> Answer {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", USER, "--regid", USER, "--clear-groups"]).arg(&binary).args(arguments);
        // The search path of an ordinary user, without the folders of the administrator.
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin").current_dir(folder.path());
        command.output().expect("setpriv starts").into()
    };
    let doctor = run(&["doctor"]);
    if doctor.code != Some(0) {
        println!("skipped: doctor says what an ordinary user lacks here:\n{}", doctor.stdout);
        assert!(doctor.stdout.contains("sysctl") || doctor.stdout.contains("apt-get"), "{}", doctor.stdout);
        return;
    }
    let arguments = ["test", "raft", "--time-limit", "12s", "--seed", "8", "--out", results.to_str().unwrap()];
    let answer = run(&arguments);
    assert_eq!(answer.code, Some(0), "{}\n{}", answer.stdout, answer.stderr);
    let verdict = crate::rashomon::read_json(&results.join("latest/verdict.json"));
    assert_eq!(verdict["verdict"], "valid");
    for kind in ["partition", "kill", "pause"] {
        assert!(verdict["statistics"]["faults"][kind]["bitten"].as_u64() >= Some(1), "{kind}");
    }
    let owner = |path: &std::path::Path| std::os::unix::fs::MetadataExt::uid(&fs::metadata(path).unwrap());
    assert_eq!(owner(&results.join("latest/report.html")), owner(&results), "the results belong to the user");
    assert_ne!(owner(&results), 0);
}
