//! Elections (section 5.2, thesis 3.4, 9.6), and why a calm cluster has none (thesis 4.2.3, 6.2).

use std::collections::BTreeMap;

use crate::raft::{Body, Bug, Leader, Local, Position, Raft, Refusal, Response, Role, Safeguard, StateMachine};
use crate::server::NodeId;

impl<M: StateMachine> Raft<M> {
    /// The first step of a life.
    pub(super) fn start(&mut self) {
        self.started = true;
        self.draw_election_timeout();
        // Whoever was heard in an earlier life may hold a lease that counts on this member's silence.
        self.heard_at = self.config.lease_reads.then_some(self.now);
    }

    /// A new random timeout, from now.
    fn draw_election_timeout(&mut self) {
        let timing = self.config.timing;
        let spread_us = timing.election_max_us - timing.election_min_us;
        self.election_timeout_us = timing.election_min_us + self.draw.next_u64() % (spread_us + 1);
        if self.has(Bug::RP06) {
            self.election_timeout_us = timing.election_min_us;
        }
        self.reset_election_timer();
    }

    pub(super) fn reset_election_timer(&mut self) {
        self.election_at = self.now.after(self.election_timeout_us);
    }

    /// No leader was heard for too long: ask around whether an election could be won, and only then begin one.
    pub(super) fn on_election_timeout(&mut self) {
        self.draw_election_timeout();
        self.leader = None;
        if !self.may_stand() {
            return self.stay_out_of_elections();
        }
        let votes = BTreeMap::from([(self.config.id, true)]);
        let asks_around = self.config.pre_vote && self.keeps(Safeguard::PreVote);
        if !asks_around || self.quorum.reached(|id| votes.contains_key(&id)) {
            return self.stand(false);
        }
        self.role = Role::PreCandidate(votes);
        let last = self.log.last();
        for to in self.configuration.other_voters(self.config.id).collect::<Vec<_>>() {
            self.send(to, Body::RequestPreVote { last });
        }
    }

    /// Learners, removed members and nodes that were not added yet wait to hear of a leader.
    fn stay_out_of_elections(&mut self) {
        self.role = Role::Follower;
        if self.has(Bug::RM10) {
            self.stand(true);
        }
    }

    /// Begins an election in the next term.
    fn stand(&mut self, transfer: bool) {
        self.enter_term(self.hard.term + 1);
        self.hard.vote = Some(self.config.id);
        self.draw_election_timeout();
        self.role = Role::Candidate(BTreeMap::from([(self.config.id, true)]));
        let last = self.log.last();
        for to in self.configuration.other_voters(self.config.id).collect::<Vec<_>>() {
            self.send(to, Body::RequestVote { last, transfer });
        }
    }

    /// The vote for itself is durable. For the only voter that is enough; where there are others it was sent out only now.
    pub(super) fn on_own_vote_durable(&mut self) {
        if let Role::Candidate(votes) = &self.role
            && self.quorum.result(votes) == Some(true)
        {
            self.lead();
        }
    }

    /// Begins to lead, with an entry of its own term (section 8).
    fn lead(&mut self) {
        let followers = self.configuration.others(self.config.id);
        let mut leader = Leader::new(followers, self.log.last_index(), self.now);
        if self.has(Bug::RL07) {
            leader.take_over(&self.memory.progress);
        }
        if self.has(Bug::RX02) {
            self.machine.overhear(Local::Leads);
        }
        self.role = Role::Leader(leader);
        self.leader = Some(self.config.id);
        self.fail_transfer("this member was elected again");
        if self.keeps(Safeguard::Noop) {
            self.append_noop();
        } else if let Role::Leader(leader) = &mut self.role {
            leader.durable = self.log.last_index();
        }
        self.broadcast_heartbeat();
    }

    /// A new term, in which this member has not voted.
    fn enter_term(&mut self, term: u64) {
        self.hard.term = term;
        self.hard.vote = None;
        self.leader = None;
        self.outbox.drop_promises_before(term);
        self.hard_state_changed();
    }

    /// No message leaves before term and vote are durable.
    fn hard_state_changed(&mut self) {
        if !self.has(Bug::RE01) {
            self.outbox.hold_for_hard_state();
        }
    }

    /// RE-04.
    fn forget_vote(&mut self) {
        if self.hard.vote.take().is_some() {
            self.hard_state_changed();
        }
    }

    /// Someone is in a later term: whatever this member was, it is a follower now (figure 2, all servers).
    pub(super) fn adopt_term(&mut self, term: u64) {
        self.step_down();
        self.enter_term(term);
    }

    /// Becomes a follower in the same term.
    pub(super) fn step_down(&mut self) {
        let role = std::mem::replace(&mut self.role, Role::Follower);
        self.leader = None;
        if self.has(Bug::RE04) {
            self.forget_vote();
        }
        if let Role::Leader(leader) = role {
            self.heard_at = None;
            self.draw_election_timeout();
            self.refuse_reads();
            if self.has(Bug::RX09) {
                self.refuse_commands();
            }
            self.memory.office_ended(leader, self.config.bug);
        }
    }

