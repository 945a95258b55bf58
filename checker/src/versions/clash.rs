//! The contradictions that a register with versions can show.

/// Why the operations on a register with versions are not linearizable. Numbers are places in the operations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VersionsClash {
    /// The contradiction.
    pub contradiction: VersionsContradiction,
    /// All operations that are part of it, each once, and those that tell the version of one that did not.
    pub operations: Vec<u32>,
}

/// The contradictions that a register with versions can show. Numbers are places in the operations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum VersionsContradiction {
    /// It told a version that was over before the first write.
    BelowFirst {
        /// The operation.
        operation: u32,
    },
    /// Two writes told the same version.
    SameVersion {
        /// One.
        left: u32,
        /// The other.
        right: u32,
    },
    /// Two operations told different values of one version.
    TwoValues {
        /// One; `None` for what was there at first.
        left: Option<u32>,
        /// The other.
        right: u32,
        /// The version.
        version: u64,
    },
    /// Two versions were seen of what was written once.
    TwoVersions {
        /// The write.
        write: u32,
        /// Who saw one version.
        left: u32,
        /// Who saw the other.
        right: u32,
    },
    /// It saw a value that nobody wrote, or that was written with other versions only.
    NeverWritten {
        /// Who saw it.
        observer: u32,
        /// Who wrote it with other versions.
        others: Vec<u32>,
    },
    /// The later one, which began when the earlier one was over, has the lower version.
    Backwards {
        /// The one that was over.
        earlier: u32,
        /// The other.
        later: u32,
    },
    /// There were more writes between two operations than their versions allow.
    NoRoom {
        /// An operation that was over before the writes; `None`: the first version.
        earlier: Option<u32>,
        /// An operation that began after them.
        later: u32,
        /// The writes.
        writes: Vec<u32>,
    },
}

impl VersionsContradiction {
    pub(super) fn operations(&self) -> Vec<u32> {
        let mut all = match self {
            Self::BelowFirst { operation } => vec![*operation],
            Self::SameVersion { left, right } | Self::Backwards { earlier: left, later: right } => vec![*left, *right],
            Self::TwoValues { left, right, .. } => left.iter().copied().chain([*right]).collect(),
            Self::TwoVersions { write, left, right } => vec![*write, *left, *right],
            Self::NeverWritten { observer, others } => others.iter().copied().chain([*observer]).collect(),
            Self::NoRoom { earlier, later, writes } => earlier.iter().chain(writes).copied().chain([*later]).collect(),
        };
        all.sort_unstable();
        all.dedup();
        all
    }

    pub(super) fn into_clash(self, mut operations: Vec<u32>) -> VersionsClash {
        operations.sort_unstable();
        operations.dedup();
        VersionsClash { contradiction: self, operations }
    }
}
