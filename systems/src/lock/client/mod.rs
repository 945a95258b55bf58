//! The client of the lock service and of the resource, as a state machine without I/O.
//!
//! It has one session at a time, under the name that its user gives it (the *owner* of the history). It stays with its
//! home, follows a named leader once a round, and gives each attempt a fifth of the time that the operation has, as
//! [`crate::client`] does.
//!
//! # What is repeated
//!
//! Acquires and releases carry sequence numbers and are applied once, so they may be asked again. A keep-alive may be applied
//! twice; a session that was opened twice leaves one that nobody uses and that soon expires. Reads change nothing. A write of
//! the resource is never repeated.
//!
//! # What is told
//!
//! - `ok` as soon as one attempt was answered.
//! - `fail` where the one attempt was refused, or nothing was sent at all, or the log has decided that the command changes
//!   nothing: all attempts are one command, and its answer is remembered. An operation on the guarded set also fails where
//!   the client does not believe that it holds the lock: `not-held: ...`, or `lease-over: ...` where a careful client sees
//!   by its own clock that its lease is over.
//! - `info` where an attempt stayed open and none was answered. What the client holds is then unknown: an acquire or a release
//!   makes it give its session up, whose lease then ends, and a write of the resource makes it trust that hold no more.
//!
//! # What is believed
//!
//! A lease is counted from the moment at which the attempt was sent that was answered. A *careful* client does not touch
//! the resource when its lease is over, looking again before it writes. A *naive* one trusts what it was granted until it
//! gives it back.

mod belief;
mod operation;
mod questions;
#[cfg(test)]
mod tests;

use rashomon_history::{Call, Outcome, Returned, Value};

use super::bug::Bug;
use super::session::SessionId;
use crate::api::{self, ErrorCode, HttpResponse, TransportError, Unanswered};
use crate::client::{ClientMachine, Next};
use crate::server::{Micros, NodeId};
use belief::{Belief, Session};
use operation::{Operation, Stage};

/// How long a client works between reading a guarded set and writing it: what a lock is there for.
const WORK_US: u64 = 2_000;

/// What a client is told before it starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LockClientOptions {
    /// The member that it stays with.
    pub home: NodeId,
    /// The members are n1 to this one.
    pub members: u16,
    /// The guarded resource.
    pub resource: NodeId,
    /// How long a lease lasts, in milliseconds.
    pub ttl_ms: u64,
    /// Permits that every lock has: 1 for locks, more for semaphores.
    pub permits: u32,
    /// Whether acquires only try, and do not wait.
    pub tries: bool,
    /// Whether it looks at its lease before it touches the resource.
    pub careful: bool,
    /// Whether the resource looks at tokens.
    pub fencing: bool,
    /// A planted bug.
    pub bug: Option<Bug>,
}

impl LockClientOptions {
    /// Whether nothing is written under a hold any more once something was written under a later one: the resource sees to
    /// that, or the clients do.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        self.fencing || self.careful
    }
}

/// One client. See the [module](self).
#[derive(Clone, Debug)]
pub struct LockClient {
    options: LockClientOptions,
    belief: Belief,
    /// Attempts of all operations: the name of the last one.
    last_attempt: u64,
    operation: Option<Operation>,
}

impl LockClient {
    /// A client that has not asked anything yet.
    ///
    /// # Panics
    /// Where its home is none of the members.
    #[must_use]
    pub fn new(options: LockClientOptions) -> Self {
        let LockClientOptions { home, members, .. } = options;
        assert!((1..=members).contains(&home.0), "{home} is none of {members} members");
        Self { options, belief: Belief::new(options), last_attempt: 0, operation: None }
    }

    fn has(&self, bug: Bug) -> bool {
        self.options.bug == Some(bug)
    }

