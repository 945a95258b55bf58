//! Gives a server its hands: takes what happened, steps it, and carries out what it wants, in the order and with the
//! durability that [`crate::server`] demands.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use tokio::sync::{mpsc, oneshot};

use crate::outlet::{Effect, Outlet};
use crate::server::{Input, Micros, NodeId, Output, RequestId, Server, Status, Write, WriteId};
use crate::wal::{WalError, WalThread};

/// Events taken in one go, so that a flood of them does not keep the answers of the first ones waiting.
const BATCH_EVENTS: usize = 1024;
/// How often a change of role is looked for.
const ROLE_INTERVAL_US: u64 = 20_000;

/// What happens to a node.
#[derive(Debug)]
pub(super) enum Event<S: Server> {
    Message {
        from: NodeId,
        message: S::Message,
    },
    Request {
        id: RequestId,
        request: S::Request,
        reply: oneshot::Sender<S::Response>,
    },
    Abandon {
        id: RequestId,
    },
    Status {
        reply: oneshot::Sender<Status>,
    },
    /// The newest durable write, or why there will be no more.
    Durable(Result<WriteId, WalError>),
    Stop,
}

/// The node stopped before it knew the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stopped;

/// Asks the server. Cheap to clone.
pub(super) struct Asker<S: Server> {
    events: mpsc::UnboundedSender<Event<S>>,
    last_id: Arc<AtomicU64>,
}

impl<S: Server> Clone for Asker<S> {
    fn clone(&self) -> Self {
        Self { events: self.events.clone(), last_id: Arc::clone(&self.last_id) }
    }
}

impl<S: Server> Asker<S> {
    pub(super) fn new(events: mpsc::UnboundedSender<Event<S>>) -> Self {
        Self { events, last_id: Arc::default() }
    }

    /// Asks and waits. Where the caller goes away before the answer, the server is told.
    pub(super) async fn ask(&self, request: S::Request) -> Result<S::Response, Stopped> {
        let id = RequestId(self.last_id.fetch_add(1, Ordering::Relaxed) + 1);
        let (reply, answer) = oneshot::channel();
        self.events.send(Event::Request { id, request, reply }).map_err(|_| Stopped)?;
        let mut waiter = Waiter { id, events: &self.events, is_answered: false };
        let answer = answer.await;
        waiter.is_answered = true;
        answer.map_err(|_| Stopped)
    }

    pub(super) async fn status(&self) -> Result<Status, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.events.send(Event::Status { reply }).map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }
}

/// Someone who waits for an answer.
struct Waiter<'a, S: Server> {
    id: RequestId,
    events: &'a mpsc::UnboundedSender<Event<S>>,
    is_answered: bool,
}

impl<S: Server> Drop for Waiter<'_, S> {
    fn drop(&mut self) {
        if !self.is_answered {
            // A node that stopped has no one to tell.
            let _ = self.events.send(Event::Abandon { id: self.id });
        }
    }
}

/// Where a driver's messages and writes go. Apart from the driver, so that its tests see both.
pub(super) trait Hands<M> {
    fn send(&self, to: NodeId, message: &M);
    fn submit(&self, id: WriteId, write: Write);
}

/// The real ones.
#[derive(Debug)]
pub(super) struct RealHands {
    pub(super) peers: super::peer::Peers,
    pub(super) wal: WalThread,
}

impl<M: serde::Serialize> Hands<M> for RealHands {
    fn send(&self, to: NodeId, message: &M) {
        self.peers.send(to, message);
    }

    fn submit(&self, id: WriteId, write: Write) {
        self.wal.submit(id, write);
    }
}

/// Runs one server.
pub(super) struct Driver<S: Server, H> {
    server: S,
    hands: H,
    events: mpsc::UnboundedReceiver<Event<S>>,
    began: Instant,
    outputs: Vec<Output<S::Message, S::Response>>,
    outlet: Outlet<S::Message, S::Response>,
    replies: FxHashMap<RequestId, oneshot::Sender<S::Response>>,
    role: RoleLog,
}

impl<S: Server, H: Hands<S::Message>> Driver<S, H> {
    /// `began` is the zero of the server's clock.
    pub(super) fn new(server: S, hands: H, events: mpsc::UnboundedReceiver<Event<S>>, began: Instant) -> Self {
        Self {
            server,
            hands,
            events,
            began,
            outputs: Vec::new(),
            outlet: Outlet::default(),
            replies: FxHashMap::default(),
            role: RoleLog::default(),
        }
    }

