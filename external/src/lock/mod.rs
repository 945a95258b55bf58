//! Clients of real lock services, and of the store that their locks guard.
//!
//! [`LockClient`] is what all services have in common: sessions with a name, what a client believes to hold, and the guarded
//! sets, which are read and written as a whole in the store that docs/LOCK-API.md describes. A service is
//! a [`LockService`]: how it opens a session, keeps it alive, grants and takes back locks, in its own protocol.
//!
//! # What a history says
//!
//! An answered command of a session has renewed its lease: the check `lease-lock` counts from when it was asked. So a service
//! whose commands do not renew leases by themselves renews them first ([`LockService::acquire`] says more).
//!
//! A *careful* client looks at its lease before it touches what a lock guards, and again before it writes. A *naive* one
//! trusts what it was granted until it gives it back.

mod belief;
mod client;
mod resource;
mod service;
#[cfg(test)]
mod tests;

pub use client::LockClient;
pub use service::{LockService, NotDone, Refusal};
