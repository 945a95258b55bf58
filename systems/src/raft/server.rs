//! Raft as a [`Server`]: where inputs go, and what a flush puts together.

use crate::raft::record::{HardState, Record, encode};
use crate::raft::{Body, Bug, Message, Raft, Refusal, Request, Response, Role, StateMachine};
use crate::server::{Input, Micros, NodeId, Output, RequestId, Server, Status, Write};

impl<M: StateMachine> Server for Raft<M> {
    type Message = Message;
    type Request = Request<M::Query>;
    type Response = Response<M::Answer>;

    fn step(
        &mut self,
        now: Micros,
        input: Input<Message, Request<M::Query>>,
        outputs: &mut Vec<Output<Message, Response<M::Answer>>>,
    ) {
        if self.halted.is_some() {
            return;
        }
        self.now = now;
        if !self.started {
            self.start();
        }
        match input {
            Input::Tick => self.tick(),
            Input::Message { from, message } => self.receive(from, message),
            Input::Request { id, request } => self.request(id, request),
            Input::Abandon { id } => {
                self.requests.close(id);
            }
            Input::Persisted(id) => {
                if self.outbox.on_durable(id) {
                    self.on_own_vote_durable();
                }
                if let Some(last_index) = self.disk.finish(id) {
                    self.on_durable(last_index);
                }
            }
        }
        self.outbox.drain_into(outputs);
    }

    fn flush(&mut self, now: Micros, outputs: &mut Vec<Output<Message, Response<M::Answer>>>) {
        if self.halted.is_some() {
            return;
        }
        self.now = now;
        self.advance_commit();
        self.apply_committed();
        self.serve_reads();
        self.replicate();
        self.advance_transfer();
        self.compact_when_due();
        self.persist();
        self.outbox.drain_into(outputs);
    }

    fn deadline(&self) -> Micros {
        if self.halted.is_some() {
            return Micros(u64::MAX);
        }
        if !self.started {
            return Micros(0);
        }
        let own = match &self.role {
            Role::Follower | Role::PreCandidate(_) | Role::Candidate(_) => self.election_at,
            Role::Leader(leader) => leader.heartbeat_at,
        };
        let own =
            if self.has(Bug::RR04) && self.applied_index < self.commit_index { self.now.after(1_000) } else { own };
        self.transfer.as_ref().map_or(own, |transfer| own.min(transfer.deadline))
    }

    fn status(&self) -> Status {
        let role = match &self.role {
            Role::Follower if self.configuration.is_voter(self.config.id) => "follower",
            Role::Follower => "learner",
            Role::PreCandidate(_) => "pre-candidate",
            Role::Candidate(_) => "candidate",
            Role::Leader(_) => "leader",
        };
        Status {
            node: self.config.id.to_string(),
            role: self.halted.as_ref().map_or_else(|| role.to_owned(), |reason| format!("halted: {reason}")),
            term: self.hard.term,
            leader: self.leader.map(|leader| leader.to_string()),
            commit_index: self.commit_index,
            applied_index: self.applied_index,
            last_index: self.log.last_index(),
            snapshot_index: self.snapshot_index(),
            voters: self.configuration.voters().iter().map(NodeId::to_string).collect(),
            learners: self.configuration.learners().iter().map(NodeId::to_string).collect(),
        }
    }
}

impl<M: StateMachine> Raft<M> {
    fn tick(&mut self) {
        self.check_transfer_deadline();
        match &self.role {
            Role::Leader(leader) => {
                let heartbeat_due = leader.heartbeat_at <= self.now;
                self.check_quorum();
                if heartbeat_due {
                    self.dismiss_removed();
                    self.broadcast_heartbeat();
                }
            }
            Role::Follower | Role::PreCandidate(_) | Role::Candidate(_) => {
                if self.election_at <= self.now {
                    self.on_election_timeout();
                }
            }
        }
    }

