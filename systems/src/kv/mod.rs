//! A replicated key-value store: registers, lists and sets under keys.

pub mod client;
mod machine;
mod routes;
pub(crate) mod stored;

pub use machine::{Answer, Command, Kv, Object, ObjectKind, Query};
pub use routes::KvApi;

use crate::session::{SessionAnswer, SessionOptions, Sessions};

/// The state machine that stands above Raft: the store behind client sessions.
pub type SessionKv = Sessions<Kv>;

/// What a member answers about the store.
pub type KvResponse = crate::raft::Response<SessionAnswer<Answer>>;

/// What a member is asked about the store.
pub type KvRequest = crate::raft::Request<Query>;

/// An empty store without sessions.
#[must_use]
pub fn session_kv(options: SessionOptions) -> SessionKv {
    Sessions::new(Kv::default(), options)
}
