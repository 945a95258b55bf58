use std::collections::BTreeSet;

use bytes::Bytes;

use super::*;
use crate::kv::{Answer, Command, KvRequest, KvResponse, Object, Query, SessionKv, session_kv};
use crate::raft::{Config, Message, Raft};
use crate::server::{Micros, Write, WriteId};
use crate::session::{self, SessionAnswer, SessionOptions};
use crate::sim::disk::{Crash, DiskFaults};
use crate::wal::WalOptions;

struct Members(u16);

impl Build for Members {
    type Server = Raft<SessionKv>;

    fn build(&mut self, node: NodeId, life: u32, recovered: Recovered) -> Result<Self::Server, String> {
        let config =
            Config { seed: u64::from(node.0) << 32 | u64::from(life), ..Config::new(node, (1..=self.0).map(NodeId)) };
        Raft::recover(config, session_kv(SessionOptions::default()), recovered).map_err(|error| error.to_string())
    }
}

/// Writes down everything that it sees.
#[derive(Default)]
struct Story(Vec<String>);

impl Observer<Raft<SessionKv>> for Story {
    fn recovered(&mut self, now: Micros, node: NodeId, server: &Raft<SessionKv>) {
        self.0.push(format!("{now:?} {node} up in term {}", server.term()));
    }

    fn stepped(&mut self, now: Micros, node: NodeId, server: &Raft<SessionKv>) {
        self.0.push(format!("{now:?} {node} {}", server.applied_index()));
    }

    fn sent(&mut self, now: Micros, number: u64, from: NodeId, to: NodeId, message: &Message) {
        self.0.push(format!("{now:?} #{number} {from} to {to} {message:?}"));
    }

    fn arrived(&mut self, now: Micros, number: u64, to: NodeId) {
        self.0.push(format!("{now:?} #{number} at {to}"));
    }

    fn durable(&mut self, node: NodeId, id: WriteId, _write: &Write) {
        self.0.push(format!("{node} {id:?}"));
    }

    fn crashed(&mut self, now: Micros, node: NodeId) {
        self.0.push(format!("{now:?} {node} down"));
    }
}

struct World {
    cluster: Cluster<Members, Story>,
    last_token: u64,
    ended: Vec<String>,
}

impl World {
    fn new(nodes: u16, seed: u64) -> Self {
        let (network, disk) = (NetworkOptions::default(), DiskOptions::default());
        let mut cluster =
            Cluster::new(Members(nodes), Story::default(), nodes, network, disk, WalOptions::simulated(), seed);
        cluster.nodes().for_each(|node| cluster.start(node));
        Self { cluster, last_token: 0, ended: Vec::new() }
    }

    fn pass(&mut self, millis: u64) {
        let until = self.cluster.now().after(millis * 1000);
        while let Some(happening) = self.cluster.next(until) {
            if let Happening::Ended { node, reason } = happening {
                self.ended.push(format!("{node}: {reason}"));
            }
        }
    }

    fn leader(&self) -> NodeId {
        let leads = |node: &NodeId| self.cluster.server(*node).is_some_and(Raft::is_leader);
        self.cluster.nodes().filter(leads).max_by_key(|node| self.cluster.server(*node).map(Raft::term)).unwrap()
    }

    /// Asks and waits, at most a second.
    fn ask(&mut self, node: NodeId, request: KvRequest) -> Option<Result<KvResponse, Lost>> {
        self.last_token += 1;
        let asked = Token(self.last_token);
        self.cluster.ask(node, asked, request);
        let until = self.cluster.now().after(1_000_000);
        while let Some(happening) = self.cluster.next(until) {
            match happening {
                Happening::Answered { token, result } if token == asked => return Some(result),
                Happening::Answered { .. } | Happening::Wake(_) | Happening::Noticed | Happening::Storm => {}
                Happening::Ended { node, reason } => self.ended.push(format!("{node}: {reason}")),
            }
        }
        None
    }

    fn write(&mut self, value: i64) -> Option<Result<KvResponse, Lost>> {
        let command = Command::Write { key: "k".into(), value: value.into() }.encode();
        let command: Bytes = session::Command::Once { command: &command }.encode();
        self.ask(self.leader(), KvRequest::Command(command))
    }

    fn read(&mut self) -> Option<Result<KvResponse, Lost>> {
        self.ask(self.leader(), KvRequest::Query(Query::Read { key: "k".into() }))
    }
}

fn holds(value: i64) -> Option<Result<KvResponse, Lost>> {
    let object = Some(Object::Register(value.into()));
    Some(Ok(KvResponse::Answer(SessionAnswer::Answer(Answer::Object(object)))))
}

fn story(seed: u64) -> Vec<String> {
    let mut world = World::new(3, seed);
    world.pass(2_000);
    world.write(1);
    let leader = world.leader();
    world.cluster.crash(leader, Crash::Power);
    world.pass(2_000);
    world.write(2);
    world.cluster.start(leader);
    world.pass(1_000);
    std::mem::take(&mut world.cluster.observer_mut().0)
}

