//! What a client does, seen from its driver.

use bytes::Bytes;
use rashomon_draw::Draw;
use rashomon_history::{Call, Outcome, Returned, Value};

use super::{Client, ClientOptions, Next};
use crate::api::{Api, ErrorBody, ErrorCode, HttpRequest, HttpResponse, TransportError};
use crate::kv::{Answer, Kv, KvApi};
use crate::raft::{Refusal, Request, Response, StateMachine};
use crate::server::{Micros, NodeId};
use crate::session::{SessionAnswer, SessionId, SessionOptions, SessionRefusal, Sessions};

const DEADLINE: Micros = Micros(1_000_000);

fn client(sessions: bool) -> Client {
    Client::new(ClientOptions { home: NodeId(2), nodes: 3, sessions })
}

fn append(value: i64) -> Call {
    Call::Append { key: "k".into(), value: value.into() }
}

fn read() -> Call {
    Call::Read { key: "k".into() }
}

fn done() -> HttpResponse {
    KvApi::default().respond(Response::Answer(SessionAnswer::Answer(Answer::Done)))
}

fn opened(session: u64) -> HttpResponse {
    KvApi::default().respond(Response::Answer(SessionAnswer::Opened(SessionId(session))))
}

fn unknown_session() -> HttpResponse {
    KvApi::default().respond(Response::Answer(SessionAnswer::Refused(SessionRefusal::UnknownSession)))
}

fn not_leader(leader: Option<u16>) -> HttpResponse {
    KvApi::default().respond(Response::Refused(Refusal::NotLeader { leader: leader.map(NodeId) }))
}

fn broken() -> TransportError {
    TransportError::Broken("reset".into())
}

/// Whom the client asks, for which path and query, and the attempt.
#[track_caller]
fn asked(next: Next) -> (u16, String, u64) {
    match next {
        Next::Ask { node, request, attempt, .. } => (node.0, request.path_and_query, attempt),
        Next::Wait { .. } | Next::Done { .. } => panic!("{next:?}"),
    }
}

/// The client waits: whom it asks when the pause is over.
#[track_caller]
fn asked_after_pause(client: &mut Client, next: Option<Next>) -> (u16, String, u64) {
    let Some(Next::Wait { until }) = next else { panic!("{next:?}") };
    assert_eq!(client.time(Micros(until.0 - 1)), None, "the pause is not over");
    asked(client.time(until).unwrap())
}

#[track_caller]
fn outcome(next: Option<Next>) -> Outcome {
    match next {
        Some(Next::Done { outcome, .. }) => outcome,
        Some(Next::Ask { .. } | Next::Wait { .. }) | None => panic!("{next:?}"),
    }
}

#[track_caller]
fn assert_info(next: Option<Next>, expected: &str) {
    assert_eq!(outcome(next), Outcome::Info(expected.into()));
}

#[track_caller]
fn assert_fail(next: Option<Next>, expected: &str) {
    match outcome(next) {
        Outcome::Fail(reason) => assert!(reason.starts_with(expected), "{reason}"),
        other @ (Outcome::Ok(_) | Outcome::Info(_)) => panic!("{other:?}"),
    }
}

#[test]
fn a_client_asks_its_home_and_follows_a_named_leader_once() {
    let mut client = client(false);
    let (node, path, first) = asked(client.begin(Micros(0), &append(1), DEADLINE));
    assert_eq!((node, path.as_str()), (2, "/v1/kv/k/append"));
    let (node, _, second) = asked(client.answered(Micros(9), first, Ok(not_leader(Some(3)))).unwrap());
    assert_eq!(node, 3);
    let end = client.answered(Micros(20), second, Ok(not_leader(Some(1))));
    assert!(matches!(end, Some(Next::Done { node: NodeId(3), .. })), "{end:?}");
    assert_fail(end, "not-leader: only the leader serves; it is n1");
}

#[test]
fn a_leader_that_is_no_node_of_the_cluster_or_the_asked_one_itself_is_not_followed() {
    for leader in [0, 2, 4] {
        let mut client = client(false);
        let (_, _, attempt) = asked(client.begin(Micros(0), &append(1), DEADLINE));
        assert_fail(client.answered(Micros(9), attempt, Ok(not_leader(Some(leader)))), "not-leader");
    }
}

