//! Linearizable reads without entries in the log (thesis 6.4).

use std::collections::VecDeque;

use crate::raft::{Bug, Raft, Response, Role, StateMachine};
use crate::server::RequestId;

/// Reads at a leader, on their way from arrival to answer.
pub(super) struct Reads<Q> {
    /// Arrived since the last flush, or before the leader has committed an entry of its term.
    arrived: Vec<(RequestId, Q)>,
    /// Wait for a round of heartbeats. Rounds and indices only grow.
    asked: VecDeque<Read<Q>>,
    /// Confirmed; wait until the state machine is as far as their index.
    confirmed: VecDeque<Read<Q>>,
}

struct Read<Q> {
    id: RequestId,
    query: Q,
    /// The commit index when the round was sent.
    index: u64,
    /// The round of heartbeats that was sent after the read arrived.
    round: u64,
}

impl<Q> Default for Reads<Q> {
    fn default() -> Self {
        Self { arrived: Vec::new(), asked: VecDeque::new(), confirmed: VecDeque::new() }
    }
}

impl<Q> Reads<Q> {
    /// Forgets all reads; answers which they were.
    pub(super) fn clear(&mut self) -> Vec<RequestId> {
        let arrived = self.arrived.drain(..).map(|(id, _)| id);
        let under_way = self.asked.drain(..).chain(self.confirmed.drain(..)).map(|read| read.id);
        arrived.chain(under_way).collect()
    }
}

impl<M: StateMachine> Raft<M> {
    /// A client's query at the leader.
    pub(super) fn read(&mut self, id: RequestId, query: M::Query) {
        if self.has(Bug::RR01) || self.reads_while_it_replays() {
            return self.answer_locally(id, &query);
        }
        self.requests.open(id);
        self.reads.arrived.push((id, query));
    }

    /// Answers from the state as it is, whatever it is.
    pub(super) fn answer_locally(&mut self, id: RequestId, query: &M::Query) {
        let answer = self.machine.query(query);
        self.outbox.reply(id, Response::Answer(answer));
    }

    /// Moves reads on as far as they can go now.
    pub(super) fn serve_reads(&mut self) {
        if !self.reads.arrived.is_empty() && (self.has_committed_in_its_term() || self.has(Bug::RR03)) {
            self.ask_for_confirmation();
        }
        let confirmed = self.confirmed_round();
        let asked = &mut self.reads.asked;
        let confirmed = asked.partition_point(|read| read.round <= confirmed);
        self.reads.confirmed.extend(asked.drain(..confirmed));
        let waits = !self.has(Bug::RR04);
        let due = self.reads.confirmed.partition_point(|read| !waits || read.index <= self.applied_index);
        for read in self.reads.confirmed.drain(..due).collect::<Vec<_>>() {
            if self.requests.close(read.id) {
                self.answer_locally(read.id, &read.query);
            }
        }
    }

    /// RR-10.
    pub(super) fn reads_while_it_replays(&self) -> bool {
        self.has(Bug::RR10) && self.applied_index < self.memory.recovered_index
    }

    /// Before that, a leader does not know what its predecessors committed.
    pub(super) fn has_committed_in_its_term(&self) -> bool {
        let all_counted = self.has(Bug::RC01) && self.commit_index == self.log.last_index();
        self.is_leader() && (self.log.term_at(self.commit_index) == Some(self.hard.term) || all_counted)
    }

    /// One round of heartbeats for all reads that have arrived, or none while the lease lasts.
    fn ask_for_confirmation(&mut self) {
        let leased = self.has_lease();
        if !leased {
            self.broadcast_heartbeat();
        }
        let Role::Leader(leader) = &self.role else { return };
        let (index, round) = (self.commit_index, leader.round);
        let queue = if leased { &mut self.reads.confirmed } else { &mut self.reads.asked };
        queue.extend(self.reads.arrived.drain(..).map(|(id, query)| Read { id, query, index, round }));
    }

    /// Whether no other member can have been elected (thesis 6.4.1). The lease runs from the moment when the heartbeat was
    /// sent: its receivers ignore candidates from then on for longer than that.
    fn has_lease(&self) -> bool {
        let Role::Leader(leader) = &self.role else { return false };
        let timing = self.config.timing;
        let lease_us = if self.has(Bug::RR07) { timing.election_max_us } else { timing.lease_us };
        let lasts = |from| self.now.since(from) < lease_us;
        self.config.lease_reads && !leader.lease_given_up && leader.lease_from.is_some_and(lasts)
    }
}
