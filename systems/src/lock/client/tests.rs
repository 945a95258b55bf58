//! What a client does, seen from its driver.

use bytes::Bytes;
use rashomon_history::{Call, Outcome, Returned, Value};

use super::{LockClient, LockClientOptions, WORK_US};
use crate::api::{ErrorBody, ErrorCode, HttpResponse, TransportError};
use crate::client::{ClientMachine, Next};
use crate::lock::Bug;
use crate::server::{Micros, NodeId};

const PATIENCE_US: u64 = 1_000_000;

fn options() -> LockClientOptions {
    LockClientOptions {
        home: NodeId(2),
        members: 3,
        resource: NodeId(4),
        ttl_ms: 1_000,
        permits: 1,
        tries: false,
        careful: true,
        fencing: true,
        bug: None,
    }
}

/// A client whose driver has the time in its hands.
struct Driven {
    client: LockClient,
    now: u64,
}

fn page(body: &str) -> Result<HttpResponse, TransportError> {
    Ok(HttpResponse { status: 200, body: Bytes::copy_from_slice(body.as_bytes()) })
}

fn refused(error: ErrorCode) -> Result<HttpResponse, TransportError> {
    Ok(ErrorBody::new(error, "x").into_response())
}

fn owner() -> Value {
    "o1".into()
}

fn acquire() -> Call {
    Call::Acquire { key: "l3".into(), owner: owner(), permits: 1 }
}

fn release() -> Call {
    Call::Release { key: "l3".into(), owner: owner(), permits: 1 }
}

fn add(value: i64) -> Call {
    Call::Add { key: "s3".into(), value: value.into() }
}

#[track_caller]
fn asked(next: Next) -> (u16, String, u64) {
    match next {
        Next::Ask { node, request, attempt, .. } => (node.0, request.path_and_query, attempt),
        Next::Wait { .. } | Next::Done { .. } => panic!("{next:?}"),
    }
}

#[track_caller]
fn outcome(next: Option<Next>) -> Outcome {
    match next {
        Some(Next::Done { outcome, .. }) => outcome,
        Some(Next::Ask { .. } | Next::Wait { .. }) | None => panic!("{next:?}"),
    }
}

#[track_caller]
fn assert_fail(outcome: &Outcome, code: &str) {
    assert!(matches!(outcome, Outcome::Fail(reason) if reason.starts_with(code)), "{outcome:?}");
}

impl Driven {
    fn new(options: LockClientOptions) -> Self {
        Self { client: LockClient::new(options), now: 0 }
    }

