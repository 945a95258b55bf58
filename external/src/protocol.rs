//! Who speaks which protocol.

use crate::{Client, Look, Protocol, Seat};

/// Why nobody can sit there: a setting of the clients has a value that it can't have.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct SeatError(String);

impl SeatError {
    fn of(error: impl std::error::Error) -> Self {
        Self(error.to_string())
    }
}

impl Protocol {
    /// A client that sits there.
    ///
    /// # Errors
    /// A setting of the clients has a value that it can't have.
    pub fn client(self, seat: &Seat) -> Result<Box<dyn Client>, SeatError> {
        match self {
            Self::Redis => crate::redis::client(seat).map_err(SeatError::of),
            Self::Etcd => crate::etcd::client(seat.clone()).map_err(SeatError::of),
            Self::ZooKeeper => crate::zookeeper::client(seat).map_err(SeatError::of),
        }
    }

    /// Who asks the node that is the home of this seat how it stands.
    ///
    /// # Errors
    /// A setting of the clients has a value that it can't have.
    pub fn look(self, seat: &Seat) -> Result<Box<dyn Look>, SeatError> {
        match self {
            Self::Redis => crate::redis::look(seat).map_err(SeatError::of),
            Self::Etcd => crate::etcd::look(seat.nodes.clone(), seat.home).map_err(SeatError::of),
            Self::ZooKeeper => Ok(crate::zookeeper::look(seat)),
        }
    }
}
