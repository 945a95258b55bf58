//! The hands of the clients, and of who watches the nodes.

mod look;
mod own;
mod real;
mod renamed;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use rashomon_history::{Call, Outcome, Returned};
use rashomon_nemesis::Clients;
use rashomon_systems::server::NodeId;
use tokio::sync::watch;

use crate::plan::Plan;
pub(crate) use look::{Looker, Sight};
use own::OwnClient;
pub(crate) use own::{StatusClient, connections, send};
use real::RealClient;

/// A node as a client reaches it. They are named n1, n2 and so on, in this order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Address {
    pub(crate) name: String,
    pub(crate) http: SocketAddr,
}

/// A client that stays with one node, also when that node is cut off from the others.
pub(crate) enum Client {
    /// Of an own system.
    Own(OwnClient),
    /// Of a real one.
    Real(RealClient),
}

/// Which clients stand still.
#[derive(Clone)]
pub(crate) struct Standstill(Arc<watch::Sender<Clients>>);

/// Where a client waits as long as it stands still: at its next step, as a process that is stopped would.
struct Gate {
    number: u16,
    paused: watch::Receiver<Clients>,
}

impl Standstill {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Clients::default())))
    }

    /// From now on exactly these stand still; says so.
    pub(crate) fn set(&self, clients: &Clients) -> String {
        self.0.send_replace(clients.clone());
        if clients.0.is_empty() { "all clients go on".into() } else { format!("{clients} stand still") }
    }

    fn gate(&self, number: usize) -> Result<Gate> {
        Ok(Gate { number: u16::try_from(number)?, paused: self.0.subscribe() })
    }
}

impl Gate {
    async fn pass(&self) {
        let number = self.number;
        if !self.paused.borrow().0.contains(&number) {
            return;
        }
        // Where nobody is left who could stop it, it goes on.
        let _ = self.paused.clone().wait_for(|paused| !paused.0.contains(&number)).await;
    }
}

/// What became of a call, and who said so.
pub(crate) struct Answer {
    pub(crate) outcome: Outcome,
    pub(crate) node: String,
}

impl Client {
    /// A client of the run, which stands still when it is told to.
    pub(crate) fn of_run(plan: &Plan, number: usize, nodes: &Arc<[Address]>, standstill: &Standstill) -> Result<Self> {
        let gate = standstill.gate(number)?;
        let home = plan.home_of(number);
        Ok(match &plan.real {
            Some(real) => Self::Real(RealClient::new(plan, real, number, home, nodes, Some(gate))?),
            None => Self::Own(OwnClient::new(plan.client(home), nodes, Some(gate))?),
        })
    }

    /// A client that reads from this node until it is answered, and never stands still. Its number is one that no client of
    /// the run has.
    pub(crate) fn reader(plan: &Plan, home: NodeId, nodes: &Arc<[Address]>) -> Result<Self> {
        let number = usize::from(plan.clients) + usize::from(home.0);
        Ok(match &plan.real {
            Some(real) => Self::Real(RealClient::new(plan, real, number, home, nodes, None)?),
            None => Self::Own(OwnClient::new(plan.reader(home), nodes, None)?),
        })
    }

    /// Returns when the client may go on.
    pub(crate) async fn pass(&mut self) {
        match self {
            Self::Own(client) => client.pass().await,
            Self::Real(client) => client.pass().await,
        }
    }

    /// The name of the node that it stays with.
    pub(crate) fn home(&self) -> &str {
        match self {
            Self::Own(client) => client.home(),
            Self::Real(client) => client.home(),
        }
    }

    /// Makes one call; all that it takes shares the deadline.
    pub(crate) async fn call(&mut self, call: &Call, deadline: Duration) -> Answer {
        match self {
            Self::Own(client) => client.call(call, deadline).await,
            Self::Real(client) => client.call(call, deadline).await,
        }
    }

    /// Whether this is answered in time.
    pub(crate) async fn is_answered(&mut self, probe: &Call, deadline: Duration) -> bool {
        self.answers(probe, deadline, |_| true).await
    }

    /// Whether this is answered in time, and so.
    pub(crate) async fn answers(
        &mut self,
        question: &Call,
        deadline: Duration,
        so: impl Fn(&Returned) -> bool,
    ) -> bool {
        matches!(self.call(question, deadline).await.outcome, Outcome::Ok(returned) if so(&returned))
    }
}
