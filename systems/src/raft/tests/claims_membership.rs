//! What chapter 4 of the thesis claims about changes of the members, and what Ongaro added to it in 2015 (raft-dev, "bug in
//! single-server membership changes").

use super::cluster::{Cluster, Envelope, at, entry, n};
use crate::raft::{Body, Bug, Change, Config, Entry, Payload, Raft, Refusal, Request, Response, Role, StateMachine};
use crate::server::{NodeId, RequestId, Server};

/// `voters` and more nodes that wait to be added; member 1 leads in term 1.
fn led(nodes: u16, voters: usize, configure: impl Fn(&mut Config)) -> Cluster {
    let mut cluster = Cluster::new(nodes, |config| {
        config.initial_voters.truncate(voters);
        configure(config);
    });
    cluster.check_invariants();
    cluster.elect(1);
    cluster.heartbeat(1);
    cluster
}

fn change(cluster: &mut Cluster, leader: u16, change: Change) -> RequestId {
    cluster.request(leader, Request::ChangeMembership(change))
}

fn changed(cluster: &mut Cluster, leader: u16, wanted: Change) {
    let request = change(cluster, leader, wanted);
    cluster.stabilize();
    assert_eq!(cluster.reply(request), Some(&Response::Changed), "{wanted}");
}

fn voters(cluster: &Cluster, id: u16) -> Vec<u16> {
    cluster.raft(id).configuration.voters().iter().map(|voter| voter.0).collect()
}

fn refusal(cluster: &Cluster, request: RequestId) -> Option<&Refusal> {
    match cluster.reply(request)? {
        Response::Refused(refusal) => Some(refusal),
        Response::Answer(_) | Response::Transferred | Response::Changed | Response::Unknown => None,
    }
}

fn stands<M: StateMachine>(raft: &Raft<M>) -> bool {
    matches!(raft.role, Role::PreCandidate(_) | Role::Candidate(_) | Role::Leader(_))
}

#[test]
fn a_learner_gets_the_log_but_neither_votes_nor_counts() {
    let mut cluster = led(4, 3, |_| {});
    cluster.write(1, 7);
    changed(&mut cluster, 1, Change::AddLearner(n(4)));
    assert_eq!(cluster.raft(4).log.last(), cluster.raft(1).log.last());
    cluster.heartbeat(1);
    assert_eq!(cluster.raft(4).machine().answer.value, 7);
    assert_eq!(
        (cluster.raft(4).status().role, cluster.raft(4).status().learners),
        ("learner".into(), vec!["n4".into()])
    );

    cluster.crash(2, 0);
    cluster.crash(3, 0);
    let write = cluster.write(1, 8);
    cluster.stabilize();
    assert_eq!(cluster.reply(write), None, "one voter of three and a learner are no majority");
}

#[test]
fn a_learner_that_joins_late_is_sent_the_snapshot() {
    let mut cluster = led(4, 3, |config| {
        config.compaction.threshold_entries = 5;
        config.compaction.trailing_entries = 0;
    });
    for value in 1..20 {
        cluster.write(1, value);
        cluster.stabilize();
    }
    changed(&mut cluster, 1, Change::AddLearner(n(4)));
    cluster.heartbeat(1);
    cluster.heartbeat(1);
    assert_eq!(cluster.raft(4).machine(), cluster.raft(1).machine());
    changed(&mut cluster, 1, Change::Promote(n(4)));
    assert_eq!(voters(&cluster, 4), [1, 2, 3, 4]);
}

#[test]
fn a_configuration_counts_from_the_moment_it_is_in_the_log() {
    let mut cluster = led(4, 3, |_| {});
    changed(&mut cluster, 1, Change::AddLearner(n(4)));
    cluster.crash(3, 0);
    let promote = change(&mut cluster, 1, Change::Promote(n(4)));
    assert_eq!((voters(&cluster, 1), cluster.reply(promote)), (vec![1, 2, 3, 4], None));
    cluster.stabilize_without(4);
    assert_eq!(cluster.reply(promote), None, "two of four are no majority");
    cluster.pass(120_000);
    cluster.heartbeat(1);
    assert_eq!(cluster.reply(promote), Some(&Response::Changed));
}

