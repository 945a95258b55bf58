//! RP: pre-votes, check-quorum and timers.

use super::BugDescription;
use super::Promise::{Convergence, Liveness};
use super::Safeguard::{CheckQuorum, PreVote};

pub(super) const RP01: BugDescription = BugDescription {
    id: "RP-01",
    wrong: "members stand for election without asking around first, and raise their term in vain while they are cut off",
    switched_off: &[PreVote],
    breaks: &[Liveness],
    found_by: "looking at the terms of a member that is cut off",
};

pub(super) const RP03: BugDescription = BugDescription {
    id: "RP-03",
    wrong: "requests for pre-votes and their answers teach nobody a later term, and those of an earlier term are not answered",
    switched_off: &[],
    breaks: &[Liveness],
    found_by: "a bare majority whose members have seen different terms and know of no leader",
};

pub(super) const RP04: BugDescription = BugDescription {
    id: "RP-04",
    wrong: "a member with a later term ignores the leader and does not tell it that term, while all others ignore the member",
    switched_off: &[],
    breaks: &[Liveness, Convergence],
    found_by: "cutting a follower off for longer than an election timeout, without pre-votes",
};

pub(super) const RP05: BugDescription = BugDescription {
    id: "RP-05",
    wrong: "a leader that hears no majority goes on leading, and its clients wait",
    switched_off: &[CheckQuorum],
    breaks: &[Liveness],
    found_by: "looking at a leader that is cut off",
};

pub(super) const RP06: BugDescription = BugDescription {
    id: "RP-06",
    wrong: "all members have the same election timeout",
    switched_off: &[],
    breaks: &[Liveness],
    found_by: "the loss of a leader that all have heard at the same moment",
};

pub(super) const RP07: BugDescription = BugDescription {
    id: "RP-07",
    wrong: "every message starts the election timer anew, also a request for a vote that is refused",
    switched_off: &[],
    breaks: &[Liveness],
    found_by: "a member that lags and stands for election again and again",
};
