//! What a member makes of its disk.

use bytes::Bytes;

use super::cluster::{at, entry, n};
use super::register::{Answer, Register};
use crate::raft::record::{EncodedSnapshot, HardState, Record, Snapshot, encode};
use crate::raft::{Bug, Config, ConfigError, Configuration, Raft, RecoverError, StateMachine};
use crate::server::{NodeId, Recovered, Server};

fn config() -> Config {
    Config::new(n(1), (1..=3).map(NodeId))
}

fn recover(snapshot: Option<Bytes>, records: Vec<Bytes>) -> Result<Raft<Register>, RecoverError> {
    Raft::recover(config(), Register::default(), Recovered { snapshot, records })
}

fn error(snapshot: Option<Bytes>, records: Vec<Bytes>) -> String {
    recover(snapshot, records).err().map(|error| error.to_string()).unwrap_or_default()
}

fn hard(term: u64, vote: u16) -> Bytes {
    encode(&Record::HardState(HardState { term, vote: Some(n(vote)) }))
}

fn entries(first: u64, terms: &[u64]) -> Bytes {
    let entries = (first..).zip(terms).map(|(index, &term)| entry(term, index)).collect();
    encode(&Record::Entries { first, entries })
}

fn snapshot(machine: Bytes) -> Bytes {
    let configuration = Configuration::new([1, 2, 3, 4].map(NodeId));
    EncodedSnapshot::new(&Snapshot { position: at(2, 10), configuration, machine }).bytes
}

fn register() -> Bytes {
    Register { answer: Answer { value: 5, index: 9 }, digest: 3, padding: 0 }.snapshot()
}

#[test]
fn an_empty_disk_is_a_new_member() {
    let raft = recover(None, Vec::new()).unwrap();
    assert_eq!((raft.term(), raft.log.last()), (0, at(0, 0)));
}

#[test]
fn the_last_word_counts_for_the_term_and_for_every_index() {
    let records = vec![hard(1, 1), entries(1, &[1, 1, 1]), hard(2, 3), entries(2, &[2]), entries(3, &[2, 2])];
    let raft = recover(None, records).unwrap();
    assert_eq!((raft.hard.term, raft.hard.vote), (2, Some(n(3))));
    assert_eq!((1..=4).map(|index| raft.log.term_at(index)).collect::<Vec<_>>(), [1, 2, 2, 2].map(Some));
    assert_eq!(raft.log.last_index(), 4);
}

#[test]
fn a_snapshot_is_where_the_log_goes_on() {
    let raft = recover(Some(snapshot(register())), vec![hard(3, 2), entries(11, &[3, 3])]).unwrap();
    assert_eq!(raft.machine().answer, Answer { value: 5, index: 9 });
    let status = raft.status();
    assert_eq!((status.applied_index, status.commit_index, status.last_index, status.snapshot_index), (10, 10, 12, 10));
    assert_eq!(raft.configuration.voters().len(), 4, "the snapshot knows the members better than the settings");
}

#[test]
fn gaps_and_overlaps_are_refused() {
    assert_eq!(
        error(None, vec![entries(1, &[1, 1]), entries(4, &[1])]),
        "record 2 of the log on disk begins at index 4, but the log goes from 0 to 2"
    );
    assert_eq!(
        error(Some(snapshot(register())), vec![entries(10, &[2, 2])]),
        "record 1 of the log on disk begins at index 10, but the log goes from 10 to 10"
    );
}

#[test]
fn what_can_not_be_decoded_is_named() {
    let garbage = Bytes::from_static(&[255; 7]);
    assert!(error(None, vec![hard(1, 1), garbage.clone()]).starts_with("record 2 of the log on disk can't be decoded"));
    assert!(error(Some(garbage), Vec::new()).starts_with("the snapshot on disk can't be decoded"));
    let refused = error(Some(snapshot(Bytes::from_static(b"no register"))), Vec::new());
    assert_eq!(
        refused,
        "the state machine refuses the snapshot on disk: not a snapshot of this state machine: 11 bytes are too few"
    );
}

#[test]
fn no_prefix_of_a_record_makes_recovery_panic() {
    for record in [hard(300, 2), entries(1, &[1, 2, 3]), snapshot(register())] {
        for end in 0..record.len() {
            let part = record.slice(..end);
            drop(recover(None, vec![part.clone()]));
            assert!(recover(Some(part), Vec::new()).is_err());
        }
    }
}

#[test]
fn settings_that_can_not_work_are_refused() {
    let refuse = |change: fn(&mut Config)| {
        let mut config = config();
        change(&mut config);
        match Raft::recover(config, Register::default(), Recovered::default()) {
            Err(RecoverError::Config(error)) => error,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("the settings were accepted"),
        }
    };
    assert!(matches!(refuse(|config| config.initial_voters.clear()), ConfigError::NoVoters));
    assert!(matches!(refuse(|config| config.timing.heartbeat_us = 300_000), ConfigError::Heartbeat { .. }));
    assert!(matches!(refuse(|config| config.timing.election_max_us = 300_000), ConfigError::Election { .. }));
    let lease = |config: &mut Config| (config.lease_reads, config.timing.lease_us) = (true, 300_000);
    assert!(matches!(refuse(lease), ConfigError::Lease { .. }));
    assert_eq!(refuse(|config| config.limits.append_bytes = 0), ConfigError::Zero { name: "append_bytes" });
}

#[test]
fn a_member_that_overlooks_a_hole_takes_later_entries_for_earlier_ones() {
    let records = vec![entries(1, &[1, 1]), entries(4, &[2])];
    assert!(error(None, records.clone()).contains("begins at index 4, but the log goes from 0 to 2"));
    for bug in [Bug::RC06, Bug::RD06, Bug::RD11] {
        let config = Config { bug: Some(bug), ..config() };
        let recovered = Recovered { snapshot: None, records: records.clone() };
        let raft = Raft::recover(config, Register::default(), recovered).unwrap();
        assert_eq!(raft.log.last(), at(2, 3), "{bug}");
    }
}
