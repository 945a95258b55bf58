//! What the protocols claim, one by one.

use rashomon_history::{Call, Key, MicroOp, Outcome, Returned, Seen, Value};

use super::super::{
    AbortReason, CommitClient, CommitClientOptions, Config, Isolation, Object, Op, Protocol, Refusal, Request,
    Response, TxnId,
};
use super::random::settings;
use super::workload::{Kind, Workload};
use super::world::World;
use crate::api::{ErrorBody, ErrorCode, TransportError};
use crate::client::{ClientMachine, Next};
use crate::server::{Micros, NodeId};
use crate::sim::Disturbance;
use crate::sim::disk::Crash;

const COORDINATOR: NodeId = NodeId(1);

pub(super) fn world(protocol: Protocol, isolation: Isolation) -> World {
    let mut world = World::new(settings(protocol, isolation), Workload::new(Kind::Lists), 7);
    world.pass(1_000);
    world
}

fn ask(world: &mut World, ops: &[Op]) -> Option<Response> {
    let token = world.ask(COORDINATOR, Request::Txn(ops.to_vec()));
    world.pass(1_500);
    world.answers.remove(&token).and_then(Result::ok)
}

fn read(key: &str) -> Op {
    Op::Read { key: key.into() }
}

fn write(key: &str, value: i64) -> Op {
    Op::Write { key: key.into(), value: value.into() }
}

fn append(key: &str, value: i64) -> Op {
    Op::Append { key: key.into(), value: value.into() }
}

fn add(key: &str, by: i64) -> Op {
    Op::Add { key: key.into(), by }
}

fn reads(response: Option<Response>) -> Vec<Option<Object>> {
    match response {
        Some(Response::Committed { reads, .. }) => reads,
        other => panic!("{other:?}"),
    }
}

fn register(value: i64) -> Option<Object> {
    Some(Object::Register(value.into()))
}

fn cut(world: &mut World, node: NodeId, is_cut: bool) {
    let disturbance = Disturbance { cut: is_cut, ..Disturbance::default() };
    let others: Vec<NodeId> = world.cluster.nodes().filter(|other| *other != node).collect();
    for other in others {
        world.cluster.disturb(node, other, disturbance);
        world.cluster.disturb(other, node, disturbance);
    }
}

#[test]
fn a_transaction_sees_what_it_did_itself_and_later_ones_see_all_of_it() {
    for isolation in Isolation::ALL {
        let mut world = world(Protocol::TwoPhase, isolation);
        let ops =
            [read("x"), write("x", 1), read("x"), append("l", 1), append("l", 2), read("l"), add("n", 3), read("n")];
        let seen = reads(ask(&mut world, &ops));
        assert_eq!((&seen[0], &seen[1], &seen[3]), (&None, &register(1), &register(3)));
        let list = |object: &Option<Object>| match object {
            Some(Object::List(elements)) => elements.0.to_vec(),
            other => panic!("{other:?}"),
        };
        assert_eq!(list(&seen[2]), [Value::Int(1), Value::Int(2)]);
        let seen = reads(ask(&mut world, &[read("l"), read("x"), read("a5"), read("nothing")]));
        assert_eq!(list(&seen[0]), [Value::Int(1), Value::Int(2)]);
        assert_eq!(seen[1..], [register(1), register(100), None]);
    }
}

#[test]
fn what_cannot_be_done_is_aborted_in_whole() {
    let mut world = world(Protocol::TwoPhase, Isolation::Serializable);
    reads(ask(&mut world, &[write("x", 1), append("l", 1)]));
    let cases = [
        (vec![write("y", 1), add("a1", -101)], AbortReason::InsufficientFunds),
        (vec![write("y", 1), append("x", 1)], AbortReason::WrongKind),
        (vec![write("y", 1), write("l", 1)], AbortReason::WrongKind),
        (vec![write("y", 1), add("l", 1)], AbortReason::WrongKind),
    ];
    for (ops, expected) in cases {
        let response = ask(&mut world, &ops);
        assert!(matches!(response, Some(Response::Aborted { reason, .. }) if reason == expected), "{response:?}");
    }
    assert_eq!(reads(ask(&mut world, &[read("y"), read("a1")])), [None, register(100)]);
    let most_ops = world.config.limits.ops;
    let response = ask(&mut world, &vec![read("x"); most_ops + 1]);
    assert_eq!(response, Some(Response::Refused(Refusal::TooLarge { most_ops })));
    assert_eq!(world.complaints(), Vec::<String>::new());
}

