//! What section 8 of the paper and section 6.4 of the thesis claim about reads.

use super::cluster::{Cluster, n};
use crate::raft::{Body, Bug, Refusal, Request, Response};
use crate::server::{Input, RequestId};

fn heard(round: u64) -> Body {
    Body::HeartbeatReply { round }
}

/// The round of heartbeats that was sent last.
fn last_round(cluster: &Cluster) -> u64 {
    let crate::raft::Role::Leader(leader) = &cluster.raft(1).role else { panic!("member 1 does not lead") };
    leader.round
}

fn write_and_settle(cluster: &mut Cluster, id: u16, value: u64) {
    let request = cluster.write(id, value);
    cluster.stabilize();
    assert_eq!(cluster.value(request), Some(value));
}

#[test]
fn a_read_is_answered_when_a_majority_has_confirmed_the_leader_after_it_arrived() {
    for nodes in [3, 5] {
        let mut cluster = Cluster::led(nodes, |_| {});
        write_and_settle(&mut cluster, 1, 7);
        let read = cluster.read(1);
        let round = last_round(&cluster);
        for from in 2..=nodes / 2 + 1 {
            assert_eq!(cluster.reply(read), None);
            cluster.tell(1, from, 1, heard(round));
        }
        assert_eq!(cluster.value(read), Some(7));
    }
}

#[test]
fn confirmations_of_an_earlier_round_do_not_count_for_a_later_read() {
    let mut cluster = Cluster::led(5, |_| {});
    cluster.timeout(1);
    let earlier = last_round(&cluster);
    let read = cluster.read(1);
    for from in 2..=5 {
        cluster.tell(1, from, 1, heard(earlier));
    }
    assert_eq!(cluster.reply(read), None);
    cluster.tell(1, 2, 1, heard(earlier + 1));
    cluster.tell(1, 2, 1, heard(earlier + 1));
    assert_eq!(cluster.reply(read), None, "nor does one member count twice");
    cluster.tell(1, 3, 1, heard(earlier + 1));
    assert!(cluster.value(read).is_some());
}

#[test]
fn a_confirmed_round_confirms_all_earlier_reads() {
    let mut cluster = Cluster::led(3, |_| {});
    let reads = [cluster.read(1), cluster.read(1), cluster.read(1)];
    let round = last_round(&cluster);
    cluster.tell(1, 2, 1, heard(round));
    assert!(reads.iter().all(|read| cluster.value(*read).is_some()));
}

#[test]
fn reads_that_arrive_together_share_a_round() {
    let mut cluster = Cluster::led(3, |_| {});
    let before = last_round(&cluster);
    for id in 500..600 {
        cluster.input(n(1), Input::Request { id: RequestId(id), request: Request::Query(()) });
    }
    cluster.flush(n(1));
    assert_eq!(last_round(&cluster), before + 1);
    assert_eq!(cluster.network.len(), 2);
    cluster.stabilize();
    assert!((500..600).all(|id| cluster.value(RequestId(id)).is_some()));
}

#[test]
fn a_read_costs_no_entry_and_no_write() {
    let mut cluster = Cluster::led(3, |_| {});
    let last = cluster.raft(1).log.last();
    cluster.hosts.iter_mut().for_each(|host| host.syncs = false);
    let read = cluster.read(1);
    cluster.stabilize();
    assert!(cluster.value(read).is_some());
    assert_eq!(cluster.raft(1).log.last(), last);
}

#[test]
fn a_new_leader_answers_no_read_before_it_has_committed_an_entry_of_its_term() {
    let mut cluster = Cluster::led(3, |_| {});
    let request = cluster.write(1, 7);
    // Member 2 holds the write, and does not know that it is committed.
    cluster.stabilize_without(3);
    assert_eq!(cluster.value(request), Some(7));
    cluster.crash(1, 0);
    cluster.pass(300_000);
    cluster.timeout(2);
    cluster.settle(|envelope| !matches!(envelope.message.body, Body::Append { .. }));
    assert!(cluster.raft(2).is_leader());
    let read = cluster.read(2);
    cluster.settle(|envelope| !matches!(envelope.message.body, Body::Append { .. }));
    assert_eq!(cluster.reply(read), None);
    cluster.pass(120_000);
    for _ in 0..4 {
        cluster.heartbeat(2);
        cluster.pass(60_000);
    }
    assert_eq!(cluster.value(read), Some(7));
}

