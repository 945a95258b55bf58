//! What figure 2, sections 5.1, 5.2 and 5.4.1 of the paper and sections 4.2.3, 6.2 and 9.6 of the thesis claim about
//! elections.

use super::cluster::{Cluster, Envelope, at, entry, n};
use crate::raft::{Body, Raft, Role, StateMachine};
use crate::server::Server;

fn candidate_of(nodes: u16) -> Cluster {
    let mut cluster = Cluster::new(nodes, |_| {});
    cluster.timeout(1);
    for from in 2..=nodes / 2 + 1 {
        cluster.tell(1, from, 0, Body::PreVote { ballot: 1, granted: true });
    }
    assert!(nodes == 1 || matches!(cluster.raft(1).role, Role::Candidate(_)));
    cluster
}

fn bodies(sent: &[Envelope]) -> Vec<&Body> {
    sent.iter().map(|envelope| &envelope.message.body).collect()
}

fn heartbeat() -> Body {
    Body::Heartbeat { commit: 0, round: 1 }
}

fn ask(last_term: u64, last_index: u64) -> Body {
    Body::RequestVote { last: at(last_term, last_index), transfer: false }
}

/// A message of every kind that a member may be sent.
fn every_message() -> Vec<Body> {
    let snapshot = crate::raft::SnapshotId { position: at(1, 1), bytes: 10, crc: 0 };
    vec![
        Body::RequestPreVote { last: at(0, 0) },
        Body::PreVote { ballot: 9, granted: false },
        ask(0, 0),
        Body::Vote { granted: false },
        Body::Append { previous: at(0, 0), commit: 0, entries: Vec::new() },
        Body::Appended { matched: 0 },
        Body::Conflict { previous_index: 0, hint: at(0, 0) },
        heartbeat(),
        Body::HeartbeatReply { round: 0 },
        Body::Stale,
        Body::SnapshotChunk { snapshot, offset: 0, chunk: bytes::Bytes::new() },
        Body::SnapshotWanted { snapshot, offset: 0 },
    ]
}

fn is_follower<M: StateMachine>(raft: &Raft<M>) -> bool {
    matches!(raft.role, Role::Follower)
}

#[test]
fn a_member_that_sees_a_later_term_takes_it_and_follows() {
    for body in every_message() {
        let followers = Cluster::new(3, |_| {});
        for mut cluster in [followers, candidate_of(3), Cluster::led(3, |_| {})] {
            // A leader, and whoever hears one, ignores candidates.
            cluster.pass(300_000);
            let candidacy = matches!(body, Body::RequestPreVote { .. } | Body::RequestVote { .. });
            if cluster.raft(1).is_leader() && candidacy {
                continue;
            }
            cluster.tell(1, 2, 7, body.clone());
            assert!(is_follower(cluster.raft(1)) && cluster.raft(1).term() == 7, "after {body:?}");
        }
    }
}

#[test]
fn a_message_of_an_earlier_term_changes_nothing_and_its_request_is_refused() {
    for body in every_message() {
        let mut cluster = Cluster::with_logs(&[(5, &[1, 5]), (5, &[1, 5]), (5, &[1, 5])], |_| {});
        cluster.pass(300_000);
        let before = cluster.raft(1).status();
        let sent = cluster.tell(1, 2, 4, body.clone());
        assert_eq!(cluster.raft(1).status(), before, "after {body:?}");
        assert!(sent.iter().all(|envelope| envelope.message.term == 5 && envelope.to == n(2)));
        match body {
            Body::RequestVote { .. } => assert_eq!(bodies(&sent), [&Body::Vote { granted: false }]),
            Body::RequestPreVote { .. } => assert_eq!(bodies(&sent), [&Body::PreVote { ballot: 5, granted: false }]),
            Body::Append { .. } | Body::Heartbeat { .. } | Body::SnapshotChunk { .. } => {
                assert_eq!(bodies(&sent), [&Body::Stale]);
            }
            Body::PreVote { .. }
            | Body::Vote { .. }
            | Body::Appended { .. }
            | Body::Conflict { .. }
            | Body::HeartbeatReply { .. }
            | Body::Stale
            | Body::SnapshotWanted { .. }
            | Body::TimeoutNow => assert!(sent.is_empty(), "{body:?} was answered with {sent:?}"),
        }
    }
}

