//! Each broken promise is told as what it is. Random runs of the right Raft are in `raft::tests::random`.

mod membership;

use super::{Fact, Invariants, Violation};
use crate::raft::record::{HardState, Record, encode};
use crate::raft::replication::Leader;
use crate::raft::tests::cluster::{Cluster, at, entry, n};
use crate::raft::tests::register::Register;
use crate::raft::{Body, Bug, Configuration, Entry, Message, Payload, Raft, Role};
use crate::server::{NodeId, Write};

/// Three members, looked at from the start; member 1 leads in term 1, and its no-op is committed.
fn led() -> Cluster {
    let mut cluster = Cluster::new(3, |_| {});
    cluster.check_invariants();
    cluster.elect(1);
    cluster.heartbeat(1);
    assert_eq!(invariants(&mut cluster).violation(), None);
    cluster
}

fn invariants(cluster: &mut Cluster) -> &mut Invariants<Register> {
    cluster.invariants.as_mut().unwrap()
}

fn violation(cluster: &mut Cluster) -> Violation {
    invariants(cluster).violation().expect("a violation").clone()
}

/// Changes a member behind its back, and looks at it.
fn after(cluster: &mut Cluster, id: u16, change: impl FnOnce(&mut Raft<Register>)) {
    let raft = cluster.hosts[usize::from(id) - 1].raft.as_mut().unwrap();
    change(raft);
    cluster.invariants.as_mut().unwrap().stepped(n(id), raft);
}

fn lead_in(raft: &mut Raft<Register>, term: u64) {
    raft.hard.term = term;
    let others = [1, 2, 3].map(n).into_iter().filter(|id| *id != raft.config.id);
    raft.role = Role::Leader(Leader::new(others, raft.log.last_index(), raft.now));
}

fn hard_state(term: u64, vote: Option<u16>) -> Write {
    Write::Append(vec![encode(&Record::HardState(HardState { term, vote: vote.map(NodeId) }))])
}

fn entries(first: u64, terms: &[u64]) -> Write {
    let entries = (first..).zip(terms).map(|(index, term)| entry(*term, index)).collect();
    Write::Append(vec![encode(&Record::Entries { first, entries })])
}

/// Everyone voted for `candidate` in `term`, durably.
fn vote(cluster: &mut Cluster, candidate: u16, term: u64) {
    for voter in 1..=3 {
        let invariants = invariants(cluster);
        invariants.durable(n(voter), &hard_state(term, Some(candidate)));
        if voter != candidate {
            invariants.sent(n(voter), n(candidate), &Message { term, body: Body::Vote { granted: true } });
        }
    }
    assert_eq!(invariants(cluster).violation(), None);
}

#[test]
fn two_leaders_of_a_term() {
    let mut cluster = led();
    after(&mut cluster, 2, |raft| lead_in(raft, 1));
    assert_eq!(violation(&mut cluster), Violation::ElectionSafety { term: 1, first: n(1), second: n(2) });
}

#[test]
fn a_leader_without_a_majority_of_votes() {
    let mut cluster = led();
    after(&mut cluster, 2, |raft| lead_in(raft, 2));
    let expected = Violation::ElectionMajority { leader: n(2), term: 2, votes: 1, needed: 2 };
    assert_eq!(violation(&mut cluster), expected);
}

#[test]
fn a_leader_that_cuts_or_replaces_its_own_log() {
    for more in [0, 1, 5] {
        let mut cluster = led();
        cluster.write(1, 7);
        cluster.stabilize_without(3);
        after(&mut cluster, 1, |raft| {
            raft.log.truncate_from(2);
            (0..more).for_each(|_| raft.log.push(entry(1, 99)));
        });
        assert_eq!(violation(&mut cluster), Violation::LeaderAppendOnly { leader: n(1), term: 1, index: 2 });
    }
}

#[test]
fn one_index_and_term_with_two_entries_or_two_pasts() {
    let mut cluster = led();
    after(&mut cluster, 2, |raft| raft.log.push(entry(1, 5)));
    after(&mut cluster, 3, |raft| raft.log.push(entry(1, 6)));
    let expected = Violation::LogMatching { at: at(1, 2), first: n(2), second: n(3) };
    assert_eq!(violation(&mut cluster), expected);

    let mut cluster = led();
    after(&mut cluster, 2, |raft| [1, 3].into_iter().for_each(|term| raft.log.push(entry(term, 0))));
    after(&mut cluster, 3, |raft| [2, 3].into_iter().for_each(|term| raft.log.push(entry(term, 0))));
    let expected = Violation::LogMatching { at: at(3, 3), first: n(2), second: n(3) };
    assert_eq!(violation(&mut cluster), expected);
}