/// Begins a transaction over all shards, and stops the coordinator when all have voted yes.
pub(super) fn stop_after_the_votes(world: &mut World, stop: impl Fn(&mut World)) {
    let ops: Vec<Op> = (0..20).map(|number| write(&format!("k{number}"), 1)).collect();
    world.ask(COORDINATOR, Request::Txn(ops));
    for _ in 0..1_000 {
        world.pass_until(world.cluster.now().after(50));
        let mut in_doubt = 0;
        world.cluster.show(|_, running| in_doubt = super::super::invariants::undecided(running).len());
        if in_doubt == world.config.shards.len() {
            return stop(world);
        }
    }
    panic!("the shards never voted");
}

#[test]
fn two_phase_commit_blocks_while_its_coordinator_is_down_and_resolves_when_it_is_back() {
    let mut world = world(Protocol::TwoPhase, Isolation::Serializable);
    stop_after_the_votes(&mut world, |world| world.cluster.crash(COORDINATOR, Crash::Process));
    world.pass(20_000);
    assert_eq!(world.complaints().len(), 2 * world.config.shards.len(), "all wait, with their locks");
    world.cluster.start(COORDINATOR);
    world.pass(2_000);
    assert_eq!(world.complaints(), Vec::<String>::new());
    assert_eq!(reads(ask(&mut world, &[read("k1")])), [None]);
}

#[test]
fn who_voted_yes_keeps_its_locks_over_a_crash() {
    let mut world = world(Protocol::TwoPhase, Isolation::Serializable);
    stop_after_the_votes(&mut world, |world| cut(world, COORDINATOR, true));
    for shard in world.config.shards.clone() {
        world.cluster.crash(shard, Crash::Power);
        world.cluster.start(shard);
    }
    world.pass(5_000);
    let complaints = world.complaints();
    assert_eq!(complaints.len(), 2 * world.config.shards.len(), "{complaints:?}");
    cut(&mut world, COORDINATOR, false);
    world.pass(2_000);
    assert_eq!(world.complaints(), Vec::<String>::new());
}

#[test]
fn a_group_of_coordinators_does_not_block() {
    let mut world = world(Protocol::TwoPhaseRaft, Isolation::Serializable);
    let leader = world.cluster.nodes().find(|node| {
        world.cluster.server(*node).is_some_and(|server| crate::server::Server::status(server).role == "leader")
    });
    let leader = leader.unwrap();
    let ops: Vec<Op> = (0..20).map(|number| write(&format!("k{number}"), 1)).collect();
    world.ask(leader, Request::Txn(ops));
    for _ in 0..1_000 {
        world.pass_until(world.cluster.now().after(50));
        let mut in_doubt = 0;
        world.cluster.show(|_, running| in_doubt = super::super::invariants::undecided(running).len());
        if in_doubt == world.config.shards.len() {
            break;
        }
    }
    world.cluster.crash(leader, Crash::Process);
    world.pass(3_000);
    assert_eq!(world.complaints(), Vec::<String>::new(), "two of three coordinators are left");
}

#[test]
fn participants_help_each_other_while_the_coordinator_is_down() {
    let mut world = world(Protocol::TwoPhase, Isolation::Serializable);
    let last = *world.config.shards.last().unwrap();
    stop_after_the_votes(&mut world, |world| cut(world, last, true));
    world.pass(1_000);
    world.cluster.crash(COORDINATOR, Crash::Process);
    cut(&mut world, last, false);
    world.pass(3_000);
    assert_eq!(world.complaints(), Vec::<String>::new(), "{last} was told by another shard");
}

