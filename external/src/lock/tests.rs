//! A service that does what it is told, and the real guarded store.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rashomon_history::{Call, Key, Outcome, Returned, Value};
use rashomon_systems::node::Listeners;
use rashomon_systems::node::lock::{ResourceNodeOptions, serve_resource};
use rashomon_systems::server::NodeId;
use tokio::time::Instant;

use super::{LockClient, LockService, NotDone, Refusal};
use crate::{Client, Future, Seat, StandStill};

/// Grants with these tokens, and leases that last until told otherwise.
#[derive(Default)]
struct Script {
    answers: VecDeque<Result<Option<u64>, NotDone>>,
    lease_until: Option<Instant>,
    given_up: u32,
}

#[derive(Clone, Default)]
struct Scripted(Arc<Mutex<Script>>);

impl Scripted {
    fn next(&self) -> Result<Option<u64>, NotDone> {
        self.0.lock().unwrap().answers.pop_front().unwrap_or(Ok(None))
    }
}

impl LockService for Scripted {
    fn open<'a>(&'a mut self, _owner: &'a str, _until: Instant) -> Future<'a, Result<(), NotDone>> {
        Box::pin(async { self.next().map(|_| ()) })
    }

    fn keep_alive(&mut self, _until: Instant) -> Future<'_, Result<(), NotDone>> {
        Box::pin(async { self.next().map(|_| ()) })
    }

    fn acquire<'a>(&'a mut self, _lock: &'a Key, _until: Instant) -> Future<'a, Result<Option<u64>, NotDone>> {
        Box::pin(async { self.next() })
    }

    fn release<'a>(&'a mut self, _lock: &'a Key, _until: Instant) -> Future<'a, Result<(), NotDone>> {
        Box::pin(async { self.next().map(|_| ()) })
    }

    fn lease_until(&self, _lock: &Key) -> Option<Instant> {
        self.0.lock().unwrap().lease_until
    }

    fn give_up(&mut self) {
        self.0.lock().unwrap().given_up += 1;
    }
}

/// Who sits here does not stand still.
struct Moving;

impl StandStill for Moving {
    fn pass(&self) -> Future<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

struct Driven {
    service: Scripted,
    client: LockClient<Scripted>,
    _folder: tempfile::TempDir,
}

impl Driven {
    async fn start(fencing: bool, careful: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let listeners = Listeners::bind(any, any).unwrap();
        let resource = listeners.client_address().unwrap();
        let (id, data) = (NodeId(1), folder.path().join("data"));
        let options = ResourceNodeOptions { cluster: "test".into(), id, data, fencing, bug: None };
        tokio::spawn(async move { serve_resource(&options, listeners, std::future::pending()).await.unwrap() });
        let seat = Seat {
            nodes: Arc::new([any]),
            home: 0,
            number: 0,
            settings: Arc::default(),
            resource: Some(resource),
            ttl: Duration::from_secs(1),
            fencing,
            careful,
            standstill: Arc::new(Moving),
        };
        let service = Scripted::default();
        let client = LockClient::new(service.clone(), &seat, resource).unwrap();
        Self { service, client, _folder: folder }
    }

    /// One that holds `l3`.
    async fn with_lock(fencing: bool, careful: bool, token: Option<u64>) -> Self {
        let mut driven = Self::start(fencing, careful).await;
        driven.script(|script| script.lease_until = Some(Instant::now() + Duration::from_secs(60)));
        driven.ok(open("o1")).await;
        driven.answers(Ok(token));
        driven.ok(acquire()).await;
        driven
    }

    fn script(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.service.0.lock().unwrap());
    }

    fn answers(&self, answer: Result<Option<u64>, NotDone>) {
        self.script(|script| script.answers.push_back(answer));
    }

    async fn call(&mut self, call: Call) -> Outcome {
        self.client.call(&call, Instant::now() + Duration::from_secs(5)).await
    }

