//! What was last seen of one member, and what its disk holds.

use serde::Deserialize;

use super::{Checked, Fact, Violation};
use crate::raft::record::HardState;
use crate::raft::{Configuration, Position, Raft, StateMachine};
use crate::server::{NodeId, Write};

/// The terms of a log's entries.
#[derive(Default)]
pub(super) struct Terms(
    /// 0 where a snapshot took the place of the entry.
    Vec<u64>,
);

impl Terms {
    pub(super) fn last_index(&self) -> u64 {
        self.0.len() as u64
    }

    /// The term at `index`; `None` where it is unknown or there is no such entry.
    pub(super) fn get(&self, index: u64) -> Option<u64> {
        let offset = usize::try_from(index.checked_sub(1)?).ok()?;
        self.0.get(offset).copied().filter(|term| *term != 0)
    }

    /// The last entry's place; its term is 0 where it is unknown.
    pub(super) fn last(&self) -> Position {
        Position { term: self.0.last().copied().unwrap_or_default(), index: self.last_index() }
    }

    pub(super) fn push(&mut self, term: u64) {
        self.0.push(term);
    }

    /// Keeps what is known up to `index`, and forgets the rest.
    pub(super) fn truncate(&mut self, index: u64) {
        self.0.truncate(usize::try_from(index).unwrap_or(usize::MAX));
    }

    /// The log ends at `base` now.
    pub(super) fn end_at(&mut self, base: Position) {
        self.0.resize(usize::try_from(base.index).unwrap_or(usize::MAX), 0);
        if let Some(last) = self.0.last_mut() {
            *last = base.term;
        }
    }

    /// Whether the entry is there, as far as is known.
    pub(super) fn may_hold(&self, at: Position) -> bool {
        at.index <= self.last_index() && self.get(at.index).is_none_or(|term| term == at.term)
    }
}

/// What a member's disk holds for certain.
#[derive(Default)]
pub(super) struct Durable {
    hard: HardState,
    pub(super) log: Terms,
}

/// [`super::super::record::Record`] without copies of the commands.
#[derive(Deserialize)]
enum RecordView<'a> {
    HardState(HardState),
    Entries {
        first: u64,
        #[serde(borrow)]
        entries: Vec<EntryView<'a>>,
    },
}

#[derive(Deserialize)]
struct EntryView<'a> {
    term: u64,
    #[serde(borrow, rename = "payload")]
    _payload: PayloadView<'a>,
}

#[derive(Deserialize)]
enum PayloadView<'a> {
    Noop,
    Command(
        #[serde(borrow)]
        #[allow(dead_code, reason = "only its length in bytes matters: what follows must be found")]
        &'a [u8],
    ),
    Configuration(#[allow(dead_code, reason = "only its length in bytes matters")] Configuration),
}

impl Durable {
    pub(super) fn take(&mut self, write: &Write) {
        let records = match write {
            Write::Append(records) => records,
            Write::Checkpoint { snapshot, tail } => {
                // The position stands first in a snapshot.
                if let Ok((base, _)) = postcard::take_from_bytes(snapshot) {
                    self.log.end_at(base);
                }
                tail
            }
        };
        for record in records {
            match postcard::from_bytes(record) {
                Ok(RecordView::HardState(hard)) => self.hard = hard,
                Ok(RecordView::Entries { first, entries }) => {
                    self.log.truncate(first - 1);
                    entries.iter().for_each(|entry| self.log.push(entry.term));
                }
                Err(error) => debug_assert!(false, "a record can't be read: {error}"),
            }
        }
    }

    pub(super) fn term(&self) -> u64 {
        self.hard.term
    }

    /// Term and vote are at least so far.
    pub(super) fn holds(&self, fact: Fact) -> bool {
        match fact {
            Fact::Term(term) => self.hard.term >= term,
            Fact::Vote { term, candidate } => {
                self.hard.term > term || (self.hard.term == term && self.hard.vote == Some(candidate))
            }
            Fact::Log(index) => self.log.last_index() >= index,
        }
    }

    /// The member came up with this: nothing durable may be missing. More may be there, from writes that were under way.
    pub(super) fn recover<M: StateMachine>(&mut self, node: NodeId, raft: &Raft<M>) -> Checked {
        let kept = |holds, fact| if holds { Ok(()) } else { Err(Violation::DurableKept { node, fact }) };
        let Self { hard, log } = self;
        kept(raft.hard.term >= hard.term, Fact::Term(hard.term))?;
        if let Some(candidate) = hard.vote.filter(|_| raft.hard.term == hard.term) {
            kept(raft.hard.vote == Some(candidate), Fact::Vote { term: hard.term, candidate })?;
        }
        for index in raft.log.base().index.max(1)..=log.last_index() {
            let Some(durable) = log.get(index) else { continue };
            match raft.log.term_at(index) {
                Some(term) if term == durable => {}
                // A write that was under way replaced the rest by what a later leader has, which may be of an earlier term.
                Some(term) if term > durable || raft.hard.term > durable => break,
                Some(_) | None => return kept(false, Fact::Log(index)),
            }
        }
        self.hard = raft.hard;
        self.log.end_at(raft.log.base());
        (raft.log.base().index + 1..=raft.log.last_index()).for_each(|index| {
            self.log.push(raft.log.term_at(index).unwrap_or_default());
        });
        Ok(())
    }
}

/// What was last seen of one member.
#[derive(Default)]
pub(super) struct Member {
    pub(super) term: u64,
    pub(super) commit_index: u64,
    pub(super) applied_index: u64,
    /// What it holds for committed was compared up to here.
    pub(super) compared: u64,
    pub(super) log: Terms,
    /// The term in which it leads.
    pub(super) leads_in: Option<u64>,
    /// The late commits that were known when its log was last searched for them.
    pub(super) late_commits: u64,
    pub(super) durable: Durable,
    /// The greatest term in which it has said anything.
    pub(super) spoken_term: u64,
    /// For whom it voted in each term, terms in order.
    pub(super) votes: Vec<(u64, NodeId)>,
    pub(super) is_up: bool,
    /// Whom it takes for the members.
    pub(super) configuration: Configuration,
    /// The term in which it stands for election.
    pub(super) stands_in: Option<u64>,
}

impl Member {
    /// A new life begins.
    pub(super) fn come_up(&mut self) {
        self.term = 0;
        self.commit_index = 0;
        self.applied_index = 0;
        self.compared = 0;
        self.log = Terms::default();
        self.leads_in = None;
        self.stands_in = None;
        self.is_up = true;
    }

    /// For whom it voted.
    pub(super) fn vote_in(&self, term: u64) -> Option<NodeId> {
        let mut later = self.votes.iter().rev().skip_while(|(voted, _)| *voted > term);
        later.next().filter(|(voted, _)| *voted == term).map(|(_, candidate)| *candidate)
    }
}
