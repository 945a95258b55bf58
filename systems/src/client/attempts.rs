//! The attempts of one operation: how long each may take, whom it asks, and what they leave open.

use rashomon_history::Outcome;

use super::Next;
use crate::api::{HttpRequest, Unanswered};
use crate::kv::client::merge_attempts;
use crate::server::{Micros, NodeId};

/// An attempt that may be repeated gets this part of the operation's time.
const ATTEMPTS: u64 = 5;
/// Between two attempts a client pauses for this part of the time that an attempt gets: the cluster is choosing a leader.
const PAUSES: u64 = 8;

/// The attempts of one operation.
#[derive(Clone, Debug)]
pub(crate) struct Attempts {
    /// When the operation is over at the latest.
    pub(crate) deadline: Micros,
    attempt_us: u64,
    state: State,
    /// The node that was asked last.
    pub(crate) node: NodeId,
    /// The node that was asked last before anyone named a leader.
    round: NodeId,
    /// A node of this round has named a leader.
    has_followed: bool,
    /// Why the first attempt whose outcome stayed open did.
    open: Option<String>,
    /// Attempts after that one.
    more: u32,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Asking { attempt: u64, until: Micros },
    Waiting { until: Micros },
}

impl Attempts {
    /// Nobody was asked yet; `node` will be the first.
    pub(crate) fn new(node: NodeId, now: Micros, deadline: Micros) -> Self {
        Self {
            deadline,
            attempt_us: (deadline.since(now) / ATTEMPTS).max(1),
            state: State::Waiting { until: now },
            node,
            round: node,
            has_followed: false,
            open: None,
            more: 0,
        }
    }

    /// Asks a node.
    pub(crate) fn ask(&mut self, node: NodeId, attempt: u64, until: Micros, request: HttpRequest) -> Next {
        self.node = node;
        self.state = State::Asking { attempt, until };
        Next::Ask { node, request, attempt, until }
    }

    /// Asks nobody until then.
    pub(crate) fn wait(&mut self, until: Micros) -> Next {
        self.state = State::Waiting { until };
        Next::Wait { until }
    }

    /// Asks nobody until it is time for the next attempt.
    pub(crate) fn pause(&mut self, now: Micros) -> Next {
        self.wait(now.after((self.attempt_us / PAUSES).max(1)).min(self.deadline))
    }

    /// Nobody is asked any more.
    pub(crate) fn done(&self, outcome: Outcome) -> Next {
        Next::Done { outcome, node: self.node }
    }

    /// When an attempt that begins now is over, if it may be repeated.
    pub(crate) fn attempt_until(&self, now: Micros) -> Micros {
        now.after(self.attempt_us).min(self.deadline)
    }

    pub(crate) fn waits_for(&self, attempt: u64) -> bool {
        matches!(self.state, State::Asking { attempt: current, .. } if current == attempt)
    }

    pub(crate) fn is_asking(&self) -> bool {
        matches!(self.state, State::Asking { .. })
    }

    /// When the attempt or the pause is over.
    pub(crate) fn due(&self) -> Micros {
        match self.state {
            State::Asking { until, .. } | State::Waiting { until } => until,
        }
    }

    /// Whether a leader that was named, if one was, shall be asked at once; once a round, of the nodes from n1 to `nodes`.
    pub(crate) fn follow(&mut self, leader: Option<NodeId>, nodes: u16) -> Option<NodeId> {
        let is_other = |leader: &NodeId| *leader != self.node && (1..=nodes).contains(&leader.0);
        let leader = leader.filter(is_other).filter(|_| !self.has_followed)?;
        self.has_followed = true;
        Some(leader)
    }

    /// A new round begins with the next of the nodes from n1 to `nodes`.
    pub(crate) fn next_round(&mut self, nodes: u16) -> NodeId {
        self.round = NodeId(self.round.0 % nodes + 1);
        self.same_round()
    }

    /// A new round begins with the node that the last one began with.
    pub(crate) fn same_round(&mut self) -> NodeId {
        self.has_followed = false;
        self.round
    }

    /// Notes an attempt that brought no answer. Answers whether another one may tell more.
    pub(crate) fn may_ask_again(&mut self, unanswered: &Unanswered) -> bool {
        if self.open.is_some() {
            self.more += 1;
        }
        match unanswered {
            Unanswered::Open(reason) => {
                self.open.get_or_insert_with(|| reason.clone());
                true
            }
            Unanswered::NotSent(_) => self.open.is_some(),
            Unanswered::Refused(body) => self.open.is_some() && body.error.is_passing(),
        }
    }

    /// What was asked for is there, and something else is asked for: nothing of it can be open.
    pub(crate) fn begin_anew(&mut self) {
        self.has_followed = false;
        self.open = None;
        self.more = 0;
    }

    /// What the last attempt decides, as far as those before it leave anything to decide.
    pub(crate) fn outcome(&mut self, last: Unanswered) -> Outcome {
        match self.open.take() {
            Some(first) if self.more > 0 => merge_attempts(Outcome::Info(first), last.into()),
            Some(_) | None => last.into(),
        }
    }

    /// Why nobody knows the outcome; `None` where no attempt is open.
    pub(crate) fn why_open(&mut self) -> Option<String> {
        let first = self.open.take()?;
        Some(match self.more {
            0 => first,
            1 => format!("{first}; another attempt told no more"),
            more => format!("{first}; {more} more attempts told no more"),
        })
    }
}