#[test]
fn a_seed_tells_the_same_story_every_time() {
    let told = story(5);
    assert!(told.len() > 500, "{}", told.len());
    assert_eq!(told, story(5));
    assert_ne!(told, story(6));
}

#[test]
fn what_was_acknowledged_survives_a_loss_of_power_everywhere() {
    for seed in 0..20 {
        let mut world = World::new(3, seed);
        world.pass(2_000);
        assert!(matches!(world.write(7), Some(Ok(KvResponse::Answer(_)))));
        world.cluster.nodes().for_each(|node| world.cluster.crash(node, Crash::Power));
        assert!(world.cluster.up().is_empty());
        world.cluster.nodes().for_each(|node| world.cluster.start(node));
        world.pass(3_000);
        assert_eq!(world.read(), holds(7), "seed {seed}");
    }
}

#[test]
fn a_cut_leader_answers_nobody_and_another_takes_over() {
    let mut world = World::new(3, 1);
    world.pass(2_000);
    let old = world.leader();
    let cut = Disturbance { cut: true, ..Disturbance::default() };
    for other in world.cluster.nodes().filter(|node| *node != old) {
        world.cluster.disturb(old, other, cut);
        world.cluster.disturb(other, old, cut);
    }
    let read = world.read();
    assert!(!matches!(read, Some(Ok(KvResponse::Answer(_)))), "{read:?}");
    world.pass(1_000);
    assert_ne!(world.leader(), old);
    assert!(matches!(world.write(3), Some(Ok(KvResponse::Answer(_)))));
}

#[test]
fn a_node_that_stands_still_goes_on_where_it_stood() {
    let mut world = World::new(3, 2);
    world.pass(2_000);
    let old = world.leader();
    let term = world.cluster.server(old).map(Raft::term);
    world.cluster.pause(old);
    assert!(!world.cluster.is_up(old));
    world.pass(2_000);
    assert_eq!(world.cluster.server(old).map(Raft::term), term, "it noticed nothing");
    assert_ne!(world.leader(), old);
    world.cluster.resume(old);
    world.pass(1_000);
    assert_eq!(world.cluster.server(old).and_then(Raft::leader), Some(world.leader()));
}

#[test]
fn a_node_that_was_down_when_it_was_told_to_stand_still_runs_when_it_is_started() {
    let mut world = World::new(3, 6);
    world.pass(2_000);
    world.cluster.crash(NodeId(1), Crash::Process);
    world.cluster.pause(NodeId(1));
    world.cluster.start(NodeId(1));
    assert!(world.cluster.is_up(NodeId(1)));
}

#[test]
fn who_asks_a_dead_node_hears_what_a_socket_would_tell() {
    let mut world = World::new(3, 3);
    world.pass(2_000);
    let node = world.leader();
    world.cluster.crash(node, Crash::Process);
    let query = || KvRequest::Query(Query::Read { key: "k".into() });
    assert_eq!(world.ask(node, query()), Some(Err(Lost::Refused)));
    world.cluster.start(node);
    world.cluster.crash(node, Crash::Power);
    assert_eq!(world.ask(node, query()), None, "a machine without power does not even refuse");
    world.cluster.start(node);
    world.pass(2_000);
    let leader = world.leader();
    world.cluster.ask(leader, Token(999), query());
    world.pass(0);
    let until = world.cluster.now().after(400);
    assert_eq!(world.cluster.next(until), None);
    world.cluster.crash(leader, Crash::Process);
    let until = world.cluster.now().after(100_000);
    let told = std::iter::from_fn(|| world.cluster.next(until)).collect::<Vec<_>>();
    assert!(told.contains(&Happening::Answered { token: Token(999), result: Err(Lost::Broken) }), "{told:?}");
}

/// Once a run was called stuck because several syncs that began on a slow disk went on to be slow when it was fast again.
#[test]
fn a_disk_that_is_fast_again_is_soon_done_with_what_it_began_while_it_was_slow() {
    let mut world = World::new(1, 5);
    world.pass(2_000);
    world.cluster.set_disk_faults(NodeId(1), DiskFaults::default(), 60_000_000);
    assert_eq!(world.write(1), None, "a sync takes a minute");
    world.cluster.set_disk_faults(NodeId(1), DiskFaults::default(), 0);
    world.pass(100);
    assert_eq!(world.read(), holds(1));
}

#[test]
fn a_node_whose_disk_fails_ends_by_itself_and_says_why() {
    let mut world = World::new(3, 4);
    world.pass(2_000);
    let leader = world.leader();
    let faults = DiskFaults { sync_error: true, ..DiskFaults::default() };
    world.cluster.set_disk_faults(leader, faults, 0);
    world.write(1);
    assert_eq!(world.ended.len(), 1);
    assert!(world.ended[0].starts_with(&format!("{leader}: ")), "{:?}", world.ended);
    let others: BTreeSet<NodeId> = world.cluster.nodes().filter(|node| *node != leader).collect();
    assert_eq!(world.cluster.up(), others);
}
