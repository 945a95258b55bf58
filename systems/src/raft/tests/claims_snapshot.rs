//! What section 7 and figure 13 of the paper claim about snapshots.

use bytes::Bytes;

use super::cluster::{Cluster, at, entry, n};
use super::register::Register;
use crate::raft::record::{EncodedSnapshot, Snapshot};
use crate::raft::{Body, Configuration, Refusal, Response, StateMachine};
use crate::server::{NodeId, Server};

/// A cluster that takes a snapshot every ten entries.
fn compacting(trailing_entries: u64) -> Cluster {
    Cluster::led(3, |config| {
        config.compaction.threshold_entries = 10;
        config.compaction.trailing_entries = trailing_entries;
        config.limits.snapshot_chunk_bytes = 20;
    })
}

fn write_many(cluster: &mut Cluster, values: std::ops::Range<u64>, without: u16) {
    for value in values {
        cluster.write(1, value);
        cluster.stabilize_without(without);
    }
    cluster.heartbeat_without(1, without);
}

/// A snapshot of a register that holds 77, up to `index`@`term`, and its chunks of ten bytes.
fn snapshot_of(term: u64, index: u64) -> Vec<Body> {
    let answer = super::register::Answer { value: 77, index };
    let machine = Register { answer, digest: 1, padding: 0 }.snapshot();
    let configuration = Configuration::new((1..=3).map(NodeId));
    let encoded = EncodedSnapshot::new(&Snapshot { position: at(term, index), configuration, machine });
    let chunk = |begin: usize| {
        let chunk = encoded.bytes.slice(begin..encoded.bytes.len().min(begin + 10));
        Body::SnapshotChunk { snapshot: encoded.id, offset: begin as u64, chunk }
    };
    (0..encoded.bytes.len()).step_by(10).map(chunk).collect()
}

fn follower(terms: &[u64]) -> Cluster {
    Cluster::with_logs(&[(3, terms), (3, &[]), (3, &[])], |_| {})
}

fn install(cluster: &mut Cluster, chunks: &[Body]) -> Vec<Body> {
    let mut sent = Vec::new();
    for chunk in chunks {
        sent.extend(cluster.tell(1, 2, 3, chunk.clone()).into_iter().map(|envelope| envelope.message.body));
    }
    sent
}

#[test]
fn few_large_commands_are_enough_to_cut_the_log() {
    let mut cluster = Cluster::led(3, |config| config.compaction.threshold_bytes = 200);
    write_many(&mut cluster, 0..100, 9);
    for id in 1..=3 {
        let (status, base) = (cluster.raft(id).status(), cluster.raft(id).log.base().index);
        assert!(status.snapshot_index > 50, "member {id} took its last snapshot at {}", status.snapshot_index);
        assert!(status.snapshot_index - base < 10, "member {id} keeps the log from {base} on");
    }
}

#[test]
fn the_log_is_cut_when_enough_was_applied_and_some_entries_stay() {
    let mut cluster = compacting(4);
    write_many(&mut cluster, 0..25, 9);
    for id in 1..=3 {
        let status = cluster.raft(id).status();
        assert_eq!((status.snapshot_index, cluster.raft(id).log.base().index), (20, 16), "member {id}");
        assert_eq!(status.last_index, 26);
    }
}

#[test]
fn what_was_cut_is_not_on_disk_any_more_and_a_restart_finds_the_rest() {
    let mut cluster = compacting(4);
    write_many(&mut cluster, 0..25, 9);
    let before = cluster.raft(2).machine().clone();
    cluster.crash(2, 0);
    assert!(cluster.host(n(2)).disk.snapshot.is_some() && cluster.host(n(2)).disk.records.len() <= 7);
    cluster.restart(2);
    assert_eq!(cluster.raft(2).applied_index, 20);
    assert_eq!(cluster.terms(2), [1; 6]);
    cluster.heartbeat(1);
    assert_eq!(*cluster.raft(2).machine(), before);
}

#[test]
fn a_follower_that_lags_less_than_the_entries_that_stayed_needs_no_snapshot() {
    let mut cluster = compacting(30);
    write_many(&mut cluster, 0..25, 3);
    cluster.trace = Some(Vec::new());
    for _ in 0..4 {
        cluster.heartbeat(1);
    }
    assert_eq!(cluster.raft(3).machine(), cluster.raft(1).machine());
    let trace = format!("{:?}", cluster.trace);
    assert!(trace.contains("Append {") && !trace.contains("SnapshotChunk"));
}

