//! What Raft writes to disk, and how it reads it back.
//!
//! The log on disk is a sequence of [`Record`]s after a [`Snapshot`]. Entries that are appended at an index replace what
//! stood there and after it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::raft::api::RestoreError;
use crate::raft::bug::Bug;
use crate::raft::config::ConfigError;
use crate::raft::configuration::Configuration;
use crate::raft::log::{Entry, Log, Position};
use crate::raft::message::SnapshotId;
use crate::server::{NodeId, Recovered};

/// What must survive a crash besides the log (figure 2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct HardState {
    /// The latest term this member has seen.
    pub term: u64,
    /// Whom it voted for in that term.
    pub vote: Option<NodeId>,
}

/// One record of the log on disk.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Record {
    HardState(HardState),
    /// These stand in the log from index `first` on, and nothing after them.
    Entries {
        first: u64,
        entries: Vec<Entry>,
    },
}

/// A state machine as of one position of the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Snapshot {
    pub position: Position,
    pub configuration: Configuration,
    pub machine: Bytes,
}

/// A snapshot as it goes to disk and to other members.
#[derive(Clone, Debug)]
pub(super) struct EncodedSnapshot {
    pub id: SnapshotId,
    pub bytes: Bytes,
}

impl EncodedSnapshot {
    pub(super) fn new(snapshot: &Snapshot) -> Self {
        Self::received(snapshot.position, encode(snapshot))
    }

    /// Wraps bytes that are already encoded.
    pub(super) fn received(position: Position, bytes: Bytes) -> Self {
        let id = SnapshotId { position, bytes: bytes.len() as u64, crc: crc32fast::hash(&bytes) };
        Self { id, bytes }
    }

    pub(super) fn decode(&self) -> Result<Snapshot, postcard::Error> {
        postcard::from_bytes(&self.bytes)
    }
}

pub(super) fn encode<T: Serialize>(value: &T) -> Bytes {
    // Postcard fails only on sequences of unknown length and on serializers that fail by themselves; we have neither.
    postcard::to_stdvec(value).map(Bytes::from).unwrap_or_else(|error| unreachable!("{error}"))
}

/// Why a member can't start from what its disk holds.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The settings can't work.
    #[error("the configuration can't work: {0}")]
    Config(#[from] ConfigError),
    /// The snapshot can't be decoded.
    #[error("the snapshot on disk can't be decoded: {0}")]
    Snapshot(postcard::Error),
    /// The state machine refuses the snapshot.
    #[error("the state machine refuses the snapshot on disk: {0}")]
    Restore(#[from] RestoreError),
    /// A record can't be decoded.
    #[error("record {number} of the log on disk can't be decoded: {error}")]
    Record {
        /// Which record after the snapshot, from 1.
        number: usize,
        /// What is wrong.
        error: postcard::Error,
    },
    /// Entries are missing, or stand where the snapshot already is.
    #[error("record {number} of the log on disk begins at index {first}, but the log goes from {base} to {last}")]
    Gap {
        /// Which record after the snapshot, from 1.
        number: usize,
        /// Where its entries begin.
        first: u64,
        /// The last index that the snapshot holds.
        base: u64,
        /// The last index before this record.
        last: u64,
    },
}

/// What the disk still knew, decoded.
pub(super) struct Replayed {
    pub hard_state: HardState,
    pub snapshot: Option<(EncodedSnapshot, Snapshot)>,
    pub log: Log,
}

/// `initial` is in force before the first entry.
pub(super) fn replay(recovered: Recovered, initial: Configuration, bug: Option<Bug>) -> Result<Replayed, RecoverError> {
    let overlooks_holes = bug.is_some_and(Bug::leaves_holes);
    let snapshot = recovered.snapshot.map(decode_snapshot).transpose()?;
    let (base, configuration) = match &snapshot {
        Some((_, snapshot)) => (snapshot.position, snapshot.configuration.clone()),
        None => (Position::default(), initial),
    };
    let mut log = Log::after(base, configuration);
    let mut hard_state = HardState::default();
    for (number, record) in (1..).zip(&recovered.records) {
        match postcard::from_bytes(record).map_err(|error| RecoverError::Record { number, error })? {
            Record::HardState(state) => hard_state = state,
            Record::Entries { first, entries } => {
                let last = log.last_index();
                if first <= base.index || (first > last + 1 && !overlooks_holes) {
                    return Err(RecoverError::Gap { number, first, base: base.index, last });
                }
                log.truncate_from(first);
                entries.into_iter().for_each(|entry| log.push(entry));
            }
        }
    }
    Ok(Replayed { hard_state, snapshot, log })
}

fn decode_snapshot(bytes: Bytes) -> Result<(EncodedSnapshot, Snapshot), RecoverError> {
    let snapshot: Snapshot = postcard::from_bytes(&bytes).map_err(RecoverError::Snapshot)?;
    Ok((EncodedSnapshot::received(snapshot.position, bytes), snapshot))
}
