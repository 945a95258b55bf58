//! The connection to one peer, dialled again and again.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use nix::sys::socket::{setsockopt, sockopt};
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::frame;
use super::hello::{self, Hello, HelloRefusal};

/// A peer that does not take a connection by then is tried again.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(250);
/// A peer that does not answer the greeting by then is tried again.
const HELLO_TIMEOUT: Duration = Duration::from_millis(500);
/// A connection on which bytes stay unacknowledged for so long is closed. TCP alone would go on for a quarter of an hour,
/// with ever longer pauses.
const UNACKNOWLEDGED_TIMEOUT_MS: u32 = 600;
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);
/// A refusal does not mend itself in a moment.
const REFUSED_PAUSE: Duration = Duration::from_secs(1);

/// Bytes that may wait for a connection that is up.
const CONNECTED_LIMIT: usize = 32 << 20;
/// Bytes that may wait for a connection that is down: by the time it is up, old messages are worth nothing.
const DISCONNECTED_LIMIT: usize = 64 << 10;

/// Frames that wait to be sent to one peer.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: Mutex<Waiting>,
    not_empty: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    frames: Vec<u8>,
    is_connected: bool,
}

impl Outbox {
    /// Takes the message, and forgets all earlier ones where they are too many.
    pub(super) fn push(&self, message: &impl Serialize) {
        let mut waiting = self.lock();
        let limit = if waiting.is_connected { CONNECTED_LIMIT } else { DISCONNECTED_LIMIT };
        let before = waiting.frames.len();
        frame::encode(message, &mut waiting.frames);
        if waiting.frames.len() > limit {
            waiting.frames.drain(..before);
        }
        drop(waiting);
        if before == 0 {
            self.not_empty.notify_one();
        }
    }

    fn take(&self, into: &mut Vec<u8>) {
        into.clear();
        std::mem::swap(&mut self.lock().frames, into);
    }

    fn set_connected(&self, is_connected: bool) {
        let mut waiting = self.lock();
        waiting.is_connected = is_connected;
        if !is_connected {
            waiting.frames.clear();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Dials, greets, sends, and begins again, until it is aborted.
pub(super) async fn keep_connected(address: SocketAddr, hello: Hello, outbox: Arc<Outbox>) {
    let to = hello.to;
    let mut pause = FIRST_PAUSE;
    let mut last_refusal = None;
    loop {
        match connect(address, &hello).await {
            Ok(stream) => {
                tracing::info!(%to, %address, "connected");
                outbox.set_connected(true);
                let error = send_all(stream, &outbox).await;
                outbox.set_connected(false);
                tracing::info!(%to, %address, %error, "connection lost");
                (pause, last_refusal) = (FIRST_PAUSE, None);
            }
            Err(ConnectError::Refused(refusal)) => {
                if last_refusal.as_ref() != Some(&refusal) {
                    tracing::warn!(%to, %address, %refusal, "refused");
                }
                last_refusal = Some(refusal);
                tokio::time::sleep(REFUSED_PAUSE).await;
                continue;
            }
            Err(ConnectError::Io(error)) => tracing::debug!(%to, %address, %error, "no connection"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

enum ConnectError {
    Io(io::Error),
    Refused(HelloRefusal),
}

impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

async fn connect(address: SocketAddr, hello: &Hello) -> Result<TcpStream, ConnectError> {
    let mut stream = timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await.map_err(io::Error::from)??;
    stream.set_nodelay(true)?;
    setsockopt(&stream, sockopt::TcpUserTimeout, &UNACKNOWLEDGED_TIMEOUT_MS).map_err(io::Error::from)?;
    let greeting = async {
        hello::send(&mut stream, hello).await?;
        hello::receive::<Result<(), HelloRefusal>>(&mut stream, &mut BytesMut::new()).await
    };
    match timeout(HELLO_TIMEOUT, greeting).await.map_err(io::Error::from)?? {
        Ok(()) => Ok(stream),
        Err(refusal) => Err(ConnectError::Refused(refusal)),
    }
}

/// Sends what waits, many messages at a time, until the connection breaks.
async fn send_all(stream: TcpStream, outbox: &Outbox) -> io::Error {
    let (mut reader, mut writer) = stream.into_split();
    let sending = async {
        let mut frames = Vec::new();
        loop {
            outbox.take(&mut frames);
            if frames.is_empty() {
                outbox.not_empty.notified().await;
            } else if let Err(error) = writer.write_all(&frames).await {
                return error;
            }
        }
    };
    // The peer says nothing on this connection; that it ends is the only thing to hear.
    let listening = async {
        match reader.read_u8().await {
            Ok(_) => io::Error::new(io::ErrorKind::InvalidData, "the peer spoke out of turn"),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                io::Error::new(io::ErrorKind::UnexpectedEof, "closed by the peer")
            }
            Err(error) => error,
        }
    };
    tokio::select! {
        error = sending => error,
        error = listening => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_a_lost_connection_stays_small_and_new() {
        let outbox = Outbox::default();
        for number in 0..100_000_u32 {
            outbox.push(&number);
        }
        let mut frames = Vec::new();
        outbox.take(&mut frames);
        assert!(frames.len() <= DISCONNECTED_LIMIT);
        let mut buffer = BytesMut::from(&frames[..]);
        let mut last = None;
        while let Some(number) = frame::decode::<u32>(&mut buffer).unwrap() {
            last = Some(number);
        }
        assert_eq!(last, Some(99_999));
    }
}