#[test]
fn a_member_begins_as_a_follower_and_stays_one_while_it_hears_a_leader() {
    let mut cluster = Cluster::new(3, |_| {});
    assert!(is_follower(cluster.raft(1)));
    for _ in 0..100 {
        cluster.pass(50_000);
        cluster.step(n(1), crate::server::Input::Tick);
        cluster.tell(1, 2, 1, heartbeat());
        assert!(is_follower(cluster.raft(1)) && cluster.raft(1).leader == Some(n(2)));
    }
}

#[test]
fn a_follower_that_hears_no_leader_stands_in_the_next_term_and_votes_for_itself() {
    let mut cluster = Cluster::new(3, |_| {});
    cluster.timeout(1);
    let sent = cluster.tell(1, 2, 0, Body::PreVote { ballot: 1, granted: true });
    assert_eq!((cluster.raft(1).hard.term, cluster.raft(1).hard.vote), (1, Some(n(1))));
    assert_eq!(bodies(&sent), [&ask(0, 0), &ask(0, 0)]);
    assert_eq!(sent.iter().map(|envelope| envelope.to).collect::<Vec<_>>(), [n(2), n(3)]);
}

#[test]
fn a_candidate_leads_exactly_when_a_majority_votes_for_it() {
    for nodes in 1..=7 {
        let mut cluster = candidate_of(nodes);
        cluster.pass(300_000);
        if nodes == 1 {
            cluster.timeout(1);
        }
        let needed = nodes / 2 + 1;
        for from in 2..=nodes {
            assert_eq!(cluster.raft(1).is_leader(), from > needed, "{nodes} members, {} votes", from - 1);
            cluster.tell(1, from, 1, Body::Vote { granted: true });
        }
        assert!(cluster.raft(1).is_leader());
    }
}

#[test]
fn a_majority_of_refusals_ends_a_candidacy() {
    let mut cluster = candidate_of(5);
    for (from, follows) in [(2, false), (3, false), (4, true)] {
        cluster.tell(1, from, 1, Body::Vote { granted: false });
        assert_eq!(is_follower(cluster.raft(1)), follows);
    }
}

#[test]
fn a_vote_counts_once_however_often_it_arrives() {
    let mut cluster = candidate_of(5);
    for _ in 0..5 {
        cluster.tell(1, 2, 1, Body::Vote { granted: true });
    }
    assert!(!cluster.raft(1).is_leader());
}

#[test]
fn a_vote_of_an_earlier_term_or_of_a_stranger_does_not_count() {
    let mut cluster = candidate_of(3);
    cluster.tell(1, 2, 0, Body::Vote { granted: true });
    cluster.tell(1, 9, 1, Body::Vote { granted: true });
    assert!(!cluster.raft(1).is_leader());
    cluster.tell(1, 3, 1, Body::Vote { granted: true });
    assert!(cluster.raft(1).is_leader());
}

#[test]
fn a_candidate_follows_the_leader_of_its_term() {
    let messages = [heartbeat(), Body::Append { previous: at(0, 0), commit: 0, entries: vec![entry(1, 1)] }];
    for body in messages {
        let mut cluster = candidate_of(3);
        cluster.tell(1, 3, 1, body);
        assert!(is_follower(cluster.raft(1)) && cluster.raft(1).leader == Some(n(3)));
        cluster.tell(1, 2, 1, Body::Vote { granted: true });
        assert!(is_follower(cluster.raft(1)), "a vote that comes late makes no second leader");
    }
}

#[test]
fn a_member_votes_for_one_candidate_in_a_term_but_repeats_its_answer() {
    let mut cluster = Cluster::new(3, |_| {});
    let mut vote = |from| bodies(&cluster.tell(1, from, 1, ask(0, 0))) == [&Body::Vote { granted: true }];
    assert!(vote(2));
    assert!(!vote(3));
    assert!(vote(2));
    assert!(bodies(&cluster.tell(1, 3, 2, ask(0, 0))) == [&Body::Vote { granted: true }], "a new term, a new vote");
}

#[test]
fn a_vote_stands_for_the_whole_term_whatever_becomes_of_the_voter() {
    let mut refused = candidate_of(3);
    for from in [2, 3] {
        refused.tell(1, from, 1, Body::Vote { granted: false });
    }
    let mut deposed = Cluster::led(3, |_| {});
    while deposed.raft(1).is_leader() {
        deposed.timeout(1);
    }
    let mut followed = candidate_of(3);
    followed.tell(1, 3, 1, heartbeat());
    followed.pass(700_000);
    for cluster in [&mut refused, &mut deposed, &mut followed] {
        assert!(is_follower(cluster.raft(1)) && cluster.raft(1).term() == 1);
        let sent = cluster.tell(1, 2, 1, ask(9, 9));
        assert_eq!(bodies(&sent), [&Body::Vote { granted: false }]);
    }
}

