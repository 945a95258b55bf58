//! Changes of the cluster's members, one at a time (thesis, chapter 4).
//!
//! A configuration is an entry of the log. The newest one in a member's log counts for this member from the moment it is
//! there, committed or not, and is rolled back where it is cut off the log again. A leader begins a change only when the last
//! one is committed and it has committed an entry of its own term; without the second rule two leaders can change the same
//! configuration into two whose majorities do not overlap (Ongaro, "bug in single-server membership changes", raft-dev,
//! 2015).
//!
//! There is no joint consensus (thesis 4.3). It could replace several members in one step, at the price of a second kind of
//! majority in every decision. Replacing them one after another takes more steps and nothing else, and can be checked by
//! looking at one configuration at a time.
//!
//! Messages count whoever sends them (4.1): a node that is being added does not know the cluster yet, and a voter may not know
//! yet that a candidate was promoted, or that it is one itself. Only whose vote and whose acknowledgement makes up a majority
//! depends on the configuration. Removed members do no harm: they don't stand for election once they know that it is settled,
//! and until then pre-votes and the leader's followers hold them off (4.2.3). A removed leader leads on, without counting
//! itself, until the others hold the change (4.2.2), and then asks one of them to take over.

use crate::raft::progress::{Progress, ProgressState};
use crate::raft::quorum::Quorum;
use crate::raft::{
    Body, Bug, Change, Configuration, Entry, Message, Payload, Raft, Refusal, Response, Role, StateMachine,
};
use crate::server::{NodeId, RequestId};

impl<M: StateMachine> Raft<M> {
    /// A client asks the leader for a change.
    pub(super) fn change_membership(&mut self, id: RequestId, change: Change) {
        match self.next_configuration(change) {
            Ok(next) => {
                self.log.push(Entry { term: self.hard.term, payload: Payload::Configuration(next) });
                self.requests.open_command(id, self.log.last());
                self.follow_configuration();
            }
            Err(refusal) => self.outbox.reply(id, Response::Refused(refusal)),
        }
    }

    /// The configuration that `change` leads to, where it may begin now.
    fn next_configuration(&self, change: Change) -> Result<Configuration, Refusal> {
        if !self.has_committed_in_its_term() && !self.has(Bug::RM01) {
            return Err(Refusal::NotYetCommittedInTerm);
        }
        if self.log.configuration().0 > self.commit_index && !self.has(Bug::RM02) {
            return Err(Refusal::ChangeInProgress);
        }
        let mut next =
            self.configuration.after(change).map_err(|reason| Refusal::ChangeImpossible { change, reason })?;
        match change {
            Change::Promote(learner) if !self.has(Bug::RM08) => self.check_caught_up(learner)?,
            Change::Remove(_) if self.has(Bug::RM03) => next = next.with_all_promoted(),
            Change::Promote(_) | Change::Remove(_) | Change::AddLearner(_) => {}
        }
        Ok(next)
    }

    /// A voter that lacks much of the log would hold up commits until it has it (thesis 4.2.1). What it may lack of what is
    /// committed is what fits one append.
    fn check_caught_up(&self, learner: NodeId) -> Result<(), Refusal> {
        let Role::Leader(leader) = &self.role else { return Ok(()) };
        let Some(progress) = leader.progress.get(&learner) else { return Ok(()) };
        let heard = self.now.since(progress.heard_at) < self.config.timing.election_min_us;
        let missing = self.commit_index.saturating_sub(progress.matched);
        let caught_up = missing <= self.config.limits.append_entries as u64;
        match progress.state {
            ProgressState::Replicate { .. } if heard && caught_up => Ok(()),
            ProgressState::Replicate { .. } | ProgressState::Probe { .. } | ProgressState::Snapshot { .. } => {
                Err(Refusal::LearnerBehind { learner, missing, heard })
            }
        }
    }

    /// The newest configuration in the log counts. To be called where one may have come or gone.
    pub(super) fn follow_configuration(&mut self) {
        let (_, configuration) = match self.has(Bug::RM06) {
            true => self.log.configuration_at(self.applied_index),
            false => self.log.configuration(),
        };
        if *configuration == self.configuration {
            return;
        }
        self.configuration = configuration.clone();
        self.quorum = Quorum::of(&self.configuration, self.config.bug);
        let Role::Leader(leader) = &mut self.role else { return };
        if self.config.bug == Some(Bug::RM12) {
            self.quorum.count_also(self.config.id);
        }
        // Whoever is gone is still sent entries, so that it learns of it.
        for id in self.configuration.others(self.config.id) {
            leader.progress.entry(id).or_insert_with(|| Progress::new(self.log.last_index() + 1, self.now));
        }
    }

    /// Whether this member is a voter. One whose removal is in its log, but perhaps not committed, still stands for election
    /// without counting itself: the others may need it, since they can't elect anyone with a shorter log (thesis 4.2.2).
    pub(super) fn may_stand(&self) -> bool {
        let since = self.log.configuration().0;
        let removal_is_open = || self.log.configuration_at(since - 1).1.is_voter(self.config.id);
        self.configuration.is_voter(self.config.id) || since > self.commit_index && removal_is_open()
    }

    /// A configuration is committed, and applied by this member.
    pub(super) fn settle_configuration(&mut self) {
        if self.has(Bug::RM06) {
            self.follow_configuration();
        }
        if self.applied_index < self.log.configuration().0 {
            return;
        }
        self.dismiss_removed();
        if self.is_leader() && !self.configuration.is_voter(self.config.id) {
            self.retire();
        }
    }

    /// Once a removal is committed, whoever was removed and holds it is told with a last heartbeat. Then the leader forgets it,
    /// as it does those that it does not hear any more.
    pub(super) fn dismiss_removed(&mut self) {
        let Role::Leader(leader) = &mut self.role else { return };
        let since = self.log.configuration().0;
        if since > self.commit_index {
            return;
        }
        let leaves = |(id, progress): &(&NodeId, &Progress)| {
            let done =
                progress.matched >= since || self.now.since(progress.heard_at) >= self.config.timing.election_max_us;
            done && !self.configuration.contains(**id)
        };
        let told = |(id, progress): (&NodeId, &Progress)| (*id, progress.matched.min(self.commit_index));
        let (leaving, round) = (leader.progress.iter().filter(leaves).map(told).collect::<Vec<_>>(), leader.round);
        for (to, commit) in leaving {
            leader.progress.remove(&to);
            self.outbox.send(to, Message { term: self.hard.term, body: Body::Heartbeat { commit, round } });
        }
    }

    /// A leader that was removed hands over to the voter that holds most of the log. What clients still wait for may or may
    /// not be in that log, and this member will not hear of it.
    fn retire(&mut self) {
        let Role::Leader(leader) = &self.role else { return };
        let best = self.configuration.voters().iter().max_by_key(|id| leader.matched(**id)).copied();
        if let Some(to) = best {
            self.send(to, Body::TimeoutNow);
        }
        self.fail_transfer("this member was removed");
        self.step_down();
        while let Some((id, _)) = self.requests.close_command_until(u64::MAX) {
            self.outbox.reply(id, Response::Unknown);
        }
    }
}
