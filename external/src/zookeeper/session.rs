//! A session, kept by a task of its own as ZooKeeper's own libraries do it.
//!
//! The task connects to one server, sends what is asked in order, pings while nothing is asked, and connects again with the
//! same session when the connection breaks. So a session outlives its server's restart, and its client sees when it is over.
//! Whoever asks is answered once: what was sent when the connection broke is lost, and not sent again.

mod link;
mod task;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::outcome::Unanswered;
use super::request::Request;
use super::settings::KeepAlive;
use crate::StandStill;

/// How a session is kept.
#[derive(Clone)]
pub(super) struct Keeping {
    /// The server that it stays with.
    pub(super) server: SocketAddr,
    /// After how long a silence the servers end the session; they may make it more or less.
    pub(super) timeout: Duration,
    pub(super) keepalive: KeepAlive,
    /// Makes the task stand still.
    pub(super) standstill: Arc<dyn StandStill>,
}

/// How a session stands, as its client knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Standing {
    pub(super) phase: Phase,
    /// Attempts to connect that came to nothing.
    failures: u64,
    /// Why the last one did.
    problem: String,
    /// Events of nodes that are watched.
    events: u64,
    /// When the last request that was answered was sent.
    pub(super) heard: Option<Instant>,
    /// After how long a silence the session ends, as the servers say.
    pub(super) timeout: Duration,
}

/// Whether there is a connection, and a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// Neither is known: the task tries to connect.
    Disconnected,
    /// Both.
    Connected,
    /// The servers have ended the session. It does not come back.
    Expired,
}

/// A request on its way to the task.
struct Ask {
    request: Request,
    reply: oneshot::Sender<Result<Vec<u8>, Unanswered>>,
}

/// A session. It is left to expire when this is dropped.
pub(super) struct Session {
    asks: mpsc::UnboundedSender<Ask>,
    standing: watch::Receiver<Standing>,
    task: JoinHandle<()>,
}

impl Session {
    /// Begins to open a session.
    pub(super) fn open(keeping: Keeping) -> Self {
        let (asks, asked) = mpsc::unbounded_channel();
        let first = Standing {
            phase: Phase::Disconnected,
            failures: 0,
            problem: String::new(),
            events: 0,
            heard: None,
            timeout: keeping.timeout,
        };
        let (tell, standing) = watch::channel(first);
        let task = tokio::spawn(task::Task::new(keeping, asked, tell).run());
        Self { asks, standing, task }
    }

    pub(super) fn standing(&self) -> Standing {
        self.standing.borrow().clone()
    }

    /// Changes of phase and events from now on.
    pub(super) fn changes(&self) -> Changes {
        let mut standing = self.standing.clone();
        standing.mark_unchanged();
        Changes { standing }
    }

    /// Waits until the session is there. The next attempt to connect that fails ends the waiting.
    pub(super) async fn connected(&self, until: Instant) -> Result<(), Unanswered> {
        let mut standing = self.standing.clone();
        let failures = standing.borrow().failures;
        let is_decided = |standing: &Standing| standing.phase != Phase::Disconnected || standing.failures != failures;
        match timeout_at(until, standing.wait_for(is_decided)).await {
            Err(_) => Err(Unanswered::NotSent("no session in time".into())),
            Ok(Err(_)) => Err(Unanswered::NotSent("the session was given up".into())),
            Ok(Ok(standing)) => match standing.phase {
                Phase::Connected => Ok(()),
                Phase::Expired => Err(Unanswered::Expired),
                Phase::Disconnected => Err(Unanswered::NotSent(standing.problem.clone())),
            },
        }
    }

    /// Asks once, and waits for the answer until then.
    pub(super) async fn ask(&self, request: Request, until: Instant) -> Result<Vec<u8>, Unanswered> {
        self.connected(until).await?;
        let (reply, answer) = oneshot::channel();
        if self.asks.send(Ask { request, reply }).is_err() {
            return Err(Unanswered::Expired);
        }
        match timeout_at(until, answer).await {
            Err(_) => Err(Unanswered::Late),
            Ok(Err(_)) => Err(Unanswered::Lost("the session was given up".into())),
            Ok(Ok(answered)) => answered,
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Waits for something to happen to a session or to what it watches.
pub(super) struct Changes {
    standing: watch::Receiver<Standing>,
}

impl Changes {
    /// Whether something happened in time, since this was made or last returned.
    pub(super) async fn next(&mut self, until: Instant) -> bool {
        timeout_at(until, self.standing.changed()).await.is_ok()
    }
}
