//! Bugs of the catalogue that are not planted, and why.

use crate::raft::LeftOut;

/// What of the catalogue of the bugs of atomic commitment is not planted.
pub const LEFT_OUT: &[LeftOut] = &[
    LeftOut { id: "TC-22", reason: "there are no predicates: transactions name their keys" },
    LeftOut {
        id: "TP-01",
        reason: "it is no mistake in the code but a limit of the protocol: three-phase commit breaks agreement when the network \
                 is cut between those who know that all voted yes and those who do not",
    },
    LeftOut {
        id: "TP-02",
        reason: "it is no mistake in the code but a limit of the protocol: three-phase commit breaks agreement when who is slow \
                 counts as dead",
    },
    LeftOut {
        id: "TP-04",
        reason: "two who lead the termination protocol see the same states and conclude the same, unless the network is cut; and \
                 then three-phase commit breaks agreement by itself",
    },
];