#[test]
fn a_follower_that_lags_more_is_sent_the_snapshot_and_then_the_log() {
    let mut cluster = compacting(0);
    write_many(&mut cluster, 0..25, 3);
    for _ in 0..4 {
        cluster.heartbeat(1);
    }
    assert_eq!(cluster.raft(3).machine(), cluster.raft(1).machine());
    assert_eq!((cluster.raft(3).log.base(), cluster.raft(3).log.last()), (at(1, 20), at(1, 26)));
    cluster.crash(3, 0);
    cluster.restart(3);
    assert_eq!(cluster.raft(3).applied_index, 20, "it is on the follower's own disk");
}

#[test]
fn a_snapshot_arrives_although_chunks_are_lost_and_the_leader_takes_newer_ones_meanwhile() {
    let mut cluster = compacting(0);
    write_many(&mut cluster, 0..25, 3);
    let mut losses = 0;
    for value in 100..180 {
        cluster.write(1, value);
        let mut nth = 0;
        while !cluster.network.is_empty() {
            nth += 1;
            let chunk = matches!(cluster.network[0].message.body, Body::SnapshotChunk { .. });
            if chunk && (nth + value) % 3 == 0 {
                cluster.network.remove(0);
                losses += 1;
            } else {
                cluster.deliver(0);
            }
        }
        cluster.timeout(1);
    }
    for _ in 0..8 {
        cluster.heartbeat(1);
    }
    assert!(losses > 3);
    assert_eq!(cluster.raft(3).machine(), cluster.raft(1).machine());
}

#[test]
fn an_installed_snapshot_replaces_state_and_log() {
    let mut cluster = follower(&[1, 1]);
    let sent = install(&mut cluster, &snapshot_of(2, 9));
    assert_eq!(sent.last(), Some(&Body::Appended { matched: 9 }));
    assert_eq!(cluster.raft(1).machine().answer.value, 77);
    assert_eq!((cluster.raft(1).log.base(), cluster.raft(1).log.last()), (at(2, 9), at(2, 9)));
    let append = Body::Append { previous: at(2, 9), commit: 10, entries: vec![entry(3, 10)] };
    let sent = cluster.tell(1, 2, 3, append);
    assert_eq!(sent[0].message.body, Body::Appended { matched: 10 }, "the log goes on after it");
    assert_eq!(cluster.raft(1).machine().answer.value, 3_010);
}

#[test]
fn an_installed_snapshot_is_durable_before_it_is_acknowledged() {
    let mut cluster = follower(&[1, 1]);
    cluster.host(n(1)).syncs = false;
    let sent = install(&mut cluster, &snapshot_of(2, 9));
    assert!(!sent.iter().any(|body| matches!(body, Body::Appended { .. })));
    cluster.sync(1, 1);
    assert_eq!(cluster.network.last().map(|envelope| &envelope.message.body), Some(&Body::Appended { matched: 9 }));
    cluster.crash(1, 0);
    cluster.restart(1);
    assert_eq!(cluster.raft(1).machine().answer.value, 77);
    assert_eq!(cluster.raft(1).term(), 3, "the term is in the checkpoint too");
}

#[test]
fn a_log_that_holds_the_snapshots_last_entry_keeps_what_follows_it() {
    let mut cluster = follower(&[1, 1, 2, 2, 3]);
    let sent = install(&mut cluster, &snapshot_of(2, 4));
    assert_eq!(sent[0], Body::Appended { matched: 4 });
    assert_eq!(cluster.terms(1), [1, 1, 2, 2, 3]);
    assert_eq!(cluster.raft(1).commit_index, 4, "all that the snapshot holds is committed");
    assert_eq!(cluster.raft(1).machine().answer.value, 2_004);
}

#[test]
fn a_log_that_contradicts_the_snapshot_is_discarded_as_a_whole() {
    let mut cluster = follower(&[1, 1, 1, 1, 1, 1]);
    install(&mut cluster, &snapshot_of(2, 4));
    assert_eq!((cluster.raft(1).log.base(), cluster.raft(1).log.last()), (at(2, 4), at(2, 4)));
    cluster.crash(1, 0);
    cluster.restart(1);
    assert_eq!(cluster.raft(1).log.last(), at(2, 4), "and does not come back");
}

