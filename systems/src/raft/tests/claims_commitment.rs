//! What sections 5.3, 5.4.2 and 8 of the paper claim about commitment, section 10.2.1 of the thesis about the leader's own
//! disk, and this implementation about what clients are told.

use super::cluster::{Cluster, at, entry, n};
use crate::raft::{Body, Payload, Refusal, Response};

fn refused(refusal: Refusal) -> Option<Response<super::register::Answer>> {
    Some(Response::Refused(refusal))
}

#[test]
fn an_entry_is_committed_when_a_majority_holds_it_and_not_before() {
    for nodes in 2..=7 {
        let mut cluster = Cluster::led(nodes, |_| {});
        let request = cluster.write(1, 7);
        for from in 2..=nodes {
            let holders = from - 1;
            assert_eq!(cluster.value(request), (holders > nodes / 2).then_some(7), "{holders} of {nodes} hold it");
            cluster.tell(1, from, 1, Body::Appended { matched: 2 });
        }
    }
}

#[test]
fn an_acknowledgement_counts_once_however_often_it_arrives() {
    let mut cluster = Cluster::led(5, |_| {});
    let request = cluster.write(1, 7);
    for _ in 0..5 {
        cluster.tell(1, 2, 1, Body::Appended { matched: 2 });
    }
    assert_eq!(cluster.value(request), None);
}

#[test]
fn an_acknowledgement_that_was_overtaken_still_counts() {
    let mut cluster = Cluster::led(3, |_| {});
    cluster.host(n(1)).syncs = false;
    cluster.write(1, 7);
    cluster.write(1, 8);
    for (from, matched) in [(2, 3), (2, 2), (3, 3)] {
        cluster.tell(1, from, 1, Body::Appended { matched });
    }
    assert_eq!(cluster.raft(1).commit_index, 3, "both followers hold it, though one said less afterwards");
}

#[test]
fn an_acknowledgement_that_was_overtaken_takes_nothing_back() {
    let mut cluster = Cluster::led(3, |_| {});
    let requests = [7, 8, 9].map(|value| cluster.write(1, value));
    cluster.tell(1, 2, 1, Body::Appended { matched: 3 });
    cluster.tell(1, 2, 1, Body::Appended { matched: 2 });
    cluster.tell(1, 2, 1, Body::Conflict { previous_index: 1, hint: at(0, 0) });
    assert_eq!(requests.map(|request| cluster.value(request)), [Some(7), Some(8), None]);
    assert_eq!(cluster.raft(1).commit_index, 3);
    cluster.tell(1, 3, 1, Body::Appended { matched: 4 });
    assert_eq!(cluster.value(requests[2]), Some(9));
}

/// Figure 8: an entry of an earlier term can be on a majority and still be overwritten.
#[test]
fn entries_of_earlier_terms_are_not_committed_by_counting() {
    let logs: [(u64, &[u64]); 5] = [(4, &[1, 2]), (4, &[1, 2]), (4, &[1, 2]), (4, &[1]), (4, &[1, 3])];
    let mut cluster = Cluster::with_logs(&logs, |_| {});
    cluster.pass(300_000);
    cluster.timeout(1);
    // Members 2, 3 and 4 answer; the appends of the new leader's own entry are lost.
    cluster.settle(|envelope| {
        let own = matches!(&envelope.message.body, Body::Append { entries, .. } if !entries.is_empty());
        !own && envelope.from != n(5) && envelope.to != n(5)
    });
    assert!(cluster.raft(1).is_leader() && cluster.raft(1).term() == 5);
    for from in [2, 3, 4] {
        cluster.tell(1, from, 5, Body::Appended { matched: 2 });
    }
    assert_eq!(cluster.raft(1).commit_index, 0, "four of five hold the entry of term 2, and it is not committed");
    for from in [2, 3] {
        cluster.tell(1, from, 5, Body::Appended { matched: 3 });
    }
    assert_eq!(cluster.raft(1).commit_index, 3, "with an entry of term 5 after it, it is");
}

