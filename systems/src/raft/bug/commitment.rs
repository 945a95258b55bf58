//! RC: when an entry counts as committed.

use super::BugDescription;
use super::Promise::{Convergence, Durability, Linearizability, Liveness};
use super::Safeguard::Noop;

pub(super) const RC01: BugDescription = BugDescription {
    id: "RC-01",
    wrong: "a leader commits entries of earlier terms by counting who holds them (figure 8), and reads when all of its log \
            is committed so",
    switched_off: &[Noop],
    breaks: &[Durability, Convergence],
    found_by: "leaders that come and go, each with an entry that few have",
};

pub(super) const RC02: BugDescription = BugDescription {
    id: "RC-02",
    wrong: "a follower takes the leader's commit index for its own, also where its log is not known to be the leader's",
    switched_off: &[],
    breaks: &[Convergence, Linearizability],
    found_by: "a leader that is cut off while its clients fill its log, and then heals",
};

pub(super) const RC03: BugDescription = BugDescription {
    id: "RC-03",
    wrong: "a follower's commit index falls with what it is told, and entries are applied again",
    switched_off: &[],
    breaks: &[Convergence, Durability],
    found_by: "reordered messages, changes of leader",
};

pub(super) const RC04: BugDescription = BugDescription {
    id: "RC-04",
    wrong: "a leader begins its term without an entry of its own",
    switched_off: &[Noop],
    breaks: &[Liveness],
    found_by: "the loss of a leader, and then nothing but reads",
};

pub(super) const RC07: BugDescription = BugDescription {
    id: "RC-07",
    wrong: "a leader counts itself before its own log is durable",
    switched_off: &[],
    breaks: &[Durability, Linearizability],
    found_by: "crashes that lose what was not synced; a slow disk makes the moment longer",
};
