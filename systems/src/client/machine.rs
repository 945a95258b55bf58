//! What drives a client needs of it, whichever system it asks.

use rashomon_history::Call;

use super::{Client, Next};
use crate::api::{HttpResponse, TransportError};
use crate::server::{Micros, NodeId};

/// A client of an own system, as a state machine without I/O. It has one operation at a time.
pub trait ClientMachine: Send {
    /// The node that it stays with.
    fn home(&self) -> NodeId;

    /// Starts an operation, which is over at `deadline` at the latest. One that is under way is forgotten.
    fn begin(&mut self, now: Micros, call: &Call, deadline: Micros) -> Next;

    /// The answer to an attempt, or why there is none. `None` where nobody waits for it any more.
    fn answered(&mut self, now: Micros, attempt: u64, result: Result<HttpResponse, TransportError>) -> Option<Next>;

    /// Time has passed. `None` where nothing was due.
    fn time(&mut self, now: Micros) -> Option<Next>;
}

impl ClientMachine for Client {
    fn home(&self) -> NodeId {
        Self::home(self)
    }

    fn begin(&mut self, now: Micros, call: &Call, deadline: Micros) -> Next {
        Self::begin(self, now, call, deadline)
    }

    fn answered(&mut self, now: Micros, attempt: u64, result: Result<HttpResponse, TransportError>) -> Option<Next> {
        Self::answered(self, now, attempt, result)
    }

    fn time(&mut self, now: Micros) -> Option<Next> {
        Self::time(self, now)
    }
}
