//! One client of a commitment cluster, as a state machine without I/O. Both worlds drive it.
//!
//! A client has one call at a time, and begins with its home node. Which outcome is told:
//!
//! - `ok` where the coordinator said that the transaction is committed.
//! - `fail` where the coordinator said that it is aborted, or where it was never begun: refused by every node that was asked,
//!   or not sent at all.
//! - `info` where the connection broke or the time was up after the request had left. It is never asked again: that would
//!   be another transaction.
//!
//! A refusal is certain, so the client follows the coordinator that it names, and otherwise asks one coordinator after the
//! other until the time is up.

use rashomon_history::{Call, Key, MicroOp, Outcome, Returned, Seen, Value};

use super::routes::{CommittedBody, DecisionsBody, OneOrMany, StepBody, TxnBody};
use super::{Bank, Bug};
use crate::api::{self, ErrorCode, HttpRequest, HttpResponse, Method, TransportError, Unanswered, read_reply};
use crate::client::{ClientMachine, Next};
use crate::server::{Micros, NodeId};

/// The key under which a node's decisions are read.
pub const DECISIONS: &str = "decisions";

/// Between two rounds a client pauses for this part of the time that the operation has.
const PAUSES: u64 = 20;

/// What a client is told before it starts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommitClientOptions {
    /// The node that it stays with.
    pub home: NodeId,
    /// Who may coordinate.
    pub coordinators: Vec<NodeId>,
    /// The accounts that a read of everything reads.
    pub bank: Bank,
    /// A planted bug.
    pub bug: Option<Bug>,
}

/// One client. See the [module](self).
#[derive(Clone, Debug)]
pub struct CommitClient {
    options: CommitClientOptions,
    attempts: u64,
    operation: Option<Operation>,
}

#[derive(Clone, Debug)]
struct Operation {
    call: Call,
    deadline: Micros,
    pause_us: u64,
    state: State,
    node: NodeId,
    /// Whom to ask after the next pause, as a place among the coordinators.
    next: usize,
    /// A node of this round has named the coordinator.
    has_followed: bool,
    /// Why it was not begun.
    refused: String,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Asking { attempt: u64 },
    Waiting { until: Micros },
}

impl CommitClient {
    /// A client that has not asked anything yet.
    ///
    /// # Panics
    /// Where nobody coordinates.
    #[must_use]
    pub fn new(options: CommitClientOptions) -> Self {
        assert!(!options.coordinators.is_empty(), "nobody coordinates");
        Self { options, attempts: 0, operation: None }
    }

    fn ask(&mut self, mut operation: Operation, node: NodeId) -> Next {
        let Some(request) = request(&operation.call, self.options.bank) else {
            let outcome = Outcome::Fail("there is no such transaction; it was not asked".into());
            return Next::Done { outcome, node };
        };
        self.attempts += 1;
        let (attempt, until) = (self.attempts, operation.deadline);
        operation.node = node;
        operation.state = State::Asking { attempt };
        self.operation = Some(operation);
        Next::Ask { node, request, attempt, until }
    }

    /// It was not begun there: somebody else may begin it.
    fn not_begun(&mut self, now: Micros, mut operation: Operation, leader: Option<NodeId>) -> Next {
        if let Some(leader) = leader.filter(|leader| !operation.has_followed && *leader != operation.node) {
            operation.has_followed = true;
            return self.ask(operation, leader);
        }
        let until = now.after(operation.pause_us);
        if until >= operation.deadline {
            return operation.end(Outcome::Fail(format!("it was not begun: {}", operation.refused)));
        }
        operation.state = State::Waiting { until };
        self.operation = Some(operation);
        Next::Wait { until }
    }

    fn unanswered(
        &mut self,
        now: Micros,
        mut operation: Operation,
        unanswered: Unanswered,
        leader: Option<NodeId>,
    ) -> Next {
        let asks_all = !is_of_one_node(&operation.call);
        match unanswered {
            Unanswered::Refused(body) if asks_all && may_pass(body.error) => {
                operation.refused = body.to_string();
                self.not_begun(now, operation, leader)
            }
            Unanswered::NotSent(reason) if asks_all => {
                operation.refused = reason;
                self.not_begun(now, operation, None)
            }
            Unanswered::Open(reason) if self.options.bug == Some(Bug::TC20) => {
                operation.end(Outcome::Fail(format!("aborted: {reason}")))
            }
            other @ (Unanswered::Refused(_) | Unanswered::NotSent(_) | Unanswered::Open(_)) => {
                operation.end(other.into())
            }
        }
    }
}

impl ClientMachine for CommitClient {
    fn home(&self) -> NodeId {
        self.options.home
    }

    fn begin(&mut self, now: Micros, call: &Call, deadline: Micros) -> Next {
        let home = self.options.home;
        let next = self.options.coordinators.iter().position(|node| *node == home).map_or(0, |place| place + 1);
        let operation = Operation {
            call: call.clone(),
            deadline,
            pause_us: (deadline.since(now) / PAUSES).max(1),
            state: State::Waiting { until: now },
            node: home,
            next,
            has_followed: false,
            refused: String::new(),
        };
        self.ask(operation, home)
    }

