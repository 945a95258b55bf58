//! The task that keeps a session.

use std::io;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::link::{Heard, Link};
use super::{Ask, Keeping, Phase, Standing};
use crate::zookeeper::outcome::Unanswered;
use crate::zookeeper::request::Connect;
use crate::zookeeper::settings::KeepAlive;

/// Between two attempts to connect.
const PAUSE: Duration = Duration::from_millis(50);
const PASSWORD_BYTES: usize = 16;

pub(super) struct Task {
    keeping: Keeping,
    asks: mpsc::UnboundedReceiver<Ask>,
    tell: watch::Sender<Standing>,
    /// 0 before there is one.
    session: i64,
    password: Vec<u8>,
    /// The last transaction that was seen.
    seen: i64,
    /// After how long a silence the session ends, as the servers say.
    timeout: Duration,
}

/// Why a connection is not there.
enum Failed {
    /// The session is over.
    Expired,
    Other(io::Error),
}

impl Task {
    pub(super) fn new(keeping: Keeping, asks: mpsc::UnboundedReceiver<Ask>, tell: watch::Sender<Standing>) -> Self {
        let timeout = keeping.timeout;
        Self { keeping, asks, tell, session: 0, password: vec![0; PASSWORD_BYTES], seen: 0, timeout }
    }

    pub(super) async fn run(mut self) {
        loop {
            self.keeping.standstill.pass().await;
            match self.connect().await {
                Ok(link) => self.serve(link).await,
                Err(Failed::Expired) => break,
                Err(Failed::Other(error)) => self.tell.send_modify(|standing| {
                    standing.failures += 1;
                    standing.problem = error.to_string();
                }),
            }
            sleep(PAUSE).await;
        }
        self.tell.send_modify(|standing| standing.phase = Phase::Expired);
        self.asks.close();
        while let Some(ask) = self.asks.recv().await {
            let _ = ask.reply.send(Err(Unanswered::Expired));
        }
    }

    async fn connect(&mut self) -> Result<Link, Failed> {
        let sent = Instant::now();
        let timeout_ms = i32::try_from(self.keeping.timeout.as_millis()).unwrap_or(i32::MAX);
        let connect = Connect { seen: self.seen, timeout_ms, session: self.session, password: &self.password };
        let opened = timeout(self.silence(), Link::open(self.keeping.server, connect)).await;
        self.keeping.standstill.pass().await;
        let opened =
            opened.map_err(|_| Failed::Other(io::Error::new(io::ErrorKind::TimedOut, "no session in time")))?;
        let (link, connected) = opened.map_err(Failed::Other)?;
        if connected.session == 0 || connected.timeout_ms <= 0 {
            return Err(Failed::Expired);
        }
        (self.session, self.password) = (connected.session, connected.password);
        self.timeout = Duration::from_millis(connected.timeout_ms.unsigned_abs().into());
        self.tell.send_modify(|standing| {
            standing.phase = Phase::Connected;
            standing.heard = Some(sent);
            standing.timeout = self.timeout;
        });
        Ok(link)
    }

    /// A server that is silent for so long is given up, while the session may still live.
    fn silence(&self) -> Duration {
        self.timeout * 2 / 3
    }

    /// Until the connection breaks.
    async fn serve(&mut self, mut link: Link) {
        let why = loop {
            if let Err(error) = self.serve_once(&mut link).await {
                break error.to_string();
            }
        };
        // First the phase, so that whoever is told of the loss does not ask on the same connection.
        self.tell.send_modify(|standing| {
            standing.phase = Phase::Disconnected;
            standing.problem.clone_from(&why);
        });
        link.lose(&why);
    }

    async fn serve_once(&mut self, link: &mut Link) -> io::Result<()> {
        enum Next {
            Frame(Vec<u8>),
            Ask(Ask),
            Ping,
            Silence,
        }
        let in_background = self.keeping.keepalive == KeepAlive::Background;
        let (ping_at, silent_at) = (link.last_sent + self.timeout / 3, link.last_heard + self.silence());
        let next = tokio::select! {
            // What was heard while the client stood still comes before what it has to say.
            biased;
            frame = link.frame() => Next::Frame(frame?),
            Some(ask) = self.asks.recv() => Next::Ask(ask),
            () = sleep_until(ping_at), if in_background => Next::Ping,
            () = sleep_until(silent_at), if in_background => Next::Silence,
        };
        self.keeping.standstill.pass().await;
        match next {
            Next::Frame(frame) => {
                let heard = link.hear(&frame)?;
                self.heard(heard);
                Ok(())
            }
            // Nobody waits for it any more.
            Next::Ask(ask) if ask.reply.is_closed() => Ok(()),
            Next::Ask(ask) => link.send(ask).await,
            Next::Ping => link.ping().await,
            Next::Silence => Err(io::Error::new(io::ErrorKind::TimedOut, "the server is silent")),
        }
    }

    fn heard(&mut self, heard: Option<Heard>) {
        match heard {
            Some(Heard::Answer { sent, transaction }) => {
                self.seen = self.seen.max(transaction.unwrap_or(0));
                self.tell.send_if_modified(|standing| {
                    standing.heard = standing.heard.max(Some(sent));
                    // Nobody waits for this.
                    false
                });
            }
            Some(Heard::Event) => self.tell.send_modify(|standing| standing.events += 1),
            None => {}
        }
    }
}