    /// A message of the leader of the current term.
    pub(super) fn follow(&mut self, leader: NodeId) {
        if let Role::Leader(_) = self.role {
            let term = self.hard.term;
            self.contradiction(|| format!("{leader} leads in term {term}, and so does this member"));
            self.step_down();
        }
        self.role = Role::Follower;
        if self.leader != Some(leader) {
            self.leader = Some(leader);
            self.settle_transfer(leader);
        }
        if self.has(Bug::RE04) {
            self.forget_vote();
        }
        self.memory.led_last = false;
        self.heard_at = Some(self.now);
        self.reset_election_timer();
    }

    /// Whether a leader may count on this member to ignore candidates: it leads itself, or heard a leader within the
    /// shortest election timeout.
    pub(super) fn hears_a_leader(&self) -> bool {
        let lately = |heard| self.now.since(heard) < self.config.timing.election_min_us;
        self.is_leader() || self.heard_at.is_some_and(lately)
    }

    /// Whether a candidate's log holds all that may be committed (section 5.4.1).
    fn is_up_to_date(&self, from: NodeId, last: Position) -> bool {
        let own = self.log.last();
        if self.has(Bug::RE07) {
            return true;
        }
        if self.has(Bug::RE08) {
            return last.index >= own.index;
        }
        if self.has(Bug::RE09) {
            return last.term >= own.term && last.index >= own.index;
        }
        if self.has(Bug::RE10) {
            return (last.term, from, last.index) >= (own.term, self.config.id, own.index);
        }
        last >= own
    }

    /// Also a member that is no voter as far as it knows grants its vote: it may have been promoted (thesis 4.1).
    fn may_vote(&self) -> bool {
        !self.has(Bug::RM09) || self.configuration.is_voter(self.config.id)
    }

    pub(super) fn on_request_pre_vote(&mut self, from: NodeId, last: Position) {
        let granted = self.is_up_to_date(from, last) && self.may_vote();
        self.send(from, Body::PreVote { ballot: self.hard.term + 1, granted });
    }

    pub(super) fn on_pre_vote(&mut self, from: NodeId, ballot: u64, granted: bool) {
        let Role::PreCandidate(votes) = &mut self.role else { return };
        if ballot != self.hard.term + 1 {
            return;
        }
        votes.insert(from, granted);
        match self.quorum.result(votes) {
            Some(true) => self.stand(false),
            Some(false) => self.step_down(),
            None => {}
        }
    }

    pub(super) fn on_request_vote(&mut self, from: NodeId, last: Position) {
        let leaderless = self.leader.is_none() || self.has(Bug::RE04);
        let free = self.hard.vote.is_none() && leaderless;
        let granted = (free || self.hard.vote == Some(from)) && self.is_up_to_date(from, last) && self.may_vote()
            || self.has(Bug::RE11) && self.is_leader();
        if granted {
            // A new one: where the same candidate fails again and again, this member has to stand before it some time.
            self.draw_election_timeout();
            if self.hard.vote.is_none() {
                self.hard.vote = Some(from);
                self.hard_state_changed();
            }
        }
        if self.has(Bug::RE02) {
            return self.send_at_once(from, Body::Vote { granted });
        }
        self.send_when_durable(from, Body::Vote { granted });
    }

    pub(super) fn on_vote(&mut self, from: NodeId, granted: bool) {
        let counts_replies = self.has(Bug::RE05);
        let Role::Candidate(votes) = &mut self.role else { return };
        let silent = self.configuration.voters().iter().find(|voter| counts_replies && !votes.contains_key(voter));
        votes.insert(*silent.unwrap_or(&from), granted);
        match self.quorum.result(votes) {
            Some(true) => self.lead(),
            Some(false) => self.step_down(),
            None => {}
        }
    }

    /// The leader asks this member to take over (thesis 3.10).
    pub(super) fn on_timeout_now(&mut self) {
        if let Role::Follower = self.role
            && self.may_stand()
        {
            self.stand(true);
        }
    }

    /// A leader that heard no majority for the longest election timeout steps down (thesis 6.2): another may lead by now,
    /// and its clients should look for it.
    pub(super) fn check_quorum(&mut self) {
        if !(self.config.check_quorum && self.keeps(Safeguard::CheckQuorum)) {
            return;
        }
        let Role::Leader(leader) = &self.role else { return };
        let heard_at = self.quorum.agreed(|id| leader.progress.get(&id).map_or(self.now, |progress| progress.heard_at));
        if self.now.since(heard_at) >= self.config.timing.election_max_us {
            self.step_down();
        }
    }

    /// RX-09.
    fn refuse_commands(&mut self) {
        for id in self.requests.close_commands() {
            self.outbox.reply(id, Response::Refused(Refusal::NotLeader { leader: self.leader }));
        }
    }

    /// Reads are certain not to have happened, since they change nothing.
    fn refuse_reads(&mut self) {
        for id in self.reads.clear() {
            if self.requests.close(id) {
                self.outbox.reply(id, Response::Refused(Refusal::NotLeader { leader: self.leader }));
            }
        }
    }
}