#[test]
fn without_a_session_nothing_is_repeated_whose_outcome_is_open() {
    let open: [(Result<HttpResponse, TransportError>, &str); 3] = [
        (Err(broken()), "connection lost: reset"),
        (Ok(HttpResponse { status: 502, body: Bytes::from_static(b"<html>") }), "status 502: <html>"),
        (Ok(ErrorBody::new(ErrorCode::OutcomeUnknown, "stopped").into_response()), "outcome-unknown: stopped"),
    ];
    for (result, reason) in open {
        let mut client = client(false);
        let (_, _, attempt) = asked(client.begin(Micros(0), &append(1), DEADLINE));
        assert_info(client.answered(Micros(9), attempt, result), reason);
    }
    let mut client = client(false);
    asked(client.begin(Micros(0), &append(1), DEADLINE));
    assert_eq!(client.time(Micros(DEADLINE.0 - 1)), None);
    assert_info(client.time(DEADLINE), "timeout");
}

#[test]
fn answers_that_nobody_waits_for_change_nothing() {
    let mut client = client(true);
    let (_, _, first) = asked(client.begin(Micros(0), &read(), DEADLINE));
    let next = client.time(Micros(200_000));
    assert_eq!(client.answered(Micros(200_001), first, Ok(done())), None, "it gave up on this attempt");
    let (_, _, second) = asked_after_pause(&mut client, next);
    assert_eq!(client.answered(Micros(230_000), first, Ok(done())), None);
    assert!(client.answered(Micros(230_000), second, Ok(not_leader(None))).is_some());
    assert_eq!(client.answered(Micros(230_001), second, Ok(done())), None, "it was answered already");
}

#[test]
fn the_first_command_opens_a_session_and_each_command_waits_for_itself() {
    let mut client = client(true);
    let (node, path, attempt) = asked(client.begin(Micros(0), &append(1), DEADLINE));
    assert_eq!((node, path.as_str()), (2, "/v1/sessions"));
    let (node, path, attempt) = asked(client.answered(Micros(1), attempt, Ok(not_leader(Some(1)))).unwrap());
    assert_eq!((node, path.as_str()), (1, "/v1/sessions"));
    let (node, path, attempt) = asked(client.answered(Micros(2), attempt, Ok(opened(7))).unwrap());
    assert_eq!((node, path.as_str()), (1, "/v1/kv/k/append?session=7&sequence=1&awaiting=1"));
    assert_eq!(outcome(client.answered(Micros(3), attempt, Ok(done()))), Outcome::Ok(Returned::Done));
    let (node, path, _) = asked(client.begin(Micros(4), &append(2), DEADLINE));
    assert_eq!((node, path.as_str()), (2, "/v1/kv/k/append?session=7&sequence=2&awaiting=2"));
    let (_, path, _) = asked(client.begin(Micros(4), &read(), DEADLINE));
    assert_eq!(path, "/v1/kv/k", "a read takes no session");
}

/// A client with session 7 whose append is under way.
fn in_session() -> (Client, u64) {
    let mut client = client(true);
    let (_, _, attempt) = asked(client.begin(Micros(0), &append(1), DEADLINE));
    let (_, _, attempt) = asked(client.answered(Micros(0), attempt, Ok(opened(7))).unwrap());
    (client, attempt)
}

#[test]
fn an_open_command_is_repeated_with_its_number_until_it_is_answered() {
    let (mut client, attempt) = in_session();
    let next = client.answered(Micros(10), attempt, Err(broken()));
    let (node, path, attempt) = asked_after_pause(&mut client, next);
    assert_eq!((node, path.as_str()), (3, "/v1/kv/k/append?session=7&sequence=1&awaiting=1"));
    let next = client.answered(Micros(30_000), attempt, Ok(not_leader(None)));
    let (node, path, _) = asked_after_pause(&mut client, next);
    assert_eq!((node, path.as_str()), (1, "/v1/kv/k/append?session=7&sequence=1&awaiting=1"));
    let next = client.time(Micros(300_000));
    let (node, _, attempt) = asked_after_pause(&mut client, next);
    assert_eq!(node, 2);
    assert_eq!(outcome(client.answered(Micros(400_000), attempt, Ok(done()))), Outcome::Ok(Returned::Done));
}

