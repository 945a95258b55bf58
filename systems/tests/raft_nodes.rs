//! Three real members of the Raft key-value store in one process: real sockets, real disks.

mod cluster;
mod http;

use std::io::Write;
use std::net::TcpStream;

use bytes::Bytes;
use rashomon_history::{Call, Outcome, Returned};
use rashomon_systems::api::{ErrorBody, ErrorCode, HttpRequest, Method, SessionUse};
use rashomon_systems::kv::client;
use rashomon_systems::raft::Compaction;
use rashomon_systems::session::SessionId;

use cluster::Cluster;
use http::request;

fn write(key: &str, value: i64) -> Call {
    Call::Write { key: key.into(), value: value.into() }
}

fn read(key: &str) -> Call {
    Call::Read { key: key.into() }
}

fn done() -> Outcome {
    Outcome::Ok(Returned::Done)
}

fn value(value: i64) -> Outcome {
    Outcome::Ok(Returned::Value(value.into()))
}

#[test]
fn every_call_works_and_is_linearizable_from_the_leader() {
    let cluster = Cluster::start();
    let list = |values: &[i64]| Outcome::Ok(Returned::List(values.iter().map(|&value| value.into()).collect()));
    let (key, member) = (|| "r/1".into(), || "s".into());
    let story = [
        (write("r/1", 1), done()),
        (read("r/1"), value(1)),
        (Call::Cas { key: key(), from: 1.into(), to: 2.into() }, Outcome::Ok(Returned::Swapped)),
        (
            Call::Cas { key: key(), from: 1.into(), to: 3.into() },
            Outcome::Ok(Returned::NotSwapped { current: Some(2.into()) }),
        ),
        (Call::Delete { key: key() }, done()),
        (read("r/1"), Outcome::Ok(Returned::Value(rashomon_history::Value::Nil))),
        (Call::Append { key: "l".into(), value: 2.into() }, done()),
        (Call::Append { key: "l".into(), value: 1.into() }, done()),
        (read("l"), list(&[2, 1])),
        (Call::Add { key: member(), value: 2.into() }, done()),
        (Call::Add { key: member(), value: 1.into() }, done()),
        (read("s"), list(&[1, 2])),
    ];
    for (call, expected) in story {
        assert_eq!(cluster.call(&call), expected, "{call}");
    }
}

#[test]
fn the_cluster_goes_on_without_its_leader_and_takes_it_back() {
    let mut cluster = Cluster::start();
    assert_eq!(cluster.call(&write("k", 1)), done());
    let old = cluster.leader();
    cluster.kill(old);
    assert_eq!(cluster.call_until_ok(&read("k")), value(1));
    assert_eq!(cluster.call_until_ok(&write("k", 2)), done());
    assert_ne!(cluster.leader(), old);
    cluster.restart(old);
    cluster.wait_until_caught_up(old);
    assert_eq!(cluster.call_until_ok(&read("k")), value(2));
}

#[test]
fn a_restart_of_all_keeps_every_acknowledged_write() {
    let mut cluster =
        Cluster::start_with(Compaction { threshold_entries: 50, trailing_entries: 5, ..Compaction::default() });
    for number in 0..120 {
        assert_eq!(cluster.call_until_ok(&write(&format!("k{number}"), number)), done());
    }
    for id in 1..=3 {
        cluster.kill(id);
    }
    for id in 1..=3 {
        cluster.restart(id);
    }
    for number in 0..120 {
        assert_eq!(cluster.call_until_ok(&read(&format!("k{number}"))), value(number));
    }
}

#[test]
fn a_member_that_was_away_for_long_is_brought_up_by_a_snapshot() {
    let mut cluster =
        Cluster::start_with(Compaction { threshold_entries: 20, trailing_entries: 2, ..Compaction::default() });
    let away = cluster.follower();
    cluster.kill(away);
    for number in 0..100 {
        assert_eq!(cluster.call_until_ok(&write("k", number)), done());
    }
    cluster.restart(away);
    cluster.wait_until_caught_up(away);
    assert!(cluster.status(away).unwrap().snapshot_index >= 80);
}

#[test]
fn a_retry_in_a_session_is_applied_once_also_over_a_change_of_leader() {
    let mut cluster = Cluster::start();
    let open = HttpRequest { method: Method::Post, path_and_query: "/v1/sessions".into(), body: Bytes::new() };
    let opened = cluster.ask_leader(&open);
    let opened: serde_json::Value = serde_json::from_slice(&opened.body).unwrap();
    let used = SessionUse { session: SessionId(opened["session"].as_u64().unwrap()), sequence: 1, awaiting: 1 };
    let append = Call::Append { key: "l".into(), value: 7.into() };
    let retried = client::request(&append, Some(used)).unwrap();
    for _ in 0..3 {
        assert_eq!(client::outcome(&append, &Ok(cluster.ask_leader(&retried))), done());
        let leader = cluster.leader();
        cluster.kill(leader);
        cluster.restart(leader);
    }
    assert_eq!(cluster.call_until_ok(&read("l")), Outcome::Ok(Returned::List(vec![7.into()])));

    let never_opened = SessionUse { session: SessionId(1 << 40), ..used };
    let refused = cluster.ask_leader(&client::request(&append, Some(never_opened)).unwrap());
    assert_eq!(error_of(&refused.body), ErrorCode::UnknownSession);
}

fn error_of(body: &[u8]) -> ErrorCode {
    serde_json::from_slice::<ErrorBody>(body).unwrap().error
}

