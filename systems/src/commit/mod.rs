//! Atomic commitment over shards, as a state machine without I/O.
//!
//! A transaction is a list of reads, writes, appends and additions on keys of several shards; all of it happens, or nothing.
//! [`CommitNode`] is one server: a coordinator, a member of a group of coordinators, or a shard.
//!
//! # The way of a transaction
//!
//! 1. A client gives it to a coordinator, which names it by the moment at which it began, and sends each shard its steps.
//! 2. The shards run them under locks (`participant/`), and answer with what the reads saw.
//! 3. The coordinator asks for votes. A shard that can commit whatever happens makes that durable and votes yes.
//! 4. When all have voted yes the coordinator decides to commit, makes that durable, answers the client and tells the shards,
//!    again and again until they acknowledge. When one votes no, or too much time has passed, it aborts.
//!
//! # What a client is told
//!
//! `committed` when the commit is durable; `aborted` only when it certainly is and stays so: nobody has decided to commit,
//! and nobody else may. A client whose coordinator dies meanwhile does not know.
//!
//! # Protocols
//!
//! Two-phase commit with presumed abort (`coordinator/`) blocks while its coordinator is down: shards that voted yes wait with their
//! locks. Three-phase commit (`three_phase/`) does not block, and breaks where slow is taken for dead. With a group of coordinators
//! (`replicated.rs`) two-phase commit goes on while a majority of the group does.

mod bug;
pub mod client;
mod config;
mod coordinator;
mod decisions;
mod fact;
pub mod invariants;
mod ledger;
mod message;
mod node;
mod object;
mod outbox;
mod participant;
mod replicated;
mod routes;
#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "how many seeds to try is said in the environment")]
mod tests;
mod three_phase;
mod timers;
mod txn;

pub use bug::{Bug, CommitBugDescription, CommitPromise, LEFT_OUT, UnknownCommitBug};
pub use client::{CommitClient, CommitClientOptions};
pub use config::{Bank, CommitConfigError, CommitLimits, CommitTiming, Config};
pub use fact::Fact;
pub use invariants::{CommitInvariants, CommitViolation};
pub use message::{CommitMessage, Message, ParticipantState, Refusal, Request, Response, Stamp, Vote};
pub use node::{CommitNode, StartError};
pub use object::{Elements, Object, Op};
pub use outbox::ForeignLog;
use replicated::Replicated;
pub use routes::CommitApi;
pub use txn::{AbortReason, Decision, Isolation, Protocol, Timestamp, TxnId, UnknownName};
