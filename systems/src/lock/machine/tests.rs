//! What the replicated state does, command by command.

use super::*;
use crate::lock::command::{HolderView, WaiterView};

const TTL_MS: u64 = 1_000;
/// A lease, as the service counts it.
const LEASE_US: u64 = 1_200_000;

struct Driven {
    machine: LockMachine,
    index: u64,
    /// The last sequence number of each session.
    sequences: BTreeMap<SessionId, u64>,
}

impl Driven {
    fn new() -> Self {
        Self::with(None)
    }

    fn with(bug: Option<Bug>) -> Self {
        let options = LockOptions { ttl_ms: TTL_MS, max_sessions: 4, bug };
        Self { machine: LockMachine::new(options), index: 0, sequences: BTreeMap::new() }
    }

    fn apply(&mut self, by_us: u64, command: Command) -> Answer {
        self.index += 1;
        self.machine.apply(self.index, &Entry { by_us, command }.encode())
    }

    fn open(&mut self) -> SessionId {
        match self.apply(0, Command::Open { ttl_ms: None }) {
            Answer::Opened { session, .. } => session,
            other => panic!("{other:?}"),
        }
    }

    fn pass(&mut self, by_us: u64) {
        assert_eq!(self.apply(by_us, Command::Advance), Answer::Advanced);
    }

    fn ask(&mut self, session: SessionId, action: Action) -> Answer {
        let sequence = self.sequences.entry(session).or_default();
        *sequence += 1;
        let sequence = *sequence;
        self.apply(0, Command::InSession { session, sequence, awaiting: 1, action })
    }

    fn again(&mut self, session: SessionId, action: Action) -> Answer {
        let sequence = self.sequences[&session];
        self.apply(0, Command::InSession { session, sequence, awaiting: 1, action })
    }

    fn acquire(&mut self, session: SessionId) -> Answer {
        self.ask(session, acquire(1, 1, 10_000_000))
    }

    fn release(&mut self, session: SessionId) -> Answer {
        self.ask(session, release(1))
    }

    /// What the last command of the session has come to.
    fn outcome(&self, session: SessionId) -> Option<Answer> {
        self.machine.outcome(session, self.sequences[&session])
    }

    fn holders(&self) -> Vec<(u64, u64, u32)> {
        let holders = self.machine.view(&key()).holders;
        holders.into_iter().map(|HolderView { session, token, permits }| (session.0, token, permits)).collect()
    }

    fn queue(&self) -> Vec<u64> {
        self.machine.view(&key()).queue.into_iter().map(|WaiterView { session, .. }| session.0).collect()
    }
}

fn key() -> Key {
    "l".into()
}

fn acquire(permits: u32, of: u32, wait_us: u64) -> Action {
    Action::Acquire { key: key(), permits, of, wait_us }
}

fn release(permits: u32) -> Action {
    Action::Release { key: key(), permits }
}

fn granted(token: u64) -> Answer {
    Answer::Granted { token }
}

#[test]
fn who_waits_is_granted_in_order_and_tokens_grow() {
    let mut driven = Driven::new();
    let (a, b, c) = (driven.open(), driven.open(), driven.open());
    assert_eq!(driven.acquire(a), granted(1));
    assert_eq!(driven.acquire(b), Answer::Waiting { session: b, sequence: 1 });
    assert_eq!(driven.acquire(c), Answer::Waiting { session: c, sequence: 1 });
    assert_eq!((driven.queue(), driven.release(b)), (vec![2, 3], Answer::Refused(LockRefusal::NotHeld { held: 0 })));
    assert_eq!(driven.release(a), Answer::Released);
    assert_eq!(driven.machine.outcome(b, 1), Some(granted(2)));
    assert_eq!(driven.outcome(c), Some(Answer::Waiting { session: c, sequence: 1 }));
    assert_eq!(driven.release(b), Answer::Released);
    assert_eq!((driven.outcome(c), driven.holders()), (Some(granted(3)), vec![(3, 3, 1)]));
}

