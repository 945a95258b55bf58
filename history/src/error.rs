//! What can be wrong with a history.

use std::path::PathBuf;

/// A history that can't be used: where and why.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// The file can't be read or written.
    #[error("{}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// There is no event in it.
    #[error("{}: the history is empty: there is nothing to check; was the run stopped before its first operation?", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file as a whole is none that can be read.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What it is instead and what to do.
        reason: String,
    },
    /// A line is not an event.
    #[error("{}:{line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong and what to do.
        reason: String,
    },
}
