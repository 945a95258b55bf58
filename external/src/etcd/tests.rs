use std::time::Duration;

use rashomon_history::{Call, Key, MicroOp, Outcome, Returned, Seen, Value};

use super::server::{Cluster, ask, ask_within};
use crate::client::Role;

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

#[tokio::test]
async fn registers_lists_and_sets_keep_what_they_are_given() {
    let Some(cluster) = Cluster::start(1).await else { return };
    let mut client = cluster.client(0, &[]);
    let cas = |from: Value, to: i64| Call::Cas { key: "r1".into(), from, to: to.into() };
    let found = |current: Value| Outcome::Ok(Returned::NotSwapped { current: Some(current) });
    for (call, expected) in [
        (read("r1"), value(Value::Nil)),
        (cas(1.into(), 2), found(Value::Nil)),
        (cas(Value::Nil, 3), Outcome::Ok(Returned::Swapped)),
        (cas(Value::Nil, 4), found(3.into())),
        (cas(3.into(), 5), Outcome::Ok(Returned::Swapped)),
        (write("r10", 7), DONE),
        (read("r1"), value(5)),
        (Call::Write { key: "r1".into(), value: "é/\"".into() }, DONE),
        (read("r1"), value("é/\"")),
        (Call::Delete { key: "r1".into() }, DONE),
        (read("r1"), value(Value::Nil)),
        (read("r10"), value(7)),
        (Call::Append { key: "l1".into(), value: 1.into() }, DONE),
        (Call::Append { key: "l1".into(), value: 2.into() }, DONE),
        (read("l1"), list(&[1, 2])),
    ] {
        assert_eq!(ask(&mut client, call.clone()).await, expected, "{call}");
    }
    for sets in ["keys", "text"] {
        let mut client = cluster.client(0, &[("sets", sets)]);
        let set = format!("{sets}1");
        for element in [3, 4, 3] {
            let call = Call::Add { key: set.as_str().into(), value: element.into() };
            assert_eq!(ask(&mut client, call).await, DONE);
        }
        assert_eq!(ask(&mut client, read(&set)).await, list(&[3, 4]), "{sets}");
    }
}

#[tokio::test]
async fn a_transaction_sees_itself_and_a_lost_race_certainly_did_nothing() {
    let Some(cluster) = Cluster::start(1).await else { return };
    let mut client = cluster.client(0, &[]);
    let (list, register) = (Key::from("l1"), Key::from("r1"));
    let see = |key: &Key, seen: Option<Seen>| MicroOp::Read { key: key.clone(), seen };
    let append = |value: i64| MicroOp::Append { key: list.clone(), value: value.into() };
    let one = || Some(Seen::List(vec![1.into()]));
    let ops =
        vec![see(&list, None), append(1), see(&list, None), MicroOp::Write { key: register.clone(), value: 5.into() }];
    let Outcome::Ok(Returned::Txn(done)) = ask(&mut client, Call::Txn { ops }).await else { panic!("not committed") };
    assert_eq!(done[0], see(&list, Some(Seen::Value(Value::Nil))));
    assert_eq!(done[2], see(&list, one()));
    let both = Call::Txn { ops: vec![see(&register, None), see(&list, None)] };
    let seen = vec![see(&register, Some(Seen::Value(5.into()))), see(&list, one())];
    assert_eq!(ask(&mut client, both).await, Outcome::Ok(Returned::Txn(seen)));

    let (mut lost, mut acknowledged) = (0, Vec::new());
    let appends = (0..8).map(|number| {
        let mut client = cluster.client(0, &[]);
        let key = list.clone();
        async move {
            let value = Value::Int(10 + number);
            (value.clone(), ask(&mut client, Call::Append { key, value }).await)
        }
    });
    let appends: Vec<_> = appends.map(|append| tokio::spawn(append)).collect();
    for append in appends {
        match append.await.expect("no panic") {
            (element, Outcome::Ok(_)) => acknowledged.push(element),
            (_, Outcome::Fail(reason)) if reason.starts_with("lost-race") => lost += 1,
            (_, other) => panic!("{other:?}"),
        }
    }
    assert!(lost > 0 && !acknowledged.is_empty(), "{lost} of 8 lost");
    let Outcome::Ok(Returned::List(mut there)) = ask(&mut client, read("l1")).await else { panic!("not read") };
    there.remove(0);
    there.sort();
    acknowledged.sort();
    assert_eq!(there, acknowledged);
}

