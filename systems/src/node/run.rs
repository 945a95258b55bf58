//! Puts the hands together: listeners, peers, log, driver, HTTP.

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::NodeError;
use super::driver::{Asker, Driver, Event, RealHands};
use super::peer::{self, Membership, Peers};
use super::{http, identity};
use crate::api::Api;
use crate::server::{Recovered, Server};
use crate::wal::{Log, WalOptions, WalThread};

/// The ports of a node, taken.
#[derive(Debug)]
pub struct Listeners {
    peers: std::net::TcpListener,
    clients: std::net::TcpListener,
}

impl Listeners {
    /// Takes both ports. Port 0 stands for any free one.
    ///
    /// # Errors
    /// [`NodeError::Listen`].
    pub fn bind(peers: SocketAddr, clients: SocketAddr) -> Result<Self, NodeError> {
        Ok(Self { peers: bind("peers", peers)?, clients: bind("clients", clients)? })
    }

    /// Where peers connect.
    ///
    /// # Errors
    /// The system does not say.
    pub fn peer_address(&self) -> std::io::Result<SocketAddr> {
        self.peers.local_addr()
    }

    /// Where clients connect.
    ///
    /// # Errors
    /// The system does not say.
    pub fn client_address(&self) -> std::io::Result<SocketAddr> {
        self.clients.local_addr()
    }
}

/// The standard library lets an address be used again right after its last owner died.
fn bind(whom: &'static str, address: SocketAddr) -> Result<std::net::TcpListener, NodeError> {
    let listener = std::net::TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    listener.map_err(|cause| NodeError::Listen { whom, address, cause })
}

/// A node that has not started yet.
pub(super) struct Node<S, A> {
    pub(super) server: S,
    pub(super) api: A,
    pub(super) membership: Membership,
    pub(super) listeners: Listeners,
    pub(super) log: Log,
    /// The zero of the server's clock.
    pub(super) began: Instant,
}

/// Opens what a node has on disk.
pub(super) fn open_log(
    data: &Path,
    membership: &Membership,
    options: WalOptions,
) -> Result<(Log, Recovered), NodeError> {
    identity::claim(data, &membership.cluster, membership.id)?;
    let (log, recovered) = Log::open(&data.join("wal"), options)?;
    tracing::info!(
        folder = %data.display(), records = recovered.records.len(),
        snapshot_bytes = recovered.snapshot.as_ref().map_or(0, |snapshot| snapshot.len()), "opened the log"
    );
    Ok((log, recovered))
}

impl<S, A> Node<S, A>
where
    S: Server + 'static,
    S::Message: Send,
    S::Request: Send,
    S::Response: Send,
    A: Api<Request = S::Request, Response = S::Response> + Send + Sync + 'static,
{
    /// Runs until `stop` is done or the disk fails. Where this future is dropped the node is gone at once, as if it had
    /// been killed.
    pub(super) async fn run(self, stop: impl Future<Output = ()>) -> Result<(), NodeError> {
        let (events, inbox) = mpsc::unbounded_channel();
        let durable = events.clone();
        // When the driver is gone there is no one to tell.
        let report = move |result| drop(durable.send(Event::Durable(result)));
        let wal = WalThread::spawn(self.log, report)
            .map_err(|cause| NodeError::System { doing: "starting the thread of the log", cause })?;
        let peers = Peers::dial(&self.membership);
        let driver = Driver::new(self.server, RealHands { peers, wal }, inbox, self.began);

        let mut tasks = JoinSet::new();
        let received = events.clone();
        let deliver = Arc::new(move |from, message| drop(received.send(Event::Message { from, message })));
        let listener = from_std("taking connections of peers", self.listeners.peers)?;
        tasks.spawn(peer::listen::<S::Message>(listener, Arc::new(self.membership), deliver));
        let (stopping, stop_clients) = watch::channel(false);
        let listener = from_std("taking connections of clients", self.listeners.clients)?;
        let asker = Asker::new(events.clone());
        let clients = tokio::spawn(http::serve(listener, Arc::new(self.api), asker, stop_clients));
        let _abort_clients = AbortOnDrop(clients.abort_handle());

        let stop = async {
            stop.await;
            // A driver that is gone has stopped already.
            let _ = events.send(Event::Stop);
            std::future::pending::<()>().await;
        };
        let result = tokio::select! {
            result = driver.run() => result,
            () = stop => Ok(()),
        };
        // Whoever still waits hears that nobody knows the outcome.
        let _ = stopping.send(true);
        let _ = clients.await;
        result.map_err(NodeError::from)
    }
}

fn from_std(doing: &'static str, listener: std::net::TcpListener) -> Result<TcpListener, NodeError> {
    TcpListener::from_std(listener).map_err(|cause| NodeError::System { doing, cause })
}

struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
