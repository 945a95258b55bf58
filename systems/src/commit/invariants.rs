//! What no client can see: the properties of atomic commitment, checked while a cluster runs.
//!
//! | property | |
//! |---|---|
//! | AC1 agreement | no two members decide differently, also after recovery |
//! | AC2 stability | no member reverses its decision |
//! | AC3 validity | a commit needs a yes, or a read-only vote, of every shard that ran a step |
//! | client agreement | what a client is told is the decision |
//! | durable yes | who voted yes and has not decided still can commit after a crash |
//! | strict two-phase locking | who voted yes holds its exclusive locks until the decision |
//!
//! AC4 (without failures, whatever all vote yes on is committed), AC5 (at last everyone decides) and locks that nobody gives back are
//! questions for the end of a run: [`CommitInvariants::aborted_in_vain`], [`undecided`] and [`orphan_locks`].
//!
//! The first promise that is broken stays; after it nothing is checked.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{CommitMessage, CommitNode, Decision, Fact, Message, TxnId, Vote};
use crate::server::{Micros, NodeId, Write, WriteId};
use crate::sim::Observer;

/// A promise that was broken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CommitViolation {
    /// Two members have decided differently (AC1).
    Agreement {
        /// The transaction.
        txn: TxnId,
        /// Who decided first, and how.
        first: (NodeId, Decision),
        /// Who decided otherwise.
        then: (NodeId, Decision),
        /// Who knew that all had voted yes before anybody decided, with three-phase commit; else nobody.
        knew: BTreeSet<NodeId>,
    },
    /// A member has reversed its decision (AC2).
    Stability {
        /// The transaction.
        txn: TxnId,
        /// Who.
        node: NodeId,
        /// What it decided last.
        now: Decision,
    },
    /// A commit without the votes for it (AC3).
    Validity {
        /// The transaction.
        txn: TxnId,
        /// Who committed it.
        node: NodeId,
        /// Who ran a step and has not voted yes.
        without: BTreeSet<NodeId>,
    },
    /// A client was told something else.
    ClientAgreement {
        /// The transaction.
        txn: TxnId,
        /// Who decided, and how.
        decided: (NodeId, Decision),
    },
    /// Who voted yes has forgotten it in a crash.
    DurableYes {
        /// The transaction.
        txn: TxnId,
        /// Who.
        node: NodeId,
    },
    /// Who voted yes no longer holds its locks.
    StrictLocking {
        /// The transaction.
        txn: TxnId,
        /// Who.
        node: NodeId,
        /// On what.
        key: String,
    },
}

impl CommitViolation {
    /// The promise, in a word or two.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Agreement { .. } => "agreement",
            Self::Stability { .. } => "stability",
            Self::Validity { .. } => "commit-validity",
            Self::ClientAgreement { .. } => "client-agreement",
            Self::DurableYes { .. } => "durable-yes",
            Self::StrictLocking { .. } => "strict-locking",
        }
    }
}

impl fmt::Display for CommitViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agreement { txn, first: (first, decision), then: (then, other), knew } => {
                let why = |node, decision| why(knew, node, decision);
                write!(
                    f,
                    "transaction {txn}: {first} decided to {}{}, and {then} to {}{} (AC1)",
                    decision.name(),
                    why(first, decision),
                    other.name(),
                    why(then, other)
                )
            }
            Self::Stability { txn, node, now } => {
                write!(f, "transaction {txn}: {node} decided to {}, after it had decided otherwise (AC2)", now.name())
            }
            Self::Validity { txn, node, without } => {
                let without: Vec<String> = without.iter().map(NodeId::to_string).collect();
                write!(f, "transaction {txn}: {node} committed it without the yes of {} (AC3)", without.join(", "))
            }
            Self::ClientAgreement { txn, decided: (node, decision) } => {
                write!(f, "transaction {txn}: {node} decided to {}, and its client was told otherwise", decision.name())
            }
            Self::DurableYes { txn, node } => {
                write!(f, "transaction {txn}: {node} had voted yes, and knows nothing of it after a crash")
            }
            Self::StrictLocking { txn, node, key } => {
                write!(
                    f,
                    "transaction {txn}: {node} voted yes and no longer holds the lock on {key}, without a decision"
                )
            }
        }
    }
}

