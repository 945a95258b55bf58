//! A member of the lock service: Raft, and beside it what a leader does with its clock and with acquires that wait.

mod planted;
mod waiting;

use super::bug::Bug;
use super::clock::LogClock;
use super::command::{Answer, Command, Entry, Query};
use super::machine::LockMachine;
use super::server::{LockRequest, LockResponse};
use crate::raft::{self, Message, Raft};
use crate::server::{Input, Micros, NodeId, Output, RequestId, Server, Status};
use planted::Planted;
use waiting::Waiting;

/// Requests of the member itself have this bit in their names. A driver would have to count for ages to come so far.
const OWN: u64 = 1 << 63;

type Outputs = Vec<Output<Message, LockResponse>>;

/// A member of the lock service.
pub struct Member {
    raft: Raft<LockMachine>,
    clock: LogClock,
    now: Micros,
    own_requests: u64,
    /// The entry for time alone that is not applied yet. There is one at a time, or a slow log would fill with them.
    advance: Option<RequestId>,
    waiting: Waiting,
    planted: Planted,
    /// Kept to spare allocations.
    raft_outputs: Vec<Output<Message, raft::Response<Answer>>>,
}

impl Member {
    /// A member whose Raft has just come up.
    #[must_use]
    pub fn new(raft: Raft<LockMachine>) -> Self {
        let options = raft.machine().options();
        let clock = LogClock::new(options.ttl_ms.saturating_mul(1000));
        let clock = if options.bug == Some(Bug::LK13) { clock.trusting() } else { clock };
        Self {
            raft,
            clock,
            now: Micros::default(),
            own_requests: 0,
            advance: None,
            waiting: Waiting::default(),
            planted: Planted::default(),
            raft_outputs: Vec::new(),
        }
    }

    /// Raft as this member has it.
    #[must_use]
    pub fn raft(&self) -> &Raft<LockMachine> {
        &self.raft
    }

    fn has(&self, bug: Bug) -> bool {
        self.raft.machine().options().bug == Some(bug)
    }

    pub(super) fn step(&mut self, now: Micros, input: Input<Message, LockRequest>, outputs: &mut Outputs) {
        self.now = now;
        match input {
            Input::Request { id, request } => self.request(id, request, outputs),
            Input::Abandon { id } => {
                self.waiting.forget(id);
                self.raft_step(Input::Abandon { id });
            }
            Input::Tick => self.raft_step(Input::Tick),
            Input::Message { from, message } => self.raft_step(Input::Message { from, message }),
            Input::Persisted(id) => self.raft_step(Input::Persisted(id)),
        }
        self.keep_time();
        self.pass_on(outputs);
    }

    pub(super) fn flush(&mut self, now: Micros, outputs: &mut Outputs) {
        self.now = now;
        self.raft.flush(now, &mut self.raft_outputs);
        self.pass_on(outputs);
        let answered = self.waiting.take_decided(now, self.raft.applied_index(), self.raft.machine());
        for (id, answer) in answered {
            self.answer(id, answer, outputs);
        }
    }

    pub(super) fn deadline(&self) -> Micros {
        let keeps_time = self.raft.is_leader() && self.raft.machine().has_sessions() && self.advance.is_none();
        let advance = if keeps_time { self.clock.due() } else { Micros(u64::MAX) };
        self.raft.deadline().min(advance).min(self.waiting.due())
    }

    pub(super) fn status(&self) -> Status {
        self.raft.status()
    }

    fn raft_step(&mut self, input: Input<Message, raft::Request<Query>>) {
        self.raft.step(self.now, input, &mut self.raft_outputs);
        let term = self.raft.is_leader().then(|| self.raft.term());
        let begins = self.clock.look(self.now, term);
        if begins {
            self.advance = None;
        }
        if begins && self.has(Bug::LK19) {
            self.propose_own(Command::RenewAll);
        }
    }

