//! TP: three-phase commit.

use super::CommitBugDescription;
use super::CommitPromise::{Agreement, Durability};

pub(super) const TP03: CommitBugDescription = CommitBugDescription {
    id: "TP-03",
    wrong: "a participant that knows that all voted yes aborts when it hears no more",
    breaks: &[Agreement, Durability],
    found_by: "killing the coordinator between its pre-commits; 3pc",
};

pub(super) const TP05: CommitBugDescription = CommitBugDescription {
    id: "TP-05",
    wrong: "a participant that comes back decides alone, by its own log",
    breaks: &[Agreement, Durability],
    found_by: "killing participants; 3pc",
};