/// Why a member decided so in three-phase commit.
fn why(knew: &BTreeSet<NodeId>, node: &NodeId, decision: &Decision) -> &'static str {
    match (knew.contains(node), decision) {
        (true, Decision::Commit { .. }) => ", knowing that all had voted yes",
        (false, Decision::Abort) if !knew.is_empty() => ", not knowing that all had voted yes",
        (true, Decision::Abort) | (false, Decision::Commit { .. } | Decision::Abort) => "",
    }
}

/// What was seen of one transaction.
#[derive(Default)]
struct Story {
    /// Who was given steps to run.
    asked: BTreeSet<NodeId>,
    /// Who has voted yes, or that it only read.
    agreed: BTreeSet<NodeId>,
    /// Who has told others that all voted yes, or has acknowledged it, with three-phase commit.
    knew: BTreeSet<NodeId>,
    first: Option<(NodeId, Decision)>,
    decided: BTreeMap<NodeId, Decision>,
    /// Whether its client was told of a commit.
    told: Option<bool>,
}

/// Looks on while a cluster runs. See the [module](self).
#[derive(Default)]
pub struct CommitInvariants {
    stories: BTreeMap<TxnId, Story>,
    /// Of each shard, what it voted yes on and has not decided.
    in_doubt: BTreeMap<NodeId, BTreeSet<TxnId>>,
    violation: Option<(Micros, CommitViolation)>,
}

impl CommitInvariants {
    /// The first promise that was seen broken, and when.
    #[must_use]
    pub fn violation(&self) -> Option<&(Micros, CommitViolation)> {
        self.violation.as_ref()
    }

    /// Transactions that were seen committed.
    #[must_use]
    pub fn commits(&self) -> usize {
        self.stories.values().filter(|story| story.first.is_some_and(|(_, decision)| decision.is_commit())).count()
    }

    /// Transactions on which all voted yes and which were aborted all the same: there are none without failures (AC4).
    #[must_use]
    pub fn aborted_in_vain(&self) -> Vec<TxnId> {
        let in_vain = |story: &Story| {
            story.first.is_some_and(|(_, decision)| decision == Decision::Abort)
                && !story.asked.is_empty()
                && story.asked.is_subset(&story.agreed)
        };
        self.stories.iter().filter(|(_, story)| in_vain(story)).map(|(txn, _)| *txn).collect()
    }

    fn break_promise(&mut self, now: Micros, violation: CommitViolation) {
        self.violation.get_or_insert((now, violation));
    }

    fn decide(&mut self, now: Micros, node: NodeId, txn: TxnId, decision: Decision) {
        if let Some(in_doubt) = self.in_doubt.get_mut(&node) {
            in_doubt.remove(&txn);
        }
        let story = self.stories.entry(txn).or_default();
        let before = story.decided.insert(node, decision);
        let first = *story.first.get_or_insert((node, decision));
        let without: BTreeSet<NodeId> = story.asked.difference(&story.agreed).copied().collect();
        let told = story.told;
        if before.is_some_and(|before| before.is_commit() != decision.is_commit()) {
            self.break_promise(now, CommitViolation::Stability { txn, node, now: decision });
        } else if first.1.is_commit() != decision.is_commit() {
            let knew = story.knew.clone();
            self.break_promise(now, CommitViolation::Agreement { txn, first, then: (node, decision), knew });
        } else if decision.is_commit() && !without.is_empty() {
            self.break_promise(now, CommitViolation::Validity { txn, node, without });
        } else if told.is_some_and(|told| told != decision.is_commit()) {
            self.break_promise(now, CommitViolation::ClientAgreement { txn, decided: (node, decision) });
        }
    }

    fn tell(&mut self, now: Micros, txn: TxnId, committed: bool) {
        let story = self.stories.entry(txn).or_default();
        story.told = Some(committed);
        if let Some(decided) = story.first.filter(|(_, decision)| decision.is_commit() != committed) {
            self.break_promise(now, CommitViolation::ClientAgreement { txn, decided });
        }
    }

