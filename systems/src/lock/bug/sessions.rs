//! LK: the end of sessions.

use crate::raft::BugDescription;
use crate::raft::Promise::Liveness;

pub(super) const LK20: BugDescription = BugDescription {
    id: "LK-20",
    wrong: "of the locks of a session that is over only one is freed",
    switched_off: &[],
    breaks: &[Liveness],
    found_by: "sessions that hold several locks, and stand still for longer than their lease",
};
