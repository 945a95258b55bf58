//! TC: locks, snapshots, deadlocks.

use super::CommitBugDescription;
use super::CommitPromise::{Isolation, Termination};

pub(super) const TC10: CommitBugDescription = CommitBugDescription {
    id: "TC-10",
    wrong: "locks are released at the vote, before the decision",
    breaks: &[Isolation],
    found_by: "aborts and concurrent transactions; serializable",
};

pub(super) const TC11: CommitBugDescription = CommitBugDescription {
    id: "TC-11",
    wrong: "what is read and then written back is neither locked nor checked",
    breaks: &[Isolation],
    found_by: "concurrent transactions on the same keys",
};

pub(super) const TC12: CommitBugDescription = CommitBugDescription {
    id: "TC-12",
    wrong: "reads take no locks",
    breaks: &[Isolation],
    found_by: "write skew; serializable",
};

pub(super) const TC13: CommitBugDescription = CommitBugDescription {
    id: "TC-13",
    wrong: "reads see what was prepared and not yet decided",
    breaks: &[Isolation],
    found_by: "aborts after votes; serializable",
};

pub(super) const TC14: CommitBugDescription = CommitBugDescription {
    id: "TC-14",
    wrong: "who only reads does not wait for a commit that is on its way, and sees half of it",
    breaks: &[Isolation],
    found_by: "transactions that read several shards; serializable or snapshot",
};

pub(super) const TC18: CommitBugDescription = CommitBugDescription {
    id: "TC-18",
    wrong: "a commit gets the moment at which its transaction began, which snapshots that were already read have passed",
    breaks: &[Isolation],
    found_by: "transactions that read while others commit; snapshot",
};

pub(super) const TC19: CommitBugDescription = CommitBugDescription {
    id: "TC-19",
    wrong: "whether a key has changed since the snapshot is not looked at",
    breaks: &[Isolation],
    found_by: "lost updates; snapshot",
};

pub(super) const TC23: CommitBugDescription = CommitBugDescription {
    id: "TC-23",
    wrong: "two who share a lock may both get it for themselves",
    breaks: &[Isolation],
    found_by: "transactions that read a key and then write it; serializable",
};

pub(super) const TC24: CommitBugDescription = CommitBugDescription {
    id: "TC-24",
    wrong: "nobody breaks deadlocks, and nobody waits for locks with a limit",
    breaks: &[Termination],
    found_by: "transactions that lock the same keys in different order; serializable",
};
