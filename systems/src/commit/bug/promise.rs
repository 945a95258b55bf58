//! What a planted bug may break.

use std::fmt;

/// A promise of atomic commitment, to clients or among the members.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CommitPromise {
    /// No two members decide differently (AC1).
    Agreement,
    /// A decision is never reversed (AC2).
    Stability,
    /// A commit needs the yes of every participant (AC3).
    Validity,
    /// When all failures are over, everyone decides (AC5), and no lock stays behind.
    Termination,
    /// What a client is told is the decision.
    ClientAgreement,
    /// Who voted yes can commit after any crash, and what was committed stays.
    Durability,
    /// Concurrent transactions see of each other only what their level of isolation allows.
    Isolation,
}

impl fmt::Display for CommitPromise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Agreement => "agreement (AC1)",
            Self::Stability => "stability of decisions (AC2)",
            Self::Validity => "validity of commits (AC3)",
            Self::Termination => "termination (AC5)",
            Self::ClientAgreement => "agreement with the client",
            Self::Durability => "durability",
            Self::Isolation => "isolation",
        })
    }
}