#[test]
fn a_configuration_that_is_cut_off_the_log_no_longer_counts() {
    let cut_off = |bug| {
        let mut cluster = led(3, 3, |config| config.bug = bug);
        let request = change(&mut cluster, 1, Change::Remove(n(3)));
        assert_eq!(voters(&cluster, 1), [1, 2]);
        cluster.tell(1, 2, 2, Body::Append { previous: at(1, 1), commit: 1, entries: vec![entry(2, 2)] });
        (cluster, request)
    };
    assert_eq!(voters(&cut_off(Some(Bug::RM05)).0, 1), [1, 2]);
    let (mut cluster, request) = cut_off(None);
    assert_eq!(voters(&cluster, 1), [1, 2, 3]);
    cluster.tell(1, 2, 2, Body::Append { previous: at(2, 2), commit: 2, entries: Vec::new() });
    assert_eq!(refusal(&cluster, request), Some(&Refusal::Superseded));
}

#[test]
fn one_change_at_a_time() {
    let mut cluster = led(5, 3, |_| {});
    let first = change(&mut cluster, 1, Change::AddLearner(n(4)));
    let second = change(&mut cluster, 1, Change::AddLearner(n(5)));
    assert_eq!(refusal(&cluster, second), Some(&Refusal::ChangeInProgress));
    cluster.stabilize();
    assert_eq!(cluster.reply(first), Some(&Response::Changed));
    changed(&mut cluster, 1, Change::AddLearner(n(5)));
}

#[test]
fn a_leader_changes_nothing_before_it_has_committed_an_entry_of_its_term() {
    let mut cluster = led(4, 4, |_| {});
    cluster.pass(300_000);
    cluster.timeout(2);
    while !cluster.raft(2).is_leader() {
        cluster.deliver(0);
    }
    let early = change(&mut cluster, 2, Change::Remove(n(1)));
    assert_eq!(refusal(&cluster, early), Some(&Refusal::NotYetCommittedInTerm));
    cluster.stabilize();
    changed(&mut cluster, 2, Change::Remove(n(1)));
}

fn among(ids: &[u16]) -> impl Fn(&Envelope) -> bool {
    move |envelope| ids.contains(&envelope.from.0) && ids.contains(&envelope.to.0)
}

/// Ongaro's example: leader 1 adds a voter and reaches only it; leader 2 removes member 1 and reaches a majority of those who
/// are left; then leader 1 is elected by a majority of its own configuration. The two majorities have no voter in common.
fn two_leaders_change_one_configuration(bug: Option<Bug>) -> (Cluster, RequestId) {
    let mut cluster = led(5, 4, |config| config.bug = bug);
    changed(&mut cluster, 1, Change::AddLearner(n(5)));
    cluster.heartbeat(1);
    change(&mut cluster, 1, Change::Promote(n(5)));
    cluster.settle(among(&[1, 5]));

    cluster.pass(600_000);
    cluster.timeout(2);
    while !cluster.raft(2).is_leader() {
        cluster.network.retain(among(&[2, 3, 4]));
        cluster.deliver(0);
    }
    cluster.network.clear();
    let removal = change(&mut cluster, 2, Change::Remove(n(1)));
    cluster.pass(120_000);
    cluster.timeout(2);
    cluster.settle(among(&[2, 3]));

    cluster.pass(600_000);
    for _ in 0..10 {
        cluster.timeout(1);
        cluster.settle(among(&[1, 4, 5]));
    }
    assert!(cluster.raft(1).is_leader());
    (cluster, removal)
}

#[test]
fn two_leaders_can_not_change_one_configuration_in_two_ways() {
    let (cluster, removal) = two_leaders_change_one_configuration(None);
    assert_eq!(refusal(&cluster, removal), Some(&Refusal::NotYetCommittedInTerm));
    assert_eq!(cluster.invariants.as_ref().unwrap().violation(), None);
    let (cluster, removal) = two_leaders_change_one_configuration(Some(Bug::RM01));
    assert_eq!(cluster.reply(removal), Some(&Response::Changed));
    assert_eq!((voters(&cluster, 1), voters(&cluster, 2)), (vec![1, 2, 3, 4, 5], vec![2, 3, 4]));
    let violation = cluster.invariants.as_ref().unwrap().violation().unwrap();
    assert_eq!(violation.name(), "early-change");
}