    fn receive(&mut self, from: NodeId, Message { term, body }: Message) {
        if from == self.config.id || self.ignores(&body) {
            return;
        }
        if self.has(Bug::RP07) {
            self.reset_election_timer();
        }
        if term > self.hard.term && self.learns_term_from(&body) || term < self.hard.term && self.goes_back_with(&body)
        {
            self.adopt_term(term);
        }
        if term < self.hard.term && !self.takes_late(&body) {
            return self.answer_from_later_term(from, term, &body);
        }
        match body {
            Body::RequestPreVote { last } => self.on_request_pre_vote(from, last),
            Body::PreVote { ballot, granted } => self.on_pre_vote(from, ballot, granted),
            Body::RequestVote { last, transfer: _ } => self.on_request_vote(from, last),
            Body::Vote { granted } => self.on_vote(from, granted),
            Body::Append { previous, commit, entries } => {
                self.follow(from);
                self.on_append(from, previous, commit, entries);
            }
            Body::Appended { matched } => self.on_appended(from, matched),
            Body::Conflict { previous_index, hint } => self.on_conflict(from, previous_index, hint),
            Body::Heartbeat { commit, round } => {
                self.follow(from);
                self.on_heartbeat(from, commit, round);
            }
            Body::HeartbeatReply { round } => self.on_heartbeat_reply(from, round),
            Body::SnapshotChunk { snapshot, offset, chunk } => {
                self.follow(from);
                self.on_snapshot_chunk(from, snapshot, offset, &chunk);
            }
            Body::SnapshotWanted { snapshot, offset } => self.on_snapshot_wanted(from, snapshot, offset),
            Body::TimeoutNow => self.on_timeout_now(),
            Body::Stale if self.has(Bug::RE13) => self.on_heartbeat_reply(from, self.last_round()),
            Body::Stale => {}
        }
    }

    /// While a leader is heard, candidates are not even answered, and their term is not taken on (thesis 4.2.3, 9.6).
    fn ignores(&self, body: &Body) -> bool {
        let asks_around = matches!(body, Body::RequestPreVote { .. });
        let stands = matches!(body, Body::RequestVote { transfer: false, .. }) && self.config.check_quorum;
        (asks_around || stands) && self.hears_a_leader()
    }

    /// Whether a later term in this message is taken on: always (figure 2, all servers), but for planted bugs.
    fn learns_term_from(&self, body: &Body) -> bool {
        let loses_answers = self.has(Bug::RE13) && body.is_answer();
        let loses_pre_votes = self.has(Bug::RP03) && matches!(body, Body::RequestPreVote { .. } | Body::PreVote { .. });
        !loses_answers && !loses_pre_votes
    }

    /// RE-14: whether an earlier term in this message is taken on.
    fn goes_back_with(&self, body: &Body) -> bool {
        self.has(Bug::RE14) && !body.is_answer() && !matches!(body, Body::RequestPreVote { .. })
    }

    /// Whether this message of an earlier term is taken as if it were of this one: never, but for planted bugs.
    fn takes_late(&self, body: &Body) -> bool {
        self.has(Bug::RE06) && matches!(body, Body::Vote { .. })
            || self.has(Bug::RL10) && matches!(body, Body::Append { .. })
    }

    /// The sender is behind: the answer's term is what it has to know.
    fn answer_from_later_term(&mut self, from: NodeId, term: u64, body: &Body) {
        match body {
            Body::RequestPreVote { .. } if self.has(Bug::RP03) => {}
            Body::Append { .. } | Body::Heartbeat { .. } | Body::SnapshotChunk { .. } if self.has(Bug::RP04) => {}
            Body::RequestPreVote { .. } => self.send(from, Body::PreVote { ballot: term + 1, granted: false }),
            Body::RequestVote { .. } => self.send(from, Body::Vote { granted: false }),
            Body::Append { .. } | Body::Heartbeat { .. } | Body::SnapshotChunk { .. } => self.send(from, Body::Stale),
            Body::PreVote { .. }
            | Body::Vote { .. }
            | Body::Appended { .. }
            | Body::Conflict { .. }
            | Body::HeartbeatReply { .. }
            | Body::SnapshotWanted { .. }
            | Body::TimeoutNow
            | Body::Stale => {}
        }
    }

