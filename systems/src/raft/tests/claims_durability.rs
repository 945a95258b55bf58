//! What figure 2 of the paper and sections 3.8 and 10.2.1 of the thesis claim about what is durable when.

use super::cluster::{Cluster, at, entry, n};
use crate::raft::{Body, Bug, Message};
use crate::server::{Input, Output};

/// Member 1 of three, whose writes become durable only when a test says so.
fn slow() -> Cluster {
    let mut cluster = Cluster::with_logs(&[(1, &[1]), (1, &[1]), (1, &[1])], |_| {});
    cluster.host(n(1)).syncs = false;
    cluster
}

fn ask() -> Body {
    Body::RequestVote { last: at(1, 1), transfer: false }
}

#[test]
fn what_is_overwritten_before_it_was_written_is_not_acknowledged() {
    let mut cluster = Cluster::new(3, |_| {});
    for (from, term, entries) in [(2, 1, vec![entry(1, 1), entry(1, 2)]), (3, 2, vec![entry(2, 1)])] {
        let message = Message { term, body: Body::Append { previous: at(0, 0), commit: 0, entries } };
        cluster.input(n(1), Input::Message { from: n(from), message });
    }
    cluster.flush(n(1));
    let sent = cluster.network.iter().map(|envelope| (envelope.to, &envelope.message.body)).collect::<Vec<_>>();
    assert_eq!(sent, [(n(3), &Body::Appended { matched: 1 })]);
}

#[test]
fn a_vote_is_durable_before_it_is_given() {
    let mut cluster = slow();
    assert!(cluster.tell(1, 2, 2, ask()).is_empty());
    cluster.sync(1, 1);
    assert_eq!(cluster.network[0].message.body, Body::Vote { granted: true });
    cluster.crash(1, 0);
    cluster.restart(1);
    cluster.host(n(1)).syncs = true;
    assert_eq!(cluster.raft(1).hard.vote, Some(n(2)));
    let sent = cluster.tell(1, 3, 2, ask());
    assert_eq!(sent[0].message.body, Body::Vote { granted: false }, "it has not forgotten whom it voted for");
}

#[test]
fn a_vote_that_was_not_durable_was_not_given() {
    let mut cluster = slow();
    cluster.tell(1, 2, 2, ask());
    cluster.crash(1, 0);
    assert!(cluster.network.is_empty());
    cluster.restart(1);
    cluster.host(n(1)).syncs = true;
    let sent = cluster.tell(1, 3, 2, ask());
    assert_eq!(sent[0].message.body, Body::Vote { granted: true });
}

#[test]
fn term_and_own_vote_are_durable_before_a_vote_is_asked_for() {
    let mut cluster = slow();
    cluster.timeout(1);
    let sent = cluster.tell(1, 2, 1, Body::PreVote { ballot: 2, granted: true });
    assert!(sent.is_empty());
    cluster.sync(1, 1);
    assert_eq!(cluster.network.len(), 2);
    assert!(cluster.network.iter().all(|envelope| envelope.message.body == ask() && envelope.message.term == 2));
    cluster.crash(1, 0);
    cluster.restart(1);
    assert_eq!((cluster.raft(1).hard.term, cluster.raft(1).hard.vote), (2, Some(n(1))));
}

#[test]
fn a_new_term_is_durable_before_anything_is_said_in_it() {
    let messages = [
        Body::Heartbeat { commit: 0, round: 1 },
        Body::Append { previous: at(9, 9), commit: 0, entries: Vec::new() },
        Body::RequestPreVote { last: at(1, 1) },
    ];
    for body in messages {
        let mut cluster = slow();
        assert!(cluster.tell(1, 2, 4, body.clone()).is_empty(), "{body:?} was answered too early");
        cluster.sync(1, 1);
        assert_eq!(cluster.network.len(), 1);
        cluster.crash(1, 0);
        cluster.restart(1);
        assert_eq!(cluster.raft(1).term(), 4);
    }
}

#[test]
fn entries_are_durable_before_the_append_is_answered() {
    let mut cluster = slow();
    let append = |from, to| Body::Append {
        previous: at(1, from - 1),
        commit: 0,
        entries: (from..=to).map(|index| entry(1, index)).collect(),
    };
    assert!(cluster.tell(1, 2, 1, append(2, 3)).is_empty());
    assert!(cluster.tell(1, 2, 1, append(4, 4)).is_empty());
    cluster.sync(1, 1);
    assert_eq!(cluster.network[0].message.body, Body::Appended { matched: 3 });
    assert_eq!(cluster.network.len(), 1);
    cluster.crash(1, 0);
    cluster.restart(1);
    assert_eq!(cluster.terms(1), [1, 1, 1], "what was answered is there, what was not may be lost");
}

