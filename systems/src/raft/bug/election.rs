//! RE: elections, terms and votes.

use super::BugDescription;
use super::Promise::{Durability, ElectionSafety, Linearizability, Liveness};

pub(super) const RE01: BugDescription = BugDescription {
    id: "RE-01",
    wrong: "term and vote are kept in memory only, so that a member that restarts may vote again in the same term",
    switched_off: &[],
    breaks: &[ElectionSafety, Durability, Linearizability],
    found_by: "kills of voters during elections",
};

pub(super) const RE02: BugDescription = BugDescription {
    id: "RE-02",
    wrong: "a vote is answered before it is durable, so that a crash forgets it",
    switched_off: &[],
    breaks: &[ElectionSafety, Durability],
    found_by: "crashes that lose what was not synced, just after a vote, where members stand without pre-votes; a slow disk makes \
               the moment longer",
};

pub(super) const RE03: BugDescription = BugDescription {
    id: "RE-03",
    wrong: "term and vote are written one after the other, the vote first: a crash between the two leaves the new vote, or \
            none, beside the old term",
    switched_off: &[],
    breaks: &[ElectionSafety, Durability],
    found_by: "crashes between the two writes while requests of the old term are still under way",
};

pub(super) const RE04: BugDescription = BugDescription {
    id: "RE-04",
    wrong: "a member that becomes a follower, or hears its leader, forgets its vote although the term is the same",
    switched_off: &[],
    breaks: &[ElectionSafety, Durability],
    found_by: "two candidates of one term, and delayed requests for votes, without pre-votes and check-quorum",
};

pub(super) const RE05: BugDescription = BugDescription {
    id: "RE-05",
    wrong: "a candidate counts the answers, not those who answer: one vote that comes twice counts twice",
    switched_off: &[],
    breaks: &[ElectionSafety, Durability, Linearizability],
    found_by: "repeated messages, in clusters of five or more",
};

pub(super) const RE06: BugDescription = BugDescription {
    id: "RE-06",
    wrong: "votes of an earlier term count in the present one",
    switched_off: &[],
    breaks: &[ElectionSafety, Durability],
    found_by: "votes that are delayed until the candidate stands again, without pre-votes",
};

pub(super) const RE07: BugDescription = BugDescription {
    id: "RE-07",
    wrong: "members vote whatever the candidate's log lacks",
    switched_off: &[],
    breaks: &[Durability, Linearizability],
    found_by: "cutting a follower off and then the leader",
};

pub(super) const RE08: BugDescription = BugDescription {
    id: "RE-08",
    wrong: "a longer log counts as more up to date, whatever its last term is",
    switched_off: &[],
    breaks: &[Durability, Linearizability],
    found_by: "a leader that is cut off while its clients fill its log",
};

pub(super) const RE09: BugDescription = BugDescription {
    id: "RE-09",
    wrong: "members also refuse a candidate whose last term is later because its log is shorter than theirs",
    switched_off: &[],
    breaks: &[Liveness],
    found_by: "a leader that is cut off while its clients fill its log, and then a bare majority with it",
};

pub(super) const RE10: BugDescription = BugDescription {
    id: "RE-10",
    wrong: "logs with the same last term are compared by the members' numbers before their length",
    switched_off: &[],
    breaks: &[Durability, Linearizability],
    found_by: "the loss of a leader while a follower with a high number lags",
};

pub(super) const RE11: BugDescription = BugDescription {
    id: "RE-11",
    wrong: "a leader votes for any other candidate of its own term",
    switched_off: &[],
    breaks: &[ElectionSafety, Durability],
    found_by: "two candidates of one term, and delayed requests for votes, without pre-votes and check-quorum",
};

pub(super) const RE12: BugDescription = BugDescription {
    id: "RE-12",
    wrong: "half of the members count as a majority",
    switched_off: &[],
    breaks: &[ElectionSafety, Durability, Linearizability],
    found_by: "partitions that leave half or less of the cluster together",
};

pub(super) const RE13: BugDescription = BugDescription {
    id: "RE-13",
    wrong: "a later term in an answer is not taken on: a stale leader stays, and takes the answer for one to its heartbeat",
    switched_off: &[],
    breaks: &[Linearizability, Liveness],
    found_by: "reads of a leader that was cut off and comes back, above all through a cut in one direction",
};

pub(super) const RE14: BugDescription = BugDescription {
    id: "RE-14",
    wrong: "a member takes on the term of any request, also an earlier one",
    switched_off: &[],
    breaks: &[ElectionSafety, Durability, Linearizability],
    found_by: "delayed messages, old leaders that come back",
};
