//! RD: the log on disk. RC-06, RS-04, RS-05 and RS-09 are of the same kind.
//!
//! They are planted in `crate::wal`, but for RD-09, and for what RC-06, RD-06 and RD-11 leave behind: a Raft that looks at
//! the indexes of what it reads back refuses a log with a hole, so with these it does not look.

use super::Promise::{Convergence, Durability, ElectionSafety};
use super::Safeguard::GaplessLog;
use super::{Bug, BugDescription};

impl Bug {
    /// Whether the bug is planted in the log on disk, where a Raft without one can't show it.
    #[must_use]
    pub const fn is_in_log_on_disk(self) -> bool {
        use Bug::{RC06, RD01, RD02, RD03, RD04, RD05, RD06, RD07, RD08, RD10, RD11, RS04, RS05, RS09};
        matches!(self, RC06 | RD01 | RD02 | RD03 | RD04 | RD05 | RD06 | RD07 | RD08 | RD10 | RD11 | RS04 | RS05 | RS09)
    }

    /// Whether the log on disk may lack entries before others, unnoticed.
    pub(in crate::raft) const fn leaves_holes(self) -> bool {
        matches!(self, Self::RC06 | Self::RD06 | Self::RD11)
    }
}

pub(super) const RC06: BugDescription = BugDescription {
    id: "RC-06",
    wrong: "where writing to the disk fails, the node acknowledges all the same and goes on",
    switched_off: &[GaplessLog],
    breaks: &[Durability, Convergence],
    found_by: "a disk that is full or fails to sync, and then a restart",
};

pub(super) const RD01: BugDescription = BugDescription {
    id: "RD-01",
    wrong: "what is appended to the log is acknowledged without a sync",
    switched_off: &[],
    breaks: &[Durability, ElectionSafety],
    found_by: "power losses; killing the process alone shows nothing",
};

pub(super) const RD02: BugDescription = BugDescription {
    id: "RD-02",
    wrong: "a new file is synced, but not the folder that holds its name",
    switched_off: &[],
    breaks: &[Durability, ElectionSafety],
    found_by: "power losses after a segment or a checkpoint was begun",
};

pub(super) const RD03: BugDescription = BugDescription {
    id: "RD-03",
    wrong: "checksums are not looked at: a torn tail is taken for an entry",
    switched_off: &[],
    breaks: &[Convergence],
    found_by: "power losses that tear a write longer than a sector",
};

pub(super) const RD04: BugDescription = BugDescription {
    id: "RD-04",
    wrong: "a torn tail is taken for the end of the log but not cut off: what is appended behind it is never found again",
    switched_off: &[],
    breaks: &[Durability, ElectionSafety],
    found_by: "a power loss that tears a write, and another crash of the same node",
};

pub(super) const RD05: BugDescription = BugDescription {
    id: "RD-05",
    wrong: "a log that is damaged in its middle is cut off there, and the node goes on as if it were sound",
    switched_off: &[],
    breaks: &[Durability, ElectionSafety],
    found_by: "flipped bits on a minority of the nodes, and restarts",
};

pub(super) const RD06: BugDescription = BugDescription {
    id: "RD-06",
    wrong: "records that can't be read are skipped, and those behind them are taken",
    switched_off: &[GaplessLog],
    breaks: &[Durability, Convergence, ElectionSafety],
    found_by: "flipped bits, and restarts",
};

pub(super) const RD07: BugDescription = BugDescription {
    id: "RD-07",
    wrong: "where the snapshot on disk can't be read, the log behind it is removed as an orphan",
    switched_off: &[],
    breaks: &[Durability, ElectionSafety],
    found_by: "flipped bits in a snapshot, and restarts",
};

pub(super) const RD08: BugDescription = BugDescription {
    id: "RD-08",
    wrong: "a checkpoint counts before the term, the vote and the entries that belong behind it are on disk",
    switched_off: &[],
    breaks: &[Durability, ElectionSafety],
    found_by: "crashes while a snapshot is written",
};

pub(super) const RD09: BugDescription = BugDescription {
    id: "RD-09",
    wrong: "a follower acknowledges entries while they are still being written",
    switched_off: &[],
    breaks: &[Durability],
    found_by: "killing several nodes at a time under load",
};

pub(super) const RD10: BugDescription = BugDescription {
    id: "RD-10",
    wrong: "a sync that failed is tried again, and the second one is believed",
    switched_off: &[],
    breaks: &[Durability, ElectionSafety],
    found_by: "failing syncs, and then power losses",
};

pub(super) const RD11: BugDescription = BugDescription {
    id: "RD-11",
    wrong: "after a write to the disk failed the node keeps the entries in memory only, and writes those behind them",
    switched_off: &[GaplessLog],
    breaks: &[Durability, Convergence],
    found_by: "a disk that is full or fails to sync for a while, and then a restart",
};

pub(super) const RS04: BugDescription = BugDescription {
    id: "RS-04",
    wrong: "a checkpoint overwrites the one before in place; where a crash leaves half of it, the node begins anew",
    switched_off: &[],
    breaks: &[Durability, ElectionSafety],
    found_by: "crashes while a snapshot is written",
};

pub(super) const RS05: BugDescription = BugDescription {
    id: "RS-05",
    wrong: "the old log is removed before the snapshot that stands for it is synced",
    switched_off: &[],
    breaks: &[Durability, ElectionSafety],
    found_by: "power losses after a snapshot was written",
};

pub(super) const RS09: BugDescription = BugDescription {
    id: "RS-09",
    wrong: "of several snapshots the oldest is taken for the newest, and the newer ones are removed",
    switched_off: &[],
    breaks: &[Durability, ElectionSafety],
    found_by: "power losses that bring removed files back",
};
