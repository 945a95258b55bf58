//! The clusters that Rashomon breaks: consensus and commit protocols as state machines without I/O ([`server`] is the
//! contract), the hands that run them for real, and the simulated ones.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod api;
pub mod client;
pub mod commit;
pub mod kv;
pub mod lock;
#[allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "the real hands")]
pub mod node;
pub mod outlet;
pub mod planted;
pub mod raft;
pub mod server;
pub mod session;
pub mod sim;
pub mod wal;
