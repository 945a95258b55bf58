//! How two members greet: the one who dials says who it is and whom it means, the other agrees or says why not.

use std::io;

use bytes::BytesMut;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Membership, frame};
use crate::server::NodeId;

/// Members that speak another version refuse each other.
pub const PROTOCOL_VERSION: u16 = 1;

/// What the one who dials says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Hello {
    pub(super) version: u16,
    pub(super) cluster: String,
    pub(super) from: NodeId,
    pub(super) to: NodeId,
}

/// Why a member does not listen to another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
pub enum HelloRefusal {
    /// Another version of the protocol.
    #[error("it speaks version {ours} of the protocol, not {theirs}")]
    Version {
        /// The version of the one who refuses.
        ours: u16,
        /// The version of the one who dialled.
        theirs: u16,
    },
    /// Another cluster.
    #[error("it belongs to cluster {ours:?}, not {theirs:?}")]
    Cluster {
        /// The cluster of the one who refuses.
        ours: String,
        /// The cluster of the one who dialled.
        theirs: String,
    },
    /// Another member was meant.
    #[error("it is {ours}, not {theirs}: check the addresses of --peer")]
    WrongNode {
        /// The one who refuses.
        ours: NodeId,
        /// The one who was meant.
        theirs: NodeId,
    },
    /// It does not know the member that dials.
    #[error("it knows no member {theirs}: check its --peer")]
    Stranger {
        /// The one who dialled.
        theirs: NodeId,
    },
}

impl Hello {
    pub(super) fn new(membership: &Membership, to: NodeId) -> Self {
        Self { version: PROTOCOL_VERSION, cluster: membership.cluster.clone(), from: membership.id, to }
    }

    /// What `membership` says to it.
    pub(super) fn judge(&self, membership: &Membership) -> Result<(), HelloRefusal> {
        if self.version != PROTOCOL_VERSION {
            return Err(HelloRefusal::Version { ours: PROTOCOL_VERSION, theirs: self.version });
        }
        if self.cluster != membership.cluster {
            return Err(HelloRefusal::Cluster { ours: membership.cluster.clone(), theirs: self.cluster.clone() });
        }
        if self.to != membership.id {
            return Err(HelloRefusal::WrongNode { ours: membership.id, theirs: self.to });
        }
        if !membership.others.contains_key(&self.from) {
            return Err(HelloRefusal::Stranger { theirs: self.from });
        }
        Ok(())
    }
}

/// Sends one frame.
pub(super) async fn send(stream: &mut TcpStream, content: &impl Serialize) -> io::Result<()> {
    let mut buffer = Vec::new();
    frame::encode(content, &mut buffer);
    stream.write_all(&buffer).await
}

/// Receives one frame, and leaves in `buffer` what came after it.
pub(super) async fn receive<T: DeserializeOwned>(stream: &mut TcpStream, buffer: &mut BytesMut) -> io::Result<T> {
    loop {
        match frame::decode(buffer) {
            Ok(Some(content)) => return Ok(content),
            Ok(None) => {}
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        }
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}
