//! A replicated key-value store: registers, lists and sets under keys.

pub mod client;
mod machine;
mod routes;
mod stored;

pub use machine::{Answer, Command, Kv, Object, ObjectKind, Query};
pub use routes::KvApi;

use crate::session::{SessionAnswer, Sessions};

/// The state machine that stands above Raft: the store behind client sessions.
pub type SessionKv = Sessions<Kv>;

/// Sessions that may be open at a time. Part of the replicated state machine: the same on every replica.
pub const MAX_SESSIONS: usize = 4096;

/// What a member answers about the store.
pub type KvResponse = crate::raft::Response<SessionAnswer<Answer>>;

/// What a member is asked about the store.
pub type KvRequest = crate::raft::Request<Query>;

/// An empty store without sessions.
#[must_use]
pub fn session_kv() -> SessionKv {
    Sessions::new(Kv::default(), MAX_SESSIONS)
}