#[tokio::test]
async fn what_is_not_sent_fails_and_what_is_not_answered_stays_open() {
    let Some(mut cluster) = Cluster::start(1).await else { return };
    let mut client = cluster.client(0, &[]);
    assert_eq!(ask(&mut client, write("r1", 1)).await, DONE);
    cluster.signal(0, "-STOP");
    let short = Duration::from_millis(200);
    let outcome = ask_within(&mut client, write("r1", 2), short).await;
    assert!(matches!(&outcome, Outcome::Info(reason) if reason.contains("no answer")), "{outcome:?}");
    let outcome = ask_within(&mut client, read("r1"), short).await;
    assert!(matches!(&outcome, Outcome::Fail(reason) if reason.contains("no answer")), "{outcome:?}");
    cluster.signal(0, "-CONT");
    let outcome = ask(&mut client, read("r1")).await;
    assert!(matches!(&outcome, Outcome::Ok(_)), "the next call connects anew: {outcome:?}");

    // A connection that breaks after the request was sent.
    cluster.signal(0, "-STOP");
    let asked = tokio::spawn(async move {
        let outcome = ask(&mut client, write("r1", 3)).await;
        (client, outcome)
    });
    tokio::time::sleep(short).await;
    cluster.kill(0);
    let (mut client, outcome) = asked.await.expect("no panic");
    assert!(matches!(&outcome, Outcome::Info(reason) if reason.starts_with("sent, then")), "{outcome:?}");
    let outcome = ask(&mut client, write("r1", 4)).await;
    assert!(matches!(&outcome, Outcome::Fail(reason) if reason.starts_with("not sent")), "{outcome:?}");
}

#[tokio::test]
async fn mistakes_and_wrong_types_certainly_did_nothing() {
    let Some(cluster) = Cluster::start(1).await else { return };
    let mut client = cluster.client(0, &[]);
    assert_eq!(ask(&mut client, write("r1", 1)).await, DONE);
    let refused = |outcome: Outcome, what: &str| {
        assert!(matches!(&outcome, Outcome::Fail(reason) if reason.contains(what)), "{outcome:?}");
    };
    refused(ask(&mut client, Call::Append { key: "r1".into(), value: 2.into() }).await, "no list");
    refused(ask(&mut client, write("", 1)).await, "key is not provided");
    let long = |bytes: usize| Call::Write { key: "r2".into(), value: "x".repeat(bytes).into() };
    refused(ask(&mut client, long(1_800_000)).await, "request is too large");
    refused(ask(&mut client, long(2_200_000)).await, "larger than max");
    refused(ask(&mut client, Call::Dequeue { key: "q".into() }).await, "no call");
    assert_eq!(ask(&mut client, read("r1")).await, value(1));
}

/// Of three members two are killed: the third neither writes nor reads, but tells what it has where that is enough.
#[tokio::test]
async fn a_member_alone_tells_only_what_may_be_old() {
    let Some(mut cluster) = Cluster::start(3).await else { return };
    let mut careful = cluster.client(0, &[]);
    let mut careless = cluster.client(0, &[("reads", "serializable")]);
    assert_eq!(ask(&mut careful, write("r1", 1)).await, DONE);
    let leader = cluster.standing(0).await.expect("an answer").leader.expect("a leader");
    assert_eq!(cluster.standing(leader).await.expect("an answer").role, Role::Leader);
    assert_eq!(cluster.standing((leader + 1) % 3).await.expect("an answer").leader, Some(leader));

    cluster.kill(1);
    cluster.kill(2);
    assert_eq!(ask(&mut careless, read("r1")).await, value(1));
    let outcome = ask_within(&mut careful, read("r1"), Duration::from_millis(300)).await;
    assert!(matches!(outcome, Outcome::Fail(_)), "{outcome:?}");
    let until_etcd_gives_up = Duration::from_secs(15);
    let outcome = ask_within(&mut careful, write("r1", 2), until_etcd_gives_up).await;
    let is_open = |reason: &str| reason.contains("timed out") || reason.contains("leader");
    assert!(matches!(&outcome, Outcome::Info(reason) if is_open(reason)), "{outcome:?}");
    let standing = cluster.standing(0).await.expect("a member alone still says how it is");
    assert_eq!((standing.role, standing.is_ready), (Role::Candidate, false));
    assert_eq!(cluster.standing(1).await, None);
}

