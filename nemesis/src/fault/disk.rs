//! Disk faults: a disk is slow, fails, is full, or forgets.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Target;

/// Some disks are in trouble for a while.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DiskFault {
    /// Whose disks.
    pub of: Target,
    /// What is wrong with them.
    pub trouble: DiskTrouble,
}

/// What is wrong with a disk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiskTrouble {
    /// Every sync takes so many microseconds longer.
    SlowSync {
        /// How many.
        us: u32,
    },
    /// Every sync fails, and what it should have made durable may be lost. A server can't go on then: when the fault is over
    /// its machine begins anew, from what the disk holds.
    SyncError,
    /// There is no room for another byte. A server can't go on then: it is started again when there is room.
    Full,
    /// A bit of what is durable is no longer what was written. The server is killed at once, and reads it at its start.
    BitFlip,
}

impl fmt::Display for DiskTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SlowSync { us } => write!(f, "syncs {} ms slower", f64::from(*us) / 1000.0),
            Self::SyncError => f.write_str("syncs fail"),
            Self::Full => f.write_str("full"),
            Self::BitFlip => f.write_str("a bit flips"),
        }
    }
}

impl fmt::Display for DiskFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.trouble, self.of)
    }
}