    /// One with a session and the lock l3 under token 33, both asked for at time 0.
    fn with_lock(options: LockClientOptions) -> Self {
        let mut driven = Self::new(options);
        let open = Call::OpenSession { owner: owner() };
        assert_eq!(driven.call(&open, page(r#"{"session":7,"ttl_ms":1000}"#)), Outcome::Ok(Returned::Done));
        assert_eq!(driven.call(&acquire(), page(r#"{"token":33}"#)), Outcome::Ok(Returned::Token(33)));
        driven
    }

    fn begin(&mut self, call: &Call) -> Next {
        self.client.begin(Micros(self.now), call, Micros(self.now + PATIENCE_US))
    }

    fn answer(&mut self, attempt: u64, result: Result<HttpResponse, TransportError>) -> Option<Next> {
        self.client.answered(Micros(self.now), attempt, result)
    }

    /// The set was read; what follows when the client has worked on it.
    #[track_caller]
    fn read_and_work(&mut self, attempt: u64, body: &str) -> Next {
        let next = self.answer(attempt, page(body));
        self.now += WORK_US;
        assert_eq!(next, Some(Next::Wait { until: Micros(self.now) }));
        self.client.time(Micros(self.now)).unwrap()
    }

    /// A call of one attempt.
    #[track_caller]
    fn call(&mut self, call: &Call, result: Result<HttpResponse, TransportError>) -> Outcome {
        let (_, _, attempt) = asked(self.begin(call));
        outcome(self.answer(attempt, result))
    }

    /// A call that is over without asking anybody.
    #[track_caller]
    fn locally(&mut self, call: &Call) -> Outcome {
        let next = self.begin(call);
        outcome(Some(next))
    }
}

#[test]
fn each_call_asks_for_its_path() {
    let mut driven = Driven::with_lock(options());
    let mut path = |call: &Call| {
        let (node, path, _) = asked(driven.begin(call));
        (node, path)
    };
    assert_eq!(path(&Call::KeepAlive { owner: owner() }), (2, "/v1/sessions/7/keep-alive".into()));
    assert_eq!(path(&acquire()), (2, "/v1/locks/l3/acquire?session=7&sequence=2".into()));
    assert_eq!(path(&release()), (2, "/v1/locks/l3/release?session=7&sequence=3".into()));
    assert_eq!(path(&add(1)), (4, "/v1/resources/s3?token=33".into()));
    assert_eq!(path(&Call::Read { key: "s3".into() }), (4, "/v1/resources/s3".into()));
    let mut semaphore = Driven::with_lock(LockClientOptions { permits: 3, ..options() });
    assert_eq!(asked(semaphore.begin(&acquire())).1, "/v1/semaphores/l3/acquire?session=7&sequence=2");
}

#[test]
fn a_session_belongs_to_its_owner() {
    let mut driven = Driven::new(options());
    assert_fail(&driven.locally(&acquire()), "unknown-session");
    let mut driven = Driven::with_lock(options());
    assert_fail(&driven.locally(&Call::KeepAlive { owner: "o2".into() }), "unknown-session");
    assert_fail(&driven.call(&release(), refused(ErrorCode::SessionExpired)), "session-expired");
    assert_fail(&driven.locally(&release()), "unknown-session");
    assert_fail(&driven.locally(&add(1)), "not-held");
}

#[test]
fn an_element_is_put_in_by_reading_and_writing_the_whole_set() {
    let mut driven = Driven::with_lock(options());
    let (_, _, attempt) = asked(driven.begin(&add(5)));
    let next = driven.read_and_work(attempt, r#"{"value":[1,2],"version":4,"token":33}"#);
    let Next::Ask { node, request, attempt, until } = next else { panic!("{next:?}") };
    assert_eq!(
        (node, request.path_and_query.as_str(), until),
        (NodeId(4), "/v1/resources/s3?token=33", Micros(PATIENCE_US))
    );
    assert_eq!(request.body, r#"{"value":[1,2,5]}"#);
    let returned = Returned::Versioned { version: 5, returned: Box::new(Returned::Token(33)) };
    assert_eq!(outcome(driven.answer(attempt, page(r#"{"version":5}"#))), Outcome::Ok(returned));
}

#[test]
fn the_token_of_a_write_is_told_unless_a_client_trusts_its_lock_for_ever_and_nobody_looks() {
    for (fencing, careful) in [(true, true), (true, false), (false, true), (false, false)] {
        let mut driven = Driven::with_lock(LockClientOptions { fencing, careful, ..options() });
        let (_, _, attempt) = asked(driven.begin(&add(5)));
        let (_, _, attempt) = asked(driven.read_and_work(attempt, r#"{"value":null,"version":0,"token":0}"#));
        let told = if fencing || careful { Returned::Token(33) } else { Returned::Done };
        let returned = Returned::Versioned { version: 1, returned: Box::new(told) };
        assert_eq!(outcome(driven.answer(attempt, page(r#"{"version":1}"#))), Outcome::Ok(returned));
    }
}

#[test]
fn a_stale_token_is_a_certain_failure_and_an_open_write_ends_the_trust_in_the_hold() {
    let mut driven = Driven::with_lock(options());
    assert_fail(&driven.call(&add(5), refused(ErrorCode::StaleToken)), "stale-token");
    let (_, _, attempt) = asked(driven.begin(&add(6)));
    let (_, _, attempt) = asked(driven.read_and_work(attempt, r#"{"value":null,"version":0,"token":33}"#));
    let broken = Err(TransportError::Broken("reset".into()));
    assert!(matches!(outcome(driven.answer(attempt, broken)), Outcome::Info(_)), "a write is not repeated");
    assert_fail(&driven.locally(&add(7)), "not-held");
}

#[test]
fn a_read_that_brings_nothing_wrote_nothing() {
    let mut driven = Driven::with_lock(options());
    asked(driven.begin(&add(5)));
    let mut next = driven.client.time(Micros(200_000)).unwrap();
    while let Next::Wait { until } | Next::Ask { until, .. } = next {
        next = driven.client.time(until).unwrap();
    }
    assert_fail(&outcome(Some(next)), "timeout");
}

#[test]
fn a_careful_client_stops_at_the_end_of_its_lease_also_between_reading_and_writing() {
    let empty = r#"{"value":[],"version":0,"token":33}"#;
    let mut driven = Driven::with_lock(options());
    driven.now = 999_999 - WORK_US;
    let (_, _, attempt) = asked(driven.begin(&add(5)));
    assert_eq!(asked(driven.read_and_work(attempt, empty)).1, "/v1/resources/s3?token=33");
    driven.now = 1_000_000 - WORK_US;
    let (_, _, attempt) = asked(driven.begin(&add(5)));
    assert_fail(&outcome(Some(driven.read_and_work(attempt, empty))), "lease-over");
    assert_fail(&driven.locally(&add(6)), "lease-over");

    let mut naive = Driven::with_lock(LockClientOptions { careful: false, ..options() });
    naive.now = 5_000_000;
    assert_eq!(asked(naive.begin(&add(6))).0, 4);
}

#[test]
fn a_lease_begins_when_the_attempt_was_sent_that_was_answered() {
    let mut driven = Driven::with_lock(options());
    driven.now = 500_000;
    let (_, _, attempt) = asked(driven.begin(&Call::KeepAlive { owner: owner() }));
    driven.now = 650_000;
    assert_eq!(outcome(driven.answer(attempt, page(r#"{"ok":true,"ttl_ms":1000}"#))), Outcome::Ok(Returned::Done));
    driven.now = 1_499_999;
    assert_eq!(asked(driven.begin(&add(1))).0, 4);
    driven.now = 1_500_000;
    assert_fail(&driven.locally(&add(1)), "lease-over");
}

#[test]
fn planted_bugs_measure_the_lease_wrongly() {
    for (bug, lasts_until) in [(Bug::LK14, 1_650_000), (Bug::LK16, 2_500_000)] {
        let mut driven = Driven::with_lock(LockClientOptions { bug: Some(bug), ..options() });
        driven.now = 500_000;
        let (_, _, attempt) = asked(driven.begin(&Call::KeepAlive { owner: owner() }));
        driven.now = 650_000;
        driven.answer(attempt, page(r#"{"ok":true,"ttl_ms":1000}"#));
        driven.now = lasts_until - 1;
        assert_eq!(asked(driven.begin(&add(1))).0, 4, "{bug}");
        driven.now = lasts_until;
        assert_fail(&driven.locally(&add(1)), "lease-over");
    }
    let mut driven = Driven::with_lock(LockClientOptions { bug: Some(Bug::LK21), ..options() });
    let open = Call::OpenSession { owner: "o2".into() };
    driven.call(&open, page(r#"{"session":8,"ttl_ms":1000}"#));
    let again = Call::Acquire { key: "l3".into(), owner: "o2".into(), permits: 1 };
    assert_eq!(driven.locally(&again), Outcome::Ok(Returned::Token(33)), "it is the token of the session before");
}

#[test]
fn what_the_log_decided_is_the_answer_to_every_attempt() {
    for (error, is_certain) in [
        (ErrorCode::TimeoutWaiting, true),
        (ErrorCode::Busy, true),
        (ErrorCode::SessionExpired, false),
        (ErrorCode::Overloaded, false),
    ] {
        let mut driven = Driven::with_lock(options());
        asked(driven.begin(&acquire()));
        let Some(Next::Wait { until }) = driven.client.time(Micros(200_000)) else { panic!("it pauses") };
        let (node, path, attempt) = asked(driven.client.time(until).unwrap());
        assert_eq!((node, path.as_str()), (3, "/v1/locks/l3/acquire?session=7&sequence=2"), "the very same command");
        driven.now = until.0;
        let mut next = driven.answer(attempt, refused(error)).unwrap();
        while let Next::Wait { until } | Next::Ask { until, .. } = next {
            next = driven.client.time(until).unwrap();
        }
        let outcome = outcome(Some(next));
        assert_eq!(matches!(outcome, Outcome::Fail(_)), is_certain, "{outcome:?}");
        assert_eq!(matches!(outcome, Outcome::Info(_)), !is_certain, "{outcome:?}");
    }
}

#[test]
fn a_client_that_does_not_know_what_it_holds_gives_its_session_up() {
    let mut driven = Driven::with_lock(options());
    let mut next = driven.begin(&release());
    while let Next::Wait { until } | Next::Ask { until, .. } = next {
        next = driven.client.time(until).unwrap();
    }
    assert!(matches!(outcome(Some(next)), Outcome::Info(_)));
    driven.now = PATIENCE_US;
    assert_fail(&driven.locally(&acquire()), "unknown-session");
}

#[test]
fn a_named_leader_is_followed_once() {
    let mut driven = Driven::new(options());
    let not_leader = |leader: &str| {
        let body = ErrorBody { leader: Some(leader.into()), ..ErrorBody::new(ErrorCode::NotLeader, "x") };
        Ok(body.into_response())
    };
    let (node, _, attempt) = asked(driven.begin(&Call::OpenSession { owner: owner() }));
    assert_eq!(node, 2);
    let (node, _, attempt) = asked(driven.answer(attempt, not_leader("n3")).unwrap());
    assert_eq!(node, 3);
    assert_fail(&outcome(driven.answer(attempt, not_leader("n1"))), "not-leader");
    let (_, _, attempt) = asked(driven.begin(&Call::OpenSession { owner: owner() }));
    assert_fail(&outcome(driven.answer(attempt, not_leader("n4"))), "not-leader");
}