#[test]
fn an_older_snapshot_that_comes_late_changes_nothing() {
    let mut cluster = follower(&[1, 1]);
    let newer = snapshot_of(2, 9);
    install(&mut cluster, &newer);
    let before = cluster.raft(1).status();
    let sent = install(&mut cluster, &snapshot_of(2, 5));
    assert!(sent.iter().all(|body| *body == Body::Appended { matched: 5 }));
    install(&mut cluster, &newer);
    assert_eq!(cluster.raft(1).status(), before);
}

#[test]
fn an_append_that_begins_before_the_snapshot_is_taken_from_there_on() {
    let mut cluster = follower(&[1, 1]);
    install(&mut cluster, &snapshot_of(2, 9));
    let entries = vec![entry(2, 8), entry(2, 9), entry(3, 10)];
    let sent = cluster.tell(1, 2, 3, Body::Append { previous: at(2, 7), commit: 0, entries });
    assert_eq!(sent[0].message.body, Body::Appended { matched: 10 });
    assert_eq!(cluster.raft(1).log.last(), at(3, 10));
    let sent = cluster.tell(1, 2, 3, Body::Append { previous: at(1, 2), commit: 0, entries: vec![entry(1, 3)] });
    assert_eq!(sent[0].message.body, Body::Appended { matched: 9 }, "what the snapshot holds is held");
    assert_eq!(cluster.raft(1).log.last(), at(3, 10));
}

#[test]
fn chunks_may_come_twice_and_a_transfer_goes_on_where_it_stopped() {
    let mut cluster = follower(&[1]);
    let chunks = snapshot_of(2, 9);
    let wanted = |body: &Body| match body {
        Body::SnapshotWanted { offset, .. } => Some(*offset),
        _ => None,
    };
    let sent = install(&mut cluster, &[chunks[0].clone(), chunks[0].clone(), chunks[1].clone(), chunks[3].clone()]);
    assert_eq!(sent.iter().map(wanted).collect::<Vec<_>>(), [Some(10), Some(10), Some(20), Some(20)]);
    // Another leader goes on with the same snapshot.
    cluster.tell(1, 3, 4, Body::Heartbeat { commit: 0, round: 1 });
    for chunk in &chunks[2..] {
        cluster.tell(1, 3, 4, chunk.clone());
    }
    assert_eq!(cluster.raft(1).machine().answer.value, 77);
}

#[test]
fn chunks_that_do_not_make_up_what_was_announced_are_asked_for_again() {
    let mut cluster = follower(&[1]);
    let chunks = snapshot_of(2, 9);
    let mut wrong = chunks.clone();
    if let Body::SnapshotChunk { chunk, .. } = &mut wrong[2] {
        *chunk = Bytes::from(vec![9; chunk.len()]);
    }
    let sent = install(&mut cluster, &wrong);
    assert!(matches!(sent.last(), Some(Body::SnapshotWanted { offset: 0, .. })));
    assert_eq!(cluster.raft(1).log.last(), at(1, 1), "nothing of it was installed");
    install(&mut cluster, &chunks);
    assert_eq!(cluster.raft(1).machine().answer.value, 77);
}

#[test]
fn a_command_that_a_snapshot_passes_over_has_an_unknown_outcome() {
    let mut cluster = Cluster::led(3, |_| {});
    let (passed, later) = (cluster.write(1, 7), cluster.write(1, 8));
    cluster.network.clear();
    cluster.tell(1, 2, 3, Body::Heartbeat { commit: 0, round: 1 });
    install(&mut cluster, &snapshot_of(2, 2));
    assert_eq!(cluster.reply(passed), Some(&Response::Unknown));
    // The snapshot ends in term 2: an entry of term 1 can't stand after it.
    assert_eq!(cluster.reply(later), Some(&Response::Refused(Refusal::Superseded)));
}

#[test]
fn a_snapshot_that_the_state_machine_refuses_silences_the_member() {
    let mut cluster = follower(&[1]);
    let configuration = Configuration::new((1..=3).map(NodeId));
    let machine = Bytes::from_static(b"short");
    let encoded = EncodedSnapshot::new(&Snapshot { position: at(2, 9), configuration, machine });
    let chunk = Body::SnapshotChunk { snapshot: encoded.id, offset: 0, chunk: encoded.bytes };
    assert!(cluster.tell(1, 2, 3, chunk).is_empty());
    let role = cluster.raft(1).status().role;
    assert!(role.starts_with("halted: a snapshot of the leader can't be installed"), "{role}");
    assert!(cluster.tell(1, 2, 3, Body::Heartbeat { commit: 0, round: 1 }).is_empty());
}