/// Figure 8 (d): member 5 overwrites an entry of term 2 that is on a majority.
#[test]
fn what_figure_8_overwrites_was_told_to_nobody() {
    let logs: [(u64, &[u64]); 5] = [(4, &[1, 2, 4]), (4, &[1, 2]), (4, &[1, 2]), (4, &[1]), (4, &[1, 3])];
    let mut cluster = Cluster::with_logs(&logs, |_| {});
    cluster.crash(1, 0);
    cluster.pass(600_000);
    cluster.timeout(5);
    cluster.stabilize();
    assert!(cluster.raft(5).is_leader());
    cluster.heartbeat(5);
    for id in 2..=5 {
        assert_eq!(cluster.terms(id), [1, 3, 5]);
        assert_eq!(cluster.raft(id).machine().answer.value, entry_value(3, 2));
    }
}

fn entry_value(term: u64, index: u64) -> u64 {
    match entry(term, index).payload {
        Payload::Command(command) => super::register::written(&command),
        Payload::Noop | Payload::Configuration(_) => 0,
    }
}

#[test]
fn a_leader_begins_its_term_with_an_entry_that_says_nothing_and_commits_what_came_before() {
    let logs: [(u64, &[u64]); 3] = [(1, &[1, 1]), (1, &[1, 1]), (1, &[1])];
    let mut cluster = Cluster::with_logs(&logs, |_| {});
    cluster.elect(1);
    assert_eq!(cluster.raft(1).log.get(3).map(|entry| &entry.payload), Some(&Payload::Noop));
    assert_eq!(cluster.raft(1).commit_index, 3);
    assert_eq!(cluster.raft(1).machine().answer.value, entry_value(1, 2));
}

#[test]
fn the_leader_counts_itself_only_when_its_own_write_is_durable() {
    let mut cluster = Cluster::led(3, |_| {});
    cluster.host(n(1)).syncs = false;
    let request = cluster.write(1, 7);
    assert_eq!(cluster.network.len(), 2, "the appends leave before the write is durable");
    cluster.tell(1, 2, 1, Body::Appended { matched: 2 });
    assert_eq!(cluster.raft(1).commit_index, 1, "one follower and a leader who may forget it are no majority");
    cluster.sync(1, 1);
    assert_eq!(cluster.value(request), Some(7));
}

#[test]
fn a_majority_without_the_leader_is_enough() {
    let mut cluster = Cluster::led(3, |_| {});
    cluster.host(n(1)).syncs = false;
    cluster.write(1, 7);
    cluster.tell(1, 2, 1, Body::Appended { matched: 2 });
    cluster.tell(1, 3, 1, Body::Appended { matched: 2 });
    assert_eq!(cluster.raft(1).commit_index, 2);
}

#[test]
fn an_answered_command_is_there_under_every_later_leader() {
    for next in [2, 3] {
        let mut cluster = Cluster::led(3, |_| {});
        let request = cluster.write(1, 7);
        // One follower has it; only that one can be elected.
        cluster.settle(|envelope| envelope.from != n(next) && envelope.to != n(next));
        assert_eq!(cluster.value(request), Some(7));
        cluster.crash(1, 0);
        for _ in 0..6 {
            cluster.pass(300_000);
            for id in [next, 5 - next] {
                cluster.timeout(id);
                cluster.stabilize();
            }
        }
        assert!(!cluster.raft(next).is_leader() || cluster.raft(next).machine().answer.value == 7);
        let leader = if cluster.raft(next).is_leader() { next } else { 5 - next };
        cluster.heartbeat(leader);
        assert!([2, 3].iter().all(|id| cluster.raft(*id).machine().answer.value == 7));
    }
}

#[test]
fn a_command_at_a_member_that_does_not_lead_is_refused_with_the_leader() {
    let mut cluster = Cluster::led(3, |_| {});
    let request = cluster.write(2, 7);
    assert_eq!(cluster.reply(request).cloned(), refused(Refusal::NotLeader { leader: Some(n(1)) }));
    let mut cluster = Cluster::new(3, |_| {});
    let request = cluster.write(2, 7);
    assert_eq!(cluster.reply(request).cloned(), refused(Refusal::NotLeader { leader: None }));
}

#[test]
fn a_deposed_leaders_command_is_answered_when_its_own_entry_is_committed() {
    let mut cluster = Cluster::led(3, |_| {});
    let request = cluster.write(1, 7);
    cluster.network.retain(|envelope| envelope.to == n(2));
    cluster.deliver(0);
    cluster.network.clear();
    cluster.elect(2);
    assert_eq!(cluster.reply(request), None, "it is in the log of a leader, but not known to be committed");
    cluster.heartbeat(2);
    assert_eq!(cluster.value(request), Some(7));
}