#[test]
fn a_learner_that_is_behind_or_silent_is_not_promoted() {
    let mut cluster = led(4, 3, |config| config.limits.append_entries = 4);
    for value in 1..20 {
        cluster.write(1, value);
    }
    cluster.stabilize();
    let adding = change(&mut cluster, 1, Change::AddLearner(n(4)));
    cluster.stabilize_without(4);
    assert_eq!(cluster.reply(adding), Some(&Response::Changed));
    let early = change(&mut cluster, 1, Change::Promote(n(4)));
    let missing = cluster.raft(1).commit_index;
    assert_eq!(refusal(&cluster, early), Some(&Refusal::LearnerBehind { learner: n(4), missing, heard: true }));

    cluster.pass(120_000);
    cluster.heartbeat(1);
    for _ in 0..10 {
        cluster.heartbeat_without(1, 4);
    }
    let late = change(&mut cluster, 1, Change::Promote(n(4)));
    assert_eq!(refusal(&cluster, late), Some(&Refusal::LearnerBehind { learner: n(4), missing: 0, heard: false }));
    cluster.heartbeat(1);
    changed(&mut cluster, 1, Change::Promote(n(4)));
}

#[test]
fn changes_that_make_no_sense_are_refused() {
    let mut cluster = led(2, 1, |_| {});
    for wanted in [Change::AddLearner(n(1)), Change::Promote(n(2)), Change::Remove(n(2)), Change::Remove(n(1))] {
        let request = change(&mut cluster, 1, wanted);
        assert!(matches!(refusal(&cluster, request), Some(Refusal::ChangeImpossible { .. })), "{wanted}");
    }
    let elsewhere = change(&mut cluster, 2, Change::Remove(n(1)));
    assert_eq!(refusal(&cluster, elsewhere), Some(&Refusal::NotLeader { leader: None }));
}

#[test]
fn a_leader_that_removes_itself_leads_on_until_the_others_hold_the_change() {
    let mut cluster = led(3, 3, |_| {});
    let removal = change(&mut cluster, 1, Change::Remove(n(1)));
    let write = cluster.write(1, 7);
    cluster.stabilize_without(3);
    assert!(cluster.raft(1).is_leader());
    assert_eq!(cluster.reply(removal), None, "the leader and one of two voters are no majority of the two");

    cluster.pass(120_000);
    cluster.heartbeat(1);
    assert_eq!(cluster.reply(removal), Some(&Response::Changed));
    assert_eq!(cluster.value(write), Some(7));
    assert!(!cluster.raft(1).is_leader());
    assert!(
        cluster.raft(2).is_leader() || cluster.raft(3).is_leader(),
        "a successor leads without waiting for a timeout"
    );
}

#[test]
fn what_stood_behind_the_removal_of_the_leader_has_an_unknown_outcome() {
    let mut cluster = led(3, 3, |_| {});
    change(&mut cluster, 1, Change::Remove(n(1)));
    cluster.settle(|envelope| envelope.to != n(1));
    let write = cluster.write(1, 7);
    cluster.network.clear();
    for from in [2, 3] {
        cluster.tell(1, from, 1, Body::Appended { matched: 2 });
    }
    assert!(!cluster.raft(1).is_leader());
    assert_eq!(cluster.reply(write), Some(&Response::Unknown));
}

#[test]
fn a_removed_member_is_told_and_never_stands_again() {
    let mut cluster = led(3, 3, |_| {});
    changed(&mut cluster, 1, Change::Remove(n(3)));
    assert_eq!(cluster.raft(3).commit_index, 2);
    cluster.heartbeat(1);
    cluster.pass(2_000_000);
    cluster.timeout(3);
    assert!(cluster.network.is_empty() && !stands(cluster.raft(3)));
    assert_eq!(cluster.raft(3).leader, None);
}

#[test]
fn a_removed_member_that_was_not_told_disturbs_nobody() {
    let mut cluster = led(4, 4, |_| {});
    change(&mut cluster, 1, Change::Remove(n(4)));
    (0..15).for_each(|_| cluster.heartbeat_without(1, 4));
    for _ in 0..20 {
        cluster.heartbeat(1);
        if cluster.raft(4).deadline() <= cluster.now {
            cluster.timeout(4);
            cluster.stabilize();
        }
    }
    assert!(stands(cluster.raft(4)), "it asks for pre-votes");
    assert_eq!((cluster.raft(1).is_leader(), cluster.raft(1).term(), cluster.raft(4).term()), (true, 1, 1));
}

