//! RM, and what else goes wrong when members change: who counts, from when on, and who may stand for election.

use super::BugDescription;
use super::Promise::{Convergence, Durability, ElectionSafety, Linearizability, Liveness, Membership};

pub(super) const RC05: BugDescription = BugDescription {
    id: "RC-05",
    wrong: "learners are counted where a majority of the voters is needed",
    switched_off: &[],
    breaks: &[ElectionSafety, Durability],
    found_by: "learners, and faults that cut off or kill voters",
};

pub(super) const RM01: BugDescription = BugDescription {
    id: "RM-01",
    wrong: "a leader begins a change of the members before it has committed an entry of its term",
    switched_off: &[],
    breaks: &[ElectionSafety, Durability, Convergence],
    found_by: "changes by two leaders that take turns; four members, partitions; needs the simulation",
};

pub(super) const RM02: BugDescription = BugDescription {
    id: "RM-02",
    wrong: "a leader begins a change of the members while another is not yet committed",
    switched_off: &[],
    breaks: &[ElectionSafety, Durability, Linearizability],
    found_by: "several changes in a row while the leader is cut off",
};

pub(super) const RM03: BugDescription = BugDescription {
    id: "RM-03",
    wrong: "a removal makes voters of all learners in the same step",
    switched_off: &[],
    breaks: &[ElectionSafety, Durability, Linearizability],
    found_by: "removals with learners about, and partitions",
};

pub(super) const RM05: BugDescription = BugDescription {
    id: "RM-05",
    wrong: "a configuration stays in force when its entry is cut off the log",
    switched_off: &[],
    breaks: &[ElectionSafety, Liveness],
    found_by: "changes while the leader is cut off",
};

pub(super) const RM06: BugDescription = BugDescription {
    id: "RM-06",
    wrong: "a configuration comes into force when it is applied, not when it is in the log",
    switched_off: &[],
    breaks: &[ElectionSafety, Liveness],
    found_by: "several changes while some members lag behind; partitions",
};

pub(super) const RM07: BugDescription = BugDescription {
    id: "RM-07",
    wrong: "a member that restarts goes by the configuration of its snapshot, not by that of its log",
    switched_off: &[],
    breaks: &[ElectionSafety, Liveness],
    found_by: "changes, and kills of members",
};

pub(super) const RM08: BugDescription = BugDescription {
    id: "RM-08",
    wrong: "a learner becomes a voter before it has caught up",
    switched_off: &[],
    breaks: &[Membership, Liveness],
    found_by: "promotions of learners that were just added, and kills",
};

pub(super) const RM09: BugDescription = BugDescription {
    id: "RM-09",
    wrong: "a member that does not know yet that it was promoted refuses to vote",
    switched_off: &[],
    breaks: &[Liveness],
    found_by: "cutting off a learner while it is promoted, then killing the leader",
};

pub(super) const RM10: BugDescription = BugDescription {
    id: "RM-10",
    wrong: "members that were removed, and learners, stand for election with ever higher terms, as if the leader had asked them to",
    switched_off: &[],
    breaks: &[Membership, Liveness],
    found_by: "removals of members that stay up",
};

pub(super) const RM11: BugDescription = BugDescription {
    id: "RM-11",
    wrong: "a member that lost its disk comes back under its old id, and votes",
    switched_off: &[],
    breaks: &[ElectionSafety, Durability],
    found_by: "kills of a minority, and partitions",
};

pub(super) const RM12: BugDescription = BugDescription {
    id: "RM-12",
    wrong: "a leader that removes itself still counts itself",
    switched_off: &[],
    breaks: &[Durability, Liveness],
    found_by: "removals of the leader, then the failure of one voter",
};

pub(super) const RS08: BugDescription = BugDescription {
    id: "RS-08",
    wrong: "snapshots hold the first configuration, not the one at their index",
    switched_off: &[],
    breaks: &[ElectionSafety, Liveness],
    found_by: "changes, and kills or new members after a snapshot",
};
