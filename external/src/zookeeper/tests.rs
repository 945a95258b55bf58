use std::sync::Arc;
use std::time::Duration;

use rashomon_history::{Call, Key, Outcome, Returned, Value};
use tokio::time::Instant;

use super::lock::Locks;
use super::server::{Cluster, Stand, ask, ask_within};
use crate::client::{Role, Seat};
use crate::lock::{LockService, NotDone, Refusal};

fn read(key: &str) -> Call {
    Call::Read { key: key.into() }
}

fn write(key: &str, value: i64) -> Call {
    Call::Write { key: key.into(), value: value.into() }
}

fn value(value: impl Into<Value>) -> Outcome {
    Outcome::Ok(Returned::Value(value.into()))
}

fn list(values: &[i64]) -> Outcome {
    Outcome::Ok(Returned::List(values.iter().map(|value| (*value).into()).collect()))
}

const DONE: Outcome = Outcome::Ok(Returned::Done);
const SHORT: Duration = Duration::from_millis(300);

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

#[tokio::test]
async fn every_kind_of_object_keeps_what_it_is_given_and_wrong_types_change_nothing() {
    let Some(cluster) = Cluster::start(1).await else { return };
    for reads in ["plain", "sync", "quorum"] {
        let mut client = cluster.client(0, reads);
        let named = |name: &str| Key::from(format!("{name}-{reads}"));
        let cas = |from: Value, to: i64| Call::Cas { key: named("r"), from, to: to.into() };
        let found = |current: Value| Outcome::Ok(Returned::NotSwapped { current: Some(current) });
        let append = |value: i64| Call::Append { key: named("l"), value: value.into() };
        let add = |value: i64| Call::Add { key: named("s"), value: value.into() };
        let increment = |by: i64| Call::Increment { key: named("c"), by };
        let enqueue = |value: i64| Call::Enqueue { key: named("q"), value: value.into() };
        let dequeue = || Call::Dequeue { key: named("q") };
        for (call, expected) in [
            (Call::Read { key: named("r") }, value(Value::Nil)),
            (cas(1.into(), 2), found(Value::Nil)),
            (cas(Value::Nil, 3), Outcome::Ok(Returned::Swapped)),
            (cas(Value::Nil, 4), found(3.into())),
            (cas(3.into(), 5), Outcome::Ok(Returned::Swapped)),
            (Call::Write { key: named("r"), value: "é/\"".into() }, DONE),
            (Call::Read { key: named("r") }, value("é/\"")),
            (append(1), DONE),
            (append(2), DONE),
            (Call::Read { key: named("l") }, list(&[1, 2])),
            (add(4), DONE),
            (add(3), DONE),
            (add(4), DONE),
            (Call::Read { key: named("s") }, list(&[3, 4])),
            (increment(2), value(2)),
            (increment(1), value(3)),
            (Call::Read { key: named("c") }, value(3)),
            (dequeue(), value(Value::Nil)),
            (enqueue(7), DONE),
            (enqueue(6), DONE),
            (enqueue(5), DONE),
            (dequeue(), value(7)),
            (Call::Drain { key: named("q") }, list(&[6, 5])),
            (Call::Delete { key: named("r") }, DONE),
            (Call::Read { key: named("r") }, value(Value::Nil)),
        ] {
            assert_eq!(ask(&mut client, call.clone()).await, expected, "{call} with {reads}");
        }
        let outcome = ask(&mut client, Call::Append { key: named("c"), value: 2.into() }).await;
        assert!(matches!(&outcome, Outcome::Fail(reason) if reason.contains("by somebody else")), "{outcome:?}");
        let outcome = ask(&mut client, Call::Generate { key: named("g") }).await;
        assert!(matches!(&outcome, Outcome::Fail(reason) if reason.contains("no call")), "{outcome:?}");
    }
    let (mut lost, mut acknowledged) = (0, 0);
    let increments: Vec<_> = (0..8)
        .map(|_| {
            let mut client = cluster.client(0, "plain");
            tokio::spawn(async move { ask(&mut client, Call::Increment { key: "c".into(), by: 1 }).await })
        })
        .collect();
    for increment in increments {
        match increment.await.expect("no panic") {
            Outcome::Ok(_) => acknowledged += 1,
            Outcome::Fail(reason) if reason.starts_with("lost-race") => lost += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(lost > 0, "nobody lost a race");
    assert_eq!(ask(&mut cluster.client(0, "sync"), read("c")).await, value(acknowledged));
}

#[tokio::test]
async fn what_is_not_sent_fails_and_what_is_not_answered_stays_open() {
    let Some(mut cluster) = Cluster::start(1).await else { return };
    assert_eq!(cluster.standing(0).await.expect("an answer").role, Role::Alone);
    let mut client = cluster.client(0, "plain");
    assert_eq!(ask(&mut client, write("r1", 1)).await, DONE);
    cluster.signal(0, "-STOP");
    let outcome = ask_within(&mut client, write("r1", 2), SHORT).await;
    assert!(matches!(&outcome, Outcome::Info(reason) if reason.contains("no answer")), "{outcome:?}");
    let outcome = ask_within(&mut client, read("r1"), SHORT).await;
    assert!(matches!(&outcome, Outcome::Fail(reason) if reason.contains("no answer")), "{outcome:?}");
    cluster.signal(0, "-CONT");
    assert_eq!(ask(&mut client, read("r1")).await, value(2));

    // A connection that breaks after the request was sent.
    cluster.signal(0, "-STOP");
    let asked = tokio::spawn(async move {
        let outcome = ask(&mut client, write("r1", 3)).await;
        (client, outcome)
    });
    tokio::time::sleep(SHORT).await;
    cluster.kill(0);
    let (mut client, outcome) = asked.await.expect("no panic");
    assert!(matches!(&outcome, Outcome::Info(reason) if reason.contains("connection was lost")), "{outcome:?}");
    let outcome = ask(&mut client, write("r1", 4)).await;
    assert!(matches!(&outcome, Outcome::Fail(reason) if reason.starts_with("not sent")), "{outcome:?}");
    assert_eq!(cluster.standing(0).await, None);
    cluster.restart(0).await;
    // The server may not have been reached when it was just ready.
    let until = soon();
    while ask(&mut client, write("r1", 5)).await != DONE {
        assert!(Instant::now() < until);
    }
    assert_eq!(ask(&mut client, read("r1")).await, value(5));
}

/// Of three servers two are killed: the third serves nobody.
#[tokio::test]
async fn a_server_without_a_majority_ends_its_connections_and_looks_for_a_leader() {
    let Some(mut cluster) = Cluster::start(3).await else { return };
    let mut leaders = Vec::new();
    for node in 0..3 {
        let standing = cluster.standing(node).await.expect("an answer");
        if standing.role == Role::Leader {
            assert_eq!(standing.leader, Some(node));
            leaders.push(node);
        }
    }
    let [leader] = leaders[..] else { panic!("{leaders:?} lead") };
    let (left, other) = ((leader + 1) % 3, (leader + 2) % 3);
    let mut client = cluster.client(left, "sync");
    assert_eq!(ask(&mut client, write("r1", 1)).await, DONE);
    cluster.kill(leader);
    cluster.kill(other);
    let outcome = ask(&mut client, write("r1", 2)).await;
    assert!(matches!(outcome, Outcome::Fail(_) | Outcome::Info(_)), "{outcome:?}");
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let standing = cluster.standing(left).await;
        if standing.is_some_and(|standing| standing.role == Role::Candidate && !standing.is_ready) {
            break;
        }
        assert!(Instant::now() < until, "it still serves");
    }
    let outcome = ask(&mut client, read("r1")).await;
    assert!(matches!(&outcome, Outcome::Fail(reason) if reason.starts_with("not sent")), "{outcome:?}");
}

#[tokio::test]
async fn a_lock_is_held_by_one_until_it_is_released_or_its_session_is_over() {
    let Some(cluster) = Cluster::start(1).await else { return };
    let stand = Stand::new();
    let mut first = Locks::new(&Seat { standstill: Arc::new(stand.clone()), ..cluster.seat(0) });
    let mut second = Locks::new(&cluster.seat(0));
    let lock = Key::from("l1");
    first.open("a-1", soon()).await.unwrap();
    second.open("b-1", soon()).await.unwrap();
    let first_token = first.acquire(&lock, soon()).await.unwrap().unwrap();
    assert!(first.lease_until(&lock).is_some_and(|until| until > Instant::now()));
    let refused = second.acquire(&lock, Instant::now() + SHORT).await.unwrap_err();
    assert!(matches!(refused, NotDone::Refused(Refusal::Busy, _)), "{refused}");
    assert_eq!(first.acquire(&lock, soon()).await, Ok(Some(first_token)), "acquired again");
    first.release(&lock, soon()).await.unwrap();
    first.keep_alive(soon()).await.unwrap();

    // Whoever waits is told of the release.
    let (released, granted) = tokio::join!(first.release(&lock, soon()), second.acquire(&lock, soon()));
    released.unwrap();
    let second_token = granted.unwrap().unwrap();
    assert!(second_token > first_token);
    second.release(&lock, soon()).await.unwrap();
    let refused = second.release(&lock, soon()).await.unwrap_err();
    assert!(matches!(refused, NotDone::Refused(Refusal::NotHeld, _)), "{refused}");

    // Pings keep the session of who does nothing, for longer than its time; who stands still loses it.
    first.acquire(&lock, soon()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert!(first.lease_until(&lock).is_some_and(|until| until > Instant::now()));
    stand.still(true);
    second.acquire(&lock, soon()).await.unwrap();
    assert!(first.lease_until(&lock).is_none_or(|until| until <= Instant::now()));
    stand.still(false);
    let refused = first.release(&lock, soon()).await.unwrap_err();
    let is_over = |refused: &NotDone| matches!(refused, NotDone::Refused(Refusal::SessionExpired, _));
    assert!(is_over(&refused) || matches!(refused, NotDone::Open(_)), "{refused}");
    let refused = first.keep_alive(soon()).await.unwrap_err();
    assert!(is_over(&refused), "{refused}");
    assert_eq!(first.lease_until(&lock), None);
}
