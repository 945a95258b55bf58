//! What figure 2, section 5.3 and figure 7 of the paper claim about replication, and what etcd taught about pipelines.

use super::cluster::{Cluster, Envelope, at, entry, n};
use super::register::write;
use crate::raft::{Body, Entry, Request};
use crate::server::Input;

fn append(previous: (u64, u64), commit: u64, entries: &[(u64, u64)]) -> Body {
    let entries = entries.iter().map(|&(term, index)| entry(term, index)).collect();
    Body::Append { previous: at(previous.0, previous.1), commit, entries }
}

fn entries_of(sent: &[Envelope], to: u16) -> Vec<&Vec<Entry>> {
    let entries = |envelope| match envelope {
        &Envelope { to: receiver, ref message, .. } if receiver == n(to) => match &message.body {
            Body::Append { entries, .. } => Some(entries),
            Body::RequestPreVote { .. }
            | Body::PreVote { .. }
            | Body::RequestVote { .. }
            | Body::Vote { .. }
            | Body::Appended { .. }
            | Body::Conflict { .. }
            | Body::Heartbeat { .. }
            | Body::HeartbeatReply { .. }
            | Body::Stale
            | Body::SnapshotChunk { .. }
            | Body::SnapshotWanted { .. }
            | Body::TimeoutNow => None,
        },
        _ => None,
    };
    sent.iter().filter_map(entries).collect()
}

/// Member 1 of three, with a log of these terms.
fn follower(terms: &[u64]) -> Cluster {
    Cluster::with_logs(&[(3, terms), (3, &[]), (3, &[])], |_| {})
}

#[test]
fn an_append_is_refused_where_the_log_holds_no_entry_with_that_index_and_term() {
    for previous in [(1, 3), (3, 2), (2, 4)] {
        let mut cluster = follower(&[1, 1, 2]);
        let sent = cluster.tell(1, 2, 3, append(previous, 9, &[(3, previous.1 + 1)]));
        assert!(matches!(sent[0].message.body, Body::Conflict { previous_index, .. } if previous_index == previous.1));
        assert_eq!(cluster.terms(1), [1, 1, 2], "previous {previous:?}");
        assert_eq!(cluster.raft(1).commit_index, 0);
    }
}

#[test]
fn an_entry_that_conflicts_is_dropped_with_all_that_follow_it() {
    let mut cluster = follower(&[1, 1, 2, 2, 2]);
    let sent = cluster.tell(1, 2, 3, append((1, 1), 0, &[(1, 2), (3, 3)]));
    assert_eq!(sent[0].message.body, Body::Appended { matched: 3 });
    assert_eq!(cluster.terms(1), [1, 1, 3]);
    cluster.crash(1, 0);
    cluster.restart(1);
    assert_eq!(cluster.terms(1), [1, 1, 3], "and stays dropped");
}

#[test]
fn an_append_that_comes_late_or_twice_drops_nothing() {
    let mut cluster = follower(&[1, 1, 3, 3, 3]);
    for entries in [&[(1, 2), (3, 3)][..], &[(1, 2)], &[]] {
        let sent = cluster.tell(1, 2, 3, append((1, 1), 0, entries));
        assert_eq!(sent[0].message.body, Body::Appended { matched: 1 + entries.len() as u64 });
        assert_eq!(cluster.terms(1), [1, 1, 3, 3, 3]);
    }
}

#[test]
fn the_commit_index_follows_the_leaders_but_not_beyond_the_last_new_entry() {
    let mut cluster = follower(&[1, 1, 2]);
    // The entry of term 2 is not known to be the leader's.
    cluster.tell(1, 2, 3, append((1, 1), 9, &[(1, 2)]));
    assert_eq!(cluster.raft(1).commit_index, 2);
    cluster.tell(1, 2, 3, append((1, 2), 9, &[(3, 3), (3, 4)]));
    assert_eq!(cluster.raft(1).commit_index, 4);
    cluster.tell(1, 2, 3, append((3, 4), 1, &[(3, 5)]));
    assert_eq!(cluster.raft(1).commit_index, 4, "it never goes back");
}