#[test]
fn a_repeated_append_is_not_answered_before_the_first_is_durable() {
    let mut cluster = slow();
    let append = Body::Append { previous: at(1, 1), commit: 0, entries: vec![entry(1, 2)] };
    assert!(cluster.tell(1, 2, 1, append.clone()).is_empty());
    assert!(cluster.tell(1, 2, 1, append).is_empty());
    cluster.sync(1, 1);
    assert_eq!(cluster.network.len(), 2);
}

#[test]
fn a_heartbeat_is_answered_without_a_write() {
    let mut cluster = slow();
    assert_eq!(
        cluster.tell(1, 2, 1, Body::Heartbeat { commit: 0, round: 3 })[0].message.body,
        Body::HeartbeatReply { round: 3 }
    );
    assert!(cluster.host(n(1)).waiting.is_empty());
}

/// Thesis 10.2.1: a slow disk of the leader holds up neither its followers nor its clients.
#[test]
fn a_leader_sends_and_answers_while_its_own_disk_is_busy() {
    let mut cluster = Cluster::led(3, |_| {});
    cluster.host(n(1)).syncs = false;
    let writes = [7, 8, 9].map(|value| cluster.write(1, value));
    cluster.stabilize();
    let read = cluster.read(1);
    cluster.stabilize();
    assert_eq!(writes.map(|write| cluster.value(write)), [Some(7), Some(8), Some(9)]);
    assert_eq!(cluster.value(read), Some(9));
    cluster.crash(1, 0);
    assert_eq!(cluster.host(n(1)).disk.records.len(), 2, "its own disk knows the term and the no-op, and nothing else");
    for _ in 0..2 {
        cluster.pass(300_000);
        cluster.timeout(2);
        cluster.stabilize();
    }
    cluster.heartbeat(2);
    assert_eq!(cluster.raft(2).machine().answer.value, 9, "and all that was answered is safe");
}

#[test]
fn all_that_a_batch_has_to_write_is_one_write() {
    let mut cluster = Cluster::with_logs(&[(1, &[1]), (1, &[1]), (1, &[1])], |_| {});
    cluster.trace = Some(Vec::new());
    for index in 2..=5 {
        let body = Body::Append { previous: at(1, index - 1), commit: 0, entries: vec![entry(1, index)] };
        let message = crate::raft::Message { term: 1, body };
        cluster.input(n(1), Input::Message { from: n(3), message });
    }
    // In the same batch the next leader replaces some of them.
    let body = Body::Append { previous: at(1, 2), commit: 0, entries: vec![entry(2, 3)] };
    cluster.input(n(1), Input::Message { from: n(2), message: crate::raft::Message { term: 2, body } });
    cluster.flush(n(1));
    let acknowledged = |to, term, matched| super::cluster::Envelope {
        from: n(1),
        to: n(to),
        message: crate::raft::Message { term, body: Body::Appended { matched } },
    };
    assert_eq!(cluster.network, [acknowledged(2, 2, 3)], "and one answer, to the leader of the later term");
    let writes = cluster.trace.as_ref().unwrap().iter().filter(|(_, output)| matches!(output, Output::Persist { .. }));
    assert_eq!(writes.count(), 1);
    cluster.crash(1, 0);
    cluster.restart(1);
    assert_eq!(cluster.terms(1), [1, 1, 2]);
    assert_eq!(cluster.raft(1).term(), 2);
}

#[test]
fn a_member_that_restarts_goes_on_with_its_log_and_forgets_only_the_commit_index() {
    let mut cluster = Cluster::led(3, |_| {});
    cluster.write(1, 7);
    cluster.stabilize();
    cluster.heartbeat(1);
    for id in 1..=3 {
        cluster.crash(id, 0);
        cluster.restart(id);
        assert_eq!((cluster.raft(id).commit_index, cluster.terms(id)), (0, vec![1, 1]));
    }
    cluster.elect(3);
    cluster.heartbeat(3);
    assert!((1..=3).all(|id| cluster.raft(id).machine().answer.value == 7));
}

#[test]
fn a_follower_that_acknowledges_what_it_is_still_writing_forgets_it_in_a_crash() {
    let append = || Body::Append { previous: at(1, 1), commit: 1, entries: vec![entry(1, 2)] };
    let acknowledged = Body::Appended { matched: 2 };
    let mut right = slow();
    assert!(right.tell(1, 2, 1, append()).is_empty());
    let mut cluster = Cluster::with_logs(&[(1, &[1]), (1, &[1]), (1, &[1])], |config| config.bug = Some(Bug::RD09));
    cluster.host(n(1)).syncs = false;
    assert_eq!(cluster.tell(1, 2, 1, append())[0].message.body, acknowledged);
    cluster.crash(1, 0);
    cluster.restart(1);
    assert_eq!(cluster.raft(1).log.last_index(), 1);
}
