//! LK: leases and their time.

use crate::raft::BugDescription;
use crate::raft::Promise::{Leases, Liveness, MutualExclusion};

pub(super) const LK05: BugDescription = BugDescription {
    id: "LK-05",
    wrong: "the lease of a session begins with its first keep-alive",
    switched_off: &[],
    breaks: &[Leases, Liveness],
    found_by: "clients that end, or stand still, before they have kept their session alive",
};

pub(super) const LK06: BugDescription = BugDescription {
    id: "LK-06",
    wrong: "who takes a lock over from a session that is over gets a lease that never ends",
    switched_off: &[],
    breaks: &[Leases, Liveness],
    found_by: "clients that stand still for longer than their lease, twice in a row",
};

pub(super) const LK07: BugDescription = BugDescription {
    id: "LK-07",
    wrong: "milliseconds are taken for microseconds: leases end a thousand times too soon",
    switched_off: &[],
    breaks: &[Leases, MutualExclusion],
    found_by: "any contention",
};

pub(super) const LK13: BugDescription = BugDescription {
    id: "LK-13",
    wrong: "an entry of the log stands for as much time as the leader's clock says, however far it jumped",
    switched_off: &[],
    breaks: &[Leases, MutualExclusion],
    found_by: "clocks that jump ahead by more than a lease",
};

pub(super) const LK17: BugDescription = BugDescription {
    id: "LK-17",
    wrong: "a member that leads again ends the sessions that it has not heard of since it led before",
    switched_off: &[],
    breaks: &[Leases, MutualExclusion],
    found_by: "the leadership going away and coming back",
};

pub(super) const LK18: BugDescription = BugDescription {
    id: "LK-18",
    wrong: "a leader answers keep-alives by what it knows, without the log",
    switched_off: &[],
    breaks: &[Leases, MutualExclusion],
    found_by: "leaders that are cut off and do not know it",
};

pub(super) const LK19: BugDescription = BugDescription {
    id: "LK-19",
    wrong: "every new leader lets all leases begin anew",
    switched_off: &[],
    breaks: &[Leases, Liveness],
    found_by: "leaders that change again and again",
};