#[test]
fn a_deposed_leaders_command_is_refused_when_another_entry_is_committed_in_its_place() {
    let mut cluster = Cluster::led(3, |_| {});
    let request = cluster.write(1, 7);
    cluster.network.clear();
    cluster.elect(2);
    let winner = cluster.write(2, 8);
    cluster.stabilize();
    cluster.heartbeat(2);
    assert_eq!(cluster.value(winner), Some(8));
    assert_eq!(cluster.reply(request).cloned(), refused(Refusal::Superseded));
}

/// Only the term tells the two apart: an entry of an earlier term may be committed later, as in figure 8.
#[test]
fn a_deposed_leaders_command_is_not_answered_by_an_older_entry_at_its_index() {
    let logs: [(u64, &[u64]); 3] = [(2, &[1]), (2, &[1, 2, 2]), (2, &[1])];
    let mut cluster = Cluster::with_logs(&logs, |_| {});
    cluster.pass(300_000);
    cluster.timeout(1);
    let no_append = |envelope: &super::cluster::Envelope| !matches!(envelope.message.body, Body::Append { .. });
    cluster.settle(|envelope| no_append(envelope) && envelope.from != n(2) && envelope.to != n(2));
    let request = cluster.write(1, 7);
    assert_eq!(cluster.raft(1).log.last(), at(3, 3));
    cluster.network.clear();
    for _ in 0..2 {
        cluster.pass(300_000);
        cluster.timeout(2);
        cluster.stabilize_without(1);
    }
    assert!(cluster.raft(2).is_leader());
    while cluster.reply(request).is_none() {
        cluster.pass(60_000);
        cluster.heartbeat(2);
    }
    assert_eq!(cluster.raft(1).machine().answer.value, entry_value(2, 3));
    assert_eq!(cluster.reply(request).cloned(), refused(Refusal::Superseded));
}

#[test]
fn a_deposed_leaders_command_is_not_refused_while_it_may_still_be_committed() {
    let mut cluster = Cluster::led(5, |_| {});
    let request = cluster.write(1, 7);
    cluster.network.retain(|envelope| envelope.to == n(2));
    cluster.deliver(0);
    cluster.network.clear();
    // Member 3 leads without it, but commits nothing: its appends are lost.
    cluster.pass(300_000);
    cluster.timeout(3);
    cluster.settle(|envelope| {
        let own = matches!(&envelope.message.body, Body::Append { .. });
        !own && envelope.from != n(2) && envelope.to != n(2)
    });
    assert!(cluster.raft(3).is_leader() && !cluster.raft(1).is_leader());
    assert_eq!(cluster.reply(request), None);
    // Member 2, which has it, leads next, and commits it.
    cluster.crash(3, 0);
    for _ in 0..2 {
        cluster.pass(300_000);
        cluster.timeout(2);
        cluster.stabilize();
    }
    assert!(cluster.raft(2).is_leader());
    cluster.heartbeat(2);
    assert_eq!(cluster.value(request), Some(7));
}

#[test]
fn a_command_that_was_abandoned_is_never_answered() {
    let mut cluster = Cluster::led(3, |_| {});
    let request = cluster.write(1, 7);
    cluster.step(n(1), crate::server::Input::Abandon { id: request });
    cluster.stabilize();
    assert_eq!(cluster.raft(1).machine().answer.value, 7);
    assert_eq!(cluster.reply(request), None);
}

#[test]
fn too_many_open_requests_are_refused() {
    let mut cluster = Cluster::led(3, |config| config.limits.open_requests = 2);
    let requests = [1, 2, 3].map(|value| cluster.write(1, value));
    let read = cluster.read(1);
    assert_eq!(cluster.reply(requests[2]).cloned(), refused(Refusal::Overloaded));
    assert_eq!(cluster.reply(read).cloned(), refused(Refusal::Overloaded));
    cluster.stabilize();
    assert_eq!([0, 1].map(|i| cluster.value(requests[i])), [Some(1), Some(2)]);
    let request = cluster.write(1, 4);
    cluster.stabilize();
    assert_eq!(cluster.value(request), Some(4));
}
