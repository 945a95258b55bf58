//! A client of a store of keys.

use std::net::SocketAddr;

use rashomon_history::{Call, Outcome};
use redis::Cmd;
use tokio::time::Instant;

use super::calls::{Question, Request};
use super::links::Links;
use super::outcome::Unanswered;
use super::sentinel;
use super::settings::{BadSetting, Find, Reads, Settings};
use super::slots::{Redirect, Slots};
use crate::{Client, Future, Seat};

/// One client of Redis. It asks once; only a redirection of a cluster, which is a certain refusal, is followed, and once.
pub(super) struct RedisClient {
    seat: Seat,
    settings: Settings,
    links: Links,
    /// Whom a sentinel named.
    primary: Option<SocketAddr>,
    slots: Slots,
}

impl RedisClient {
    pub(super) fn new(seat: &Seat) -> Result<Self, BadSetting> {
        Ok(Self {
            settings: Settings::read(&seat.settings)?,
            links: Links::new(seat.standstill.clone()),
            seat: seat.clone(),
            primary: None,
            slots: Slots::default(),
        })
    }

    /// Asks whoever is there for it.
    pub(super) async fn ask(&mut self, request: &Request, until: Instant) -> Result<redis::Value, Unanswered> {
        let home = self.seat.nodes[self.seat.home];
        let (server, answer) = match (self.settings.find, self.settings.reads) {
            (Find::Home, _) => (home, self.links.to(home).ask(&request.command, until).await),
            (Find::Sentinel, Reads::Home) if request.only_reads => {
                (home, self.links.to(home).ask(&request.command, until).await)
            }
            (Find::Sentinel, _) => {
                let primary = self.primary(until).await?;
                (primary, self.links.to(primary).ask(&request.command, until).await)
            }
            (Find::Slots, _) => self.ask_owner(request, until).await,
        };
        if answer.is_err() {
            self.primary = None;
        }
        if answer.is_ok() && self.settings.wait > 0 && !request.only_reads {
            self.wait_for_copies(server, until).await?;
        }
        answer
    }

    /// The primary that it is connected to, or else the one that a sentinel names now.
    async fn primary(&mut self, until: Instant) -> Result<SocketAddr, Unanswered> {
        if let Some(primary) = self.primary
            && self.links.to(primary).stands()
        {
            return Ok(primary);
        }
        let primary = sentinel::primary(&mut self.links, &self.seat.nodes, self.seat.home, until).await?;
        self.primary = Some(primary);
        Ok(primary)
    }

    /// Asks who has the slot, as far as the client knows, and follows one redirection.
    async fn ask_owner(&mut self, request: &Request, until: Instant) -> (SocketAddr, Result<redis::Value, Unanswered>) {
        let known = self.slots.owner(&request.key);
        let asked = known.unwrap_or(self.seat.nodes[self.seat.home]);
        let mut answer = self.links.to(asked).ask(&request.command, until).await;
        let redirect = match &answer {
            Err(Unanswered::Refused(error)) => Redirect::of(error, asked),
            Ok(_) | Err(_) => None,
        };
        let server = match redirect {
            None => asked,
            Some(Redirect::Moved(owner)) => {
                self.slots.remember(&request.key, owner);
                answer = self.links.to(owner).ask(&request.command, until).await;
                owner
            }
            Some(Redirect::Ask(target)) => {
                answer = self.ask_the_next_owner(target, &request.command, until).await;
                target
            }
        };
        if answer.is_err() {
            self.slots.forget(&request.key);
        }
        (server, answer)
    }

    /// A slot is on its way there: ASKING lets one command through.
    async fn ask_the_next_owner(
        &mut self,
        target: SocketAddr,
        command: &Cmd,
        until: Instant,
    ) -> Result<redis::Value, Unanswered> {
        let link = self.links.to(target);
        let asking = link.ask(&redis::cmd("ASKING"), until).await;
        asking.map_err(|unanswered| Unanswered::NotSent(format!("ASKING, before it: {unanswered}")))?;
        link.ask(command, until).await
    }

    /// The write is done; what happens now only says how safe it is.
    async fn wait_for_copies(&mut self, server: SocketAddr, until: Instant) -> Result<(), Unanswered> {
        let wanted = self.settings.wait;
        // WAIT ends before the operation does, so that its answer is heard. It takes 0 for "for ever".
        let left = until.saturating_duration_since(Instant::now()) * 4 / 5;
        let mut command = redis::cmd("WAIT");
        command.arg(wanted).arg(u64::try_from(left.as_millis()).unwrap_or(u64::MAX).max(1));
        match self.links.to(server).ask(&command, until).await {
            Ok(redis::Value::Int(copies)) if copies >= i64::from(wanted) => Ok(()),
            Ok(redis::Value::Int(copies)) => {
                Err(Unanswered::TooFewCopies(format!("written, but copied to {copies} of {wanted} replicas in time")))
            }
            Ok(other) => Err(Unanswered::TooFewCopies(format!("written, but WAIT answered {other:?}"))),
            Err(unanswered) => {
                Err(Unanswered::TooFewCopies(format!("written, but WAIT was not answered: {unanswered}")))
            }
        }
    }

    async fn outcome(&mut self, call: &Call, until: Instant) -> Outcome {
        match Question::of(call) {
            Some(question) => {
                let answer = self.ask(&question.request, until).await;
                let read = |answer: redis::Value| question.read_answer(&answer).map_err(Unanswered::Nonsense);
                answer.and_then(read).map_or_else(Outcome::from, Outcome::Ok)
            }
            None => Outcome::Fail("Redis has no such call; it was not asked".into()),
        }
    }
}

impl Client for RedisClient {
    fn call<'a>(&'a mut self, call: &'a Call, until: Instant) -> Future<'a, Outcome> {
        Box::pin(self.outcome(call, until))
    }
}
