//! What the clients record when something goes wrong, and when nothing does.

use std::time::Duration;

use rashomon_external::{Client, redis};
use rashomon_history::{Call, Key, Outcome, Returned, Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::server::{DEADLINE, Server, client, seat};

async fn ask(client: &mut dyn Client, call: &Call) -> Outcome {
    client.call(call, Instant::now() + DEADLINE).await
}

fn read(key: &str) -> Call {
    Call::Read { key: key.into() }
}

fn write(value: i64) -> Call {
    Call::Write { key: "r1".into(), value: value.into() }
}

fn cas(from: Value, to: i64) -> Call {
    Call::Cas { key: "r1".into(), from, to: to.into() }
}

fn assert_fail(outcome: &Outcome, with: &str) {
    assert!(
        matches!(outcome, Outcome::Fail(reason) if reason.contains(with)),
        "{outcome:?}, and not fail with {with:?}"
    );
}

fn assert_info(outcome: &Outcome, with: &str) {
    assert!(
        matches!(outcome, Outcome::Info(reason) if reason.contains(with)),
        "{outcome:?}, and not info with {with:?}"
    );
}

#[tokio::test]
async fn registers_lists_and_sets_are_what_they_are() {
    let Some(server) = Server::start(&[]).await else { return };
    let mut client = client(&[server.address], &[]);
    let mut ok = async |call: Call| match ask(&mut *client, &call).await {
        Outcome::Ok(returned) => returned,
        other => panic!("{call}: {other:?}"),
    };
    let text = Value::from(String::from("with \"quotes\"\r\nand a line"));

    assert_eq!(ok(read("r1")).await, Returned::Value(Value::Nil));
    assert_eq!(ok(cas(Value::Nil, 1)).await, Returned::Swapped);
    assert_eq!(ok(cas(Value::Nil, 2)).await, Returned::NotSwapped { current: Some(1.into()) });
    assert_eq!(ok(Call::Write { key: "r1".into(), value: text.clone() }).await, Returned::Done);
    assert_eq!(ok(read("r1")).await, Returned::Value(text));
    assert_eq!(ok(Call::Delete { key: "r1".into() }).await, Returned::Done);
    assert_eq!(ok(read("r1")).await, Returned::Value(Value::Nil));

    assert_eq!(ok(read("l1")).await, Returned::List(vec![]));
    for value in [2, 1] {
        assert_eq!(ok(Call::Append { key: "l1".into(), value: value.into() }).await, Returned::Done);
    }
    assert_eq!(ok(read("l1")).await, Returned::List(vec![2.into(), 1.into()]));

    let one = || ("s1".into(), Value::Int(1));
    let (key, value) = one();
    assert_eq!(ok(Call::Add { key, value }).await, Returned::Flag(true));
    let (key, value) = one();
    assert_eq!(ok(Call::Contains { key, value }).await, Returned::Flag(true));
    assert_eq!(ok(read("s1")).await, Returned::List(vec![1.into()]));
    let (key, value) = one();
    assert_eq!(ok(Call::Remove { key, value }).await, Returned::Flag(true));
    assert_eq!(ok(read("s1")).await, Returned::List(vec![]));

    assert_eq!(ok(Call::Increment { key: "c1".into(), by: -3 }).await, Returned::Value(Value::Int(-3)));
    assert_eq!(ok(read("c1")).await, Returned::Value(Value::Int(-3)));

    let queue = || Key::from("q1");
    assert_eq!(ok(Call::Dequeue { key: queue() }).await, Returned::Value(Value::Nil));
    for value in [3, 2, 1] {
        assert_eq!(ok(Call::Enqueue { key: queue(), value: value.into() }).await, Returned::Done);
    }
    assert_eq!(ok(Call::Dequeue { key: queue() }).await, Returned::Value(3.into()));
    assert_eq!(ok(Call::Drain { key: queue() }).await, Returned::List(vec![2.into(), 1.into()]));
    assert_eq!(ok(Call::Drain { key: queue() }).await, Returned::List(vec![]));
}

#[tokio::test]
async fn what_was_refused_did_not_happen() {
    let Some(server) = Server::start(&["--min-replicas-to-write", "1"]).await else { return };
    let mut client = client(&[server.address], &[]);
    assert_fail(&ask(&mut *client, &write(1)).await, "NOREPLICAS");
    server.command(&["CONFIG", "SET", "min-replicas-to-write", "0"]).await;
    server.command(&["LPUSH", "r2", "7"]).await;
    assert_fail(&ask(&mut *client, &read("r2")).await, "WRONGTYPE");
    let increment = Call::Increment { key: "r1".into(), by: 1 };
    assert_eq!(
        ask(&mut *client, &Call::Write { key: "r1".into(), value: "x".to_string().into() }).await,
        Outcome::Ok(Returned::Done)
    );
    assert_fail(&ask(&mut *client, &increment).await, "ERR value is not an integer");
    server.command(&["REPLICAOF", "127.0.0.1", "1"]).await;
    assert_fail(&ask(&mut *client, &write(2)).await, "READONLY");
    assert_fail(&ask(&mut *client, &cas("x".into(), 2)).await, "READONLY");
    server.command(&["CONFIG", "SET", "replica-serve-stale-data", "no"]).await;
    assert_fail(&ask(&mut *client, &read("r1")).await, "MASTERDOWN");
    assert_fail(&ask(&mut *client, &Call::Poll { keys: vec![] }).await, "no such call");
}

#[tokio::test]
async fn a_cluster_without_slots_refuses() {
    let Some(server) = Server::start(&["--cluster-enabled", "yes"]).await else { return };
    let mut client = client(&[server.address], &[("find", "slots")]);
    assert_fail(&ask(&mut *client, &write(1)).await, "CLUSTERDOWN");
}

#[tokio::test]
async fn a_write_that_too_few_replicas_have_is_open() {
    let Some(server) = Server::start(&[]).await else { return };
    let mut client = client(&[server.address], &[("wait", "1")]);
    let soon = Instant::now() + Duration::from_secs(1);
    assert_info(&client.call(&write(1), soon).await, "copied to 0 of 1");
    assert_eq!(ask(&mut *client, &read("r1")).await, Outcome::Ok(Returned::Value(1.into())), "reads do not wait");
}

#[tokio::test]
async fn where_nobody_listens_nothing_is_sent_and_later_calls_connect_anew() {
    let Some(mut server) = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]).await else { return };
    let mut client = client(&[server.address], &[]);
    assert_eq!(ask(&mut *client, &write(1)).await, Outcome::Ok(Returned::Done));
    server.kill();
    // The first request may leave before the end of the connection is seen.
    assert!(!matches!(ask(&mut *client, &write(2)).await, Outcome::Ok(_)));
    assert_fail(&ask(&mut *client, &write(3)).await, "not sent");
    server.start_again().await;
    assert_eq!(ask(&mut *client, &read("r1")).await, Outcome::Ok(Returned::Value(1.into())));
}

