//! What no client can see: the properties on which Raft's proof rests, checked while a cluster runs.
//!
//! A simulation tells [`Invariants`] what happens, in the order in which it happens:
//!
//! - [`Invariants::recovered`] when a member came up, [`Invariants::stepped`] when it was stepped and flushed,
//!   [`Invariants::crashed`] when it is gone;
//! - [`Invariants::durable`] when a write is durable, before the member hears of it and before what waited for it leaves;
//! - [`Invariants::sent`] when a message leaves;
//! - [`Invariants::converged`] at the end, when all faults are over for long and nothing is asked any more.
//!
//! The first promise that is broken stays in [`Invariants::violation`]; after it nothing is checked, since all that follows
//! may follow from it. Each is described at its [`Violation`].
//!
//! The members' logs are mirrored as terms, and every entry that was ever seen stands in one ledger, so that a step costs
//! what has changed in it: an entry is looked at once when a log takes it and once when it is committed there.

mod ledger;
mod member;
mod membership;
mod state;
#[cfg(test)]
mod tests;
mod violation;

use std::collections::BTreeMap;

use crate::raft::{Body, Configuration, Message, Payload, Position, Raft, StateMachine};
use crate::server::{NodeId, Write};
use ledger::Ledger;
use member::Member;
use state::Reference;
pub use violation::{Fact, Violation};

type Checked = Result<(), Violation>;

/// Looks on while a cluster runs. See the [module](self).
pub struct Invariants<M: StateMachine> {
    members: Vec<Member>,
    ledger: Ledger,
    reference: Reference<M>,
    leaders: BTreeMap<u64, NodeId>,
    /// Commits in terms before that of a leader that was already there.
    late_commits: u64,
    /// The one before the first entry.
    first_configuration: Option<Configuration>,
    /// Whether members differ in whom they take for the members.
    configurations_differ: bool,
    violation: Option<Violation>,
}

impl<M: StateMachine> Invariants<M> {
    /// Nodes from 1 to `nodes`, none of which has run yet. `reference` is the right state machine before the first command,
    /// without a planted bug.
    #[must_use]
    pub fn new(nodes: u16, reference: M) -> Self {
        Self {
            members: (0..nodes).map(|_| Member::default()).collect(),
            ledger: Ledger::default(),
            reference: Reference::new(reference),
            leaders: BTreeMap::new(),
            late_commits: 0,
            first_configuration: None,
            configurations_differ: false,
            violation: None,
        }
    }

    /// The first promise that was seen broken.
    #[must_use]
    pub fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// Terms in which a leader was seen.
    #[must_use]
    pub fn leaders(&self) -> usize {
        self.leaders.len()
    }

    /// A member came up from what its disk held.
    pub fn recovered(&mut self, node: NodeId, raft: &Raft<M>) {
        self.note(|this| {
            this.first_configuration.get_or_insert_with(|| raft.config.initial_configuration());
            let member = this.member(node);
            member.come_up();
            member.durable.recover(node, raft)?;
            let (before, after) = (member.spoken_term, raft.hard.term);
            if after < before {
                return Err(Violation::MonotonicTerm { node, before, after });
            }
            this.check_step(node, raft)
        });
    }

    /// A member was stepped and flushed.
    pub fn stepped(&mut self, node: NodeId, raft: &Raft<M>) {
        self.note(|this| this.check_step(node, raft));
    }

    /// A write of a member is durable.
    pub fn durable(&mut self, node: NodeId, write: &Write) {
        self.member(node).durable.take(write);
    }

    /// A message left a member.
    pub fn sent(&mut self, from: NodeId, to: NodeId, message: &Message) {
        self.note(|this| this.check_message(from, to, message));
    }

    /// A member is gone, with all that was not durable.
    pub fn crashed(&mut self, node: NodeId) {
        let member = self.member(node);
        member.leads_in = None;
        member.is_up = false;
    }

