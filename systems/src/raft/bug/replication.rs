//! RL: how entries get into the logs, and what a client is told of them.

use super::BugDescription;
use super::Promise::{Convergence, Durability, Linearizability, Liveness};
use super::Safeguard::SupersededRefusal;

pub(super) const RL01: BugDescription = BugDescription {
    id: "RL-01",
    wrong: "a follower appends without checking that its log holds what stands before",
    switched_off: &[],
    breaks: &[Convergence, Linearizability],
    found_by: "lost or reordered appends, leaders that are cut off",
};

pub(super) const RL02: BugDescription = BugDescription {
    id: "RL-02",
    wrong: "entries that contradict the leader's are overwritten, and what stands after them stays",
    switched_off: &[],
    breaks: &[Convergence, Durability],
    found_by: "a leader that is cut off while its clients fill its log",
};

pub(super) const RL03: BugDescription = BugDescription {
    id: "RL-03",
    wrong: "every append cuts the log after what it brings, also an old or an empty one",
    switched_off: &[],
    breaks: &[Durability, Liveness],
    found_by: "repeated and reordered appends",
};

pub(super) const RL04: BugDescription = BugDescription {
    id: "RL-04",
    wrong: "an append that begins before the snapshot is put at the end of the log",
    switched_off: &[],
    breaks: &[Convergence],
    found_by: "repeated and late appends, with frequent snapshots",
};

pub(super) const RL05: BugDescription = BugDescription {
    id: "RL-05",
    wrong: "an append that begins where the log was already cut counts as a conflict, and all after the snapshot is dropped",
    switched_off: &[],
    breaks: &[Durability],
    found_by: "repeated and late appends, with frequent snapshots",
};

pub(super) const RL06: BugDescription = BugDescription {
    id: "RL-06",
    wrong: "a follower acknowledges all of its log instead of what the append has shown to match; the first append to a \
            follower is empty, as a heartbeat is elsewhere",
    switched_off: &[],
    breaks: &[Convergence, Durability],
    found_by: "a leader that is cut off while its clients fill its log",
};

pub(super) const RL07: BugDescription = BugDescription {
    id: "RL-07",
    wrong: "a leader that is elected again believes what it knew of its followers' logs when it led last",
    switched_off: &[],
    breaks: &[Durability, Liveness],
    found_by: "frequent changes of leader, in clusters of five or more",
};

pub(super) const RL09: BugDescription = BugDescription {
    id: "RL-09",
    wrong: "a leader that has just learned of a later term puts commands into its log, with that term",
    switched_off: &[],
    breaks: &[Convergence, Durability],
    found_by: "clients that stay with a leader that is deposed",
};

pub(super) const RL10: BugDescription = BugDescription {
    id: "RL-10",
    wrong: "appends of an earlier term are accepted",
    switched_off: &[],
    breaks: &[Convergence, Durability],
    found_by: "a leader that was cut off or paused and comes back",
};

pub(super) const RL11: BugDescription = BugDescription {
    id: "RL-11",
    wrong: "the leader applies and answers a command as soon as it is in its own log",
    switched_off: &[],
    breaks: &[Durability, Linearizability],
    found_by: "cutting the leader off while its clients stay attached",
};

pub(super) const RL12: BugDescription = BugDescription {
    id: "RL-12",
    wrong: "a command is answered as soon as anything is committed at its index, also another leader's command",
    switched_off: &[SupersededRefusal],
    breaks: &[Durability, Linearizability],
    found_by: "a leader that is cut off while its clients stay attached",
};
