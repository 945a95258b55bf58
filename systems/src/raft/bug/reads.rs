//! RR: reads that take no entry in the log.

use super::BugDescription;
use super::Promise::Linearizability;

pub(super) const RR01: BugDescription = BugDescription {
    id: "RR-01",
    wrong: "the leader answers reads from its own state without making sure that it still leads",
    switched_off: &[],
    breaks: &[Linearizability],
    found_by: "cutting the leader off, or pausing it, while its clients stay attached",
};

pub(super) const RR02: BugDescription = BugDescription {
    id: "RR-02",
    wrong: "followers answer reads from their own state",
    switched_off: &[],
    breaks: &[Linearizability],
    found_by: "reads at several nodes under load; faster with a partition",
};

pub(super) const RR03: BugDescription = BugDescription {
    id: "RR-03",
    wrong: "a leader confirms reads before it has committed an entry of its term, and so before it knows what its \
            predecessors committed",
    switched_off: &[],
    breaks: &[Linearizability],
    found_by: "changes of leader under load; a slow disk makes the moment longer",
};

pub(super) const RR04: BugDescription = BugDescription {
    id: "RR-04",
    wrong: "a confirmed read does not wait until the state machine is as far as its index; the state machine lags, \
            and applies one entry a millisecond where nothing else happens",
    switched_off: &[],
    breaks: &[Linearizability],
    found_by: "changes of leader under load",
};

pub(super) const RR05: BugDescription = BugDescription {
    id: "RR-05",
    wrong: "a round of heartbeats that is repeated keeps its number, so that answers to the earlier one confirm a read that \
            came after it",
    switched_off: &[],
    breaks: &[Linearizability],
    found_by: "a leader that is paused, or whose answers are slow, while another is elected",
};

pub(super) const RR06: BugDescription = BugDescription {
    id: "RR-06",
    wrong: "a lease counts from the moment when the answers to a heartbeat come, not from when it was sent",
    switched_off: &[],
    breaks: &[Linearizability],
    found_by: "leases, with a leader that is paused or whose answers are slow",
};

pub(super) const RR07: BugDescription = BugDescription {
    id: "RR-07",
    wrong: "a lease lasts for the longest election timeout, while followers vote after the shortest",
    switched_off: &[],
    breaks: &[Linearizability],
    found_by: "leases, with a leader that is cut off while its clients stay attached",
};

pub(super) const RR09: BugDescription = BugDescription {
    id: "RR-09",
    wrong: "a leader keeps its lease after it has asked another member to take over",
    switched_off: &[],
    breaks: &[Linearizability],
    found_by: "leases, with transfers of the leadership under load",
};

pub(super) const RR10: BugDescription = BugDescription {
    id: "RR-10",
    wrong: "a member that restarts answers reads from its own state until it has applied the log it found on disk",
    switched_off: &[],
    breaks: &[Linearizability],
    found_by: "kills under load",
};