    /// Long after the last fault and the last request: the members are all in the same state. Those that do not belong to
    /// the cluster any more need not be given.
    pub fn converged<'a>(&mut self, members: impl IntoIterator<Item = (NodeId, &'a Raft<M>)>)
    where
        M: 'a,
    {
        self.note(|this| this.check_convergence(members.into_iter().collect()));
    }

    /// What was committed at `index`, where that is known.
    #[must_use]
    pub fn committed(&self, index: u64) -> Option<&Payload> {
        self.ledger.committed(index)
    }

    fn note(&mut self, check: impl FnOnce(&mut Self) -> Checked) {
        if self.violation.is_none()
            && let Err(violation) = check(self)
        {
            self.violation = Some(violation);
        }
    }

    fn member(&mut self, node: NodeId) -> &mut Member {
        &mut self.members[usize::from(node.0) - 1]
    }

    fn check_step(&mut self, node: NodeId, raft: &Raft<M>) -> Checked {
        if let Some(reason) = &raft.halted {
            return Err(Violation::Halted { node, reason: reason.clone() });
        }
        let committed = self.member(node).commit_index;
        self.check_progress(node, raft)?;
        self.take_log(node, raft, committed)?;
        self.take_configuration(node, raft)?;
        self.take_commits(node, raft)?;
        self.check_candidate(node, raft)?;
        self.check_leader(node, raft)?;
        let applied_index = raft.applied_index;
        if self.reference.is_due(node, applied_index) {
            self.reference.next_turn(node, self.members.len());
            if !self.reference.agrees(&self.ledger, &raft.machine, applied_index) {
                return Err(Violation::SameState { node, applied_index });
            }
        }
        Ok(())
    }

    /// Term, commit index and applied index only grow in a life.
    fn check_progress(&mut self, node: NodeId, raft: &Raft<M>) -> Checked {
        let (term, commit_index, applied_index) = (raft.hard.term, raft.commit_index, raft.applied_index);
        let member = self.member(node);
        if term < member.term {
            return Err(Violation::MonotonicTerm { node, before: member.term, after: term });
        }
        if commit_index < member.commit_index {
            return Err(Violation::MonotonicCommit { node, before: member.commit_index, after: commit_index });
        }
        if applied_index < member.applied_index {
            return Err(Violation::MonotonicApplied { node, before: member.applied_index, after: applied_index });
        }
        if applied_index > commit_index {
            return Err(Violation::AppliedCommitted { node, applied_index, commit_index });
        }
        (member.term, member.commit_index, member.applied_index) = (term, commit_index, applied_index);
        Ok(())
    }

    /// Takes what is new in a log: log matching, leader append-only, and how the members change. Before this step the member
    /// had committed up to `committed`.
    fn take_log(&mut self, node: NodeId, raft: &Raft<M>, committed: u64) -> Checked {
        let member = &mut self.members[usize::from(node.0) - 1];
        let unchanged = raft.log.take_unchanged().min(member.log.last_index());
        if unchanged == raft.log.last_index() && unchanged == member.log.last_index() {
            return Ok(());
        }
        let term = raft.hard.term;
        if unchanged < member.log.last_index() && member.leads_in == Some(term) && raft.is_leader() {
            return Err(Violation::LeaderAppendOnly { leader: node, term, index: unchanged + 1 });
        }
        let base = raft.log.base();
        member.log.truncate(unchanged);
        member.compared = member.compared.min(unchanged);
        if unchanged < base.index {
            member.log.end_at(base);
        }
        let first = unchanged.max(base.index) + 1;
        let mut previous_term = raft.log.term_at(first - 1).unwrap_or_default();
        for index in first..=raft.log.last_index() {
            let Some(entry) = raft.log.get(index) else { continue };
            self.ledger.see(node, index, previous_term, entry)?;
            member.log.push(entry.term);
            previous_term = entry.term;
        }
        self.check_configurations(node, raft, first, committed)
    }

    /// Takes what a member newly holds for committed: state machine safety, and a leader's rules of commitment.
    fn take_commits(&mut self, node: NodeId, raft: &Raft<M>) -> Checked {
        let member = &mut self.members[usize::from(node.0) - 1];
        let until = raft.commit_index.min(raft.log.last_index());
        if until <= member.compared {
            return Ok(());
        }
        let (term, compared) = (raft.hard.term, member.compared);
        member.compared = until;
        let may_be_late = self.leaders.last_key_value().is_some_and(|(newest, _)| *newest > term);
        for index in compared + 1..=until {
            // Also what the log has forgotten since.
            let log = &self.members[usize::from(node.0) - 1].log;
            let Some(at) = log.get(index).map(|term| Position { term, index }) else { continue };
            if self.ledger.commit(node, at, term)? && may_be_late {
                self.late_commits += 1;
            }
        }
        let led_before = self.member(node).leads_in == Some(term);
        match raft.log.position(until) {
            Some(at) if raft.is_leader() && (led_before || at.term == term) => self.check_commitment(node, raft, at),
            Some(_) | None => Ok(()),
        }
    }

    /// A leader commits an entry of its own term (section 5.4.2) that is durable on a majority (section 5.3).
    fn check_commitment(&self, leader: NodeId, raft: &Raft<M>, at: Position) -> Checked {
        let term = raft.hard.term;
        if at.term != term {
            return Err(Violation::CommitOwnTerm { leader, term, at });
        }
        let voters = raft.log.configuration().1.voters();
        let holds = |voter: &&NodeId| self.members[usize::from(voter.0) - 1].durable.log.may_hold(at);
        let (holders, needed) = (voters.iter().filter(holds).count(), voters.len() / 2 + 1);
        if holders < needed {
            return Err(Violation::CommitMajority { leader, term, at, holders, needed });
        }
        self.check_rivals(leader, at)
    }

    /// Election safety, a majority of votes, and leader completeness.
    fn check_leader(&mut self, node: NodeId, raft: &Raft<M>) -> Checked {
        let term = raft.hard.term;
        let late_commits = self.late_commits;
        let member = self.member(node);
        let led_in = std::mem::replace(&mut member.leads_in, raft.is_leader().then_some(term));
        if !raft.is_leader() {
            return Ok(());
        }
        if led_in == Some(term) {
            if std::mem::replace(&mut member.late_commits, late_commits) == late_commits {
                return Ok(());
            }
        } else {
            member.late_commits = late_commits;
            let first = *self.leaders.entry(term).or_insert(node);
            if first != node {
                return Err(Violation::ElectionSafety { term, first, second: node });
            }
            self.check_votes(node, raft)?;
        }
        let missing = self.ledger.last_committed_before(term).filter(|at| at.index > raft.log.base().index);
        match missing.filter(|at| !raft.log.matches(*at)) {
            Some(missing) => Err(Violation::LeaderCompleteness { leader: node, term, missing }),
            None => Ok(()),
        }
    }

    fn check_votes(&self, leader: NodeId, raft: &Raft<M>) -> Checked {
        let term = raft.hard.term;
        let voters = raft.log.configuration().1.voters();
        let voted =
            |voter: &&NodeId| **voter == leader || self.members[usize::from(voter.0) - 1].vote_in(term) == Some(leader);
        let (votes, needed) = (voters.iter().filter(voted).count(), voters.len() / 2 + 1);
        if votes < needed {
            return Err(Violation::ElectionMajority { leader, term, votes, needed });
        }
        Ok(())
    }

    /// One vote a term, and what a message rests on is durable.
    fn check_message(&mut self, from: NodeId, to: NodeId, message: &Message) -> Checked {
        let term = message.term;
        let vote = match &message.body {
            Body::Vote { granted: true } => Some(to),
            Body::RequestVote { .. } => Some(from),
            _ => None,
        };
        let member = self.member(from);
        member.spoken_term = member.spoken_term.max(term);
        if let Some(candidate) = vote {
            match member.vote_in(term) {
                Some(first) if first != candidate => {
                    return Err(Violation::OneVote { voter: from, term, first, second: candidate });
                }
                Some(_) => {}
                None => member.votes.push((term, candidate)),
            }
        }
        let member = &self.members[usize::from(from.0) - 1];
        let missing = |fact: &Fact| !member.durable.holds(*fact);
        // A later leader's entries may be durable, too, when what waited for one write of several leaves.
        let is_of_today = member.durable.term() <= term;
        let appended = match &message.body {
            Body::Appended { matched } => Some(*matched).filter(|_| is_of_today),
            _ => None,
        };
        let facts =
            [Some(Fact::Term(term)), vote.map(|candidate| Fact::Vote { term, candidate }), appended.map(Fact::Log)];
        if let Some(fact) = facts.into_iter().flatten().find(missing) {
            return Err(Violation::DurableBeforeSent { node: from, to, fact });
        }
        match appended {
            Some(index) if !self.is_leaders_log(from, to, term, index) => {
                Err(Violation::DurableBeforeSent { node: from, to, fact: Fact::Log(index) })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whether the entry that is durable at `index` is the one of the leader of `term`, as far as that is known.
    fn is_leaders_log(&self, node: NodeId, leader: NodeId, term: u64, index: u64) -> bool {
        let leader = &self.members[usize::from(leader.0) - 1];
        let own = self.members[usize::from(node.0) - 1].durable.log.get(index);
        match (leader.leads_in == Some(term), leader.log.get(index), own) {
            (true, Some(leaders), Some(own)) => leaders == own,
            (true | false, _, _) => true,
        }
    }

    fn check_convergence(&mut self, members: Vec<(NodeId, &Raft<M>)>) -> Checked {
        let Some((first, leading)) = members.first() else { return Ok(()) };
        let first_applied = leading.applied_index;
        if let Some((second, raft)) = members.iter().find(|(_, raft)| raft.applied_index != first_applied) {
            let (first, second, second_applied) = (*first, *second, raft.applied_index);
            return Err(Violation::Convergence { first, first_applied, second, second_applied });
        }
        for (node, raft) in &members {
            if !self.reference.agrees(&self.ledger, &raft.machine, first_applied) {
                return Err(Violation::SameState { node: *node, applied_index: first_applied });
            }
        }
        Ok(())
    }
}
