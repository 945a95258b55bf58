//! Real hands for a server: sockets, disk, clock.

pub mod commit;
mod driver;
mod error;
mod http;
mod identity;
pub mod lock;
mod peer;
pub mod raft;
mod run;

pub use error::NodeError;
pub use http::MAX_BODY_BYTES;
pub use peer::{HelloRefusal, Membership, PROTOCOL_VERSION};
pub use run::Listeners;