#[test]
fn a_lock_is_released_as_often_as_it_was_acquired_and_a_retry_counts_once() {
    let mut driven = Driven::new();
    let (a, b) = (driven.open(), driven.open());
    assert_eq!((driven.acquire(a), driven.acquire(a)), (granted(1), granted(1)));
    assert_eq!(driven.again(a, acquire(1, 1, 0)), granted(1));
    assert_eq!(driven.holders(), vec![(1, 1, 2)]);
    driven.acquire(b);
    assert_eq!((driven.release(a), driven.again(a, release(1))), (Answer::Released, Answer::Released));
    assert_eq!(driven.holders(), vec![(1, 1, 1)]);
    driven.release(a);
    assert_eq!(driven.holders(), vec![(2, 2, 1)]);
}

#[test]
fn a_session_that_is_not_renewed_is_over_with_all_it_has() {
    let mut driven = Driven::new();
    let (a, b, c) = (driven.open(), driven.open(), driven.open());
    assert_eq!(driven.acquire(a), granted(1));
    driven.pass(LEASE_US / 2);
    driven.acquire(b);
    driven.acquire(c);
    driven.pass(LEASE_US / 2 - 1);
    assert_eq!(driven.holders(), vec![(1, 1, 1)]);
    driven.pass(1);
    assert_eq!((driven.holders(), driven.queue()), (vec![(2, 2, 1)], vec![3]), "b waited first");
    assert_eq!(driven.release(a), Answer::Refused(LockRefusal::SessionExpired));
    assert_eq!(driven.apply(0, Command::KeepAlive { session: c }), Answer::Renewed { ttl_ms: TTL_MS });
    driven.pass(LEASE_US / 2);
    assert_eq!(driven.holders(), vec![(3, 3, 1)], "b is over, too");
    let unknown = driven.apply(0, Command::KeepAlive { session: SessionId(99) });
    assert_eq!(unknown, Answer::Refused(LockRefusal::UnknownSession));
}

#[test]
fn nobody_is_granted_a_lock_in_the_breath_in_which_it_is_over() {
    let mut driven = Driven::new();
    let (a, b) = (driven.open(), driven.open());
    driven.acquire(a);
    driven.acquire(b);
    driven.pass(LEASE_US);
    assert_eq!((driven.holders(), driven.machine.next_token()), (vec![], 2));
    assert_eq!(driven.outcome(b), Some(Answer::Refused(LockRefusal::SessionExpired)));
}

#[test]
fn who_has_waited_for_long_enough_leaves_the_queue() {
    let mut driven = Driven::new();
    let (a, b, c) = (driven.open(), driven.open(), driven.open());
    driven.acquire(a);
    driven.ask(b, acquire(1, 1, 5_000));
    driven.acquire(c);
    assert_eq!(driven.ask(c, acquire(1, 1, 0)), Answer::Busy);
    driven.pass(5_000);
    assert_eq!((driven.outcome(b), driven.queue()), (Some(Answer::TimedOut), vec![3]));
    assert_eq!(driven.again(b, acquire(1, 1, 5_000)), Answer::TimedOut);
    driven.release(a);
    assert_eq!(driven.holders(), vec![(3, 2, 1)]);
}

#[test]
fn an_acquire_for_whose_answer_nobody_waits_leaves_the_queue() {
    let mut driven = Driven::new();
    let (a, b) = (driven.open(), driven.open());
    driven.acquire(a);
    driven.acquire(b);
    let other = Action::Release { key: "other".into(), permits: 1 };
    driven.apply(0, Command::InSession { session: b, sequence: 2, awaiting: 2, action: other });
    assert_eq!(driven.queue(), Vec::<u64>::new());
}

