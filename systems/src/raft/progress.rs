//! What a leader knows about one follower.

use std::collections::VecDeque;

use crate::raft::record::EncodedSnapshot;
use crate::server::Micros;

/// What a leader knows about one follower.
#[derive(Debug)]
pub(super) struct Progress {
    /// The follower's durable log is the leader's up to here.
    pub matched: u64,
    /// The first entry that was not yet sent.
    pub next: u64,
    pub state: ProgressState,
    /// When the follower was last heard from.
    pub heard_at: Micros,
    /// The last round of heartbeats that it answered.
    pub acked_round: u64,
    /// When `matched` last grew, or when the leader last asked why it does not.
    pub moved_at: Micros,
}

/// How entries get to a follower.
#[derive(Debug)]
pub(super) enum ProgressState {
    /// It is not known where the logs part: one append at a time, and `next` moves back with every conflict.
    Probe {
        /// When the append that is under way was sent.
        sent_at: Option<Micros>,
    },
    /// The logs agree up to `next`: appends are sent without waiting for answers.
    Replicate {
        /// The last index of each append that was not yet answered.
        inflight: VecDeque<u64>,
    },
    /// The follower needs entries that only a snapshot still holds.
    Snapshot {
        snapshot: EncodedSnapshot,
        /// What comes next, in bytes.
        offset: u64,
        /// When the chunk at `offset` was sent.
        sent_at: Option<Micros>,
    },
}

impl Progress {
    /// What a new leader assumes: that the follower's log is its own before `next`.
    pub(super) fn new(next: u64, now: Micros) -> Self {
        let state = ProgressState::Probe { sent_at: None };
        Self { matched: 0, next, state, heard_at: now, acked_round: 0, moved_at: now }
    }

    /// The follower holds the leader's log up to `matched`. `first` is the first index that the leader's log still holds.
    pub(super) fn appended(&mut self, matched: u64, first: u64, now: Micros) {
        let grown = matched > self.matched;
        if grown {
            self.matched = matched;
            self.moved_at = now;
        }
        self.next = self.next.max(self.matched + 1);
        match &mut self.state {
            ProgressState::Replicate { inflight } => {
                while inflight.front().is_some_and(|last| *last <= matched) {
                    inflight.pop_front();
                }
            }
            ProgressState::Probe { .. } if grown || matched == self.matched => self.replicate(),
            // Where the log was cut again meanwhile, the next append turns into a newer snapshot.
            ProgressState::Snapshot { snapshot, .. }
                if self.matched >= snapshot.id.position.index || self.matched + 1 >= first =>
            {
                self.replicate();
            }
            ProgressState::Probe { .. } | ProgressState::Snapshot { .. } => {}
        }
    }

    fn replicate(&mut self) {
        self.next = self.matched + 1;
        self.state = ProgressState::Replicate { inflight: VecDeque::new() };
    }

    /// Begins anew after what is known to match.
    pub(super) fn probe(&mut self) {
        self.next = self.matched + 1;
        self.state = ProgressState::Probe { sent_at: None };
    }

    /// The follower does not hold the entry at `previous_index`; `agree` is where the logs may agree. Answers that were
    /// overtaken by others change nothing.
    pub(super) fn conflicted(&mut self, previous_index: u64, agree: u64) {
        match &self.state {
            ProgressState::Replicate { .. } if previous_index > self.matched => self.probe(),
            ProgressState::Probe { .. } if previous_index + 1 == self.next => {
                self.probe();
                self.next = previous_index.min(agree + 1).max(self.next);
            }
            ProgressState::Probe { .. } | ProgressState::Replicate { .. } | ProgressState::Snapshot { .. } => {}
        }
    }

    /// Whether what was sent went unanswered since `deadline` and seems to be lost.
    pub(super) fn stalled_since(&self, deadline: Micros) -> bool {
        match &self.state {
            ProgressState::Probe { sent_at } | ProgressState::Snapshot { sent_at, .. } => {
                sent_at.is_some_and(|at| at <= deadline)
            }
            ProgressState::Replicate { inflight } => !inflight.is_empty() && self.moved_at <= deadline,
        }
    }
}