#[tokio::test]
async fn what_was_sent_and_not_answered_is_open() {
    let Some(server) = Server::start(&[]).await else { return };
    let mut client = client(&[server.address], &[]);
    assert_eq!(ask(&mut *client, &write(1)).await, Outcome::Ok(Returned::Done));
    server.command(&["CLIENT", "PAUSE", "300", "ALL"]).await;
    let soon = Instant::now() + Duration::from_millis(100);
    assert_info(&client.call(&write(2), soon).await, "timeout");
    // The connection was given up: the late answer is not taken for that to the next call.
    assert!(matches!(ask(&mut *client, &read("r1")).await, Outcome::Ok(Returned::Value(_))));
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_was_sent_leaves_it_open() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it has one");
    let server = tokio::spawn(async move {
        for answer in ["", "$5\r\nhal", "HTTP/1.1 400 Bad Request\r\n"] {
            let (mut stream, _) = listener.accept().await.expect("a client");
            let mut request = [0; 512];
            let length = stream.read(&mut request).await.expect("a request");
            assert!(request[..length].starts_with(b"*3\r\n$3\r\nSET\r\n"));
            stream.write_all(answer.as_bytes()).await.expect("an answer");
        }
    });
    let mut client = client(&[address], &[]);
    assert_info(&ask(&mut *client, &write(1)).await, "connection lost");
    assert_info(&ask(&mut *client, &write(2)).await, "connection lost");
    assert_info(&ask(&mut *client, &write(3)).await, "makes no sense");
    server.await.expect("three requests came, each once");
}

#[tokio::test]
async fn a_node_says_how_it_stands() {
    let Some(server) = Server::start(&[]).await else { return };
    let mut look = redis::look(&seat(&[server.address], &[])).expect("the settings make sense");
    let standing = look.look().await.expect("it answers");
    assert_eq!((standing.leader, standing.is_ready), (Some(0), true));
}