#[test]
fn a_member_votes_only_for_a_log_that_is_at_least_as_up_to_date_as_its_own() {
    let cases =
        [(at(2, 3), true), (at(2, 4), true), (at(3, 1), true), (at(2, 2), false), (at(1, 9), false), (at(0, 0), false)];
    for (last, expected) in cases {
        for pre_vote in [false, true] {
            let mut cluster = Cluster::with_logs(&[(2, &[1, 1, 2]), (2, &[]), (2, &[])], |_| {});
            let sent = if pre_vote {
                cluster.tell(1, 2, 3, Body::RequestPreVote { last })
            } else {
                cluster.tell(1, 2, 3, Body::RequestVote { last, transfer: false })
            };
            let granted = bodies(&sent);
            let yes = matches!(granted[..], [Body::Vote { granted: true } | Body::PreVote { granted: true, .. }]);
            assert_eq!(yes, expected, "a candidate whose log ends at {last}, pre-vote: {pre_vote}");
        }
    }
}

#[test]
fn election_timeouts_are_drawn_anew_between_their_bounds() {
    let mut cluster = Cluster::new(3, |_| {});
    let mut drawn = Vec::new();
    for _ in 0..200 {
        let before = cluster.now;
        cluster.timeout(1);
        drawn.push(cluster.now.since(before));
    }
    drawn.sort_unstable();
    assert!(drawn[0] >= 300_000 && drawn[199] <= 600_000, "{} to {}", drawn[0], drawn[199]);
    assert!(drawn[20] < 350_000 && drawn[180] > 550_000, "they are spread over the whole range");
    drawn.dedup();
    assert!(drawn.len() > 190, "they are not drawn from a few values");
}

#[test]
fn members_with_other_seeds_have_other_timeouts() {
    let cluster = Cluster::new(5, |_| {});
    let mut deadlines = (1..=5).map(|id| cluster.raft(id).deadline()).collect::<Vec<_>>();
    deadlines.sort_unstable();
    deadlines.dedup();
    assert_eq!(deadlines.len(), 5);
}

#[test]
fn a_granted_vote_puts_the_own_candidacy_off_and_a_refused_one_does_not() {
    for (last, granted) in [(at(1, 2), true), (at(1, 0), false)] {
        let mut cluster = Cluster::with_logs(&[(1, &[1]), (1, &[1]), (1, &[1])], |_| {});
        let before = cluster.raft(1).deadline();
        cluster.pass(100_000);
        cluster.tell(1, 2, 2, Body::RequestVote { last, transfer: false });
        assert_eq!(cluster.raft(1).deadline() > before, granted);
    }
}

#[test]
fn a_pre_vote_changes_nothing_at_the_voter() {
    let mut cluster = Cluster::new(3, |_| {});
    let deadline = cluster.raft(1).deadline();
    cluster.trace = Some(Vec::new());
    let sent = cluster.tell(1, 2, 0, Body::RequestPreVote { last: at(0, 0) });
    assert_eq!(bodies(&sent), [&Body::PreVote { ballot: 1, granted: true }]);
    assert_eq!((cluster.raft(1).hard.term, cluster.raft(1).hard.vote), (0, None));
    assert_eq!(cluster.raft(1).deadline(), deadline);
    assert_eq!(cluster.trace.as_ref().unwrap().len(), 1, "nothing but the answer: no write");
    let sent = cluster.tell(1, 3, 0, Body::RequestPreVote { last: at(0, 0) });
    assert_eq!(bodies(&sent), [&Body::PreVote { ballot: 1, granted: true }], "another may have it too");
}

#[test]
fn a_pre_vote_for_another_term_does_not_count() {
    let mut cluster = Cluster::new(3, |_| {});
    cluster.timeout(1);
    cluster.tell(1, 2, 0, Body::PreVote { ballot: 2, granted: true });
    cluster.tell(1, 2, 0, Body::PreVote { ballot: 0, granted: true });
    assert!(matches!(cluster.raft(1).role, Role::PreCandidate(_)));
}

