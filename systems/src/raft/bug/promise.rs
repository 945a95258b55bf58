//! What a planted bug may break.

use std::fmt;

/// A promise of the cluster, to its clients or among its members.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Promise {
    /// At most one leader a term, and so at most one vote of a member (figure 3).
    ElectionSafety,
    /// What was acknowledged, or is committed, stays (figure 3, leader completeness).
    Durability,
    /// All replicas apply the same commands in the same order (figure 3, state machine safety), and logs that agree
    /// somewhere agree before it (log matching).
    Convergence,
    /// Every answer fits one order of all operations that keeps to real time: above all, no stale read.
    Linearizability,
    /// A command of a session happens once, however often it is sent.
    ExactlyOnce,
    /// What was refused never happens.
    CertainRefusal,
    /// Members change one at a time, and who decides is a voter that has caught up (thesis, chapter 4).
    Membership,
    /// A cluster whose faults are over, or touch a minority only, answers soon.
    Liveness,
    /// No more of a lock is held than there is, and only by those to whom it was granted.
    MutualExclusion,
    /// Fencing tokens grow with every grant, and the guarded resource takes none below one that it has seen.
    Fencing,
    /// A lease ends neither before its time nor long after it.
    Leases,
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ElectionSafety => "election safety",
            Self::Durability => "durability",
            Self::Convergence => "convergence of replicas",
            Self::Linearizability => "linearizability",
            Self::ExactlyOnce => "exactly once",
            Self::CertainRefusal => "certainty of refusals",
            Self::Membership => "orderly membership",
            Self::Liveness => "liveness",
            Self::MutualExclusion => "mutual exclusion",
            Self::Fencing => "fencing",
            Self::Leases => "bounds of leases",
        })
    }
}
