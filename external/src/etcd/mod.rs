//! etcd, by the JSON gateway of its v3 API (3.4 and later).
//!
//! A client stays with one member, also when that member is cut off from the others. Settings: `reads` (`linearizable`,
//! `serializable`), `sets` (`keys`, `text`), and of locks `keepalive` (`background`, `none`).

mod gateway;
mod kv;
mod lock;
mod look;
pub mod outcome;
mod settings;
mod transactions;
mod watch;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;

use rashomon_history::{Call, Outcome, Returned};
use rashomon_workloads::COPY;
use tokio::time::Instant;

use crate::client::{Client, Future, Look, Seat};
use crate::lock::LockClient;
use gateway::Gateway;
use kv::{Came, Kv};
use lock::Locks;
use settings::Settings;
use watch::Watch;

/// A client that sits there.
///
/// # Errors
/// Where no HTTP client can be set up.
pub fn client(seat: Seat) -> Result<Box<dyn Client>, reqwest::Error> {
    let settings = Settings::of(&seat.settings);
    if let Some(resource) = seat.resource {
        let locks = Locks::new(&seat, settings.keep_alive)?;
        return Ok(Box::new(LockClient::new(locks, &seat, resource)?));
    }
    Ok(Box::new(EtcdClient { gateway: Gateway::new(seat.nodes[seat.home])?, settings, seat, watches: Vec::new() }))
}

/// Who asks this node how it is; `nodes` as in [`Seat::nodes`].
///
/// # Errors
/// Where no HTTP client can be set up.
pub fn look(nodes: Arc<[SocketAddr]>, node: usize) -> Result<Box<dyn Look>, reqwest::Error> {
    Ok(Box::new(look::Looker::new(nodes, node)?))
}

struct EtcdClient {
    gateway: Gateway,
    settings: Settings,
    seat: Seat,
    /// Of the logs that were assigned.
    watches: Vec<Watch>,
}

impl EtcdClient {
    async fn made(&mut self, call: &Call, until: Instant) -> Came<Returned> {
        let kv = Kv { gateway: &self.gateway, reads: self.settings.reads, until, standstill: &*self.seat.standstill };
        match call {
            Call::Read { key } if key.as_str() == COPY => kv.copy().await,
            Call::Read { key } => kv.read(key).await,
            Call::Write { key, value } => kv.write(key, value).await,
            Call::Cas { key, from, to } => kv.cas(key, from, to).await,
            Call::Append { key, value } => kv.append(key, value).await,
            Call::Add { key, value } => kv.add(key, value, self.settings.sets).await,
            Call::Delete { key } => kv.delete(key).await,
            Call::Txn { ops } => kv.transact(ops).await,
            Call::Send { key, value } => kv.send(key, value).await,
            Call::Assign { keys } => {
                self.watches = keys.iter().cloned().map(Watch::new).collect();
                Ok(Returned::Done)
            }
            Call::Poll { .. } => kv.poll(&mut self.watches).await,
            Call::Remove { .. }
            | Call::Contains { .. }
            | Call::Increment { .. }
            | Call::Enqueue { .. }
            | Call::Dequeue { .. }
            | Call::Drain { .. }
            | Call::OpenSession { .. }
            | Call::KeepAlive { .. }
            | Call::Acquire { .. }
            | Call::Release { .. }
            | Call::Generate { .. }
            | Call::Transfer { .. } => Err(Outcome::Fail(format!("{}: no call of a client of etcd", call.f()))),
        }
    }
}

impl Client for EtcdClient {
    fn call<'a>(&'a mut self, call: &'a Call, until: Instant) -> Future<'a, Outcome> {
        Box::pin(async move { self.made(call, until).await.map_or_else(|outcome| outcome, Outcome::Ok) })
    }
}

#[cfg(test)]
mod server;
#[cfg(test)]
mod tests;
