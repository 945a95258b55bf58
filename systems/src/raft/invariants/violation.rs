//! What was broken, with the facts.

use std::fmt;

use crate::raft::{Configuration, Position};
use crate::server::NodeId;

/// A promise of Raft that was seen broken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Violation {
    /// Two members led in one term (figure 3, election safety).
    ElectionSafety {
        /// The term.
        term: u64,
        /// Who was seen leading first.
        first: NodeId,
        /// Who was seen leading then.
        second: NodeId,
    },
    /// A member leads that no majority voted for (section 5.2).
    ElectionMajority {
        /// The leader.
        leader: NodeId,
        /// Its term.
        term: u64,
        /// Votes of voters that it was sent, its own included.
        votes: usize,
        /// Votes that it needed.
        needed: usize,
    },
    /// A leader dropped or replaced an entry of its own log (figure 3, leader append-only).
    LeaderAppendOnly {
        /// The leader.
        leader: NodeId,
        /// Its term.
        term: u64,
        /// The first index that changed.
        index: u64,
    },
    /// Two logs hold an entry with the same index and term, but not the same entry, or not after the same one (figure 3,
    /// log matching).
    LogMatching {
        /// Index and term.
        at: Position,
        /// Whose entry was seen first.
        first: NodeId,
        /// Whose entry differs.
        second: NodeId,
    },
    /// A leader's log lacks what was committed in an earlier term (figure 3, leader completeness).
    LeaderCompleteness {
        /// The leader.
        leader: NodeId,
        /// Its term.
        term: u64,
        /// The last entry that it should have.
        missing: Position,
    },
    /// Who lacks what is committed could be elected, as the logs of the voters are (leader completeness, thesis 4.1).
    Electable {
        /// Who could.
        node: NodeId,
        /// Who would vote for it.
        votes: Vec<NodeId>,
        /// Whom it takes for the members.
        configuration: Configuration,
        /// The last entry that it should have.
        missing: Position,
    },
    /// Two configurations that follow one another in a log differ by more than one change of one member (thesis 4.1).
    SingleChange {
        /// Whose log.
        node: NodeId,
        /// Where the second one stands.
        index: u64,
        /// The first one.
        before: Configuration,
        /// The second one.
        after: Configuration,
    },
    /// A leader began a change of the members before it had committed an entry of its term, so that one that was begun before
    /// it and is not committed may still win (Ongaro, raft-dev, 2015).
    EarlyChange {
        /// The leader.
        leader: NodeId,
        /// Its term.
        term: u64,
        /// Where the new configuration stands.
        index: u64,
    },
    /// A member goes by a configuration that is not the newest one in its log (thesis 4.1).
    NewestConfiguration {
        /// The member.
        node: NodeId,
        /// What it goes by.
        used: Configuration,
        /// What its log says.
        newest: Configuration,
    },
    /// A leader made a learner a voter that had not caught up (thesis 4.2.1).
    CaughtUp {
        /// The leader.
        leader: NodeId,
        /// The learner.
        learner: NodeId,
        /// The last index of its durable log.
        held: u64,
        /// What the leader knew to be committed.
        committed: u64,
    },
    /// Who is no voter stood for election (thesis 4.2.1, 4.2.3).
    OnlyVotersStand {
        /// Who stood.
        node: NodeId,
        /// In which term.
        term: u64,
        /// The newest configuration in its log.
        configuration: Configuration,
    },
    /// A snapshot holds a configuration that is not the one at its index (section 7).
    SnapshotConfiguration {
        /// Who goes by it.
        node: NodeId,
        /// The index.
        index: u64,
    },
    /// Two members hold different entries for committed at one index (figure 3, state machine safety).
    StateMachineSafety {
        /// The index.
        index: u64,
        /// Who committed first.
        first: NodeId,
        /// The term of its entry.
        first_term: u64,
        /// Who committed then.
        second: NodeId,
        /// The term of its entry.
        second_term: u64,
    },
    /// A member's state is not what the committed commands make of it.
    SameState {
        /// The member.
        node: NodeId,
        /// How far it has applied.
        applied_index: u64,
    },
    /// A member's term fell.
    MonotonicTerm {
        /// The member.
        node: NodeId,
        /// The term that it was in, or, where it restarted in between, in which it had spoken.
        before: u64,
        /// The term after.
        after: u64,
    },
    /// A member's commit index fell.
    MonotonicCommit {
        /// The member.
        node: NodeId,
        /// The index before.
        before: u64,
        /// The index after.
        after: u64,
    },
    /// A member's applied index fell.
    MonotonicApplied {
        /// The member.
        node: NodeId,
        /// The index before.
        before: u64,
        /// The index after.
        after: u64,
    },
    /// A member applied what it does not hold for committed.
    AppliedCommitted {
        /// The member.
        node: NodeId,
        /// How far it has applied.
        applied_index: u64,
        /// How far it has committed.
        commit_index: u64,
    },
    /// A leader committed an entry that is not durable on a majority of the voters (section 5.3).
    CommitMajority {
        /// The leader.
        leader: NodeId,
        /// Its term.
        term: u64,
        /// The entry.
        at: Position,
        /// Voters whose durable log holds it.
        holders: usize,
        /// How many are needed.
        needed: usize,
    },
    /// A leader committed an entry of an earlier term by counting replicas (section 5.4.2).
    CommitOwnTerm {
        /// The leader.
        leader: NodeId,
        /// Its term.
        term: u64,
        /// The entry.
        at: Position,
    },
    /// A member voted for two candidates in one term.
    OneVote {
        /// The member.
        voter: NodeId,
        /// The term.
        term: u64,
        /// The first candidate.
        first: NodeId,
        /// The second.
        second: NodeId,
    },
    /// A message left before what it speaks for was durable.
    DurableBeforeSent {
        /// Who spoke.
        node: NodeId,
        /// To whom.
        to: NodeId,
        /// For what.
        fact: Fact,
    },
    /// What was durable is gone after a restart.
    DurableKept {
        /// Whose disk lost it.
        node: NodeId,
        /// What.
        fact: Fact,
    },
    /// Long after all faults ended, members have applied different numbers of entries.
    Convergence {
        /// A member.
        first: NodeId,
        /// How far it has applied.
        first_applied: u64,
        /// Another member.
        second: NodeId,
        /// How far that one has applied.
        second_applied: u64,
    },
    /// A member fell silent because it saw a contradiction.
    Halted {
        /// The member.
        node: NodeId,
        /// What it says.
        reason: String,
    },
}

