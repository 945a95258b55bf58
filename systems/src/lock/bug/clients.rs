//! LK: what clients believe.

use crate::raft::BugDescription;
use crate::raft::Promise::{Fencing, MutualExclusion};

pub(super) const LK14: BugDescription = BugDescription {
    id: "LK-14",
    wrong: "a client counts its lease from the answer, not from when it asked",
    switched_off: &[],
    breaks: &[MutualExclusion],
    found_by: "answers that are held up, and clients that work without fencing until their lease is over",
};

pub(super) const LK16: BugDescription = BugDescription {
    id: "LK-16",
    wrong: "a client measures its lease with a clock that runs at half the speed",
    switched_off: &[],
    breaks: &[MutualExclusion],
    found_by: "clients that work without fencing until their lease is over",
};

pub(super) const LK21: BugDescription = BugDescription {
    id: "LK-21",
    wrong: "a client that opens a new session takes the locks of the one before for its own",
    switched_off: &[],
    breaks: &[Fencing, MutualExclusion],
    found_by: "clients that stand still for longer than their lease",
};