#[test]
fn a_follower_says_who_leads_and_the_leader_can_be_changed() {
    let cluster = Cluster::start();
    let follower = cluster.follower();
    let response = cluster.ask(follower, &client::request(&write("k", 1), None).unwrap()).unwrap();
    assert_eq!(response.status, 421);
    let body: ErrorBody = serde_json::from_slice(&response.body).unwrap();
    let leader = cluster.leader();
    assert_eq!(body.leader, Some(format!("n{leader}")));
    assert_eq!(body.leader_address, Some(cluster.client_address(leader).to_string()));

    let transfer = HttpRequest {
        method: Method::Post,
        path_and_query: "/v1/transfer-leadership".into(),
        body: format!(r#"{{"to":{follower}}}"#).into(),
    };
    assert_eq!(cluster.ask(leader, &transfer).unwrap().status, 200);
    cluster.wait_until(|cluster| cluster.leader() == follower);
}

#[test]
fn a_node_joins_catches_up_and_replaces_another() {
    let cluster = Cluster::start_voters(Compaction { threshold_entries: 10, ..Compaction::default() }, 2);
    for number in 0..30 {
        assert_eq!(cluster.call_until_ok(&write("r", number)), done());
    }
    let change = |body: &str| {
        let (path_and_query, body) = ("/v1/members".into(), body.as_bytes().to_vec().into());
        cluster.ask_leader(&HttpRequest { method: Method::Post, path_and_query, body })
    };
    let newcomer = cluster.status(3).unwrap();
    assert_eq!((newcomer.role.as_str(), newcomer.term, newcomer.last_index), ("learner", 0, 0));
    let early = change(r#"{"promote":3}"#);
    assert_eq!((early.status, error_of(&early.body)), (409, ErrorCode::ChangeImpossible));

    assert_eq!(change(r#"{"add-learner":3}"#).status, 200);
    assert_eq!(change(r#"{"promote":3}"#).status, 200, "refused with 503 until it has caught up");
    let removed = cluster.leader();
    assert_eq!(change(&format!(r#"{{"remove":{removed}}}"#)).status, 200);
    cluster.wait_until(|cluster| cluster.leader() != removed);
    assert_eq!(cluster.call_until_ok(&read("r")), value(29));
    let voters = cluster.status(cluster.leader()).unwrap().voters;
    assert_eq!(voters, (1..=3).filter(|id| *id != removed).map(|id| format!("n{id}")).collect::<Vec<_>>());
    cluster.wait_until(|cluster| cluster.status(removed).is_some_and(|status| status.role == "learner"));
}

#[test]
fn what_can_not_be_served_is_refused_as_documented() {
    let cluster = Cluster::start();
    let leader = cluster.leader();
    let put = |body: String| HttpRequest { method: Method::Put, path_and_query: "/v1/kv/k".into(), body: body.into() };
    let large = format!(r#"{{"value":"{}"}}"#, "x".repeat(2 << 20));
    let get = |path: &str| HttpRequest { method: Method::Get, path_and_query: path.into(), body: Bytes::new() };
    let cases = [
        (put(large), 413, ErrorCode::TooLarge),
        (put("{".into()), 400, ErrorCode::BadRequest),
        (get("/"), 404, ErrorCode::NotFound),
        (get("/v1/kv/k/cas"), 405, ErrorCode::MethodNotAllowed),
        (HttpRequest { method: Method::Put, ..get("/v1/status") }, 405, ErrorCode::MethodNotAllowed),
    ];
    for (asked, status, error) in cases {
        let response = cluster.ask(leader, &asked).unwrap();
        assert_eq!((response.status, error_of(&response.body)), (status, error), "{}", asked.path_and_query);
    }
    let just_fits = format!(r#"{{"value":"{}"}}"#, "x".repeat((1 << 20) - 100));
    assert_eq!(cluster.ask(leader, &put(just_fits)).unwrap().status, 200);
}

#[test]
fn rubbish_on_the_ports_harms_nobody() {
    let cluster = Cluster::start();
    assert_eq!(cluster.call(&write("k", 1)), done());
    for id in 1..=3 {
        for address in [cluster.peer_address(id), cluster.client_address(id)] {
            let mut stream = TcpStream::connect(address).unwrap();
            // The node may close the connection while we still write.
            let _ = stream.write_all(&[0xa5; 100_000]);
        }
    }
    assert_eq!(cluster.call(&read("k")), value(1));
}

#[test]
fn a_folder_and_a_port_serve_one_node() {
    let cluster = Cluster::start();
    let error = cluster.start_a_second(1).unwrap_err().to_string();
    assert!(error.contains("another process uses this data folder"), "{error}");
    let taken = cluster.client_address(1);
    let error = rashomon_systems::node::Listeners::bind(taken, taken).unwrap_err().to_string();
    assert!(error.contains(&taken.to_string()) && error.contains("another process uses the port"), "{error}");
}

#[test]
fn a_stopped_node_closes_its_ports_and_can_start_again() {
    let mut cluster = Cluster::start();
    assert_eq!(cluster.call(&write("k", 1)), done());
    let follower = cluster.follower();
    cluster.stop(follower);
    assert!(request(cluster.client_address(follower), &client::request(&read("k"), None).unwrap()).is_err());
    cluster.restart(follower);
    cluster.wait_until_caught_up(follower);
}

#[test]
fn a_node_whose_disk_is_full_stops_and_says_so() {
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: mounting a small tmpfs needs root");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let size = Some("size=24m");
    if let Err(error) =
        nix::mount::mount(Some("tmpfs"), folder.path(), Some("tmpfs"), nix::mount::MsFlags::empty(), size)
    {
        println!("skipped: mounting a small tmpfs: {error}");
        return;
    }
    let error = cluster::fill_the_disk_of_one_node(folder.path());
    nix::mount::umount(folder.path()).unwrap();
    let message = error.to_string();
    assert!(message.contains("No space left on device") && message.contains("make room"), "{message}");
}