#[test]
fn a_command_that_stays_open_is_info_and_its_number_is_never_used_again() {
    let (mut client, _) = in_session();
    let mut attempts = 1;
    let end = loop {
        match client.time(Micros(attempts * 1_000_000)) {
            Some(Next::Ask { .. }) => attempts += 1,
            Some(Next::Wait { .. }) => {}
            end @ (Some(Next::Done { .. }) | None) => break end,
        }
    };
    assert_info(end, "timeout");
    let (_, path, _) = asked(client.begin(Micros(9), &append(2), DEADLINE));
    assert_eq!(path, "/v1/kv/k/append?session=7&sequence=2&awaiting=2");

    let (mut client, attempt) = in_session();
    let mut next = client.answered(Micros(10), attempt, Err(broken()));
    let mut now = Micros(10);
    let end = loop {
        now = match &next {
            Some(Next::Wait { until } | Next::Ask { until, .. }) => *until,
            Some(Next::Done { .. }) | None => break next,
        };
        next = client.time(now);
    };
    assert_eq!(now, DEADLINE);
    assert_info(end, "connection lost: reset; 5 more attempts told no more");
}

#[test]
fn a_refused_command_fails_only_if_no_attempt_before_it_is_open() {
    let (mut client, attempt) = in_session();
    assert_fail(client.answered(Micros(9), attempt, Ok(not_leader(None))), "not-leader");

    let (mut client, attempt) = in_session();
    let next = client.answered(Micros(9), attempt, Err(broken()));
    let (_, _, attempt) = asked_after_pause(&mut client, next);
    let wrong_kind = ErrorBody::new(ErrorCode::WrongKind, "a set").into_response();
    let end = client.answered(Micros(30_000), attempt, Ok(wrong_kind));
    assert_info(end, "connection lost: reset; then wrong-kind: a set");
}

#[test]
fn an_expired_session_is_told_and_the_next_command_opens_a_new_one() {
    let (mut client, attempt) = in_session();
    assert_fail(client.answered(Micros(9), attempt, Ok(unknown_session())), "unknown-session: this session was never");
    assert_eq!(asked(client.begin(Micros(10), &append(2), DEADLINE)).1, "/v1/sessions");

    let (mut client, attempt) = in_session();
    let next = client.answered(Micros(9), attempt, Err(broken()));
    let (_, _, attempt) = asked_after_pause(&mut client, next);
    let end = outcome(client.answered(Micros(30_000), attempt, Ok(unknown_session())));
    assert!(matches!(&end, Outcome::Info(reason) if reason.contains("then unknown-session")), "{end:?}");
    assert_eq!(asked(client.begin(Micros(10), &append(2), DEADLINE)).1, "/v1/sessions");
}

#[test]
fn a_command_without_a_session_was_never_sent() {
    let mut client = client(true);
    let (_, _, attempt) = asked(client.begin(Micros(0), &append(1), DEADLINE));
    assert_fail(client.answered(Micros(1), attempt, Ok(not_leader(None))), "no session was opened");

    let (_, _, attempt) = asked(client.begin(Micros(0), &append(1), DEADLINE));
    let next = client.answered(Micros(1), attempt, Err(broken()));
    let (node, path, _) = asked_after_pause(&mut client, next);
    assert_eq!((node, path.as_str()), (3, "/v1/sessions"));
    assert_fail(client.time(DEADLINE), "no session was opened, so the command was not sent: connection lost: reset");
}

#[test]
fn a_call_that_the_store_does_not_know_is_not_asked() {
    for sessions in [false, true] {
        let end = client(sessions).begin(Micros(0), &Call::Dequeue { key: "q".into() }, DEADLINE);
        assert_fail(Some(end), "the key-value store has no such call");
    }
}

