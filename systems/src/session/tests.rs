mod bugs;

use super::*;

/// Adds up what it is told, so that anything applied twice shows.
#[derive(Clone, Debug, Default)]
struct Sum(u64);

impl StateMachine for Sum {
    type Query = ();
    type Answer = u64;

    fn apply(&mut self, _index: u64, command: &[u8]) -> u64 {
        self.0 += u64::from(command[0]);
        self.0
    }

    fn query(&self, (): &()) -> u64 {
        self.0
    }

    fn snapshot(&self) -> Bytes {
        self.0.to_le_bytes().to_vec().into()
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
        let bytes = snapshot.try_into().map_err(|_| RestoreError { reason: "8 bytes expected".into() })?;
        self.0 = u64::from_le_bytes(bytes);
        Ok(())
    }
}

fn sums(max_sessions: usize) -> Sessions<Sum> {
    Sessions::new(Sum::default(), SessionOptions { max_sessions, bug: None })
}

fn open(machine: &mut Sessions<Sum>, index: u64) -> SessionId {
    assert_eq!(machine.apply(index, &Command::Open.encode()), SessionAnswer::Opened(SessionId(index)));
    SessionId(index)
}

fn add(
    machine: &mut Sessions<Sum>,
    index: u64,
    session: SessionId,
    sequence: u64,
    awaiting: u64,
) -> SessionAnswer<u64> {
    machine.apply(index, &Command::InSession { session, sequence, awaiting, command: &[1] }.encode())
}

#[test]
fn a_retry_gets_the_first_answer_and_changes_nothing() {
    let mut machine = sums(4);
    let session = open(&mut machine, 1);
    assert_eq!(add(&mut machine, 2, session, 1, 1), SessionAnswer::Answer(1));
    assert_eq!(add(&mut machine, 3, session, 2, 1), SessionAnswer::Answer(2));
    assert_eq!(add(&mut machine, 4, session, 1, 1), SessionAnswer::Answer(1));
    assert_eq!(machine.query(&()), SessionAnswer::Answer(2));
}

#[test]
fn a_command_without_a_session_is_applied_each_time() {
    let mut machine = sums(4);
    for index in 1..=2 {
        machine.apply(index, &Command::Once { command: &[1] }.encode());
    }
    assert_eq!(machine.query(&()), SessionAnswer::Answer(2));
}

#[test]
fn pipelined_commands_may_come_in_any_order() {
    let mut machine = sums(4);
    let session = open(&mut machine, 1);
    assert_eq!(add(&mut machine, 2, session, 3, 1), SessionAnswer::Answer(1));
    assert_eq!(add(&mut machine, 3, session, 1, 1), SessionAnswer::Answer(2));
    assert_eq!(add(&mut machine, 4, session, 3, 2), SessionAnswer::Answer(1));
    assert_eq!(add(&mut machine, 5, session, 1, 1), SessionAnswer::Refused(SessionRefusal::StaleSequence));
    assert_eq!(machine.query(&()), SessionAnswer::Answer(2));
}

#[test]
fn a_lower_sequence_of_a_client_that_does_not_pipeline_is_refused() {
    let mut machine = sums(4);
    let session = open(&mut machine, 1);
    add(&mut machine, 2, session, 1, 1);
    add(&mut machine, 3, session, 2, 2);
    assert_eq!(add(&mut machine, 4, session, 1, 1), SessionAnswer::Refused(SessionRefusal::StaleSequence));
}

#[test]
fn an_unknown_session_is_refused_and_not_opened() {
    let mut machine = sums(4);
    let refused = SessionAnswer::Refused(SessionRefusal::UnknownSession);
    assert_eq!(add(&mut machine, 1, SessionId(7), 1, 1), refused);
    assert_eq!(add(&mut machine, 2, SessionId(7), 1, 1), refused);
    assert_eq!(machine.query(&()), SessionAnswer::Answer(0));
}

#[test]
fn the_session_whose_last_use_is_oldest_in_the_log_expires() {
    let mut machine = sums(2);
    let first = open(&mut machine, 1);
    let second = open(&mut machine, 2);
    add(&mut machine, 3, first, 1, 1);
    let third = open(&mut machine, 4);
    assert_eq!(add(&mut machine, 5, second, 1, 1), SessionAnswer::Refused(SessionRefusal::UnknownSession));
    assert_eq!(add(&mut machine, 6, first, 1, 1), SessionAnswer::Answer(1));
    assert_eq!(add(&mut machine, 7, third, 1, 1), SessionAnswer::Answer(2));
}

#[test]
fn a_session_does_not_remember_without_bound() {
    let mut machine = sums(2);
    let session = open(&mut machine, 1);
    let limit = MAX_AWAITED as u64;
    for sequence in 1..=limit {
        add(&mut machine, 1 + sequence, session, sequence, 1);
    }
    let refused = SessionAnswer::Refused(SessionRefusal::TooManyAwaited);
    assert_eq!(add(&mut machine, limit + 2, session, limit + 1, 1), refused);
    assert_eq!(add(&mut machine, limit + 3, session, limit + 1, 2), SessionAnswer::Answer(limit + 1));
}

#[test]
fn the_session_table_is_part_of_the_snapshot() {
    let mut machine = sums(2);
    let first = open(&mut machine, 1);
    let second = open(&mut machine, 2);
    add(&mut machine, 3, first, 1, 1);
    let mut restored = sums(2);
    restored.restore(&machine.snapshot()).unwrap();
    assert_eq!(restored.snapshot(), machine.snapshot());
    assert_eq!(add(&mut restored, 4, first, 1, 1), SessionAnswer::Answer(1));
    open(&mut restored, 5);
    assert_eq!(add(&mut restored, 6, second, 1, 1), SessionAnswer::Refused(SessionRefusal::UnknownSession));
}

#[test]
fn what_is_no_command_or_no_snapshot_is_refused() {
    let mut machine = sums(2);
    let session = open(&mut machine, 1);
    let malformed = SessionAnswer::Refused(SessionRefusal::Malformed);
    assert_eq!(machine.apply(2, &[0xff, 0xff]), malformed);
    assert_eq!(add(&mut machine, 3, session, 1, 2), malformed);
    let before = machine.snapshot();
    for length in 0..before.len() {
        assert!(machine.restore(&before[..length]).is_err(), "{length} bytes");
    }
    assert_eq!(machine.snapshot(), before);
}
