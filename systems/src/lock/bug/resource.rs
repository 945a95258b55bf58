//! LK: the guarded resource.

use crate::raft::BugDescription;
use crate::raft::Promise::{Fencing, MutualExclusion};

pub(super) const LK01: BugDescription = BugDescription {
    id: "LK-01",
    wrong: "the resource takes no fencing tokens, and a client trusts its lock for ever",
    switched_off: &[],
    breaks: &[MutualExclusion],
    found_by: "clients that stand still for longer than their lease, and a set that the lock guards",
};

pub(super) const LK09: BugDescription = BugDescription {
    id: "LK-09",
    wrong: "tokens are given out, but the resource never compares them",
    switched_off: &[],
    breaks: &[MutualExclusion, Fencing],
    found_by: "clients that stand still for longer than their lease, and a set that the lock guards",
};

pub(super) const LK10: BugDescription = BugDescription {
    id: "LK-10",
    wrong: "the resource keeps the highest token in its memory only",
    switched_off: &[],
    breaks: &[MutualExclusion, Fencing],
    found_by: "a resource that is killed while a client stands still for longer than its lease",
};