#[test]
fn a_semaphore_gives_out_what_it_has_and_nobody_overtakes() {
    let mut driven = Driven::new();
    let (a, b, c) = (driven.open(), driven.open(), driven.open());
    assert_eq!(driven.ask(a, acquire(2, 3, 0)), granted(1));
    assert!(matches!(driven.ask(b, acquire(2, 3, 10_000)), Answer::Waiting { .. }));
    assert!(matches!(driven.ask(c, acquire(1, 3, 10_000)), Answer::Waiting { .. }), "one is free, but b comes first");
    assert_eq!(driven.ask(a, acquire(2, 3, 0)), Answer::Refused(LockRefusal::TooManyPermits { most: 3 }));
    assert_eq!(driven.ask(a, acquire(1, 4, 0)), Answer::Refused(LockRefusal::OtherSize { of: 3 }));
    assert_eq!(driven.ask(a, release(1)), Answer::Released);
    assert_eq!(driven.holders(), vec![(1, 1, 1), (2, 2, 2)]);
    assert_eq!(driven.ask(a, release(2)), Answer::Refused(LockRefusal::NotHeld { held: 1 }));
    driven.ask(a, release(1));
    assert_eq!(driven.holders(), vec![(2, 2, 2), (3, 3, 1)]);
}

#[test]
fn a_session_that_is_closed_frees_its_locks_and_there_is_room_for_another() {
    let mut driven = Driven::new();
    let a = driven.open();
    for _ in 0..3 {
        driven.open();
    }
    let full = driven.apply(0, Command::Open { ttl_ms: None });
    assert_eq!(full, Answer::Refused(LockRefusal::TooManySessions { most: 4 }));
    driven.acquire(a);
    assert_eq!(driven.apply(0, Command::Close { session: a }), Answer::Closed);
    assert_eq!((driven.holders(), driven.open()), (vec![], SessionId(5)));
}

#[test]
fn a_snapshot_brings_everything_back_and_a_torn_one_nothing() {
    let mut driven = Driven::new();
    let (a, b) = (driven.open(), driven.open());
    driven.acquire(a);
    driven.ask(b, acquire(1, 1, 5_000));
    let snapshot = driven.machine.snapshot();
    let mut restored = LockMachine::new(driven.machine.options());
    restored.restore(&snapshot).unwrap();
    assert_eq!((&restored.state, &restored.ends), (&driven.machine.state, &driven.machine.ends));
    for length in 0..snapshot.len() {
        assert!(restored.restore(&snapshot[..length]).is_err(), "{length} bytes");
    }
    assert!(restored.restore(&[&snapshot[..], &[0]].concat()).is_err());
    assert_eq!(restored.state, driven.machine.state);
}

#[test]
fn a_command_that_makes_no_sense_changes_nothing() {
    let mut driven = Driven::new();
    let a = driven.open();
    let before = driven.machine.state.clone();
    assert_eq!(driven.machine.apply(9, &[99]), Answer::Refused(LockRefusal::Malformed));
    assert_eq!(driven.machine.state, before);
    assert_eq!(driven.ask(a, acquire(0, 1, 0)), Answer::Refused(LockRefusal::Malformed));
    assert_eq!(driven.ask(a, release(0)), Answer::Refused(LockRefusal::Malformed));
    assert_eq!(driven.holders(), vec![]);
}

#[test]
fn planted_bugs_free_what_others_hold() {
    for (bug, a_is_over) in [(Bug::LK03, false), (Bug::LK27, true)] {
        let mut driven = Driven::with(Some(bug));
        let (a, b) = (driven.open(), driven.open());
        if a_is_over {
            driven.pass(LEASE_US / 2);
            driven.apply(0, Command::KeepAlive { session: b });
            driven.pass(LEASE_US / 2);
        }
        assert_eq!(driven.acquire(b), granted(1));
        assert_eq!((driven.release(a), driven.holders()), (Answer::Released, vec![]), "{bug}");
    }
}

#[test]
fn planted_bugs_count_holds_wrongly() {
    let depth_after = |bug, retries, releases| {
        let mut driven = Driven::with(Some(bug));
        let a = driven.open();
        driven.acquire(a);
        driven.acquire(a);
        (0..retries).for_each(|_| drop(driven.again(a, acquire(1, 1, 0))));
        (0..releases).for_each(|_| drop(driven.release(a)));
        driven.holders()
    };
    assert_eq!(depth_after(Bug::LK23, 0, 1), vec![]);
    assert_eq!(depth_after(Bug::LK24, 1, 2), vec![(1, 1, 1)]);
}
