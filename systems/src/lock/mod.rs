//! A lock service on Raft, and a resource that its locks guard.
//!
//! Who wants locks opens a session. A session has a lease, which its commands renew; when the lease ends, so does the
//! session, and all that it holds is free (Burrows, *The Chubby lock service*, OSDI 2006, section 2.8). Whoever waits for a
//! lock stands in a queue, in order, until the lock is granted or a deadline passes. A grant comes with a fencing token,
//! larger than all before: a resource that refuses tokens below one it has seen is safe from a holder that does not know
//! yet that its lease is over (Kleppmann, *How to do distributed locking*, 2016).
//!
//! # Time
//!
//! Every entry of the log says how much time passed since the one before, by the clock of the leader that proposed it
//! ([`LogClock`]). The sum is the only time that the state machine knows, so all replicas agree on what has expired, and a
//! new leader goes on where the old one stopped. While sessions exist the leader proposes an [`Command::Advance`] now and
//! then. Time between two leaders does not count: leases become longer by a failover, never shorter.
//!
//! A client counts its lease from the moment at which it *sent* what was answered. The service counts from when the leader
//! took that, which is later, and adds [`LEASE_MARGIN_PERCENT`] for clocks that run differently. So a client's lease ends
//! before the service gives the lock to another.
//!
//! # Servers
//!
//! [`LockNode`] is one server: a [`Member`] of the cluster, or the guarded [`Resource`], which is no part of it and knows
//! nothing of sessions.

pub mod bug;
mod build;
pub mod client;
mod clock;
mod command;
mod invariants;
mod machine;
mod member;
mod queue;
mod resource;
mod routes;
mod server;
mod session;
#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "how long to look is said in the environment")]
mod tests;

pub use bug::Bug;
pub use build::LockServers;
pub use client::{LockClient, LockClientOptions};
pub use clock::LogClock;
pub use command::{Action, Answer, Command, Entry, LockRefusal, LockView, Query, SessionView};
pub use invariants::LockInvariants;
pub use machine::{LockMachine, LockOptions};
pub use member::Member;
pub use resource::{Content, Resource, ResourceAnswer, ResourceOptions, ResourceRequest};
pub use routes::LockApi;
pub use server::{LockNode, LockRequest, LockResponse};
pub use session::SessionId;

/// A lease lasts so much longer for the service than for its client: enough for a leader whose clock runs a tenth too fast
/// and jumps ahead twice.
pub const LEASE_MARGIN_PERCENT: u64 = 20;
