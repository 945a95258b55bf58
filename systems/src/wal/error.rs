//! What can go wrong with the log.

use std::io;
use std::path::PathBuf;

/// Why the log can't be opened, or can't go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WalError {
    /// Another process uses the folder.
    #[error("{}: another process uses this data folder; stop it, or give this node a folder of its own", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// The system refused.
    #[error("{doing} {}: {cause}{}", path.display(), disk_advice(cause))]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The bytes on disk are not what was written.
    #[error(
        "{} at byte {offset}: {problem}. Acknowledged writes may be lost, so the node does not start. Restore its data \
         folder from a copy, or replace the node with a new member; do not just delete the folder, for a member that forgets \
         its vote endangers the cluster",
        path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        problem: String,
    },
}

impl WalError {
    pub(super) fn corrupt(path: impl Into<PathBuf>, offset: u64, problem: impl Into<String>) -> Self {
        Self::Corrupt { path: path.into(), offset, problem: problem.into() }
    }
}

/// What to do about it, where that is known.
pub(crate) fn disk_advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull => "; make room on the disk and start the node again",
        io::ErrorKind::PermissionDenied => "; run the node as a user who may write there, or choose another --data",
        io::ErrorKind::ReadOnlyFilesystem => "; the file system is read-only, choose another --data",
        _ => "",
    }
}