    /// What is asked first, or what becomes of the call without asking anybody.
    fn plan(&mut self, now: Micros, call: &Call, deadline: Micros) -> Result<Stage, Outcome> {
        match call {
            Call::OpenSession { .. } => Ok(Stage::Open),
            Call::KeepAlive { owner } => self.belief.session_of(owner).map(|id| Stage::KeepAlive { session: id }),
            Call::Acquire { key, owner, permits } => {
                if self.has(Bug::LK21)
                    && let Some(token) = self.belief.inherited(key, owner)
                {
                    return Err(Outcome::Ok(Returned::Token(token)));
                }
                let used = self.belief.next_command(owner)?;
                // The wait ends before the operation does, so that its end is heard.
                let wait_ms = if self.options.tries { 0 } else { deadline.since(now) / 1250 };
                let (key, of) = (key.clone(), self.options.permits);
                Ok(Stage::Acquire { used, key, permits: *permits, of, wait_ms })
            }
            Call::Release { key, owner, permits } => {
                let used = self.belief.next_command(owner)?;
                let (key, permits, of) = (key.clone(), *permits, self.options.permits);
                Ok(match self.has(Bug::LK04) {
                    false => Stage::Release { used, key, permits, of },
                    true => Stage::CheckToRelease { used, key, permits, of },
                })
            }
            Call::Read { key } => Ok(Stage::Read { key: key.clone() }),
            Call::Add { key, .. } => {
                let token = self.belief.token_for(now, key)?;
                Ok(Stage::ReadToAdd { key: key.clone(), token })
            }
            _ => Err(Outcome::Fail("the lock service has no such call; it was not asked".into())),
        }
    }

    fn ask(&mut self, now: Micros, mut operation: Operation, node: NodeId) -> Next {
        self.last_attempt += 1;
        operation.sent_at = now;
        let (until, request) = (operation.attempt_until(now), questions::request(&operation.stage));
        let next = operation.attempts.ask(node, self.last_attempt, until, request);
        self.operation = Some(operation);
        next
    }

    /// What a success brings.
    fn answered_well(&mut self, now: Micros, mut operation: Operation, reply: questions::Reply) -> Next {
        let since = if self.has(Bug::LK14) { now } else { operation.sent_at };
        let returned = match (reply, &operation.stage, &operation.call) {
            (questions::Reply::Opened { session, ttl_ms }, _, Call::OpenSession { owner }) => {
                self.belief.open(Session::new(owner.clone(), session, since, ttl_ms));
                Returned::Done
            }
            (questions::Reply::Granted { token }, Stage::Acquire { key, permits, .. }, _) => {
                self.belief.renewed(since);
                self.belief.granted(key.clone(), token, *permits);
                Returned::Token(token)
            }
            (questions::Reply::Done, Stage::Release { key, permits, .. }, _) => {
                self.belief.renewed(since);
                self.belief.released(key, *permits);
                Returned::Done
            }
            (questions::Reply::Checked { is_held }, Stage::CheckToRelease { used, key, permits, of }, _) => {
                if !is_held {
                    let reason = format!("not-held: {key} is not held by this session");
                    return operation.done(Outcome::Fail(reason));
                }
                let (used, key, permits, of) = (*used, key.clone(), *permits, *of);
                operation.begin_stage(Stage::Release { used, key, permits, of });
                let node = operation.attempts.node;
                return self.ask(now, operation, node);
            }
            (questions::Reply::Content { elements }, Stage::ReadToAdd { key, token }, Call::Add { value, .. }) => {
                let (key, token) = (key.clone(), *token);
                let elements = with(elements, value);
                operation.begin_stage(Stage::WriteToAdd { key, token, elements });
                return self.work(now, operation);
            }
            (questions::Reply::Content { elements }, _, _) => Returned::List(elements),
            (questions::Reply::Written { version }, Stage::WriteToAdd { token, .. }, _) => {
                let returned = if self.options.is_ordered() { Returned::Token(*token) } else { Returned::Done };
                Returned::Versioned { version, returned: Box::new(returned) }
            }
            (_, _, _) => {
                self.belief.renewed(since);
                Returned::Done
            }
        };
        operation.done(Outcome::Ok(returned))
    }