#[test]
fn a_follower_acknowledges_what_the_message_held_and_not_the_end_of_its_log() {
    let mut cluster = follower(&[1, 1, 2, 2, 2]);
    let sent = cluster.tell(1, 2, 3, append((1, 1), 0, &[(1, 2)]));
    assert_eq!(sent[0].message.body, Body::Appended { matched: 2 });
}

#[test]
fn a_follower_applies_committed_entries_in_the_order_of_the_log() {
    let mut cluster = follower(&[1, 1, 2]);
    cluster.tell(1, 2, 3, append((2, 3), 3, &[]));
    assert_eq!(cluster.raft(1).applied_index, 3);
    assert_eq!(cluster.raft(1).machine().answer.value, 2_003);
}

/// The followers of figure 7.
#[test]
fn a_leader_brings_every_follower_of_figure_7_to_its_own_log() {
    let leader: &[u64] = &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
    let followers: [&[u64]; 6] = [
        &[1, 1, 1, 4, 4, 5, 5, 6, 6],
        &[1, 1, 1, 4],
        &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
        &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
        &[1, 1, 1, 4, 4, 4, 4],
        &[1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
    ];
    let logs = std::iter::once((7, leader)).chain(followers.map(|terms| (7, terms))).collect::<Vec<_>>();
    let mut cluster = Cluster::with_logs(&logs, |_| {});
    // Members 4 and 5 of the figure's c and d would not vote for this leader; the others are enough.
    cluster.pass(600_000);
    cluster.timeout(1);
    cluster.stabilize();
    assert!(cluster.raft(1).is_leader());
    cluster.heartbeat(1);
    let expected = [leader, &[8]].concat();
    for id in 1..=7 {
        assert_eq!(cluster.terms(id), expected, "member {id}");
        assert_eq!(cluster.raft(id).commit_index, 11);
        assert_eq!(cluster.raft(id).machine(), cluster.raft(1).machine());
    }
}

#[test]
fn a_leader_never_drops_or_overwrites_an_entry_of_its_own_log() {
    let mut cluster = Cluster::with_logs(&[(3, &[1, 2, 3]), (3, &[1]), (3, &[1])], |_| {});
    cluster.elect(1);
    cluster.write(1, 7);
    let log = cluster.terms(1);
    for body in [append((1, 1), 0, &[(4, 2)]), Body::Conflict { previous_index: 1, hint: at(0, 0) }] {
        for term in [3, 4] {
            cluster.tell(1, 2, term, body.clone());
        }
        if cluster.raft(1).is_leader() {
            assert_eq!(cluster.terms(1), log);
        }
    }
    assert!(cluster.raft(1).is_leader() || cluster.raft(1).halted.is_some(), "two leaders of one term are noticed");
}

#[test]
fn the_hint_of_a_conflict_skips_whole_terms() {
    let long = |term| [&[1; 10][..], &[term; 1_000]].concat();
    let (mine, theirs) = (long(3), long(2));
    let logs: [(u64, &[u64]); 3] = [(3, &mine), (3, &theirs), (3, &mine)];
    let mut cluster = Cluster::with_logs(&logs, |_| {});
    cluster.pass(300_000);
    cluster.timeout(1);
    cluster.trace = Some(Vec::new());
    cluster.stabilize();
    let conflicts = cluster.trace.as_ref().unwrap().iter().filter(|(_, output)| {
        matches!(output, crate::server::Output::SendNow { message, .. } if matches!(message.body, Body::Conflict { .. }))
    });
    assert_eq!(conflicts.count(), 1, "a thousand entries of one term cost one question");
    assert_eq!(cluster.terms(2), cluster.terms(1));
}

#[test]
fn a_new_leader_begins_after_its_own_last_entry_whatever_it_knew_before() {
    let mut cluster = Cluster::led(3, |_| {});
    cluster.write(1, 7);
    cluster.stabilize();
    cluster.elect(2);
    cluster.pass(300_000);
    cluster.timeout(1);
    cluster.settle(|envelope| envelope.message.term < 3 || !matches!(envelope.message.body, Body::Append { .. }));
    let crate::raft::Role::Leader(leader) = &cluster.raft(1).role else { panic!("member 1 does not lead") };
    let next = cluster.raft(1).log.last_index();
    assert!(leader.progress.values().all(|progress| progress.matched == 0 && progress.next == next));
}

#[test]
fn commands_that_arrive_together_leave_in_one_append_and_one_write() {
    let mut cluster = Cluster::led(3, |_| {});
    cluster.trace = Some(Vec::new());
    for value in 0..100 {
        let id = cluster.request_id();
        cluster.input(n(1), Input::Request { id, request: Request::Command(write(value)) });
    }
    assert!(cluster.trace.as_ref().unwrap().is_empty(), "nothing leaves before the flush");
    cluster.flush(n(1));
    assert_eq!(cluster.trace.as_ref().unwrap().len(), 3, "two appends and a write");
    assert_eq!(entries_of(&cluster.network, 2)[0].len(), 100);
}

#[test]
fn appends_are_sent_without_waiting_for_answers_until_the_window_is_full() {
    let mut cluster = Cluster::led(3, |config| config.limits.inflight_appends = 4);
    for value in 0..10 {
        cluster.write(1, value);
    }
    assert_eq!(entries_of(&cluster.network, 2).len(), 4);
    cluster.network.clear();
    let sent = cluster.tell(1, 2, 1, Body::Appended { matched: 3 });
    let entries = entries_of(&sent, 2);
    assert_eq!(entries.iter().map(|entries| entries.len()).collect::<Vec<_>>(), [6], "what had to wait goes together");
}

#[test]
fn an_append_keeps_to_its_limits_in_entries_and_in_bytes() {
    let sizes =
        |cluster: &Cluster| entries_of(&cluster.network, 2).iter().map(|entries| entries.len()).collect::<Vec<_>>();
    let mut cluster = Cluster::led(3, |config| config.limits.append_entries = 3);
    let send = |cluster: &mut Cluster| {
        for value in 0..7 {
            let id = cluster.request_id();
            cluster.input(n(1), Input::Request { id, request: Request::Command(write(value)) });
        }
        cluster.flush(n(1));
    };
    send(&mut cluster);
    assert_eq!(sizes(&cluster), [3, 3, 1]);
    // An entry of a register counts for 24 bytes.
    let mut cluster = Cluster::led(3, |config| config.limits.append_bytes = 50);
    send(&mut cluster);
    assert_eq!(sizes(&cluster), [2, 2, 2, 1]);
    let mut cluster = Cluster::led(3, |config| config.limits.append_bytes = 1);
    send(&mut cluster);
    assert_eq!(sizes(&cluster), [1; 7], "one that is too large goes alone");
}

#[test]
fn a_follower_that_is_down_gets_everything_when_it_is_back() {
    let mut cluster = Cluster::led(3, |config| config.limits.inflight_appends = 2);
    cluster.crash(3, 0);
    for value in 0..50 {
        cluster.write(1, value);
        cluster.heartbeat(1);
    }
    cluster.restart(3);
    for _ in 0..5 {
        cluster.heartbeat(1);
    }
    assert_eq!(cluster.terms(3), cluster.terms(1));
    assert_eq!(cluster.raft(3).machine(), cluster.raft(1).machine());
}

#[test]
fn an_append_that_is_lost_while_nothing_follows_is_noticed() {
    let mut cluster = Cluster::led(3, |_| {});
    cluster.write(1, 7);
    cluster.stabilize_without(3);
    for _ in 0..3 {
        cluster.heartbeat(1);
    }
    assert_eq!(cluster.raft(3).machine().answer.value, 7);
}