/// Everything that can go wrong between clients and one replicated store: requests are lost, come late, come after their
/// client gave up, are answered into the void, are refused; sessions expire.
struct Chaos {
    draw: Draw,
    now: Micros,
    index: u64,
    store: Sessions<Kv>,
    late: Vec<HttpRequest>,
}

impl Chaos {
    fn serve(&mut self, request: &HttpRequest) -> HttpResponse {
        let api = KvApi::default();
        self.index += 1;
        let answer = match api.route(request).unwrap() {
            Request::Command(command) => self.store.apply(self.index, &command),
            Request::Query(query) => self.store.query(&query),
            Request::TransferLeadership { .. } | Request::ChangeMembership(_) => unreachable!("no client does that"),
        };
        api.respond(Response::Answer(answer))
    }

    /// What comes back of an attempt; `None` where nothing does.
    fn exchange(&mut self, request: &HttpRequest) -> Option<Result<HttpResponse, TransportError>> {
        while !self.late.is_empty() && self.draw.below(3) == 0 {
            let late = self.late.swap_remove(self.draw.below(self.late.len()));
            self.serve(&late);
        }
        match self.draw.below(12) {
            0 => None,
            1 => Some(Err(TransportError::NotSent("refused".into()))),
            2 => Some(Ok(not_leader(None))),
            3 => {
                let leader = [1, 2, 3][self.draw.below(3)];
                Some(Ok(not_leader(Some(leader))))
            }
            4 => {
                self.late.push(request.clone());
                Some(Err(broken()))
            }
            5 => {
                self.late.push(request.clone());
                None
            }
            6 => {
                self.serve(request);
                Some(Err(broken()))
            }
            7 => {
                self.serve(request);
                None
            }
            _ => Some(Ok(self.serve(request))),
        }
    }

    fn operation(&mut self, client: &mut Client, call: &Call) -> Outcome {
        let mut next = client.begin(self.now, call, self.now.after(1_000_000));
        loop {
            next = match next {
                Next::Done { outcome, .. } => return outcome,
                Next::Wait { until } => {
                    self.now = until;
                    client.time(until).unwrap()
                }
                Next::Ask { request, attempt, until, .. } => match self.exchange(&request) {
                    Some(result) => client.answered(self.now, attempt, result).unwrap(),
                    None => {
                        self.now = until;
                        client.time(until).unwrap()
                    }
                },
            }
        }
    }
}

#[test]
fn whatever_goes_wrong_ok_happened_once_fail_never_and_info_at_most_once() {
    let mut seen = [0; 3];
    for seed in 0..200 {
        let mut chaos = Chaos {
            draw: Draw::from_seed(seed),
            now: Micros(0),
            index: 0,
            store: Sessions::new(Kv::default(), SessionOptions { max_sessions: 3, bug: None }),
            late: Vec::new(),
        };
        let mut clients: Vec<_> =
            (1..=4).map(|home| Client::new(ClientOptions { home: NodeId(home), nodes: 4, sessions: true })).collect();
        let mut outcomes = Vec::new();
        for value in 0..60 {
            let client = &mut clients[chaos.draw.below(4)];
            outcomes.push(chaos.operation(client, &append(value)));
        }
        let late: Vec<_> = chaos.late.drain(..).collect();
        late.iter().for_each(|request| drop(chaos.serve(request)));
        let body = chaos.serve(&crate::kv::client::request(&read(), None).unwrap());
        let Outcome::Ok(Returned::List(list)) = crate::kv::client::outcome(&read(), &Ok(body)) else { panic!() };
        for (value, outcome) in outcomes.iter().enumerate() {
            let times = list.iter().filter(|found| **found == Value::from(i64::try_from(value).unwrap())).count();
            let (kind, is_right) = match outcome {
                Outcome::Ok(_) => (0, times == 1),
                Outcome::Fail(_) => (1, times == 0),
                Outcome::Info(_) => (2, times <= 1),
            };
            assert!(is_right, "seed {seed}: {value} is there {times} times, but {outcome:?}");
            seen[kind] += 1;
        }
    }
    assert!(seen.iter().all(|count| *count > 500), "{seen:?}");
}
