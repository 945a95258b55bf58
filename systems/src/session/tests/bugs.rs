//! Each planted bug of sessions, in the shortest story that shows it.

use super::*;
use crate::server::Micros;

fn planted(bug: Bug, max_sessions: usize) -> Sessions<Sum> {
    Sessions::new(Sum::default(), SessionOptions { max_sessions, bug: Some(bug) })
}

fn sum(machine: &Sessions<Sum>) -> u64 {
    machine.machine().0
}

fn command(session: SessionId, sequence: u64) -> Bytes {
    Command::InSession { session, sequence, awaiting: sequence, command: &[1] }.encode()
}

#[test]
fn without_a_look_at_what_was_answered_a_retry_is_applied_again() {
    for bug in [Bug::RX01, Bug::RX02, Bug::RX03] {
        let mut machine = planted(bug, 4);
        let session = open(&mut machine, 1);
        add(&mut machine, 2, session, 1, 1);
        add(&mut machine, 3, session, 1, 1);
        assert_eq!(sum(&machine), 2, "{bug}");
    }
}

#[test]
fn a_leader_that_looks_before_the_log_finds_what_was_answered_since_it_leads() {
    for (bug, kept) in [(Bug::RX02, None), (Bug::RX03, Some(SessionAnswer::Answer(1)))] {
        let mut machine = planted(bug, 4);
        let session = open(&mut machine, 1);
        assert_eq!(machine.remembered(&command(session, 1)), None);
        add(&mut machine, 2, session, 1, 1);
        assert_eq!(machine.remembered(&command(session, 1)), Some(SessionAnswer::Answer(1)), "{bug}");
        machine.overhear(Local::Leads);
        assert_eq!(machine.remembered(&command(session, 1)), kept, "{bug}");
    }
}

#[test]
fn replicas_with_other_clocks_forget_other_sessions() {
    let run = |later_us: u64| {
        let mut machine = planted(Bug::RX04, 4);
        let session = open(&mut machine, 1);
        machine.overhear(Local::Clock(Micros(5)));
        add(&mut machine, 2, session, 1, 1);
        machine.overhear(Local::Clock(Micros(5 + later_us)));
        add(&mut machine, 3, session, 2, 2);
        sum(&machine)
    };
    assert_eq!((run(999_999), run(1_000_000)), (2, 1));
}

#[test]
fn an_expired_session_that_is_opened_again_has_forgotten_what_it_did() {
    let mut machine = planted(Bug::RX05, 1);
    let session = open(&mut machine, 1);
    add(&mut machine, 2, session, 1, 1);
    open(&mut machine, 3);
    add(&mut machine, 4, session, 1, 1);
    assert_eq!(sum(&machine), 2);
}

#[test]
fn a_session_that_knows_its_last_command_only_takes_an_earlier_one_for_new() {
    let mut machine = planted(Bug::RX06, 4);
    let session = open(&mut machine, 1);
    add(&mut machine, 2, session, 1, 1);
    add(&mut machine, 3, session, 2, 2);
    add(&mut machine, 4, session, 2, 2);
    assert_eq!(sum(&machine), 2);
    add(&mut machine, 5, session, 1, 1);
    assert_eq!(sum(&machine), 3);
}

#[test]
fn after_a_snapshot_without_answers_a_retry_is_applied_again() {
    let mut machine = planted(Bug::RS07, 4);
    let session = open(&mut machine, 1);
    add(&mut machine, 2, session, 1, 1);
    let snapshot = machine.snapshot();
    machine.restore(&snapshot).unwrap();
    add(&mut machine, 3, session, 1, 1);
    assert_eq!(sum(&machine), 2);
}
