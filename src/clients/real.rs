//! Clients of real systems: each protocol has its own, which knows nothing of the run.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rashomon_external::{Client as Speaker, Future, Seat, StandStill};
use rashomon_history::Call;
use rashomon_systems::server::NodeId;
use tokio::time::Instant;

use super::renamed::Renamed;
use super::{Address, Answer, Gate};
use crate::plan::{Plan, RealSystem};

/// A client of a real system.
pub(crate) struct RealClient {
    home: String,
    speaker: Box<dyn Speaker>,
    gate: Arc<dyn StandStill>,
}

impl StandStill for Gate {
    fn pass(&self) -> Future<'_, ()> {
        Box::pin(Self::pass(self))
    }
}

/// Of who never stands still.
struct Open;

impl StandStill for Open {
    fn pass(&self) -> Future<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl RealClient {
    pub(super) fn new(
        plan: &Plan,
        real: &RealSystem,
        number: usize,
        home: NodeId,
        nodes: &Arc<[Address]>,
        gate: Option<Gate>,
    ) -> Result<Self> {
        let gate: Arc<dyn StandStill> =
            gate.map_or_else(|| Arc::new(Open) as Arc<dyn StandStill>, |gate| Arc::new(gate));
        let seat = seat(plan, real, number, home, nodes, Arc::clone(&gate));
        let speaker = real.description.protocol.client(&seat).context("making a client")?;
        let speaker = match &real.hosts {
            Some(hosts) => Box::new(Renamed::new(speaker, hosts.key_suffix.clone())),
            None => speaker,
        };
        Ok(Self { home: home.to_string(), speaker, gate })
    }

    pub(super) async fn pass(&mut self) {
        self.gate.pass().await;
    }

    pub(super) fn home(&self) -> &str {
        &self.home
    }

    pub(super) async fn call(&mut self, call: &Call, deadline: Duration) -> Answer {
        let outcome = self.speaker.call(call, Instant::now() + deadline).await;
        Answer { outcome, node: self.home.clone() }
    }
}

/// Where who watches this node sits.
pub(super) fn watching_seat(plan: &Plan, real: &RealSystem, home: NodeId, nodes: &Arc<[Address]>) -> Seat {
    seat(plan, real, usize::from(home.0), home, nodes, Arc::new(Open))
}

fn seat(
    plan: &Plan,
    real: &RealSystem,
    number: usize,
    home: NodeId,
    nodes: &Arc<[Address]>,
    standstill: Arc<dyn StandStill>,
) -> Seat {
    let (servers, others) = nodes.split_at(usize::from(plan.servers()).min(nodes.len()));
    let lock = plan.lock_settings();
    Seat {
        nodes: servers.iter().map(|node| node.http).collect(),
        home: usize::from(home.0) - 1,
        number,
        settings: Arc::new(real.settings.clone()),
        resource: others.first().map(|node| node.http),
        ttl: Duration::from_millis(lock.ttl_ms),
        fencing: lock.fencing,
        careful: lock.careful,
        standstill,
    }
}
