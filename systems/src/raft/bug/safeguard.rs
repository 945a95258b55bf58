//! What of the right code would hide a planted bug.

use std::fmt;

/// A part of the right code that hides some mistakes elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Safeguard {
    /// Members ask around before they stand for election (thesis 9.6).
    PreVote,
    /// Leaders that hear no majority step down (thesis 6.2).
    CheckQuorum,
    /// Leaders begin their term with an entry of their own (section 8).
    Noop,
    /// Commands of earlier terms are refused as soon as a later term has committed an entry.
    SupersededRefusal,
    /// Entries that are read back from disk have to stand one after the other.
    GaplessLog,
}

impl fmt::Display for Safeguard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PreVote => "pre-vote",
            Self::CheckQuorum => "check-quorum",
            Self::Noop => "the no-op at the start of a term",
            Self::GaplessLog => "the check that the entries on disk have no gap",
            Self::SupersededRefusal => "the refusal of superseded commands",
        })
    }
}
