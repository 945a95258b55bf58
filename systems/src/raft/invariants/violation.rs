//! What was broken, with the facts.

use std::fmt;

use crate::raft::Position;
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
