//! Who speaks which protocol.

use crate::{Client, Look, Protocol, Seat};

/// Why nobody can sit there: a setting of the clients has a value that it can't have.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct SeatError(String);

impl Protocol {
    /// A client that sits there.
    ///
    /// # Errors
    /// A setting of the clients has a value that it can't have.
    pub fn client(self, seat: &Seat) -> Result<Box<dyn Client>, SeatError> {
        let _ = seat;
        match self {
            Self::Redis | Self::Etcd | Self::ZooKeeper => Err(SeatError(format!("nobody speaks {self:?} yet"))),
        }
    }

    /// Who asks the node that is the home of this seat how it stands.
    ///
    /// # Errors
    /// A setting of the clients has a value that it can't have.
    pub fn look(self, seat: &Seat) -> Result<Box<dyn Look>, SeatError> {
        let _ = seat;
        match self {
            Self::Redis | Self::Etcd | Self::ZooKeeper => Err(SeatError(format!("nobody speaks {self:?} yet"))),
        }
    }
}
