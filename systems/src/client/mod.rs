//! One client of the own key-value store, as a state machine without I/O. Both worlds drive it.
//!
//! A client makes one call at a time and stays with its home node, also when that node is cut off from the others: only so
//! can it see what such a node answers. [`Next`] says what to do; the driver does it, and comes back with
//! [`Client::answered`] or [`Client::time`].
//!
//! # Without a session
//!
//! The client asks its home, and follows "not I, ask n3" once, because such a refusal is certain. It never repeats a request
//! whose outcome is open: that could apply a command twice.
//!
//! # With a session
//!
//! Commands carry a session and a sequence number (Raft thesis, 6.3), so they may be repeated. The first command opens the
//! session. An attempt gets a fifth of the time that the operation has; when that is over or the connection broke, the next
//! node is asked, until an answer decides or the time is up. Reads need no session and are repeated as well.
//!
//! Which outcome is told:
//!
//! - `ok` as soon as one attempt was answered: all attempts are one command, applied once, and the answer is its own.
//! - `fail` where the one attempt was refused: no attempt before it can have happened. So too where no session could be
//!   opened, as the command was then never sent.
//! - `info` where an attempt stayed open and none was answered. A later refusal tells of its own attempt only. The sequence
//!   number is never used again: each command waits for itself alone (`awaiting` is its own number), so what is left of the
//!   ones before it is refused once it was applied.
//!
//! A session that has expired ends its operation: `info` if an attempt stayed open, since that one may have been applied
//! while the session lived, else `fail`. The next command opens a new session; it never repeats an old one, which would
//! apply it twice.

mod attempts;
mod machine;
mod operation;
#[cfg(test)]
mod tests;

pub(crate) use attempts::Attempts;
pub use machine::ClientMachine;
use rashomon_history::{Call, Outcome};

use crate::api::{self, ErrorCode, HttpRequest, HttpResponse, SessionUse, TransportError, Unanswered, read_reply};
use crate::kv;
use crate::server::{Micros, NodeId};
use crate::session::SessionId;
use operation::{Operation, Stage};

/// What a client is told before it starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClientOptions {
    /// The node that it stays with.
    pub home: NodeId,
    /// The nodes are n1 to this one.
    pub nodes: u16,
    /// Whether it uses a session, and so repeats what stayed open.
    pub sessions: bool,
}

/// What the driver shall do next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Next {
    /// Ask this node. Come back with [`Client::answered`] when the answer is there, or with [`Client::time`] at `until`; what
    /// was asked before needs no answer any more.
    Ask {
        /// Whom.
        node: NodeId,
        /// What.
        request: HttpRequest,
        /// Names the attempt. A client never gives one twice.
        attempt: u64,
        /// How long to wait for the answer.
        until: Micros,
    },
    /// Nothing, until it is time for [`Client::time`].
    Wait {
        /// When.
        until: Micros,
    },
    /// Nothing: the operation is over.
    Done {
        /// What became of it.
        outcome: Outcome,
        /// The node that was asked last.
        node: NodeId,
    },
}

/// One client. See the [module](self).
#[derive(Clone, Debug)]
pub struct Client {
    options: ClientOptions,
    session: Option<Session>,
    /// Attempts of all operations: the name of the last one.
    last_attempt: u64,
    operation: Option<Operation>,
}

#[derive(Clone, Copy, Debug)]
struct Session {
    id: SessionId,
    last_sequence: u64,
}

impl Client {
    /// A client that has not asked anything yet.
    ///
    /// # Panics
    /// Where its home is none of the nodes.
    #[must_use]
    pub fn new(options: ClientOptions) -> Self {
        assert!((1..=options.nodes).contains(&options.home.0), "{} is none of {} nodes", options.home, options.nodes);
        Self { options, session: None, last_attempt: 0, operation: None }
    }

    /// The node that it stays with.
    #[must_use]
    pub fn home(&self) -> NodeId {
        self.options.home
    }

