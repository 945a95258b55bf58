//! Redis 7, and what speaks as it does (Valkey, for one).
//!
//! [`client`] gives a client of the workloads, [`look`] one that asks how a node stands. [`TABLE`] says what each error means.

mod calls;
mod client;
mod frame;
mod link;
mod links;
mod lock;
mod look;
mod outcome;
mod redlock;
mod sentinel;
mod settings;
mod slots;

pub use outcome::{Certainty, Row, TABLE};
pub use settings::BadSetting;

use crate::lock::LockClient;
use crate::{Client, Look, Seat};
use settings::{Lock, Settings};

/// A client that sits there: of a store of keys, or of locks where there is something to guard.
///
/// # Errors
/// A setting of the clients has a value that it cannot have, or the client of the guarded store cannot be set up.
pub fn client(seat: &Seat) -> Result<Box<dyn Client>, ClientError> {
    let Some(resource) = seat.resource else { return Ok(Box::new(client::RedisClient::new(seat)?)) };
    Ok(match Settings::read(&seat.settings)?.lock {
        Lock::Owner => Box::new(LockClient::new(lock::RedisLocks::owned(seat)?, seat, resource)?),
        Lock::Plain => Box::new(LockClient::new(lock::RedisLocks::plain(seat)?, seat, resource)?),
        Lock::Redlock => Box::new(LockClient::new(redlock::Redlock::new(seat), seat, resource)?),
    })
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A setting makes no sense.
    #[error(transparent)]
    Setting(#[from] BadSetting),
    /// The client of the guarded store could not be set up.
    #[error("setting up an HTTP client")]
    Http(#[from] reqwest::Error),
}

/// Who asks the node of this seat how it stands.
///
/// # Errors
/// A setting of the clients has a value that it cannot have.
pub fn look(seat: &Seat) -> Result<Box<dyn Look>, BadSetting> {
    Ok(Box::new(look::RedisLook::new(seat)?))
}