    /// Who voted yes holds its locks.
    fn check_locks(&mut self, now: Micros, node: NodeId, server: &CommitNode) {
        let Some((txn, key)) = server.shard().and_then(super::participant::Participant::prepared_without_lock) else {
            return;
        };
        let key = key.to_string();
        self.break_promise(now, CommitViolation::StrictLocking { txn, node, key });
    }
}

impl Observer<CommitNode> for CommitInvariants {
    fn recovered(&mut self, now: Micros, node: NodeId, server: &CommitNode) {
        let Some(shard) = server.shard() else { return };
        for txn in self.in_doubt.get(&node).cloned().unwrap_or_default() {
            match shard.decision(txn) {
                Some(decision) => self.decide(now, node, txn, decision),
                None if shard.is_prepared(txn) => {}
                None => self.break_promise(now, CommitViolation::DurableYes { txn, node }),
            }
        }
        self.check_locks(now, node, server);
    }

    fn stepped(&mut self, now: Micros, node: NodeId, server: &CommitNode) {
        if self.violation.is_some() {
            return;
        }
        for fact in server.facts() {
            match *fact {
                Fact::Decided { txn, decision } => self.decide(now, node, txn, decision),
                Fact::Told { txn, committed } => self.tell(now, txn, committed),
            }
        }
        self.check_locks(now, node, server);
    }

    fn sent(&mut self, now: Micros, _number: u64, from: NodeId, to: NodeId, message: &Message) {
        let Message::Commit(message) = message else { return };
        match message {
            CommitMessage::Execute { txn, .. } => {
                self.stories.entry(*txn).or_default().asked.insert(to);
            }
            CommitMessage::Voted { txn, vote: Vote::Yes } => {
                let story = self.stories.entry(*txn).or_default();
                story.agreed.insert(from);
                if !story.decided.contains_key(&from) {
                    self.in_doubt.entry(from).or_default().insert(*txn);
                }
            }
            CommitMessage::Voted { txn, vote: Vote::ReadOnly } => {
                self.stories.entry(*txn).or_default().agreed.insert(from);
            }
            CommitMessage::PreCommit { txn, .. } | CommitMessage::PreCommitted { txn } => {
                self.stories.entry(*txn).or_default().knew.insert(from);
            }
            CommitMessage::Decide { txn, decision } if decision.is_commit() => {
                self.decide(now, from, *txn, *decision);
            }
            CommitMessage::Voted { vote: Vote::No(_), .. }
            | CommitMessage::Decide { .. }
            | CommitMessage::Executed { .. }
            | CommitMessage::Refused { .. }
            | CommitMessage::Prepare { .. }
            | CommitMessage::Acknowledge { .. }
            | CommitMessage::Inquire { .. }
            | CommitMessage::State { .. } => {}
        }
    }

    fn arrived(&mut self, _now: Micros, _number: u64, _to: NodeId) {}

    fn durable(&mut self, _node: NodeId, _id: WriteId, _write: &Write) {}

    fn crashed(&mut self, _now: Micros, _node: NodeId) {}
}

/// Transactions that shards voted yes on and have not decided: there are none when all failures are long over (AC5).
#[must_use]
pub fn undecided(running: &BTreeMap<NodeId, &CommitNode>) -> Vec<(NodeId, TxnId)> {
    let of = |(node, server): (&NodeId, &&CommitNode)| {
        let prepared = server.shard().map(super::participant::Participant::in_doubt).unwrap_or_default();
        prepared.into_iter().map(|txn| (*node, txn)).collect::<Vec<_>>()
    };
    running.iter().flat_map(of).collect()
}

/// Shards at which transactions still hold locks or wait for some, and how many: none when nothing is asked any more.
#[must_use]
pub fn orphan_locks(running: &BTreeMap<NodeId, &CommitNode>) -> Vec<(NodeId, usize)> {
    let held = running.iter().map(|(node, server)| (*node, server.transactions_with_locks()));
    held.filter(|(_, count)| *count > 0).collect()
}
