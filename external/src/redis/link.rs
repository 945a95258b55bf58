//! One connection to one server, on which one request at a time is asked.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Buf, BytesMut};
use redis::{Cmd, Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::frame::{NoReply, end_of_reply, read_reply};
use super::outcome::Unanswered;
use crate::StandStill;

/// A way to one server. It is connected when something is asked, and anew after the connection broke: an answer that comes
/// late must not be taken for that to a later request.
///
/// It speaks RESP itself, with the types of the `redis` crate: so it knows whether a request left, which decides between
/// `fail` and `info`, and nothing is asked twice.
pub(super) struct Link {
    address: SocketAddr,
    standstill: Arc<dyn StandStill>,
    connection: Option<Connection>,
}

struct Connection {
    stream: TcpStream,
    /// What was read and belongs to no reply yet.
    inbox: BytesMut,
}

impl Link {
    pub(super) fn new(address: SocketAddr, standstill: Arc<dyn StandStill>) -> Self {
        Self { address, standstill, connection: None }
    }

    /// Whether there is a connection that still stands.
    pub(super) fn stands(&self) -> bool {
        self.connection.as_ref().is_some_and(Connection::stands)
    }

    /// Asks once.
    pub(super) async fn ask(&mut self, command: &Cmd, until: Instant) -> Result<Value, Unanswered> {
        let request = command.get_packed_command();
        self.standstill.pass().await;
        let mut connection = self.connect(until).await?;
        let exchange = async {
            connection.send(&request).await?;
            connection.receive().await
        };
        let answer = timeout_at(until, exchange).await.unwrap_or(Err(Unanswered::Timeout));
        self.standstill.pass().await;
        let value = answer?;
        // Only what ended well is used again.
        self.connection = Some(connection);
        match value {
            Value::ServerError(error) => Err(Unanswered::Refused(error)),
            value => Ok(value),
        }
    }

    /// The connection that there is, if it still stands, or a new one.
    async fn connect(&mut self, until: Instant) -> Result<Connection, Unanswered> {
        if let Some(connection) = self.connection.take_if(|connection| connection.stands()) {
            return Ok(connection);
        }
        self.connection = None;
        let connected = match timeout_at(until, TcpStream::connect(self.address)).await {
            Ok(connected) => connected.and_then(|stream| stream.set_nodelay(true).map(|()| stream)),
            Err(_) => return Err(Unanswered::NotSent(format!("{} does not answer", self.address))),
        };
        match connected {
            Ok(stream) => Ok(Connection { stream, inbox: BytesMut::new() }),
            Err(error) => Err(Unanswered::NotSent(format!("{}: {error}", self.address))),
        }
    }
}

impl Connection {
    /// Whether nothing has come that nobody asked for: the end of the connection, above all. Then nothing is sent on it.
    fn stands(&self) -> bool {
        let mut nothing = [0; 1];
        self.inbox.is_empty()
            && matches!(self.stream.try_read(&mut nothing), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    async fn send(&mut self, request: &[u8]) -> Result<(), Unanswered> {
        let mut left = request;
        while !left.is_empty() {
            let has_begun = left.len() < request.len();
            match self.stream.write(left).await {
                Ok(0) if has_begun => return Err(Unanswered::Broken("it takes no more".into())),
                Ok(0) => return Err(Unanswered::NotSent("it takes nothing".into())),
                Ok(written) => left.advance(written),
                Err(error) if has_begun => return Err(Unanswered::Broken(error.to_string())),
                Err(error) => return Err(Unanswered::NotSent(error.to_string())),
            }
        }
        Ok(())
    }

    async fn receive(&mut self) -> Result<Value, Unanswered> {
        loop {
            let nonsense = |no_reply: NoReply| Unanswered::Nonsense(no_reply.to_string());
            if let Some(end) = end_of_reply(&self.inbox).map_err(nonsense)? {
                let value = read_reply(&self.inbox[..end]).map_err(nonsense)?;
                self.inbox.advance(end);
                return Ok(value);
            }
            match self.stream.read_buf(&mut self.inbox).await {
                Ok(0) => return Err(Unanswered::Broken("the server closed it".into())),
                Ok(_) => {}
                Err(error) => return Err(Unanswered::Broken(error.to_string())),
            }
        }
    }
}
