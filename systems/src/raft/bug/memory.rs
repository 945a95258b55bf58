//! What some planted bugs remember.

use std::collections::BTreeMap;

use crate::raft::Bug;
use crate::raft::log::Position;
use crate::raft::record::HardState;
use crate::raft::replication::Leader;
use crate::server::NodeId;

/// What some planted bugs remember. Nothing of the right code follows from it.
#[derive(Default)]
pub(in crate::raft) struct Memory {
    /// RE-03: the term on disk, and the state whose vote alone was written.
    pub term_on_disk: u64,
    pub parted: Option<HardState>,
    /// RL-07: how far the followers held the log when this member led last.
    pub progress: BTreeMap<NodeId, u64>,
    /// RL-09: no leader was heard of since this member led.
    pub led_last: bool,
    /// RR-10: the last index of the log that was found on disk.
    pub recovered_index: u64,
    /// RS-11: where the state machine was when the snapshot was begun.
    pub snapshot_begun_at: Option<Position>,
}

impl Memory {
    /// This member led until now.
    pub(in crate::raft) fn office_ended(&mut self, leader: Leader, bug: Option<Bug>) {
        if bug == Some(Bug::RL07) {
            self.progress = leader.progress.into_iter().map(|(id, progress)| (id, progress.matched)).collect();
        }
        self.led_last = bug == Some(Bug::RL09);
    }
}