#[test]
fn a_leader_that_lacks_what_was_committed_before() {
    let mut cluster = led();
    cluster.write(1, 7);
    cluster.stabilize_without(2);
    assert_eq!(cluster.raft(1).commit_index, 2);
    vote(&mut cluster, 2, 2);
    after(&mut cluster, 2, |raft| lead_in(raft, 2));
    let expected = Violation::LeaderCompleteness { leader: n(2), term: 2, missing: at(1, 2) };
    assert_eq!(violation(&mut cluster), expected);
}

#[test]
fn a_leader_that_lacks_what_is_committed_late_in_an_earlier_term() {
    let mut cluster = led();
    vote(&mut cluster, 2, 2);
    after(&mut cluster, 2, |raft| lead_in(raft, 2));
    assert_eq!(invariants(&mut cluster).violation(), None);
    cluster.write(1, 7);
    invariants(&mut cluster).durable(n(3), &entries(2, &[1]));
    after(&mut cluster, 1, |raft| raft.commit_index = 2);
    assert_eq!(invariants(&mut cluster).violation(), None, "nobody has looked at the later leader");
    after(&mut cluster, 2, |_| {});
    let expected = Violation::LeaderCompleteness { leader: n(2), term: 2, missing: at(1, 2) };
    assert_eq!(violation(&mut cluster), expected);
}

#[test]
fn two_entries_committed_at_one_index() {
    let mut cluster = led();
    cluster.write(1, 7);
    cluster.stabilize_without(2);
    after(&mut cluster, 2, |raft| {
        raft.log.push(entry(2, 2));
        raft.commit_index = 2;
    });
    let expected = Violation::StateMachineSafety { index: 2, first: n(1), first_term: 1, second: n(2), second_term: 2 };
    assert_eq!(violation(&mut cluster), expected);
}

#[test]
fn a_state_that_the_commands_do_not_make() {
    let mut cluster = led();
    cluster.host(n(3)).raft.as_mut().unwrap().machine.digest += 1;
    for value in 0..2_000 {
        cluster.write(1, value);
        cluster.heartbeat(1);
    }
    match violation(&mut cluster) {
        Violation::SameState { node, applied_index } => assert!(node == n(3) && applied_index < 1_500),
        other => panic!("{other}"),
    }
}

#[test]
fn term_commit_index_and_applied_index_go_back() {
    let mut cluster = led();
    after(&mut cluster, 2, |raft| raft.hard.term = 0);
    assert_eq!(violation(&mut cluster), Violation::MonotonicTerm { node: n(2), before: 1, after: 0 });

    let mut cluster = led();
    after(&mut cluster, 2, |raft| raft.commit_index = 0);
    assert_eq!(violation(&mut cluster), Violation::MonotonicCommit { node: n(2), before: 1, after: 0 });

    let mut cluster = led();
    after(&mut cluster, 2, |raft| raft.applied_index = 0);
    assert_eq!(violation(&mut cluster), Violation::MonotonicApplied { node: n(2), before: 1, after: 0 });
}

#[test]
fn a_command_is_applied_that_is_not_committed() {
    let mut cluster = led();
    after(&mut cluster, 2, |raft| raft.applied_index = 2);
    let expected = Violation::AppliedCommitted { node: n(2), applied_index: 2, commit_index: 1 };
    assert_eq!(violation(&mut cluster), expected);
}

#[test]
fn a_commit_without_a_majority_of_disks() {
    let mut cluster = led();
    cluster.host(n(2)).syncs = false;
    cluster.host(n(3)).syncs = false;
    cluster.write(1, 7);
    cluster.stabilize();
    assert_eq!(cluster.raft(2).log.last_index(), 2, "it is in the follower's memory");
    after(&mut cluster, 1, |raft| raft.commit_index = 2);
    let expected = Violation::CommitMajority { leader: n(1), term: 1, at: at(1, 2), holders: 1, needed: 2 };
    assert_eq!(violation(&mut cluster), expected);
}

