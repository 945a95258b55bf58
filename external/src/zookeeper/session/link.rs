//! One connection of a session.

use std::collections::VecDeque;
use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Ask;
use crate::zookeeper::outcome::Unanswered;
use crate::zookeeper::request::{Connect, Connected, Message, ping};
use crate::zookeeper::wire::take_frame;

/// A connection with a session.
pub(super) struct Link {
    stream: TcpStream,
    received: Vec<u8>,
    next_id: i32,
    /// What was sent and not answered, in this order.
    pending: VecDeque<Pending>,
    pings: VecDeque<Instant>,
    pub(super) last_sent: Instant,
    pub(super) last_heard: Instant,
}

struct Pending {
    id: i32,
    sent: Instant,
    reply: oneshot::Sender<Result<Vec<u8>, Unanswered>>,
}

/// What came of something that was heard.
pub(super) enum Heard {
    /// An answer to what was sent then; the last transaction that the server knew of, where it said so.
    Answer { sent: Instant, transaction: Option<i64> },
    /// Something happened to a node that is watched.
    Event,
}

impl Link {
    /// Connects, and opens a session or goes on with one.
    pub(super) async fn open(server: std::net::SocketAddr, connect: Connect<'_>) -> io::Result<(Self, Connected)> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        let now = Instant::now();
        let mut link = Self {
            stream,
            received: Vec::new(),
            next_id: 1,
            pending: VecDeque::new(),
            pings: VecDeque::new(),
            last_sent: now,
            last_heard: now,
        };
        link.stream.write_all(&connect.frame()).await?;
        let answer = link.frame().await?;
        let connected = Connected::parse(&answer).map_err(io::Error::other)?;
        Ok((link, connected))
    }

    /// The next frame. Whoever gives up waiting loses nothing.
    pub(super) async fn frame(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(frame) = take_frame(&mut self.received).map_err(io::Error::other)? {
                return Ok(frame);
            }
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection"));
            }
        }
    }

    pub(super) async fn send(&mut self, ask: Ask) -> io::Result<()> {
        let id = self.next_id;
        self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        let frame = ask.request.frame(id);
        self.last_sent = Instant::now();
        self.pending.push_back(Pending { id, sent: self.last_sent, reply: ask.reply });
        self.stream.write_all(&frame).await
    }

    pub(super) async fn ping(&mut self) -> io::Result<()> {
        self.last_sent = Instant::now();
        self.pings.push_back(self.last_sent);
        self.stream.write_all(&ping()).await
    }

    /// Gives an answer to whoever waits for it.
    pub(super) fn hear(&mut self, frame: &[u8]) -> io::Result<Option<Heard>> {
        self.last_heard = Instant::now();
        Ok(match Message::parse(frame).map_err(io::Error::other)? {
            Message::Event => Some(Heard::Event),
            Message::Pong => self.pings.pop_front().map(|sent| Heard::Answer { sent, transaction: None }),
            Message::Answer { id, transaction, error, body } => {
                let pending = self.pending.pop_front().filter(|pending| pending.id == id);
                let pending = pending.ok_or_else(|| io::Error::other("an answer to what was not asked"))?;
                let answered = if error == 0 { Ok(body) } else { Err(Unanswered::Refused(error)) };
                // Who asked may have stopped waiting.
                let _ = pending.reply.send(answered);
                Some(Heard::Answer { sent: pending.sent, transaction: (transaction > 0).then_some(transaction) })
            }
        })
    }

    /// The connection is over, and what was sent is lost.
    pub(super) fn lose(self, why: &str) {
        for pending in self.pending {
            let _ = pending.reply.send(Err(Unanswered::Lost(why.to_owned())));
        }
    }
}
