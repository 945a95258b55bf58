//! Who counts while the members change (thesis, chapter 4).

use super::{Checked, Invariants, Violation};
use crate::raft::{Change, Configuration, Position, Raft, Role, StateMachine};
use crate::server::NodeId;

impl<M: StateMachine> Invariants<M> {
    /// What a member's log and its new entries from `first` on say of who belongs to the cluster. Before this step the member
    /// had committed up to `committed`.
    pub(super) fn check_configurations(&self, node: NodeId, raft: &Raft<M>, first: u64, committed: u64) -> Checked {
        let base = raft.log.base().index;
        if first == base + 1 && raft.log.configuration_at(base).1 != self.configuration_at(raft, base) {
            return Err(Violation::SnapshotConfiguration { node, index: base });
        }
        let (mut since, mut after) = raft.log.configuration();
        while since >= first {
            let (since_before, before) = raft.log.configuration_at(since - 1);
            if !is_one_change(before, after) {
                let (before, after) = (before.clone(), after.clone());
                return Err(Violation::SingleChange { node, index: since, before, after });
            }
            let term = raft.hard.term;
            if raft.is_leader() && raft.log.term_at(since) == Some(term) {
                // Ongaro, "bug in single-server membership changes", raft-dev, 2015.
                if raft.log.term_at(raft.commit_index) != Some(term) {
                    return Err(Violation::EarlyChange { leader: node, term, index: since });
                }
                self.check_promotion(node, raft, (before, after), committed)?;
            }
            (since, after) = (since_before, before);
        }
        Ok(())
    }

    /// The configuration that the entries up to `index` make, where all of them are known to be committed; else what the
    /// member takes for it.
    fn configuration_at<'a>(&'a self, raft: &'a Raft<M>, index: u64) -> &'a Configuration {
        let taken = raft.log.configuration_at(index).1;
        if index > self.ledger.committed_until() {
            return taken;
        }
        self.ledger.configuration_at(index).or(self.first_configuration.as_ref()).unwrap_or(taken)
    }

    /// A leader makes a learner a voter when it has caught up but for one append (4.2.1).
    fn check_promotion(
        &self,
        leader: NodeId,
        raft: &Raft<M>,
        (before, after): (&Configuration, &Configuration),
        committed: u64,
    ) -> Checked {
        let most = raft.config.limits.append_entries as u64;
        let promoted = after.voters().iter().filter(|voter| before.is_learner(**voter));
        for learner in promoted {
            let held = self.members[usize::from(learner.0) - 1].durable.log.last_index();
            if held + most < committed {
                return Err(Violation::CaughtUp { leader, learner: *learner, held, committed });
            }
        }
        Ok(())
    }

    /// Whoever is no voter stays out of elections (4.2.1, 4.2.3), unless it was one before its newest configuration and does
    /// not know yet that this is committed (4.2.2).
    pub(super) fn check_candidate(&mut self, node: NodeId, raft: &Raft<M>) -> Checked {
        let stands = match raft.role {
            Role::Candidate(_) => Some(raft.hard.term),
            Role::Follower | Role::PreCandidate(_) | Role::Leader(_) => None,
        };
        let member = self.member(node);
        if std::mem::replace(&mut member.stands_in, stands) == stands || stands.is_none() {
            return Ok(());
        }
        let (since, newest) = raft.log.configuration();
        let was_voter = || since > raft.commit_index && raft.log.configuration_at(since - 1).1.is_voter(node);
        if newest.is_voter(node) || was_voter() {
            return Ok(());
        }
        Err(Violation::OnlyVotersStand { node, term: raft.hard.term, configuration: newest.clone() })
    }

    /// Takes over whom a member takes for the members: the newest configuration in its log, committed or not (4.1). Whoever changes its mind must not be able to lead without what is
    /// committed.
    pub(super) fn take_configuration(&mut self, node: NodeId, raft: &Raft<M>) -> Checked {
        let newest = raft.log.configuration().1;
        if raft.configuration != *newest {
            let (used, newest) = (raft.configuration.clone(), newest.clone());
            return Err(Violation::NewestConfiguration { node, used, newest });
        }
        let member = &mut self.members[usize::from(node.0) - 1];
        if member.configuration == raft.configuration {
            return Ok(());
        }
        member.configuration.clone_from(&raft.configuration);
        self.configurations_differ = self.members.iter().any(|member| member.configuration != raft.configuration);
        match self.ledger.last_committed() {
            Some(missing) if self.configurations_differ => self.check_rival(node, missing),
            Some(_) | None => Ok(()),
        }
    }

    /// Leader completeness, before anyone leads: nobody who lacks what is committed could be elected now, by the voters of
    /// its own configuration, as their logs are. What makes this true while members disagree on who they are is that any
    /// two majorities that may still decide have a voter in common (4.1).
    pub(super) fn check_rivals(&self, leader: NodeId, committed: Position) -> Checked {
        if !self.configurations_differ {
            return Ok(());
        }
        let leaders = &self.members[usize::from(leader.0) - 1].configuration;
        for (node, member) in (1..).map(NodeId).zip(&self.members) {
            if member.configuration.voters() != leaders.voters() {
                self.check_rival(node, committed)?;
            }
        }
        Ok(())
    }

    fn check_rival(&self, node: NodeId, missing: Position) -> Checked {
        let rival = &self.members[usize::from(node.0) - 1];
        let voters = rival.configuration.voters();
        if !rival.is_up || !rival.configuration.is_voter(node) || rival.log.may_hold(missing) {
            return Ok(());
        }
        let last = rival.log.last();
        // One that crashes may come back with either log.
        let may_vote = |voter: &&NodeId| {
            let member = &self.members[usize::from(voter.0) - 1];
            let logs = [&member.log, &member.durable.log];
            logs.into_iter().all(|log| log.last() <= last && !log.may_hold(missing))
        };
        let votes: Vec<NodeId> = voters.iter().filter(may_vote).copied().collect();
        if votes.len() > voters.len() / 2 {
            return Err(Violation::Electable { node, votes, configuration: rival.configuration.clone(), missing });
        }
        Ok(())
    }
}

/// Whether one change leads from one configuration to the other.
fn is_one_change(before: &Configuration, after: &Configuration) -> bool {
    let members = |of: &Configuration| of.voters().iter().chain(of.learners()).copied().collect::<Vec<_>>();
    let adding = members(after).into_iter().map(Change::AddLearner);
    let promoting = before.learners().iter().copied().map(Change::Promote);
    let removing = members(before).into_iter().map(Change::Remove);
    adding.chain(promoting).chain(removing).any(|change| before.after(change).is_ok_and(|next| next == *after))
}