#[test]
fn a_commit_of_an_earlier_term_by_counting() {
    let mut cluster = led();
    cluster.write(1, 7);
    cluster.network.clear();
    vote(&mut cluster, 1, 3);
    after(&mut cluster, 1, |raft| lead_in(raft, 3));
    [2, 3].into_iter().for_each(|id| invariants(&mut cluster).durable(n(id), &entries(2, &[1])));
    after(&mut cluster, 1, |raft| raft.commit_index = 2);
    assert_eq!(violation(&mut cluster), Violation::CommitOwnTerm { leader: n(1), term: 3, at: at(1, 2) });
}

#[test]
fn two_votes_in_a_term_also_after_a_restart() {
    for restarts in [false, true] {
        let mut cluster = led();
        let granted = Message { term: 5, body: Body::Vote { granted: true } };
        invariants(&mut cluster).durable(n(3), &hard_state(5, Some(1)));
        invariants(&mut cluster).sent(n(3), n(1), &granted);
        invariants(&mut cluster).sent(n(3), n(1), &granted);
        assert_eq!(invariants(&mut cluster).violation(), None, "the same vote twice is one vote");
        if restarts {
            let Write::Append(records) = hard_state(5, Some(1)) else { unreachable!() };
            cluster.host(n(3)).disk.records.extend(records);
            cluster.crash(3, 0);
            cluster.restart(3);
        }
        invariants(&mut cluster).durable(n(3), &hard_state(5, Some(2)));
        invariants(&mut cluster).sent(n(3), n(2), &granted);
        let expected = Violation::OneVote { voter: n(3), term: 5, first: n(1), second: n(2) };
        assert_eq!(violation(&mut cluster), expected);
    }
}

#[test]
fn a_message_leaves_before_what_it_rests_on_is_durable() {
    let cases = [
        (2, Body::Stale, Fact::Term(2)),
        (1, Body::Vote { granted: true }, Fact::Vote { term: 1, candidate: n(2) }),
        (1, Body::RequestVote { last: at(1, 1), transfer: false }, Fact::Vote { term: 1, candidate: n(3) }),
        (1, Body::Appended { matched: 2 }, Fact::Log(2)),
    ];
    for (term, body, fact) in cases {
        let mut cluster = led();
        invariants(&mut cluster).durable(n(3), &hard_state(1, None));
        invariants(&mut cluster).sent(n(3), n(2), &Message { term: 1, body: Body::Vote { granted: false } });
        assert_eq!(invariants(&mut cluster).violation(), None, "a refusal rests on nothing");
        let message = Message { term, body };
        invariants(&mut cluster).members[2].votes.clear();
        invariants(&mut cluster).sent(n(3), n(2), &message);
        let expected = Violation::DurableBeforeSent { node: n(3), to: n(2), fact };
        assert_eq!(violation(&mut cluster), expected, "{message:?}");
    }
}

#[test]
fn an_acknowledgement_rests_on_the_leaders_entries_not_on_others_in_their_place() {
    let mut cluster = led();
    cluster.write(1, 7);
    cluster.network.clear();
    invariants(&mut cluster).durable(n(3), &entries(2, &[9]));
    invariants(&mut cluster).sent(n(3), n(1), &Message { term: 1, body: Body::Appended { matched: 2 } });
    let expected = Violation::DurableBeforeSent { node: n(3), to: n(1), fact: Fact::Log(2) };
    assert_eq!(violation(&mut cluster), expected);
}

#[test]
fn an_acknowledgement_may_leave_when_a_later_leader_has_cut_the_log_in_the_same_sync() {
    let mut cluster = led();
    for write in [entries(2, &[1, 1]), hard_state(2, None), entries(2, &[2])] {
        invariants(&mut cluster).durable(n(3), &write);
    }
    invariants(&mut cluster).sent(n(3), n(1), &Message { term: 1, body: Body::Appended { matched: 3 } });
    assert_eq!(invariants(&mut cluster).violation(), None);
    invariants(&mut cluster).sent(n(3), n(1), &Message { term: 2, body: Body::Appended { matched: 3 } });
    let expected = Violation::DurableBeforeSent { node: n(3), to: n(1), fact: Fact::Log(3) };
    assert_eq!(violation(&mut cluster), expected);
}

