//! Bugs of the catalogue that are not planted, and why.

/// A bug of the catalogue that is not planted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LeftOut {
    /// Its stable name.
    pub id: &'static str,
    /// Why it is not planted.
    pub reason: &'static str,
}

/// What of the catalogue of Raft's bugs is not planted.
pub const LEFT_OUT: &[LeftOut] = &[
    LeftOut {
        id: "RL-08",
        reason: "a match index that falls back does no lasting harm here: the commit index never follows it down, and the \
                 next acknowledgement mends it",
    },
    LeftOut { id: "RM-04", reason: "there is no joint phase: members change one at a time" },
    LeftOut {
        id: "RP-02",
        reason: "no promise is broken: members that lag raise the term in vain until one that does not lag stands, which random \
                 timeouts let happen soon; some thousand runs showed nothing",
    },
    LeftOut { id: "RR-08", reason: "servers have no wall clock; leases are measured on the monotonic clock only" },
    LeftOut {
        id: "RX-07",
        reason: "the state machine is not durable by itself: what was applied is told by the label of its snapshot, and \
                 RS-06 and RS-11 get that wrong",
    },
    LeftOut { id: "RX-08", reason: "nodes do not forward requests, they name the leader" },
];
