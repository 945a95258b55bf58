//! The sandbox for real: every test here starts this test binary again, and that one goes into a sandbox.

mod harness;
mod scenarios;
mod vanish;

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;

use harness::{Scenario, inside, is_root, scenario_of_this_process};

/// A sandbox is entered before there is a second thread, and the test runner makes one at once. So what
/// [`harness::inside`] starts plays its scenario before `main`, and never gets there.
#[used]
#[unsafe(link_section = ".init_array")]
#[expect(unsafe_code, reason = "only the linker can put something before main")]
static BEFORE_MAIN: extern "C" fn() = play_scenario;

extern "C" fn play_scenario() {
    if let Some(scenario) = scenario_of_this_process() {
        scenarios::play(scenario);
    }
}

#[test]
fn five_nodes_and_the_controller_hear_each_other_and_nothing_else_is_there() {
    inside(Scenario::Network).succeeds();
}

#[test]
fn every_partition_cuts_its_edges_and_no_others_and_heals() {
    inside(Scenario::Partitions).succeeds();
}

#[test]
fn nodes_are_killed_started_again_paused_and_resumed() {
    inside(Scenario::Processes).succeeds();
}

#[test]
fn a_node_that_ends_by_itself_is_told_with_the_end_of_its_log() {
    inside(Scenario::UnexpectedExit).succeeds();
}

#[test]
fn a_nemesis_breaks_a_sandbox_and_sees_every_fault_bite() {
    inside(Scenario::Nemesis).succeeds();
}

#[test]
fn two_sandboxes_at_once_do_not_disturb_each_other() {
    let other = std::thread::spawn(|| inside(Scenario::Partitions).succeeds());
    inside(Scenario::Partitions).succeeds();
    other.join().unwrap();
}

#[test]
fn the_exit_code_is_that_of_the_controller() {
    if let Some(output) = inside(Scenario::ExitSeven).output() {
        assert_eq!(output.status.code(), Some(7), "{output:?}");
    }
}

#[test]
fn an_ordinary_user_can_do_all_of_it_and_owns_the_files() {
    const USER: u32 = 54_321;
    if !is_root() {
        println!("skipped: only root can become an ordinary user; the other tests ran as one already");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("tests");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    for scenario in [Scenario::Partitions, Scenario::Processes] {
        let mut start = inside(scenario);
        start.program(&program).folder(&folder.path().join(scenario.name()));
        // Like a login shell of an ordinary user: no right, no sbin.
        start.command().uid(USER).gid(USER).env("PATH", "/usr/bin:/bin");
        if !start.succeeds() {
            return;
        }
    }
    let meta = folder.path().join("processes/n1/node.log").metadata().unwrap();
    assert_eq!((meta.uid(), meta.gid()), (USER, USER));
}
