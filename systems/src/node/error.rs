//! Why a node can't start, or can't go on.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::wal::WalError;
use crate::raft::{ConfigError, RecoverError};

/// Why a node can't start, or can't go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The settings make no sense together.
    #[error("{0}")]
    Settings(#[from] ConfigError),
    /// A port can't be listened on.
    #[error("listening for {whom} on {address}: {source}{}", advice(source))]
    Listen {
        /// Peers or clients.
        whom: &'static str,
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The data folder belongs to another node.
    #[error("{}: this data folder belongs to {found}, not to {expected}; give each node a folder of its own", path.display())]
    WrongFolder {
        /// The file that says so.
        path: PathBuf,
        /// Who it belongs to.
        found: String,
        /// Who was started.
        expected: String,
    },
    /// A file of the data folder can't be read or written.
    #[error("{doing} {}: {source}", path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The log can't be opened, or a write to it failed.
    #[error("the log: {0}")]
    Log(#[from] WalError),
    /// What the log holds makes no sense.
    #[error("the data folder: {0}")]
    Recover(#[from] RecoverError),
    /// The system refused a thread, a timer or a signal handler.
    #[error("{doing}: {source}")]
    System {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "; another process uses the port, choose another one or stop that process",
        io::ErrorKind::AddrNotAvailable => "; this machine has no such address",
        io::ErrorKind::PermissionDenied => "; ports below 1024 need more rights, choose a higher one",
        _ => "",
    }
}