/// Figure 4.6.
#[test]
fn a_member_whose_removal_is_not_settled_still_stands_without_counting_itself() {
    let mut cluster = led(2, 2, |_| {});
    change(&mut cluster, 1, Change::Remove(n(1)));
    cluster.crash(1, 0);
    cluster.network.clear();
    cluster.restart(1);
    cluster.pass(600_000);
    cluster.timeout(2);
    cluster.stabilize();
    assert!(!cluster.raft(2).is_leader(), "member 2's log is shorter");
    cluster.pass(300_000);
    cluster.timeout(1);
    cluster.stabilize();
    assert!(cluster.raft(2).is_leader() && voters(&cluster, 2) == [2]);
}

#[test]
fn a_member_that_does_not_know_of_its_promotion_votes_all_the_same() {
    let mut cluster = led(3, 2, |_| {});
    changed(&mut cluster, 1, Change::AddLearner(n(3)));
    change(&mut cluster, 1, Change::Promote(n(3)));
    cluster.stabilize_without(3);
    assert_eq!((voters(&cluster, 2), voters(&cluster, 3)), (vec![1, 2, 3], vec![1, 2]));
    cluster.crash(1, 0);
    cluster.elect(2);
    assert_eq!(voters(&cluster, 3), [1, 2, 3]);
}

#[test]
fn a_node_that_was_not_added_waits_whatever_time_passes() {
    let mut cluster = led(4, 3, |_| {});
    for _ in 0..5 {
        cluster.timeout(4);
    }
    assert!(cluster.network.is_empty() && !stands(cluster.raft(4)) && cluster.raft(4).term() == 0);
    assert!(cluster.tell(4, 1, 1, Body::TimeoutNow).is_empty());
}

#[test]
fn a_member_takes_the_entries_of_a_leader_that_it_does_not_know() {
    let mut cluster = Cluster::led(3, |_| {});
    let append = Body::Append { previous: at(1, 1), commit: 2, entries: vec![entry(5, 2)] };
    let sent = cluster.tell(2, 9, 5, append);
    assert_eq!(
        sent.iter().map(|envelope| &envelope.message.body).collect::<Vec<_>>(),
        [&Body::Appended { matched: 2 }]
    );
    assert_eq!(cluster.raft(2).leader, Some(n(9)));
}

#[test]
fn after_a_restart_the_newest_configuration_in_the_log_counts() {
    let mut cluster = led(3, 3, |_| {});
    change(&mut cluster, 1, Change::Remove(n(3)));
    cluster.crash(1, 0);
    cluster.restart(1);
    assert_eq!((voters(&cluster, 1), cluster.raft(1).commit_index), (vec![1, 2], 0));
}

#[test]
fn a_snapshot_holds_the_configuration_of_its_index_and_none_that_is_newer() {
    let mut cluster = led(4, 3, |config| config.compaction.threshold_entries = 3);
    changed(&mut cluster, 1, Change::AddLearner(n(4)));
    cluster.write(1, 7);
    change(&mut cluster, 1, Change::Promote(n(4)));
    for from in [2, 3] {
        cluster.tell(1, from, 1, Body::Appended { matched: 3 });
    }
    let snapshot = cluster.raft(1).snapshot.as_ref().unwrap().decode().unwrap();
    assert_eq!(snapshot.position, at(1, 3));
    assert_eq!(snapshot.configuration.to_string(), "voters n1 n2 n3, learners n4");
    cluster.crash(1, 0);
    cluster.restart(1);
    assert_eq!(voters(&cluster, 1), [1, 2, 3, 4]);
}

#[test]
fn a_sole_voter_leads_when_its_vote_is_durable_and_not_before() {
    let mut cluster = Cluster::new(1, |_| {});
    cluster.host(n(1)).syncs = false;
    cluster.timeout(1);
    assert!(!cluster.raft(1).is_leader());
    cluster.sync(1, 1);
    assert!(cluster.raft(1).is_leader());
}

#[test]
fn leadership_goes_to_voters_only() {
    let mut cluster = led(4, 3, |_| {});
    changed(&mut cluster, 1, Change::AddLearner(n(4)));
    let request = cluster.request(1, Request::TransferLeadership { to: n(4) });
    assert!(matches!(refusal(&cluster, request), Some(Refusal::TransferFailed { .. })));
}

#[test]
fn a_configuration_is_an_entry_of_the_log() {
    let mut cluster = led(3, 3, |_| {});
    changed(&mut cluster, 1, Change::Remove(NodeId(3)));
    let expected = Payload::Configuration(crate::raft::Configuration::new([1, 2].map(NodeId)));
    assert_eq!(cluster.raft(2).log.get(2), Some(&Entry { term: 1, payload: expected }));
}