    /// Starts an operation, which is over at `deadline` at the latest. One that is under way is forgotten.
    pub fn begin(&mut self, now: Micros, call: &Call, deadline: Micros) -> Next {
        let home = self.options.home;
        let request = match self.stage(call) {
            Stage::OpenSession => kv::client::request(call, None).map(|_| (Stage::OpenSession, api::open_session())),
            stage @ Stage::Call { used } => kv::client::request(call, used).map(|request| (stage, request)),
        };
        let Some((stage, request)) = request else {
            self.operation = None;
            let outcome = Outcome::Fail("the key-value store has no such call; it was not asked".into());
            return Next::Done { outcome, node: home };
        };
        let attempts = Attempts::new(home, now, deadline);
        self.send(now, Operation { call: call.clone(), stage, attempts }, home, request)
    }

    /// The answer to an attempt, or why there is none. `None` where nobody waits for it any more.
    pub fn answered(
        &mut self,
        now: Micros,
        attempt: u64,
        result: Result<HttpResponse, TransportError>,
    ) -> Option<Next> {
        let mut operation = self.operation.take_if(|operation| operation.attempts.waits_for(attempt))?;
        let leader = result.as_ref().ok().and_then(api::leader_of);
        if let Some(leader) = operation.attempts.follow(leader, self.options.nodes) {
            return Some(self.ask(now, operation, leader));
        }
        Some(match operation.stage {
            Stage::OpenSession => match read_reply(&result, api::opened) {
                Ok(id) => {
                    self.session = Some(Session { id, last_sequence: 0 });
                    operation.begin_stage(self.stage(&operation.call));
                    let node = operation.attempts.node;
                    self.ask(now, operation, node)
                }
                Err(unanswered) => self.unanswered(now, operation, unanswered),
            },
            Stage::Call { .. } => match kv::client::reply(&operation.call, &result) {
                Ok(returned) => operation.attempts.done(Outcome::Ok(returned)),
                Err(unanswered) => self.unanswered(now, operation, unanswered),
            },
        })
    }

    /// Time has passed. `None` where nothing was due.
    pub fn time(&mut self, now: Micros) -> Option<Next> {
        let mut operation = self.operation.take_if(|operation| operation.attempts.due() <= now)?;
        Some(if operation.attempts.is_asking() {
            let timeout = Unanswered::Open(TransportError::Timeout.to_string());
            self.unanswered(now, operation, timeout)
        } else if operation.attempts.deadline <= now {
            operation.give_up()
        } else {
            let node = operation.attempts.next_round(self.options.nodes);
            self.ask(now, operation, node)
        })
    }

    /// What the call needs first. A command of a session gets its number here.
    fn stage(&mut self, call: &Call) -> Stage {
        if !self.options.sessions || matches!(call, Call::Read { .. }) {
            return Stage::Call { used: None };
        }
        let Some(session) = &mut self.session else { return Stage::OpenSession };
        session.last_sequence += 1;
        let sequence = session.last_sequence;
        Stage::Call { used: Some(SessionUse { session: session.id, sequence, awaiting: sequence }) }
    }

    fn ask(&mut self, now: Micros, operation: Operation, node: NodeId) -> Next {
        let request = match operation.stage {
            Stage::OpenSession => api::open_session(),
            Stage::Call { used } => {
                kv::client::request(&operation.call, used).expect("it was asked before, so the store knows it")
            }
        };
        self.send(now, operation, node, request)
    }

    fn send(&mut self, now: Micros, mut operation: Operation, node: NodeId, request: HttpRequest) -> Next {
        self.last_attempt += 1;
        let Attempts { deadline, .. } = operation.attempts;
        let until = if self.options.sessions { operation.attempts.attempt_until(now) } else { deadline };
        let next = operation.attempts.ask(node, self.last_attempt, until, request);
        self.operation = Some(operation);
        next
    }

    fn unanswered(&mut self, now: Micros, mut operation: Operation, unanswered: Unanswered) -> Next {
        if let Unanswered::Refused(body) = &unanswered
            && gives_up_session(body.error)
        {
            self.session = None;
        }
        if !self.options.sessions || !operation.attempts.may_ask_again(&unanswered) {
            return operation.end(unanswered);
        }
        if operation.attempts.deadline <= now {
            return operation.give_up();
        }
        let next = operation.attempts.pause(now);
        self.operation = Some(operation);
        next
    }
}

/// Whether the session is of no more use.
fn gives_up_session(error: ErrorCode) -> bool {
    matches!(error, ErrorCode::UnknownSession | ErrorCode::StaleSequence | ErrorCode::TooManyAwaited)
}
