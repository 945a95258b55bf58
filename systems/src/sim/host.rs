//! One node: a server with its clock, its disk and its way to the world.

use crate::outlet::Outlet;
use crate::server::{Input, Micros, NodeId, RequestId, Server, Write, WriteId};
use crate::sim::Token;
use crate::sim::clock::Clock;
use crate::sim::disk::{SimDisk, SimWal};

/// What has come to a node and was not yet taken.
pub(super) enum Delivery<S: Server> {
    Message { from: NodeId, message: S::Message },
    Request { token: Token, request: S::Request },
    Abandon { token: Token },
    Durable(WriteId),
}

/// How a node went down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Down {
    /// The process is gone, the machine is there: connections are refused.
    Process,
    /// The machine is gone: nobody answers at all.
    Power,
}

/// What the disk is doing.
pub(super) struct Flight {
    /// What will be durable then.
    pub(super) durable: WriteId,
    /// When it is done.
    pub(super) ends: Micros,
    /// How long it takes in all.
    pub(super) took_us: u64,
    /// With so many syncs.
    pub(super) syncs: u64,
}

/// A server that runs, with what belongs to this life of it.
pub(super) struct Life<S: Server> {
    pub(super) server: S,
    pub(super) outlet: Outlet<S::Message, S::Response>,
    pub(super) wal: SimWal,
    /// Not yet given to the disk.
    pub(super) writes: Vec<(WriteId, Write)>,
    /// Being written.
    pub(super) in_flight: Vec<(WriteId, Write)>,
    /// When that is done.
    pub(super) flight: Option<Flight>,
    /// Clients that wait, by the name of their request; few at a time.
    pub(super) asking: Vec<(RequestId, Token)>,
    last_request: u64,
}

impl<S: Server> Life<S> {
    pub(super) fn new(server: S, wal: SimWal) -> Self {
        Self {
            server,
            outlet: Outlet::default(),
            wal,
            writes: Vec::new(),
            in_flight: Vec::new(),
            flight: None,
            asking: Vec::new(),
            last_request: 0,
        }
    }

    /// Who waits for the answer to this request; nobody where the client has gone.
    pub(super) fn answered(&mut self, id: RequestId) -> Option<Token> {
        let place = self.asking.iter().position(|(open, _)| *open == id)?;
        Some(self.asking.remove(place).1)
    }

    /// The delivery as the server takes it; nothing where there is nothing to take.
    pub(super) fn input(&mut self, delivery: Delivery<S>) -> Option<Input<S::Message, S::Request>> {
        match delivery {
            Delivery::Message { from, message } => Some(Input::Message { from, message }),
            Delivery::Durable(id) => Some(Input::Persisted(id)),
            Delivery::Request { token, request } => {
                self.last_request += 1;
                let id = RequestId(self.last_request);
                self.asking.push((id, token));
                Some(Input::Request { id, request })
            }
            Delivery::Abandon { token } => {
                let place = self.asking.iter().position(|(_, asking)| *asking == token)?;
                let (id, _) = self.asking.remove(place);
                Some(Input::Abandon { id })
            }
        }
    }
}

/// One node.
pub(super) struct Host<S: Server> {
    pub(super) life: Result<Life<S>, Down>,
    /// Counts the lives, so that what was meant for an earlier one is known.
    pub(super) lives: u32,
    pub(super) paused: bool,
    pub(super) inbox: Vec<Delivery<S>>,
    /// Until then the node computes.
    pub(super) busy_until: Micros,
    /// Whether a moment to work through the inbox was announced.
    pub(super) work_announced: bool,
    /// When the next look at the server's deadline was announced for.
    pub(super) timer_at: Option<Micros>,
    pub(super) clock: Clock,
    pub(super) disk: SimDisk,
    /// A sync takes so much longer.
    pub(super) slow_sync_us: u64,
}

impl<S: Server> Host<S> {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            life: Err(Down::Power),
            lives: 0,
            paused: false,
            inbox: Vec::new(),
            busy_until: Micros(0),
            work_announced: false,
            timer_at: None,
            clock,
            disk: SimDisk::new(),
            slow_sync_us: 0,
        }
    }
}