#[test]
fn what_was_durable_is_gone_after_a_restart() {
    // How many of the last records are lost.
    for (lost, fact) in [(1, Fact::Log(2)), (99, Fact::Term(1))] {
        let mut cluster = led();
        cluster.write(1, 7);
        cluster.stabilize();
        cluster.crash(3, 0);
        let records = &mut cluster.host(n(3)).disk.records;
        records.truncate(records.len().saturating_sub(lost));
        cluster.restart(3);
        assert_eq!(violation(&mut cluster), Violation::DurableKept { node: n(3), fact });
    }
}

#[test]
fn a_write_that_was_under_way_may_replace_what_was_durable() {
    let mut cluster = led();
    for value in [10, 11, 12] {
        cluster.write(1, value);
    }
    cluster.stabilize();
    cluster.crash(3, 0);
    let Write::Append(records) = entries(3, &[2]) else { unreachable!() };
    cluster.host(n(3)).disk.records.extend(records);
    cluster.restart(3);
    assert_eq!(cluster.terms(3), [1, 1, 2]);
    assert_eq!(invariants(&mut cluster).violation(), None);
}

#[test]
fn members_that_stay_apart() {
    let mut cluster = led();
    cluster.write(1, 7);
    cluster.stabilize();
    cluster.heartbeat(1);
    let converged = |cluster: &mut Cluster| {
        let members = cluster.hosts.iter().map(|host| (host.config.id, host.raft.as_ref().unwrap()));
        cluster.invariants.as_mut().unwrap().converged(members);
    };
    converged(&mut cluster);
    assert_eq!(invariants(&mut cluster).violation(), None);
    cluster.write(1, 8);
    cluster.stabilize_without(2);
    converged(&mut cluster);
    let expected = Violation::Convergence { first: n(1), first_applied: 3, second: n(2), second_applied: 2 };
    assert_eq!(violation(&mut cluster), expected);
}

#[test]
fn a_member_that_fell_silent() {
    let mut cluster = led();
    after(&mut cluster, 2, |raft| raft.contradiction(|| "two leaders".into()));
    assert_eq!(violation(&mut cluster), Violation::Halted { node: n(2), reason: "two leaders".into() });
}

#[test]
fn the_first_violation_stays() {
    let mut cluster = led();
    after(&mut cluster, 2, |raft| raft.commit_index = 0);
    after(&mut cluster, 3, |raft| raft.hard.term = 0);
    assert_eq!(violation(&mut cluster).name(), "monotonic-commit");
    assert_eq!(violation(&mut cluster).to_string(), "the commit index of n2 went back from 1 to 0");
}

#[test]
fn half_of_the_votes_are_no_majority() {
    let mut cluster = Cluster::new(4, |config| config.bug = Some(Bug::RE12));
    cluster.check_invariants();
    cluster.pass(cluster.raft(1).config.timing.election_min_us);
    cluster.timeout(1);
    cluster.settle(|envelope| [n(1), n(2)].contains(&envelope.from) && [n(1), n(2)].contains(&envelope.to));
    assert!(cluster.raft(1).is_leader());
    let expected = Violation::ElectionMajority { leader: n(1), term: 1, votes: 2, needed: 3 };
    assert_eq!(violation(&mut cluster), expected);
}

#[test]
fn a_leader_that_answers_from_its_own_log_commits_without_a_majority() {
    let mut cluster = Cluster::new(3, |config| config.bug = Some(Bug::RL11));
    cluster.check_invariants();
    cluster.elect(1);
    assert_eq!(violation(&mut cluster).name(), "commit-majority");
}

#[test]
fn records_are_read_without_copies_as_they_are_written() {
    let mut durable = super::member::Durable::default();
    let entries = vec![
        entry(1, 1),
        Entry { term: 2, payload: Payload::Noop },
        Entry { term: 2, payload: Payload::Configuration(Configuration::new([1, 300].map(n))) },
        Entry { term: 300, payload: Payload::Command(vec![7; 500].into()) },
    ];
    let records = [
        Record::HardState(HardState { term: 300, vote: Some(n(7)) }),
        Record::Entries { first: 1, entries: entries.clone() },
        Record::Entries { first: 3, entries: entries[1..].to_vec() },
    ];
    durable.take(&Write::Append(records.iter().map(encode).collect()));
    let terms = [Some(1), Some(2), Some(2), Some(2), Some(300), None];
    assert_eq!([1, 2, 3, 4, 5, 6].map(|index| durable.log.get(index)), terms);
    assert!(durable.holds(Fact::Vote { term: 300, candidate: n(7) }) && !durable.holds(Fact::Term(301)));
}