/// What can be durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fact {
    /// That the member is in this term.
    Term(u64),
    /// That it voted for this candidate in this term.
    Vote {
        /// The term.
        term: u64,
        /// The candidate.
        candidate: NodeId,
    },
    /// That its log is the leader's up to this index, or that it holds this entry.
    Log(u64),
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Term(term) => write!(f, "its term {term}"),
            Self::Vote { term, candidate } => write!(f, "its vote for {candidate} in term {term}"),
            Self::Log(index) => write!(f, "its log up to {index}"),
        }
    }
}

impl Violation {
    /// The stable name of the promise.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::ElectionSafety { .. } => "election-safety",
            Self::ElectionMajority { .. } => "election-majority",
            Self::LeaderAppendOnly { .. } => "leader-append-only",
            Self::LogMatching { .. } => "log-matching",
            Self::LeaderCompleteness { .. } => "leader-completeness",
            Self::Electable { .. } => "electable",
            Self::SingleChange { .. } => "single-change",
            Self::EarlyChange { .. } => "early-change",
            Self::NewestConfiguration { .. } => "newest-configuration",
            Self::CaughtUp { .. } => "caught-up",
            Self::OnlyVotersStand { .. } => "only-voters-stand",
            Self::SnapshotConfiguration { .. } => "snapshot-configuration",
            Self::StateMachineSafety { .. } => "state-machine-safety",
            Self::SameState { .. } => "same-state",
            Self::MonotonicTerm { .. } => "monotonic-term",
            Self::MonotonicCommit { .. } => "monotonic-commit",
            Self::MonotonicApplied { .. } => "monotonic-applied",
            Self::AppliedCommitted { .. } => "applied-committed",
            Self::CommitMajority { .. } => "commit-majority",
            Self::CommitOwnTerm { .. } => "commit-own-term",
            Self::OneVote { .. } => "one-vote",
            Self::DurableBeforeSent { .. } => "durable-before-sent",
            Self::DurableKept { .. } => "durable-kept",
            Self::Convergence { .. } => "convergence",
            Self::Halted { .. } => "halted",
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ElectionSafety { term, first, second } => write!(f, "both {first} and {second} led in term {term}"),
            Self::ElectionMajority { leader, term, votes, needed } => {
                write!(f, "{leader} leads in term {term} with {votes} votes of voters; it needs {needed}")
            }
            Self::LeaderAppendOnly { leader, term, index } => {
                write!(f, "{leader} changed its own log from {index} on while it led in term {term}")
            }
            Self::LogMatching { at, first, second } => {
                write!(f, "{first} and {second} hold an entry {at}, but not the same one, or not after the same one")
            }
            Self::LeaderCompleteness { leader, term, missing } => {
                write!(f, "{leader} leads in term {term} without the entry {missing}, which was committed before")
            }
            Self::Electable { node, votes, configuration, missing } => {
                let votes = votes.iter().map(NodeId::to_string).collect::<Vec<_>>().join(" ");
                write!(
                    f,
                    "{node} lacks the entry {missing}, which is committed, and could be elected by {votes}: it goes by \
                     {configuration}"
                )
            }
            Self::SingleChange { node, index, before, after } => {
                write!(f, "in the log of {node}, {after} follows on {before} at {index}: that is more than one change")
            }
            Self::EarlyChange { leader, term, index } => write!(
                f,
                "{leader} changed the members at {index} before it had committed an entry of its term, {term}"
            ),
            Self::NewestConfiguration { node, used, newest } => {
                write!(f, "{node} goes by {used}, but the newest configuration in its log is {newest}")
            }
            Self::CaughtUp { leader, learner, held, committed } => write!(
                f,
                "{leader} made {learner} a voter, which holds the log up to {held}, when {committed} was committed"
            ),
            Self::OnlyVotersStand { node, term, configuration } => {
                write!(f, "{node} stood for election in term {term} though it is no voter: {configuration}")
            }
            Self::SnapshotConfiguration { node, index } => {
                write!(f, "{node} goes by a snapshot whose configuration is not the one at its index, {index}")
            }
            Self::StateMachineSafety { index, first, first_term, second, second_term } => write!(
                f,
                "at index {index}, {first} committed an entry of term {first_term} and {second} one of term {second_term}"
            ),
            Self::SameState { node, applied_index } => {
                write!(f, "the state of {node} is not what the committed commands up to {applied_index} make of it")
            }
            Self::MonotonicTerm { node, before, after } => write!(f, "{node} went back from term {before} to {after}"),
            Self::MonotonicCommit { node, before, after } => {
                write!(f, "the commit index of {node} went back from {before} to {after}")
            }
            Self::MonotonicApplied { node, before, after } => {
                write!(f, "the applied index of {node} went back from {before} to {after}")
            }
            Self::AppliedCommitted { node, applied_index, commit_index } => {
                write!(f, "{node} applied commands up to {applied_index}, but committed only {commit_index}")
            }
            Self::CommitMajority { leader, term, at, holders, needed } => write!(
                f,
                "{leader} committed {at} in term {term} while it was durable on {holders} voters; it takes {needed}"
            ),
            Self::CommitOwnTerm { leader, term, at } => {
                write!(f, "{leader} committed {at} in term {term} without committing an entry of that term")
            }
            Self::OneVote { voter, term, first, second } => {
                write!(f, "{voter} voted for both {first} and {second} in term {term}")
            }
            Self::DurableBeforeSent { node, to, fact } => {
                write!(f, "{node} told {to} what rests on {fact} before that was durable")
            }
            Self::DurableKept { node, fact } => write!(f, "{node} came back without {fact}, which was durable"),
            Self::Convergence { first, first_applied, second, second_applied } => write!(
                f,
                "long after all faults, {first} has applied {first_applied} entries and {second} {second_applied}"
            ),
            Self::Halted { node, reason } => write!(f, "{node} fell silent: {reason}"),
        }
    }
}