    fn answered(&mut self, now: Micros, attempt: u64, result: Result<HttpResponse, TransportError>) -> Option<Next> {
        let is_current =
            |operation: &mut Operation| matches!(operation.state, State::Asking { attempt: asked } if asked == attempt);
        let operation = self.operation.take_if(is_current)?;
        let leader = result.as_ref().ok().and_then(api::leader_of);
        Some(match read_reply(&result, |body| returned(&operation.call, self.options.bank, body)) {
            Ok(returned) => operation.end(Outcome::Ok(returned)),
            Err(unanswered) => self.unanswered(now, operation, unanswered, leader),
        })
    }

    fn time(&mut self, now: Micros) -> Option<Next> {
        let due = |operation: &mut Operation| match operation.state {
            State::Asking { .. } => operation.deadline <= now,
            State::Waiting { until } => until <= now,
        };
        let mut operation = self.operation.take_if(due)?;
        Some(match operation.state {
            State::Asking { .. } => {
                let timeout = Unanswered::Open(TransportError::Timeout.to_string());
                self.unanswered(now, operation, timeout, None)
            }
            State::Waiting { .. } => {
                let node = self.options.coordinators[operation.next % self.options.coordinators.len()];
                operation.next += 1;
                operation.has_followed = false;
                self.ask(operation, node)
            }
        })
    }
}

impl Operation {
    fn end(&self, outcome: Outcome) -> Next {
        Next::Done { outcome, node: self.node }
    }
}

/// Whether only the node that was asked can answer.
fn is_of_one_node(call: &Call) -> bool {
    matches!(call, Call::Read { key } if key.as_str() == DECISIONS)
}

/// Whether another node, or the same one later, may well begin what was refused.
fn may_pass(error: ErrorCode) -> bool {
    matches!(error, ErrorCode::NotLeader | ErrorCode::Overloaded)
}

/// How a call is asked. `None` of one that is no transaction.
fn request(call: &Call, bank: Bank) -> Option<HttpRequest> {
    if is_of_one_node(call) {
        let path_and_query = "/v1/decisions".into();
        return Some(HttpRequest { method: Method::Get, path_and_query, body: bytes::Bytes::new() });
    }
    let step = |what: &str, key: &Key, value: Value| StepBody(what.into(), key.clone(), value);
    let ops = match call {
        Call::Txn { ops } => ops.iter().map(|op| match op {
            MicroOp::Read { key, .. } => step("r", key, Value::Nil),
            MicroOp::Write { key, value } => step("w", key, value.clone()),
            MicroOp::Append { key, value } => step("append", key, value.clone()),
        }),
        Call::Transfer { from, to, amount } => {
            let ops = vec![step("add", from, Value::Int(amount.checked_neg()?)), step("add", to, (*amount).into())];
            return Some(transaction(ops));
        }
        Call::Read { key } if key.as_str().is_empty() => {
            return Some(transaction(bank.keys().map(|key| step("r", &key, Value::Nil)).collect()));
        }
        Call::Read { key } => return Some(transaction(vec![step("r", key, Value::Nil)])),
        Call::Write { key, value } => return Some(transaction(vec![step("w", key, value.clone())])),
        Call::Append { key, value } => return Some(transaction(vec![step("append", key, value.clone())])),
        _ => return None,
    };
    Some(transaction(ops.collect()))
}

fn transaction(ops: Vec<StepBody>) -> HttpRequest {
    let body = serde_json::to_vec(&TxnBody { ops }).expect("structs of numbers and texts become JSON in memory");
    HttpRequest { method: Method::Post, path_and_query: "/v1/transactions".into(), body: body.into() }
}

/// What a success says. `None` where it makes no sense.
fn returned(call: &Call, bank: Bank, body: &[u8]) -> Option<Returned> {
    if is_of_one_node(call) {
        let DecisionsBody { decisions } = serde_json::from_slice(body).ok()?;
        let entry = |(txn, decision): (String, String)| (Key::from(txn), Value::from(decision));
        return Some(Returned::Map(decisions.into_iter().map(entry).collect()));
    }
    let mut reads = serde_json::from_slice::<CommittedBody>(body).ok()?.reads.into_iter();
    let returned = match call {
        Call::Txn { ops } => {
            let fill = |op: &MicroOp| match op {
                MicroOp::Read { key, .. } => {
                    reads.next().map(|read| MicroOp::Read { key: key.clone(), seen: Some(read.into()) })
                }
                MicroOp::Write { .. } | MicroOp::Append { .. } => Some(op.clone()),
            };
            Returned::Txn(ops.iter().map(fill).collect::<Option<_>>()?)
        }
        Call::Read { key } if key.as_str().is_empty() => {
            let entry = |key| match reads.next()? {
                OneOrMany::One(value) => Some((key, value)),
                OneOrMany::Many(_) => None,
            };
            Returned::Map(bank.keys().map(entry).collect::<Option<_>>()?)
        }
        Call::Read { .. } => match reads.next()? {
            OneOrMany::One(value) => Returned::Value(value),
            OneOrMany::Many(values) => Returned::List(values),
        },
        _ => Returned::Done,
    };
    reads.next().is_none().then_some(returned)
}

impl From<OneOrMany> for Seen {
    fn from(read: OneOrMany) -> Self {
        match read {
            OneOrMany::One(value) => Self::Value(value),
            OneOrMany::Many(values) => Self::List(values),
        }
    }
}