    async fn ok(&mut self, call: Call) -> Returned {
        match self.call(call.clone()).await {
            Outcome::Ok(returned) => returned,
            other => panic!("{call}: {other:?}"),
        }
    }

    async fn fails(&mut self, call: Call, code: &str) {
        let outcome = self.call(call.clone()).await;
        assert!(matches!(&outcome, Outcome::Fail(reason) if reason.starts_with(code)), "{call}: {outcome:?}");
    }
}

fn open(owner: &str) -> Call {
    Call::OpenSession { owner: owner.into() }
}

fn acquire() -> Call {
    Call::Acquire { key: "l3".into(), owner: "o1".into(), permits: 1 }
}

fn release() -> Call {
    Call::Release { key: "l3".into(), owner: "o1".into(), permits: 1 }
}

fn add(element: i64) -> Call {
    Call::Add { key: "s3".into(), value: element.into() }
}

fn read() -> Call {
    Call::Read { key: "s3".into() }
}

fn set(elements: &[i64]) -> Returned {
    Returned::List(elements.iter().map(|element| Value::Int(*element)).collect())
}

#[tokio::test]
async fn a_holder_adds_to_the_set_under_its_token() {
    let mut driven = Driven::with_lock(true, true, Some(33)).await;
    let written = driven.ok(add(5)).await;
    assert_eq!(written, Returned::Versioned { version: 1, returned: Box::new(Returned::Token(33)) });
    driven.ok(add(6)).await;
    assert_eq!(driven.ok(read()).await, set(&[5, 6]));
    driven.answers(Ok(Some(32)));
    driven.ok(acquire()).await;
    driven.fails(add(7), "stale-token").await;
}

#[tokio::test]
async fn a_service_without_tokens_guards_a_store_that_asks_for_none() {
    let mut driven = Driven::with_lock(false, true, None).await;
    let written = driven.ok(add(5)).await;
    assert_eq!(written, Returned::Versioned { version: 1, returned: Box::new(Returned::Done) });
    driven.ok(release()).await;
    driven.fails(add(6), "not-held").await;
    assert_eq!(driven.ok(read()).await, set(&[5]));
}

#[tokio::test]
async fn a_careful_client_stops_at_the_end_of_its_lease_and_a_naive_one_does_not() {
    for careful in [true, false] {
        let mut driven = Driven::with_lock(false, careful, None).await;
        driven.script(|script| script.lease_until = Some(Instant::now()));
        if careful {
            driven.fails(add(5), "lease-over").await;
            driven.script(|script| script.lease_until = Some(Instant::now() + super::client::WORK / 2));
            driven.fails(add(6), "lease-over").await;
        } else {
            driven.ok(add(5)).await;
        }
    }
}

#[tokio::test]
async fn a_session_belongs_to_its_owner_and_ends_when_the_service_says_so() {
    let mut driven = Driven::start(false, true).await;
    driven.fails(acquire(), "unknown-session").await;
    let mut driven = Driven::with_lock(false, true, None).await;
    driven.answers(Err(NotDone::refused(Refusal::Busy, "somebody else has it")));
    driven.fails(acquire(), "busy").await;
    driven.answers(Err(NotDone::refused(Refusal::SessionExpired, "its lease is over")));
    driven.fails(Call::KeepAlive { owner: "o1".into() }, "session-expired").await;
    driven.fails(add(5), "not-held").await;
    driven.fails(release(), "unknown-session").await;
}

#[tokio::test]
async fn a_client_that_does_not_know_what_it_holds_gives_its_session_up() {
    for call in [acquire(), release()] {
        let mut driven = Driven::with_lock(false, true, None).await;
        driven.answers(Err(NotDone::Open("timeout".into())));
        assert_eq!(driven.call(call).await, Outcome::Info("timeout".into()));
        driven.fails(release(), "unknown-session").await;
        driven.fails(add(5), "not-held").await;
        driven.script(|script| assert_eq!(script.given_up, 2, "once before it opened, and once now"));
    }
}
