//! The hands of the clients: HTTP for the own systems. What is asked and what an answer means is decided by the pure
//! clients in `rashomon-systems`.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use rashomon_history::{Call, Outcome};
use rashomon_systems::server::Status;

/// A node as a client reaches it.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub(crate) name: String,
    pub(crate) http: SocketAddr,
}
