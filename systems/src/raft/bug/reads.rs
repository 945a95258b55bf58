//! RR: reads that take no entry in the log.

use super::BugDescription;
use super::Promise::Linearizability;

pub(super) const RR01: BugDescription = BugDescription {
    id: "RR-01",
    wrong: "the leader answers reads from its own state without making sure that it still leads",
    switched_off: None,
    breaks: &[Linearizability],
    found_by: "cutting the leader off, or pausing it, while its clients stay attached",
};

pub(super) const RR02: BugDescription = BugDescription {
    id: "RR-02",
    wrong: "followers answer reads from their own state",
    switched_off: None,
    breaks: &[Linearizability],
    found_by: "reads at several nodes under load; faster with a partition",
};
