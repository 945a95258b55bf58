//! ZooKeeper 3.8, in its own protocol.
//!
//! The client is our own and small: it shows what a session goes through, tells what was sent from what was not, and asks
//! nothing twice. It stays with one server. Settings: `reads` (`plain`, `sync`, `quorum`) and, of locks, `keepalive`
//! (`background`, `calls`).

mod lock;
mod look;
pub mod outcome;
mod request;
mod session;
mod settings;
mod store;
mod tree;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use rashomon_history::{Call, Outcome};
use tokio::time::Instant;

use crate::lock::LockClient;
use crate::{Client, Future, Look, Seat};
use session::{Keeping, Phase, Session};
use settings::{KeepAlive, Settings};
use store::Store;
use tree::Tree;

/// Of a session that holds nothing: it is to outlast what a cluster goes through.
const SESSION_TIMEOUT: Duration = Duration::from_secs(10);

/// A client that sits there: of a store, or of locks where there is something to guard.
///
/// # Errors
/// The HTTP client of the guarded store could not be set up.
pub fn client(seat: &Seat) -> Result<Box<dyn Client>, reqwest::Error> {
    Ok(match seat.resource {
        Some(resource) => Box::new(LockClient::new(lock::Locks::new(seat), seat, resource)?),
        None => Box::new(StoreClient::new(seat)),
    })
}

/// Who asks the node of this seat how it stands.
#[must_use]
pub fn look(seat: &Seat) -> Box<dyn Look> {
    Box::new(look::Looker::new(Arc::clone(&seat.nodes), seat.home))
}

/// A client of a store. It opens a session when it has none, and another when that is over.
struct StoreClient {
    keeping: Keeping,
    settings: Settings,
    session: Option<Session>,
}

impl StoreClient {
    fn new(seat: &Seat) -> Self {
        let keeping = Keeping {
            server: seat.nodes[seat.home],
            timeout: SESSION_TIMEOUT,
            keepalive: KeepAlive::Background,
            standstill: Arc::clone(&seat.standstill),
        };
        Self { keeping, settings: Settings::of(&seat.settings), session: None }
    }

    async fn outcome(&mut self, call: &Call, until: Instant) -> Outcome {
        let lives = |session: &Session| session.standing().phase != Phase::Expired;
        let session = match self.session.take().filter(lives) {
            Some(session) => session,
            None => Session::open(self.keeping.clone()),
        };
        let session = self.session.insert(session);
        let store = Store { tree: Tree { session, until }, reads: self.settings.reads };
        store.call(call).await.map_or_else(|outcome| outcome, Outcome::Ok)
    }
}

impl Client for StoreClient {
    fn call<'a>(&'a mut self, call: &'a Call, until: Instant) -> Future<'a, Outcome> {
        Box::pin(self.outcome(call, until))
    }
}

#[cfg(test)]
mod server;
#[cfg(test)]
mod tests;
