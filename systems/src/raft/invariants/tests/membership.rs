//! Broken promises of membership changes.

use super::*;
use crate::raft::{Change, Request};

/// Four nodes of which three vote; member 1 leads in term 1.
fn led_with_stranger(bug: Bug) -> Cluster {
    let mut cluster = Cluster::new(4, |config| {
        config.initial_voters.truncate(3);
        config.limits.append_entries = 1;
        config.compaction.threshold_entries = 5;
        config.bug = Some(bug);
    });
    cluster.check_invariants();
    cluster.elect(1);
    cluster.heartbeat(1);
    assert_eq!(invariants(&mut cluster).violation(), None);
    cluster
}

fn configure(raft: &mut Raft<Register>, voters: &[u16]) {
    let configuration = Configuration::new(voters.iter().copied().map(n));
    raft.log.push(Entry { term: 1, payload: Payload::Configuration(configuration) });
}

#[test]
fn two_changes_in_one_step() {
    let mut cluster = led();
    after(&mut cluster, 1, |raft| configure(raft, &[1]));
    let (before, after) = (Configuration::new([1, 2, 3].map(n)), Configuration::new([n(1)]));
    assert_eq!(violation(&mut cluster), Violation::SingleChange { node: n(1), index: 2, before, after });
}

#[test]
fn a_change_before_anything_of_the_term_is_committed() {
    let mut cluster = led();
    vote(&mut cluster, 2, 2);
    after(&mut cluster, 2, |raft| {
        lead_in(raft, 2);
        raft.log.push(Entry { term: 2, payload: Payload::Configuration(Configuration::new([1, 2].map(n))) });
    });
    assert_eq!(violation(&mut cluster), Violation::EarlyChange { leader: n(2), term: 2, index: 2 });
}

#[test]
fn a_member_that_does_not_go_by_its_newest_configuration() {
    let mut cluster = led();
    after(&mut cluster, 1, |raft| configure(raft, &[1, 2]));
    let (used, newest) = (Configuration::new([1, 2, 3].map(n)), Configuration::new([1, 2].map(n)));
    assert_eq!(violation(&mut cluster), Violation::NewestConfiguration { node: n(1), used, newest });
}

#[test]
fn a_learner_that_is_promoted_too_early() {
    let mut cluster = led_with_stranger(Bug::RM08);
    cluster.write(1, 7);
    cluster.stabilize();
    for change in [Change::AddLearner(n(4)), Change::Promote(n(4))] {
        cluster.request(1, Request::ChangeMembership(change));
        cluster.stabilize_without(4);
    }
    let expected = Violation::CaughtUp { leader: n(1), learner: n(4), held: 0, committed: 3 };
    assert_eq!(violation(&mut cluster), expected);
}

/// Members 1 and 4 are a majority of those whom two removals leave, and 2, 3 and 5 of those who were there before.
#[test]
fn someone_who_could_be_elected_without_what_is_committed() {
    let mut cluster = Cluster::new(5, |config| config.bug = Some(Bug::RM02));
    cluster.check_invariants();
    cluster.elect(1);
    cluster.heartbeat(1);
    for removed in [2, 3] {
        cluster.request(1, Request::ChangeMembership(Change::Remove(n(removed))));
    }
    cluster.settle(|envelope| [envelope.from, envelope.to].iter().all(|id| [1, 4].contains(&id.0)));
    let configuration = Configuration::new([1, 2, 3, 4, 5].map(n));
    let votes = [2, 3, 5].map(n).to_vec();
    let expected = Violation::Electable { node: n(2), votes, configuration, missing: at(1, 2) };
    assert_eq!(violation(&mut cluster), expected);
}

#[test]
fn a_stranger_that_stands_for_election() {
    let mut cluster = led_with_stranger(Bug::RM10);
    cluster.pass(1_000_000);
    cluster.timeout(4);
    let configuration = Configuration::new([1, 2, 3].map(n));
    assert_eq!(violation(&mut cluster), Violation::OnlyVotersStand { node: n(4), term: 1, configuration });
}

#[test]
fn a_snapshot_with_the_configuration_of_another_index() {
    let mut cluster = led_with_stranger(Bug::RS08);
    cluster.request(1, Request::ChangeMembership(Change::AddLearner(n(4))));
    cluster.stabilize();
    for value in 1..10 {
        cluster.write(1, value);
        cluster.stabilize();
    }
    assert_eq!(invariants(&mut cluster).violation(), None, "the log still knows better");
    cluster.crash(2, 0);
    cluster.restart(2);
    assert_eq!(violation(&mut cluster).name(), "snapshot-configuration");
}
