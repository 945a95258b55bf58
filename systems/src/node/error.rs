//! Why a node can't start, or can't go on. Each error says all there is to say, its cause included.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::commit::{CommitConfigError, StartError};
use crate::raft::{ConfigError, RecoverError};
use crate::wal::{WalError, disk_advice};

/// Why a node can't start, or can't go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The settings make no sense together.
    #[error(transparent)]
    Settings(#[from] ConfigError),
    /// The settings of a commitment cluster make no sense together.
    #[error(transparent)]
    CommitSettings(#[from] CommitConfigError),
    /// A server of a commitment cluster can't go on from what its log holds.
    #[error(transparent)]
    CommitStart(#[from] StartError),
    /// A port can't be listened on.
    #[error("listening for {whom} on {address}: {cause}{}", port_advice(cause))]
    Listen {
        /// Peers or clients.
        whom: &'static str,
        /// Where.
        address: SocketAddr,
        /// What the system said.
        cause: io::Error,
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
    #[error("{doing} {}: {cause}{}", path.display(), disk_advice(cause))]
    File {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The log can't be opened, or a write to it failed.
    #[error(transparent)]
    Log(#[from] WalError),
    /// What the log holds makes no sense.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// What the log of the guarded resource holds makes no sense.
    #[error("what the log holds is not what a guarded resource of this version wrote: {0}")]
    RecoverResource(#[from] postcard::Error),
    /// The system refused a thread, a timer or a signal handler.
    #[error("{doing}: {cause}")]
    System {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        cause: io::Error,
    },
}

fn port_advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "; another process uses the port, choose another one or stop that process",
        io::ErrorKind::AddrNotAvailable => "; this machine has no such address",
        io::ErrorKind::PermissionDenied => "; ports below 1024 need more rights, choose a higher one",
        _ => "",
    }
}