#[test]
fn a_member_that_is_cut_off_does_not_raise_its_term_and_deposes_nobody_when_it_returns() {
    let mut cluster = Cluster::led(3, |_| {});
    for _ in 0..100 {
        cluster.heartbeat_without(1, 3);
        if cluster.raft(3).deadline() <= cluster.now {
            cluster.timeout(3);
            cluster.stabilize_without(3);
        }
    }
    assert!(matches!(cluster.raft(3).role, Role::PreCandidate(_)) && cluster.raft(3).term() == 1);
    while cluster.raft(3).deadline() > cluster.now {
        cluster.heartbeat_without(1, 3);
    }
    cluster.timeout(3);
    cluster.stabilize();
    cluster.heartbeat(1);
    assert!(cluster.raft(1).is_leader() && cluster.raft(3).leader == Some(n(1)));
    assert_eq!(cluster.raft(1).term(), 1);
}

#[test]
fn candidates_are_ignored_while_a_leader_is_heard_unless_the_leader_asked_for_it() {
    let mut cluster = Cluster::led(3, |_| {});
    let last = at(9, 9);
    cluster.pass(299_000);
    for member in [1, 2] {
        let before = cluster.raft(member).status();
        assert!(cluster.tell(member, 3, 8, Body::RequestVote { last, transfer: false }).is_empty());
        assert!(cluster.tell(member, 3, 8, Body::RequestPreVote { last }).is_empty());
        assert_eq!(cluster.raft(member).status(), before);
    }
    cluster.pass(1_000);
    let sent = cluster.tell(2, 3, 1, Body::RequestPreVote { last });
    assert_eq!(bodies(&sent), [&Body::PreVote { ballot: 2, granted: true }], "it has been silent for long enough");
    let sent = cluster.tell(1, 3, 8, Body::RequestVote { last, transfer: true });
    assert_eq!(bodies(&sent), [&Body::Vote { granted: true }]);
}

#[test]
fn a_member_that_is_stuck_in_a_later_term_is_set_free_by_a_new_election() {
    let logs: [(u64, &[u64]); 3] = [(1, &[1]), (1, &[1]), (6, &[1])];
    let mut cluster = Cluster::with_logs(&logs, |_| {});
    cluster.pass(300_000);
    cluster.timeout(1);
    cluster.stabilize_without(3);
    assert!(cluster.raft(1).is_leader() && cluster.raft(1).term() == 2);
    // Its term is too late to hear the leader, and the others hear one, so it can't be elected either.
    cluster.timeout(3);
    cluster.stabilize();
    cluster.heartbeat(1);
    assert!(!cluster.raft(1).is_leader() && cluster.raft(1).term() == 6);
    cluster.elect(1);
    assert!((1..=3).all(|id| cluster.raft(id).leader == Some(n(1)) && cluster.raft(id).term() == 7));
}

#[test]
fn a_leader_that_hears_no_majority_for_the_longest_election_timeout_steps_down() {
    let mut cluster = Cluster::led(5, |_| {});
    let alone_since = cluster.now;
    while cluster.raft(1).is_leader() {
        cluster.timeout(1);
        // One follower is still there, and not enough.
        cluster.settle(|envelope| envelope.from == n(2) || envelope.to == n(2));
    }
    let after = cluster.now.since(alone_since);
    assert!((600_000..=650_000).contains(&after), "after {after} us");
    assert_eq!(cluster.raft(1).term(), 1);
}

#[test]
fn a_leader_that_hears_a_majority_leads_on() {
    let mut cluster = Cluster::led(5, |_| {});
    for _ in 0..50 {
        cluster.timeout(1);
        cluster.settle(|envelope| envelope.from.0.max(envelope.to.0) <= 3);
        assert!(cluster.raft(1).is_leader());
    }
}

#[test]
fn there_is_a_leader_soon_after_the_old_one_is_gone() {
    for seed in 0..50 {
        let mut cluster = Cluster::led(5, |config| config.seed += seed * 100);
        cluster.crash(1, 0);
        let since = cluster.now;
        while !(2..=5).any(|id| cluster.raft(id).is_leader()) {
            cluster.pass(1_000);
            for id in 2..=5 {
                if cluster.raft(id).deadline() <= cluster.now {
                    cluster.step(n(id), crate::server::Input::Tick);
                }
            }
            cluster.stabilize();
        }
        let after = cluster.now.since(since);
        assert!((250_000..1_300_000).contains(&after), "seed {seed}: after {after} us");
    }
}
