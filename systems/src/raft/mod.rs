//! Raft, as a state machine without I/O.

mod api;

pub use api::{Refusal, Request, Response, RestoreError, StateMachine};
