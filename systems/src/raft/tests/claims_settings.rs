//! What the cluster does without pre-votes, and without check-quorum.

use super::cluster::{Cluster, at, n};
use crate::raft::{Body, Config, ConfigError};
use crate::server::Server;

#[test]
fn without_pre_votes_a_member_that_is_cut_off_raises_its_term_and_deposes_the_leader_when_it_returns() {
    let mut cluster = Cluster::led(3, |config| config.pre_vote = false);
    for _ in 0..100 {
        cluster.heartbeat_without(1, 3);
        if cluster.raft(3).deadline() <= cluster.now {
            cluster.timeout(3);
            cluster.stabilize_without(3);
        }
    }
    let later_term = cluster.raft(3).term();
    assert!(later_term > 2);
    cluster.heartbeat(1);
    assert!(!cluster.raft(1).is_leader() && cluster.raft(1).term() == later_term);
    cluster.elect(1);
    assert!((1..=3).all(|id| cluster.raft(id).leader == Some(n(1))));
}

#[test]
fn without_check_quorum_a_leader_that_is_alone_stays_and_its_followers_vote_for_others() {
    let mut cluster = Cluster::led(3, |config| config.check_quorum = false);
    for _ in 0..100 {
        cluster.timeout(1);
        cluster.settle(|_| false);
    }
    assert!(cluster.raft(1).is_leader());
    let sent = cluster.tell(2, 3, 8, Body::RequestVote { last: at(9, 9), transfer: false });
    assert_eq!(sent[0].message.body, Body::Vote { granted: true });
    assert!(cluster.tell(1, 3, 8, Body::RequestPreVote { last: at(9, 9) }).is_empty(), "it leads, so it is content");
}

#[test]
fn leases_need_members_that_ignore_candidates() {
    let config = Config { lease_reads: true, check_quorum: false, ..Config::new(n(1), [n(1)]) };
    assert_eq!(config.check(), Err(ConfigError::LeaseWithoutQuorum));
}