    fn request(&mut self, id: RequestId, request: LockRequest, outputs: &mut Outputs) {
        match request {
            LockRequest::Command(command) => {
                if let Some(answer) = self.answer_without_the_log(id, &command) {
                    outputs.push(Output::ReplyNow { id, response: answer });
                    return;
                }
                self.propose(id, command);
            }
            LockRequest::Query(query) => self.ask_raft(id, raft::Request::Query(query)),
            LockRequest::Watch { key, after } => {
                self.waiting.watch(id, key.clone(), after, self.now);
                self.ask_raft(id, raft::Request::Query(Query::Lock { key }));
            }
            LockRequest::TransferLeadership { to } => self.ask_raft(id, raft::Request::TransferLeadership { to }),
            LockRequest::ChangeMembership(change) => self.ask_raft(id, raft::Request::ChangeMembership(change)),
            LockRequest::Resource(_) => {
                outputs.push(Output::ReplyNow { id, response: LockResponse::NotHere { is_resource: false } });
            }
        }
    }

    fn ask_raft(&mut self, id: RequestId, request: raft::Request<Query>) {
        self.raft_step(Input::Request { id, request });
    }

    fn propose(&mut self, id: RequestId, command: Command) {
        let entry = Entry { by_us: self.clock.stamp(self.now), command };
        self.ask_raft(id, raft::Request::Command(entry.encode()));
    }

    fn propose_own(&mut self, command: Command) -> RequestId {
        self.own_requests += 1;
        let id = RequestId(OWN | self.own_requests);
        self.propose(id, command);
        id
    }

    /// A leader lets time pass in the log as long as there are leases.
    fn keep_time(&mut self) {
        let is_due = self.advance.is_none() && self.now >= self.clock.due();
        if !self.raft.is_leader() || !self.raft.machine().has_sessions() || !is_due {
            return;
        }
        self.advance = Some(self.propose_own(Command::Advance));
        if self.has(Bug::LK17) {
            self.revoke_by_own_clock();
        }
    }

    /// Lets out what Raft wants done. An acquire that waits is not answered yet.
    fn pass_on(&mut self, outputs: &mut Outputs) {
        let mut raft_outputs = std::mem::take(&mut self.raft_outputs);
        for output in raft_outputs.drain(..) {
            match output {
                Output::Persist { id, write } => outputs.push(Output::Persist { id, write }),
                Output::Send { to, message } => outputs.push(Output::Send { to, message }),
                Output::SendNow { to, message } => outputs.push(Output::SendNow { to, message }),
                Output::Reply { id, response } | Output::ReplyNow { id, response } => {
                    self.answered_by_raft(id, response, outputs);
                }
            }
        }
        self.raft_outputs = raft_outputs;
    }

    fn answered_by_raft(&mut self, id: RequestId, response: raft::Response<Answer>, outputs: &mut Outputs) {
        self.advance.take_if(|advance| *advance == id);
        if id.0 & OWN != 0 || self.planted.was_answered_early(id) {
            return;
        }
        match response {
            raft::Response::Answer(Answer::Waiting { session, sequence }) => self.waiting.wait(id, session, sequence),
            raft::Response::Answer(Answer::Lock(view)) => {
                if let Some(view) = self.waiting.saw(id, view) {
                    self.answer(id, Some(Answer::Lock(view)), outputs);
                }
            }
            raft::Response::Answer(answer) => self.answer(id, Some(answer), outputs),
            other @ (raft::Response::Transferred
            | raft::Response::Changed
            | raft::Response::Refused(_)
            | raft::Response::Unknown) => {
                self.waiting.forget(id);
                outputs.push(Output::ReplyNow { id, response: LockResponse::Raft(other) });
            }
        }
    }

    /// What a client is told rests on what is committed, never on this disk alone.
    fn answer(&mut self, id: RequestId, answer: Option<Answer>, outputs: &mut Outputs) {
        let answer = match answer {
            Some(Answer::Granted { .. }) if self.has(Bug::LK08) => {
                Some(Answer::Granted { token: self.planted.count() })
            }
            other => other,
        };
        let response = answer.map_or(raft::Response::Unknown, raft::Response::Answer);
        outputs.push(Output::ReplyNow { id, response: LockResponse::Raft(response) });
    }

    /// The leader that this member believes in.
    #[must_use]
    pub fn leader(&self) -> Option<NodeId> {
        self.raft.leader()
    }
}