fn records(outcome: Outcome) -> Vec<(u64, Value)> {
    match outcome {
        Outcome::Ok(Returned::Records(records)) => {
            records.into_iter().map(|record| (record.offset, record.value)).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_watch_brings_all_records_in_order_and_goes_on_where_it_stopped() {
    let Some(cluster) = Cluster::start(1).await else { return };
    let (mut writer, mut reader) = (cluster.client(0, &[]), cluster.client(0, &[]));
    let log = || Key::from("w1");
    let poll = || Call::Poll { keys: Vec::new() };
    assert_eq!(ask(&mut reader, Call::Assign { keys: vec![log()] }).await, DONE);
    assert_eq!(records(ask(&mut reader, poll()).await), []);
    let mut sent = Vec::new();
    for value in 1..=20_i64 {
        // Not of the log.
        assert_eq!(ask(&mut writer, write("w10", value)).await, DONE);
        match ask(&mut writer, Call::Send { key: log(), value: value.into() }).await {
            Outcome::Ok(Returned::Offset(offset)) => sent.push((offset, Value::Int(value))),
            other => panic!("{other:?}"),
        }
        if value == 10 {
            assert_eq!(records(ask(&mut reader, poll()).await), sent);
        }
    }
    assert_eq!(records(ask(&mut reader, poll()).await), sent[10..]);
    assert_eq!(ask(&mut reader, Call::Assign { keys: vec![log()] }).await, DONE);
    assert_eq!(records(ask(&mut reader, poll()).await), sent, "from the beginning");
}

#[tokio::test]
async fn a_member_tells_what_it_holds_itself() {
    let Some(cluster) = Cluster::start(1).await else { return };
    let mut client = cluster.client(0, &[]);
    assert_eq!(ask(&mut client, write("r1", 1)).await, DONE);
    assert_eq!(ask(&mut client, Call::Write { key: "r2".into(), value: "x".repeat(100).as_str().into() }).await, DONE);
    let Outcome::Ok(Returned::Versioned { version: 3, returned }) = ask(&mut client, read("copy")).await else {
        panic!("no version")
    };
    let Returned::Map(entries) = *returned else { panic!("{returned}") };
    assert_eq!(entries[0], ("r1".into(), "2 1".into()));
    assert!(entries[1].1.to_string().contains("102 bytes with CRC-32"), "{}", entries[1].1);
}

fn acquire(owner: &str) -> Call {
    Call::Acquire { key: "l1".into(), owner: owner.into(), permits: 1 }
}

fn release(owner: &str) -> Call {
    Call::Release { key: "l1".into(), owner: owner.into(), permits: 1 }
}

fn token(outcome: &Outcome) -> u64 {
    match outcome {
        Outcome::Ok(Returned::Token(token)) => *token,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_lock_waits_for_its_holder_and_its_tokens_grow() {
    let Some(cluster) = Cluster::start(1).await else { return };
    let (mut one, mut other) = (cluster.lock_client("background", 2), cluster.lock_client("background", 2));
    for (client, owner) in [(&mut one, "a"), (&mut other, "b")] {
        assert_eq!(ask(client, Call::OpenSession { owner: owner.into() }).await, DONE);
    }
    let first = token(&ask(&mut one, acquire("a")).await);
    let longer_than_its_lease = Duration::from_secs(3);
    let outcome = ask_within(&mut other, acquire("b"), longer_than_its_lease).await;
    assert!(matches!(outcome, Outcome::Info(_)), "kept alive, and held all the time: {outcome:?}");
    assert_eq!(ask(&mut one, release("a")).await, DONE);
    assert_eq!(ask(&mut other, Call::OpenSession { owner: "b2".into() }).await, DONE);
    let then = token(&ask(&mut other, acquire("b2")).await);
    assert!(0 < first && first < then, "{first} {then}");
    let outcome = ask(&mut one, release("a")).await;
    assert!(matches!(&outcome, Outcome::Fail(reason) if reason.starts_with("not-held")), "{outcome:?}");
}

/// etcd#11456: the lease of who waits runs out; the lock is granted to it nevertheless.
#[tokio::test]
async fn a_grant_to_who_no_longer_waits_has_no_token() {
    let Some(cluster) = Cluster::start(1).await else { return };
    let (mut holder, mut waits) = (cluster.lock_client("none", 60), cluster.lock_client("none", 2));
    for (client, owner) in [(&mut holder, "a"), (&mut waits, "b")] {
        assert_eq!(ask(client, Call::OpenSession { owner: owner.into() }).await, DONE);
    }
    assert!(token(&ask(&mut holder, acquire("a")).await) > 0);
    let waiting = tokio::spawn(async move {
        let outcome = ask_within(&mut waits, acquire("b"), Duration::from_secs(20)).await;
        (waits, outcome)
    });
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(ask(&mut holder, release("a")).await, DONE);
    let (mut waits, outcome) = waiting.await.expect("no panic");
    assert_eq!(token(&outcome), 0);
    let outcome = ask(&mut waits, Call::KeepAlive { owner: "b".into() }).await;
    assert!(matches!(&outcome, Outcome::Fail(reason) if reason.starts_with("session-expired")), "{outcome:?}");
}