    /// What was read is changed, and then written.
    fn work(&mut self, now: Micros, mut operation: Operation) -> Next {
        let next = operation.attempts.wait(now.after(WORK_US).min(operation.attempts.deadline));
        self.operation = Some(operation);
        next
    }

    /// Writes a guarded set, if the lease still lasts.
    fn write(&mut self, now: Micros, operation: Operation) -> Next {
        if let Stage::WriteToAdd { key, .. } = &operation.stage
            && let Err(outcome) = self.belief.token_for(now, key)
        {
            return operation.done(outcome);
        }
        let node = operation.attempts.node;
        self.ask(now, operation, node)
    }

    fn unanswered(&mut self, now: Micros, mut operation: Operation, unanswered: Unanswered) -> Next {
        if let Unanswered::Refused(body) = &unanswered
            && matches!(body.error, ErrorCode::UnknownSession | ErrorCode::SessionExpired)
        {
            self.belief.session_is_over();
        }
        if !operation.may_ask_again(&unanswered) {
            return self.over(operation.end(unanswered));
        }
        if operation.attempts.deadline <= now {
            return self.over(operation.give_up());
        }
        let next = operation.attempts.pause(now);
        self.operation = Some(operation);
        next
    }

    /// An operation ends without an answer. Where its outcome is open, so is what the client holds.
    fn over(&mut self, (operation, outcome): (Operation, Outcome)) -> Next {
        if matches!(outcome, Outcome::Info(_)) {
            match &operation.stage {
                Stage::Acquire { key, .. } | Stage::Release { key, .. } => self.belief.give_up_session(key),
                Stage::WriteToAdd { key, .. } => self.belief.distrust(key),
                Stage::Open
                | Stage::KeepAlive { .. }
                | Stage::CheckToRelease { .. }
                | Stage::Read { .. }
                | Stage::ReadToAdd { .. } => {}
            }
        }
        operation.done(outcome)
    }
}

/// The elements and one more.
fn with(mut elements: Vec<Value>, element: &Value) -> Vec<Value> {
    if !elements.contains(element) {
        elements.push(element.clone());
    }
    elements
}

impl ClientMachine for LockClient {
    fn home(&self) -> NodeId {
        self.options.home
    }

    fn begin(&mut self, now: Micros, call: &Call, deadline: Micros) -> Next {
        self.operation = None;
        match self.plan(now, call, deadline) {
            Ok(stage) => {
                let node = if stage.is_for_resource() { self.options.resource } else { self.options.home };
                self.ask(now, Operation::new(call.clone(), stage, node, now, deadline), node)
            }
            Err(outcome) => Next::Done { outcome, node: self.options.home },
        }
    }

    fn answered(&mut self, now: Micros, attempt: u64, result: Result<HttpResponse, TransportError>) -> Option<Next> {
        let mut operation = self.operation.take_if(|operation| operation.attempts.waits_for(attempt))?;
        let leader = result.as_ref().ok().and_then(api::leader_of);
        if let Some(leader) = operation.attempts.follow(leader, self.options.members) {
            return Some(self.ask(now, operation, leader));
        }
        Some(match questions::reply(&operation.stage, &result) {
            Ok(reply) => self.answered_well(now, operation, reply),
            Err(unanswered) => self.unanswered(now, operation, unanswered),
        })
    }

    fn time(&mut self, now: Micros) -> Option<Next> {
        let mut operation = self.operation.take_if(|operation| operation.attempts.due() <= now)?;
        Some(if operation.attempts.is_asking() {
            let timeout = Unanswered::Open(TransportError::Timeout.to_string());
            self.unanswered(now, operation, timeout)
        } else if operation.attempts.deadline <= now {
            self.over(operation.give_up())
        } else if matches!(operation.stage, Stage::WriteToAdd { .. }) {
            self.write(now, operation)
        } else {
            let node = operation.next_round(self.options.members);
            self.ask(now, operation, node)
        })
    }
}

/// Names a command of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Used {
    session: SessionId,
    sequence: u64,
}
