//! RS: snapshots and the cutting of logs.

use super::BugDescription;
use super::Promise::{Convergence, Durability, ExactlyOnce, Linearizability, Liveness};

pub(super) const RS01: BugDescription = BugDescription {
    id: "RS-01",
    wrong: "a snapshot that comes late is installed over a newer state and log",
    switched_off: &[],
    breaks: &[Durability, Convergence],
    found_by: "delayed and repeated messages, with frequent snapshots",
};

pub(super) const RS02: BugDescription = BugDescription {
    id: "RS-02",
    wrong: "an installed snapshot moves the indices, but the state machine stays as it was",
    switched_off: &[],
    breaks: &[Convergence, Linearizability],
    found_by: "a member that is cut off until it needs a snapshot",
};

pub(super) const RS03: BugDescription = BugDescription {
    id: "RS-03",
    wrong: "what a log holds beyond an installed snapshot stays although it contradicts it, and is acknowledged",
    switched_off: &[],
    breaks: &[Convergence, Durability, Liveness],
    found_by: "a leader that is cut off with many commands until it needs a snapshot",
};

pub(super) const RS06: BugDescription = BugDescription {
    id: "RS-06",
    wrong: "a snapshot is labelled with the index before the last that is in it, so that this entry is applied again",
    switched_off: &[],
    breaks: &[Convergence, Linearizability],
    found_by: "kills, with frequent snapshots and commands that may not be applied twice",
};

pub(super) const RS07: BugDescription = BugDescription {
    id: "RS-07",
    wrong: "snapshots lack what commands of sessions were answered, so that a command that is sent again is applied again",
    switched_off: &[],
    breaks: &[ExactlyOnce, Convergence],
    found_by: "sessions that send again, with frequent snapshots and kills",
};

pub(super) const RS10: BugDescription = BugDescription {
    id: "RS-10",
    wrong: "the pieces of a snapshot are put together as they come, and an installation that fails counts as done",
    switched_off: &[],
    breaks: &[Convergence, Durability],
    found_by: "repeated and reordered messages, with snapshots of several pieces",
};

pub(super) const RS11: BugDescription = BugDescription {
    id: "RS-11",
    wrong: "a snapshot is labelled when it is begun, and holds what was applied until it is finished",
    switched_off: &[],
    breaks: &[Convergence, Linearizability],
    found_by: "kills under load, with frequent snapshots and commands that may not be applied twice",
};
