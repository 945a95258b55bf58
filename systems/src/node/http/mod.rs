//! What clients ask, over HTTP/1.1 with JSON.

mod connection;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::driver::Asker;
use crate::api::{Api, ErrorBody, ErrorCode, HttpResponse};
use crate::server::Server;

/// A longer body is refused.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// Connections at a time; more are told that the node is overloaded.
const MAX_CONNECTIONS: usize = 4096;
/// Answers that are under way when the node stops have so long to leave.
const STOP_TIMEOUT: Duration = Duration::from_millis(500);

/// Answers clients until `stop` says so or its sender is gone.
pub(super) async fn serve<S, A>(listener: TcpListener, api: Arc<A>, asker: Asker<S>, mut stop: watch::Receiver<bool>)
where
    S: Server + 'static,
    S::Message: Send,
    S::Request: Send,
    S::Response: Send,
    A: Api<Request = S::Request, Response = S::Response> + Send + Sync + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = told_to_stop(&mut stop) => break,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, address)) if connections.len() < MAX_CONNECTIONS => {
                let (api, asker) = (Arc::clone(&api), asker.clone());
                connections.spawn(connection::serve(stream, address, api, asker, stop.clone()));
            }
            Ok((stream, address)) => refuse(stream, address).await,
            Err(error) => {
                tracing::warn!(%error, "can't take a connection from a client");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    if timeout(STOP_TIMEOUT, all).await.is_err() {
        tracing::debug!("some clients did not take their answers in time");
    }
}

async fn told_to_stop(stop: &mut watch::Receiver<bool>) {
    // Where nobody is left to say it, it is time too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Says that it is too much, without the cost of a connection.
async fn refuse(mut stream: TcpStream, address: SocketAddr) {
    tracing::warn!(%address, limit = MAX_CONNECTIONS, "too many connections from clients; closed one");
    let message = format!("this node serves {MAX_CONNECTIONS} connections and no more");
    let HttpResponse { status, body } = ErrorBody::new(ErrorCode::Overloaded, message).into_response();
    let head = format!(
        "HTTP/1.1 {status} Service Unavailable\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    // A client that does not take it has no claim to a reason.
    let _ = timeout(Duration::from_millis(50), stream.write_all(&[head.as_bytes(), &body].concat())).await;
}

#[cfg(test)]
mod tests;