#[test]
fn a_client_is_told_fail_only_of_what_was_certainly_not_done() {
    let options = CommitClientOptions {
        home: NodeId(2),
        coordinators: vec![COORDINATOR],
        bank: Config::new(NodeId(1), 4, Protocol::TwoPhase).bank,
        bug: None,
    };
    let call = Call::Txn { ops: vec![MicroOp::Read { key: "x".into(), seen: None }] };
    let refusal = |error, message: &str| Ok(ErrorBody::new(error, message).into_response());
    let answer = |result| {
        let mut client = CommitClient::new(options.clone());
        let Next::Ask { attempt, .. } = client.begin(Micros(0), &call, Micros(100)) else { panic!("it asks") };
        match client.answered(Micros(1), attempt, result) {
            Some(Next::Done { outcome, .. }) => outcome,
            other => panic!("{other:?}"),
        }
    };
    let page = |status, body: &'static str| {
        Ok(crate::api::HttpResponse { status, body: bytes::Bytes::from_static(body.as_bytes()) })
    };
    assert!(matches!(answer(refusal(ErrorCode::Aborted, "why")), Outcome::Fail(why) if why == "aborted: why"));
    assert!(
        matches!(answer(refusal(ErrorCode::TxnTooLarge, "")), Outcome::Fail(why) if why.starts_with("txn-too-large"))
    );
    assert!(matches!(answer(refusal(ErrorCode::BadRequest, "")), Outcome::Fail(_)));
    assert!(matches!(answer(refusal(ErrorCode::OutcomeUnknown, "")), Outcome::Info(_)));
    assert!(matches!(answer(Err(TransportError::Broken("reset".into()))), Outcome::Info(_)));
    assert!(matches!(answer(page(502, "<html>")), Outcome::Info(_)));
    assert!(matches!(answer(page(200, r#"{"transaction":"1.1","reads":[]}"#)), Outcome::Info(_)), "a read is missing");
    let seen = vec![MicroOp::Read { key: "x".into(), seen: Some(Seen::Value(3.into())) }];
    assert_eq!(answer(page(200, r#"{"transaction":"1.1","reads":[3]}"#)), Outcome::Ok(Returned::Txn(seen)));
}

#[test]
fn a_client_asks_on_until_someone_begins_its_transaction_or_the_time_is_up() {
    let options = CommitClientOptions {
        home: NodeId(4),
        coordinators: vec![NodeId(1), NodeId(2), NodeId(3)],
        bank: Config::new(NodeId(1), 6, Protocol::TwoPhaseRaft).bank,
        bug: None,
    };
    let mut client = CommitClient::new(options);
    let call = Call::Transfer { from: "a1".into(), to: "a2".into(), amount: 1 };
    let mut next = client.begin(Micros(0), &call, Micros(1_000));
    let (mut now, mut asked) = (Micros(0), Vec::new());
    let outcome = loop {
        match next {
            Next::Ask { node, attempt, .. } => {
                asked.push(node.0);
                let refused = Err(TransportError::NotSent("connection refused".into()));
                next = client.answered(now, attempt, refused).unwrap();
            }
            Next::Wait { until } => {
                now = until;
                next = client.time(now).unwrap();
            }
            Next::Done { outcome, .. } => break outcome,
        }
    };
    assert_eq!(asked[..5], [4, 1, 2, 3, 1]);
    assert!(matches!(outcome, Outcome::Fail(why) if why.starts_with("it was not begun")));
    let Next::Ask { .. } = client.begin(now, &call, now.after(10)) else { panic!("it asks") };
    let timed_out = client.time(now.after(10));
    assert!(matches!(timed_out, Some(Next::Done { outcome: Outcome::Info(_), .. })), "{timed_out:?}");
}

#[test]
fn every_node_tells_what_it_has_decided() {
    for protocol in Protocol::ALL {
        let mut world = world(protocol, Isolation::Serializable);
        world.add_clients(3, 1, world.cluster.now().after(300_000));
        world.pass(3_000);
        let nodes: Vec<NodeId> = world.cluster.nodes().collect();
        let mut decided: std::collections::BTreeMap<TxnId, &str> = std::collections::BTreeMap::new();
        for node in nodes {
            let token = world.ask(node, Request::Decisions);
            world.pass(10);
            let Some(Ok(Response::Decisions(decisions))) = world.answers.remove(&token) else { panic!("{node}") };
            for (txn, decision) in decisions {
                assert_eq!(*decided.entry(txn).or_insert(decision), decision, "{protocol}: {txn} at {node}");
            }
        }
        assert!(decided.len() > 10, "{protocol}");
    }
}

#[test]
fn logs_stay_bounded() {
    let mut config = settings(Protocol::TwoPhase, Isolation::Snapshot);
    config.limits.decisions = 50;
    let mut world = World::new(config, Workload::new(Kind::Registers), 5);
    world.pass(100);
    world.add_clients(6, 5, world.cluster.now().after(3_000_000));
    world.pass(4_000);
    for node in world.cluster.nodes().collect::<Vec<_>>() {
        world.cluster.crash(node, Crash::Process);
        world.cluster.start(node);
    }
    world.pass(2_000);
    assert_eq!(world.complaints(), Vec::<String>::new());
    assert!(world.cluster.observer().commits() > 500);
    for node in world.cluster.nodes().collect::<Vec<_>>() {
        let token = world.ask(node, Request::Decisions);
        world.pass(10);
        let Some(Ok(Response::Decisions(decisions))) = world.answers.remove(&token) else { panic!("{node}") };
        assert!(decisions.len() <= 51, "{node} remembers {}", decisions.len());
    }
}

#[test]
fn a_key_stays_with_its_shard() {
    let config = Config::new(NodeId(1), 4, Protocol::TwoPhase);
    let shards: std::collections::BTreeSet<NodeId> = config.bank.keys().map(|key| config.shard_of(&key)).collect();
    assert_eq!(shards.len(), 3, "the bank is spread over all shards");
    assert_eq!(config.shard_of(&Key::from("a1")), config.shard_of(&Key::from("a1")));
}