#[test]
fn a_leader_that_was_cut_off_answers_no_read() {
    let mut cluster = Cluster::led(3, |_| {});
    write_and_settle(&mut cluster, 1, 7);
    cluster.pass(300_000);
    cluster.timeout(2);
    cluster.stabilize_without(1);
    let write = cluster.write(2, 8);
    cluster.stabilize_without(1);
    assert_eq!(cluster.value(write), Some(8));
    assert!(cluster.raft(1).is_leader(), "it does not know");
    let read = cluster.read(1);
    cluster.network.clear();
    assert_eq!(cluster.reply(read), None);
    cluster.heartbeat(2);
    let refused = Response::Refused(Refusal::NotLeader { leader: None });
    assert_eq!(cluster.reply(read), Some(&refused), "and it is certain that the read did not happen");
}

#[test]
fn a_read_at_a_follower_is_refused_with_the_leader() {
    let mut cluster = Cluster::led(3, |_| {});
    let read = cluster.read(3);
    assert_eq!(cluster.reply(read), Some(&Response::Refused(Refusal::NotLeader { leader: Some(n(1)) })));
}

#[test]
fn a_lease_answers_at_once_and_runs_from_the_moment_the_heartbeat_was_sent() {
    let mut cluster = Cluster::led(3, |config| config.lease_reads = true);
    cluster.timeout(1);
    let sent = cluster.now;
    let round = last_round(&cluster);
    // The answers take their time.
    cluster.pass(200_000);
    cluster.tell(1, 2, 1, heard(round));
    assert_eq!(cluster.now.since(sent), 200_000);
    let read = cluster.read(1);
    assert!(cluster.value(read).is_some());
    assert!(cluster.network.is_empty(), "nobody was asked");
    cluster.pass(49_999);
    let read = cluster.read(1);
    assert!(cluster.value(read).is_some());
    cluster.pass(1);
    let read = cluster.read(1);
    assert_eq!(cluster.reply(read), None, "250 ms after the heartbeat was sent, it has to ask");
}

#[test]
fn a_lease_needs_a_majority() {
    let mut cluster = Cluster::led(5, |config| config.lease_reads = true);
    cluster.pass(300_000);
    cluster.timeout(1);
    let round = last_round(&cluster);
    cluster.tell(1, 2, 1, heard(round));
    let read = cluster.read(1);
    assert_eq!(cluster.reply(read), None);
}

#[test]
fn without_the_option_there_is_no_lease() {
    let mut cluster = Cluster::led(3, |_| {});
    let read = cluster.read(1);
    assert_eq!(cluster.reply(read), None);
    assert_eq!(cluster.network.len(), 2);
}

#[test]
fn no_leader_can_be_elected_while_a_lease_lasts() {
    let mut cluster = Cluster::led(3, |config| config.lease_reads = true);
    cluster.heartbeat(1);
    cluster.pass(249_000);
    let read = cluster.read(1);
    assert!(cluster.value(read).is_some());
    // Member 3 was restarted meanwhile, and has forgotten whom it heard; it must not vote either.
    cluster.crash(3, 0);
    cluster.restart(3);
    for voter in [2, 3] {
        let body = Body::RequestVote { last: super::cluster::at(9, 9), transfer: false };
        assert!(cluster.tell(voter, 5 - voter, 2, body).is_empty());
    }
}

#[test]
fn a_leader_that_hands_over_gives_its_lease_up_for_the_rest_of_its_term() {
    let mut cluster = Cluster::led(3, |config| config.lease_reads = true);
    cluster.heartbeat(1);
    cluster.request(1, Request::TransferLeadership { to: n(2) });
    cluster.network.clear();
    let read = cluster.read(1);
    assert_eq!(cluster.reply(read), None);
    for _ in 0..15 {
        cluster.heartbeat(1);
    }
    assert!(cluster.raft(1).is_leader() && cluster.raft(1).transfer.is_none(), "the transfer has failed");
    let read = cluster.read(1);
    assert_eq!(cluster.reply(read), None, "but the order to stand may still arrive");
}

#[test]
fn planted_reads_answer_at_once() {
    for (bug, member) in [(Bug::RR01, 1), (Bug::RR02, 2)] {
        let mut cluster = Cluster::led(3, |config| config.bug = Some(bug));
        let read = cluster.read(member);
        assert!(cluster.value(read).is_some());
    }
}
