//! The connections that other members dialled.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use serde::de::DeserializeOwned;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::hello::{self, Hello};
use super::{Membership, frame};
use crate::server::NodeId;

/// Who has dialled and not greeted by then is no member.
const HELLO_TIMEOUT: Duration = Duration::from_secs(2);
/// Connections at a time. Members need one each; the rest is strangers.
const MAX_CONNECTIONS: usize = 256;
const READ_BYTES: usize = 64 << 10;

/// Where messages go.
type Deliver<M> = Arc<dyn Fn(NodeId, M) + Send + Sync>;

/// Takes connections until it is aborted, and gives their messages to `deliver`.
pub(in crate::node) async fn listen<M>(listener: TcpListener, membership: Arc<Membership>, deliver: Deliver<M>)
where
    M: DeserializeOwned + Send + 'static,
{
    let mut connections = JoinSet::new();
    let current = Arc::new(Current::default());
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, address)) if connections.len() < MAX_CONNECTIONS => {
                let (membership, deliver) = (Arc::clone(&membership), Arc::clone(&deliver));
                let (current, (handle, handed)) = (Arc::clone(&current), tokio::sync::oneshot::channel());
                let task = async move {
                    let Ok(own) = handed.await else { return };
                    serve(stream, address, &membership, &deliver, &current, own).await;
                };
                // The task must know its own handle, so that a newer connection of the same peer can end it.
                let _ = handle.send(connections.spawn(task));
            }
            Ok((_, address)) => tracing::warn!(%address, "too many connections on the port for peers; closed one"),
            Err(error) => {
                tracing::warn!(%error, "can't take a connection from a peer");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// The newest connection of each peer.
#[derive(Default)]
struct Current(Mutex<BTreeMap<NodeId, AbortHandle>>);

impl Current {
    /// A peer has one connection; when it dials anew the old one is dead, whether TCP knows it or not.
    fn replace(&self, peer: NodeId, connection: AbortHandle) {
        let old = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(peer, connection);
        if let Some(old) = old {
            old.abort();
        }
    }
}

async fn serve<M: DeserializeOwned>(
    mut stream: TcpStream,
    address: SocketAddr,
    membership: &Membership,
    deliver: &Deliver<M>,
    current: &Current,
    own: AbortHandle,
) {
    let mut buffer = BytesMut::with_capacity(READ_BYTES);
    let from = match timeout(HELLO_TIMEOUT, greet(&mut stream, &mut buffer, membership)).await {
        Ok(Ok(Some(from))) => from,
        Ok(Ok(None)) => return,
        Ok(Err(error)) => return tracing::warn!(%address, %error, "not a member's greeting; closed the connection"),
        Err(_) => return tracing::debug!(%address, "no greeting; closed the connection"),
    };
    current.replace(from, own);
    tracing::info!(%from, %address, "a peer connected");
    match read_all(&mut stream, buffer, from, deliver).await {
        Ok(()) => tracing::info!(%from, %address, "a peer closed its connection"),
        Err(error) => tracing::warn!(%from, %address, %error, "closed the connection of a peer"),
    }
}

async fn greet(stream: &mut TcpStream, buffer: &mut BytesMut, membership: &Membership) -> io::Result<Option<NodeId>> {
    let hello: Hello = hello::receive(stream, buffer).await?;
    let verdict = hello.judge(membership);
    hello::send(stream, &verdict).await?;
    match verdict {
        Ok(()) => Ok(Some(hello.from)),
        Err(refusal) => {
            tracing::warn!(from = %hello.from, %refusal, "refused a connection");
            Ok(None)
        }
    }
}

async fn read_all<M: DeserializeOwned>(
    stream: &mut TcpStream,
    mut buffer: BytesMut,
    from: NodeId,
    deliver: &Deliver<M>,
) -> io::Result<()> {
    loop {
        while let Some(message) =
            frame::decode(&mut buffer).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?
        {
            deliver(from, message);
        }
        buffer.reserve(READ_BYTES);
        if stream.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
    }
}