    /// Runs until it is told to stop, everyone who could tell it is gone, or the disk fails.
    pub(super) async fn run(mut self) -> Result<(), WalError> {
        self.tick();
        loop {
            let Some(event) = self.next_event().await else { return Ok(()) };
            let now = self.now();
            if let Some(event) = event
                && !self.take_batch(now, event)?
            {
                return Ok(());
            }
            if self.server.deadline() <= now {
                self.server.step(now, Input::Tick, &mut self.outputs);
            }
            self.finish_batch(now);
        }
    }

    fn now(&self) -> Micros {
        Micros(u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    fn tick(&mut self) {
        let now = self.now();
        self.server.step(now, Input::Tick, &mut self.outputs);
        self.finish_batch(now);
    }

    /// The next event, or nothing when the server wants a tick first; `None` when there will be no more.
    async fn next_event(&mut self) -> Option<Option<Event<S>>> {
        let deadline = tokio::time::Instant::from_std(self.began + Duration::from_micros(self.server.deadline().0));
        tokio::select! {
            biased;
            event = self.events.recv() => event.map(Some),
            () = tokio::time::sleep_until(deadline) => Some(None),
        }
    }

    /// Takes the event and those behind it; `false` when one of them says to stop.
    ///
    /// `now` was read when all of them had arrived: a lease that still holds then covers every request among them.
    fn take_batch(&mut self, now: Micros, first: Event<S>) -> Result<bool, WalError> {
        let mut next = Some(first);
        let mut taken = 0;
        while let Some(event) = next {
            if matches!(event, Event::Stop) {
                return Ok(false);
            }
            self.take(now, event)?;
            taken += 1;
            next = if taken < BATCH_EVENTS { self.events.try_recv().ok() } else { None };
        }
        Ok(true)
    }

    fn take(&mut self, now: Micros, event: Event<S>) -> Result<(), WalError> {
        match event {
            Event::Message { from, message } => self.step(now, Input::Message { from, message }),
            Event::Request { id, request, reply } => {
                self.replies.insert(id, reply);
                self.step(now, Input::Request { id, request });
            }
            Event::Abandon { id } => {
                if self.replies.remove(&id).is_some() {
                    self.step(now, Input::Abandon { id });
                }
            }
            Event::Status { reply } => {
                // Whoever asked may be gone.
                let _ = reply.send(self.server.status());
            }
            Event::Durable(result) => {
                let durable = result?;
                self.release(durable);
                self.step(now, Input::Persisted(durable));
            }
            Event::Stop => {}
        }
        Ok(())
    }

    fn step(&mut self, now: Micros, input: Input<S::Message, S::Request>) {
        self.server.step(now, input, &mut self.outputs);
    }

    fn finish_batch(&mut self, now: Micros) {
        self.server.flush(now, &mut self.outputs);
        let mut outputs = std::mem::take(&mut self.outputs);
        for output in outputs.drain(..) {
            if let Some(effect) = self.outlet.offer(output) {
                self.carry_out(effect);
            }
        }
        self.outputs = outputs;
        self.role.look(now, &self.server);
    }

    fn carry_out(&mut self, effect: Effect<S::Message, S::Response>) {
        match effect {
            Effect::Write { id, write } => self.hands.submit(id, write),
            Effect::Send { to, message } => self.hands.send(to, &message),
            Effect::Reply { id, response } => self.reply(id, response),
        }
    }

    /// Lets out what waited for this write and for those before it.
    fn release(&mut self, durable: WriteId) {
        while let Some(effect) = self.outlet.release(durable) {
            self.carry_out(effect);
        }
    }

    fn reply(&mut self, id: RequestId, response: S::Response) {
        if let Some(reply) = self.replies.remove(&id) {
            // Whoever asked may be gone.
            let _ = reply.send(response);
        }
    }
}

/// Tells people when the node's role changes.
#[derive(Default)]
struct RoleLog {
    last_look: Micros,
    seen: Option<Status>,
}

impl RoleLog {
    fn look<S: Server>(&mut self, now: Micros, server: &S) {
        if self.seen.is_some() && now.since(self.last_look) < ROLE_INTERVAL_US {
            return;
        }
        self.last_look = now;
        let status = server.status();
        let has_changed = self
            .seen
            .as_ref()
            .is_none_or(|seen| (&seen.role, seen.term, &seen.leader) != (&status.role, status.term, &status.leader));
        let snapshot_moved = self.seen.as_ref().is_some_and(|seen| seen.snapshot_index != status.snapshot_index);
        if has_changed {
            tracing::info!(
                role = status.role,
                term = status.term,
                leader = status.leader.as_deref().unwrap_or("none"),
                last_index = status.last_index,
                commit_index = status.commit_index,
                "role changed"
            );
        }
        if snapshot_moved {
            tracing::info!(index = status.snapshot_index, "the log begins with a newer snapshot");
        }
        self.seen = Some(status);
    }
}

#[cfg(test)]
mod tests;