    fn request(&mut self, id: RequestId, request: Request<M::Query>) {
        if !self.is_leader() {
            return match request {
                Request::Query(query) if self.has(Bug::RR02) || self.reads_while_it_replays() => {
                    self.answer_locally(id, &query);
                }
                Request::Command(command) if self.has(Bug::RL09) && self.memory.led_last => self.propose(id, command),
                Request::Command(_)
                | Request::Query(_)
                | Request::TransferLeadership { .. }
                | Request::ChangeMembership(_) => {
                    self.refuse(id, Refusal::NotLeader { leader: self.leader });
                }
            };
        }
        if self.requests.len() >= self.config.limits.open_requests {
            return self.refuse(id, Refusal::Overloaded);
        }
        match request {
            Request::Query(query) => self.read(id, query),
            Request::Command(_) | Request::TransferLeadership { .. } | Request::ChangeMembership(_)
                if self.transfer.is_some() =>
            {
                self.refuse(id, Refusal::Transferring);
            }
            Request::Command(command) => self.propose(id, command),
            Request::TransferLeadership { to } => self.transfer_leadership(id, to),
            Request::ChangeMembership(change) => self.change_membership(id, change),
        }
    }

    fn refuse(&mut self, id: RequestId, refusal: Refusal) {
        self.outbox.reply(id, Response::Refused(refusal));
    }

    /// Hands to the disk all that it was not yet given, in one write, and lets out what waits for it.
    fn persist(&mut self) {
        if self.has(Bug::RE03) && self.parts_term_and_vote() {
            return;
        }
        let last_index = self.log.last_index();
        let write = match &self.snapshot {
            Some(snapshot) if self.disk.checkpoint_due => {
                let mut tail = vec![encode(&Record::HardState(self.hard))];
                tail.extend(self.entry_records(snapshot.id.position.index + 1));
                Some(Write::Checkpoint { snapshot: snapshot.bytes.clone(), tail })
            }
            Some(_) | None if self.outbox.hard_state_changed() || self.disk.written < last_index => {
                let hard_state = self.outbox.hard_state_changed().then(|| encode(&Record::HardState(self.hard)));
                Some(Write::Append(hard_state.into_iter().chain(self.entry_records(self.disk.written + 1)).collect()))
            }
            Some(_) | None => None,
        };
        let write = write.map(|write| (self.disk.begin(last_index), write));
        self.outbox.persist(write);
    }

    /// RE-03: the vote is written first, beside the term that was, and the term only when that is durable. Answers whether
    /// the rest has to wait.
    fn parts_term_and_vote(&mut self) -> bool {
        let memory = &mut self.memory;
        if !self.outbox.hard_state_changed() || memory.term_on_disk == self.hard.term {
            return false;
        }
        if memory.parted != Some(self.hard) {
            memory.parted = Some(self.hard);
            let record = Record::HardState(HardState { term: memory.term_on_disk, vote: self.hard.vote });
            let id = self.disk.begin_beside();
            self.outbox.write_alone(id, Write::Append(vec![encode(&record)]));
            return true;
        }
        let busy = self.disk.is_busy();
        if !busy {
            memory.term_on_disk = self.hard.term;
        }
        busy
    }

    /// Records of the entries from `first` to the end of the log.
    fn entry_records(&self, mut first: u64) -> Vec<bytes::Bytes> {
        let limits = &self.config.limits;
        let mut records = Vec::new();
        while first <= self.log.last_index() {
            let entries = self.log.slice(first, limits.append_entries, limits.append_bytes);
            let next = first + entries.len() as u64;
            records.push(encode(&Record::Entries { first, entries }));
            first = next;
        }
        records
    }
}
