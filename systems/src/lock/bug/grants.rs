//! LK: who gets a lock, and who gives it back.

use crate::raft::BugDescription;
use crate::raft::Promise::{ExactlyOnce, Fencing, Liveness, MutualExclusion};

pub(super) const LK02: BugDescription = BugDescription {
    id: "LK-02",
    wrong: "a waiter whose session is over stays in the queue, and is granted the lock in its turn",
    switched_off: &[],
    breaks: &[MutualExclusion, Liveness],
    found_by: "clients that wait for longer than a lease, and stand still meanwhile",
};

pub(super) const LK03: BugDescription = BugDescription {
    id: "LK-03",
    wrong: "a release frees the lock, whoever holds it",
    switched_off: &[],
    breaks: &[MutualExclusion],
    found_by: "holders whose lease ends before they release, and clients that release what they were never granted",
};

pub(super) const LK04: BugDescription = BugDescription {
    id: "LK-04",
    wrong: "a client looks whether it holds the lock, and then releases it, whoever holds it by then",
    switched_off: &[],
    breaks: &[MutualExclusion],
    found_by: "clients that stand still for longer than their lease between the two",
};

pub(super) const LK08: BugDescription = BugDescription {
    id: "LK-08",
    wrong: "the leader counts fencing tokens in its memory, beside the replicated state",
    switched_off: &[],
    breaks: &[Fencing],
    found_by: "changes of leader",
};

pub(super) const LK11: BugDescription = BugDescription {
    id: "LK-11",
    wrong: "the leader grants a lock that is free at once, before anyone else knows",
    switched_off: &[],
    breaks: &[MutualExclusion, Fencing],
    found_by: "leaders that are cut off or killed",
};

pub(super) const LK12: BugDescription = BugDescription {
    id: "LK-12",
    wrong: "a member comes back without what it had on its disk",
    switched_off: &[],
    breaks: &[MutualExclusion, Fencing],
    found_by: "members that are killed one after the other within a lease",
};

pub(super) const LK15: BugDescription = BugDescription {
    id: "LK-15",
    wrong: "an acquire that does not want to wait is refused, and stays in the queue all the same",
    switched_off: &[],
    breaks: &[Liveness],
    found_by: "clients that only try, and contention",
};

pub(super) const LK22: BugDescription = BugDescription {
    id: "LK-22",
    wrong: "an acquire that was told that its time is over stays in the queue, and is granted later",
    switched_off: &[],
    breaks: &[Liveness],
    found_by: "contention that lasts for longer than the clients wait",
};

pub(super) const LK23: BugDescription = BugDescription {
    id: "LK-23",
    wrong: "one release of a lock that was acquired several times frees it",
    switched_off: &[],
    breaks: &[MutualExclusion],
    found_by: "holders that acquire again",
};

pub(super) const LK24: BugDescription = BugDescription {
    id: "LK-24",
    wrong: "an acquire that is sent again, and was granted already, is counted again",
    switched_off: &[],
    breaks: &[ExactlyOnce, Liveness],
    found_by: "holders that acquire again; lost answers",
};

pub(super) const LK25: BugDescription = BugDescription {
    id: "LK-25",
    wrong: "where a session is over, one of its permits is counted as free, however many it held",
    switched_off: &[],
    breaks: &[Liveness],
    found_by: "semaphores whose holders stand still for longer than their lease",
};

pub(super) const LK26: BugDescription = BugDescription {
    id: "LK-26",
    wrong: "who waits is granted the lock when the one before it leaves the queue, whoever holds it",
    switched_off: &[],
    breaks: &[MutualExclusion],
    found_by: "waiters that give up, or stand still",
};

pub(super) const LK27: BugDescription = BugDescription {
    id: "LK-27",
    wrong: "a release of a session that is over frees the lock, whoever holds it by now",
    switched_off: &[],
    breaks: &[MutualExclusion],
    found_by: "clients that stand still for longer than their lease, and then release",
};
