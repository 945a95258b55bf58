//! What section 3.10 of the thesis claims about handing leadership over.

use super::cluster::{Cluster, n};
use crate::raft::{Body, Refusal, Request, Response};
use crate::server::RequestId;

fn hand_over(cluster: &mut Cluster, from: u16, to: u16) -> RequestId {
    cluster.request(from, Request::TransferLeadership { to: n(to) })
}

#[test]
fn the_chosen_member_leads_at_once_without_waiting_for_a_timeout() {
    let mut cluster = Cluster::led(3, |_| {});
    let before = cluster.now;
    let request = hand_over(&mut cluster, 1, 3);
    cluster.stabilize();
    assert!(cluster.raft(3).is_leader() && cluster.raft(3).term() == 2);
    assert_eq!(cluster.now, before);
    assert_eq!(cluster.reply(request), Some(&Response::Transferred));
}

#[test]
fn the_chosen_member_is_brought_up_to_date_first() {
    let mut cluster = Cluster::led(3, |_| {});
    let write = cluster.write(1, 7);
    cluster.network.clear();
    hand_over(&mut cluster, 1, 2);
    assert!(cluster.network.is_empty(), "member 2 would lose the election");
    cluster.pass(120_000);
    cluster.heartbeat(1);
    assert!(cluster.raft(2).is_leader());
    cluster.heartbeat(2);
    assert_eq!(cluster.value(write), Some(7));
}

#[test]
fn commands_are_refused_and_reads_served_while_leadership_is_handed_over() {
    let mut cluster = Cluster::led(3, |_| {});
    hand_over(&mut cluster, 1, 2);
    cluster.network.clear();
    let (write, read, second) = (cluster.write(1, 7), cluster.read(1), hand_over(&mut cluster, 1, 3));
    cluster.stabilize();
    assert_eq!(cluster.reply(write), Some(&Response::Refused(Refusal::Transferring)));
    assert_eq!(cluster.reply(second), Some(&Response::Refused(Refusal::Transferring)));
    assert!(cluster.value(read).is_some());
}

#[test]
fn a_leader_whose_successor_does_not_answer_leads_on() {
    let mut cluster = Cluster::led(3, |_| {});
    cluster.crash(3, 0);
    let request = hand_over(&mut cluster, 1, 3);
    let since = cluster.now;
    while cluster.reply(request).is_none() {
        cluster.heartbeat(1);
    }
    assert_eq!(cluster.now.since(since), 600_000);
    assert!(matches!(cluster.reply(request), Some(Response::Refused(Refusal::TransferFailed { .. }))));
    let write = cluster.write(1, 7);
    cluster.stabilize();
    assert_eq!(cluster.value(write), Some(7));
}

#[test]
fn a_transfer_that_another_member_wins_has_failed() {
    let mut cluster = Cluster::led(3, |_| {});
    let request = hand_over(&mut cluster, 1, 2);
    cluster.tell(1, 3, 4, Body::Heartbeat { commit: 0, round: 1 });
    let reason = "n3 was elected instead".to_owned();
    assert_eq!(cluster.reply(request), Some(&Response::Refused(Refusal::TransferFailed { reason })));
}

#[test]
fn a_transfer_to_the_leader_itself_is_done_and_one_to_a_stranger_fails() {
    let mut cluster = Cluster::led(3, |_| {});
    let (itself, stranger) = (hand_over(&mut cluster, 1, 1), hand_over(&mut cluster, 1, 9));
    assert_eq!(cluster.reply(itself), Some(&Response::Transferred));
    let reason = "n9 is no voter of the cluster".to_owned();
    assert_eq!(cluster.reply(stranger), Some(&Response::Refused(Refusal::TransferFailed { reason })));
    let write = cluster.write(1, 7);
    cluster.stabilize();
    assert_eq!(cluster.value(write), Some(7));
}

#[test]
fn only_a_leader_can_hand_over_and_an_old_order_to_stand_is_ignored() {
    let mut cluster = Cluster::led(3, |_| {});
    let request = hand_over(&mut cluster, 2, 3);
    assert_eq!(cluster.reply(request), Some(&Response::Refused(Refusal::NotLeader { leader: Some(n(1)) })));
    assert!(cluster.tell(2, 3, 0, Body::TimeoutNow).is_empty());
    assert_eq!(cluster.raft(2).term(), 1);
}
