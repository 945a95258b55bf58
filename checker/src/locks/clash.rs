//! The contradictions that a lock can show, with all that belongs to them.

use std::collections::BTreeSet;

use super::owners::Owners;
use super::{LockOperation, LockRules};

/// Why the operations on a lock are not linearizable. Numbers are places in the operations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LockClash {
    /// The contradiction.
    pub contradiction: LockContradiction,
    /// All operations that are part of it, each once, and those that show what ones of unknown outcome can't have done.
    pub operations: Vec<u32>,
}

/// The contradictions that a lock can show. Numbers are places in the operations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LockContradiction {
    /// Owners hold more than there is, at one moment.
    TooMany {
        /// The first and the last operation of each hold; `None` where it never ends.
        holds: Vec<(u32, Option<u32>)>,
    },
    /// One must have held it at some moment between two times, but others held it all the time.
    NoRoom {
        /// The acquire and the release.
        hold: (u32, u32),
        /// The first and the last operation of each of the others' holds; `None` where it never ends.
        others: Vec<(u32, Option<u32>)>,
    },
    /// The owner acquired it once more than it may without a release.
    HeldAlready {
        /// The acquires before.
        held: Vec<u32>,
        /// The one too many.
        again: u32,
    },
    /// The owner released what it did not hold.
    NotHeld {
        /// The release.
        release: u32,
    },
    /// The owner acquired it again, and got another token than before.
    TokenChanged {
        /// The acquire with which the hold began.
        first: u32,
        /// The one with the other token.
        again: u32,
    },
    /// Two holds have the same token.
    TokenReused {
        /// The acquire of one of them.
        first: u32,
        /// Its last operation; `None` if it never ends.
        end: Option<u32>,
        /// The acquire of the other.
        second: u32,
    },
    /// A hold began before one with a smaller token was over.
    TokenOrder {
        /// The acquire with the smaller token.
        smaller: u32,
        /// The last operation of its hold; `None` if it never ends.
        end: Option<u32>,
        /// The acquire with the larger token.
        larger: u32,
    },
    /// Acquires and releases can't come in turn; the numbers are of those since the lock was last certainly free.
    NotInTurn {
        /// The operation whose turn did not come.
        stuck: u32,
        /// Acquires that had come back by the end of that operation.
        acquired: usize,
        /// Acquires that had begun by then.
        may_have_acquired: usize,
        /// Releases that had come back by then.
        released: usize,
        /// Releases that had begun by then.
        may_have_released: usize,
    },
}

impl LockContradiction {
    /// The operations that contradict each other if nothing else comes to their help.
    fn core(&self) -> Vec<u32> {
        let begins = |holds: &[(u32, Option<u32>)]| holds.iter().map(|(first, _)| *first).collect::<Vec<_>>();
        match self {
            Self::TooMany { holds } => begins(holds),
            Self::NoRoom { hold, others } => [begins(others), vec![hold.0, hold.1]].concat(),
            Self::HeldAlready { held, again } => [&held[..], &[*again]].concat(),
            Self::NotHeld { release } => vec![*release],
            Self::TokenChanged { first, again } => vec![*first, *again],
            Self::TokenReused { first, second, .. } => vec![*first, *second],
            Self::TokenOrder { smaller, larger, .. } => vec![*smaller, *larger],
            Self::NotInTurn { stuck, .. } => vec![*stuck],
        }
    }
}

impl LockContradiction {
    /// The ends of the holds, where they matter.
    fn ends(&self) -> Vec<u32> {
        match self {
            Self::TooMany { holds } | Self::NoRoom { others: holds, .. } => {
                holds.iter().filter_map(|(_, end)| *end).collect()
            }
            Self::TokenReused { end, .. } | Self::TokenOrder { end, .. } => end.iter().copied().collect(),
            Self::HeldAlready { .. } | Self::NotHeld { .. } | Self::TokenChanged { .. } | Self::NotInTurn { .. } => {
                Vec::new()
            }
        }
    }
}

/// Adds to a contradiction what its operations need to be judged without the rest.
///
/// Other owners can be left out: without them the rest stays legal. Of the same owner, holds can be left out, and all
/// that began after the last operation that is kept was over; unknown outcomes only where the rest does not need them.
pub(super) struct Closure<'a, O> {
    operations: &'a [LockOperation<O>],
    owners: &'a Owners,
    rules: LockRules,
}

impl<'a, O> Closure<'a, O> {
    pub(super) fn new(operations: &'a [LockOperation<O>], owners: &'a Owners, rules: LockRules) -> Self {
        Self { operations, owners, rules }
    }

    pub(super) fn clash(&self, contradiction: LockContradiction) -> LockClash {
        let mut kept: BTreeSet<u32> = contradiction.core().into_iter().collect();
        // That a hold did not end before shows only where it ended, if its owner tried to release it.
        let tried = |place: &u32| {
            let end = &self.operations[*place as usize];
            let releases = self.owners.unknown_releases(self.owners.of[*place as usize]);
            end.is_known
                && releases.first().is_some_and(|first| self.operations[*first as usize].invoked <= end.completed)
        };
        kept.extend(contradiction.ends().into_iter().filter(tried));
        loop {
            let before = kept.len();
            let ends = kept.iter().map(|place| &self.operations[*place as usize]).filter(|kept| kept.is_known);
            let horizon = ends.map(|kept| kept.completed).max().unwrap_or(0);
            let owners: BTreeSet<u32> = kept.iter().map(|place| self.owners.of[*place as usize]).collect();
            for owner in owners {
                self.add(owner, horizon, &mut kept);
            }
            if kept.len() == before {
                return LockClash { contradiction, operations: kept.into_iter().collect() };
            }
        }
    }

    /// Adds what the kept operations of the owner need, out of what began by the horizon.
    fn add(&self, owner: u32, horizon: u64, kept: &mut BTreeSet<u32>) {
        let within = |places: &'a [u32]| {
            let begun = places.partition_point(|place| self.operations[*place as usize].invoked <= horizon);
            &places[..begun]
        };
        let known = within(self.owners.known(owner));
        let acquires = within(self.owners.unknown_acquires(owner));
        let releases = within(self.owners.unknown_releases(owner));
        let is_reentrant_fenced = matches!(self.rules, LockRules::Exclusive { holds_max: 2.., is_fenced: true });
        let needs_unknown =
            !releases.is_empty() || !acquires.is_empty() && (is_reentrant_fenced || self.is_short(known, kept));
        if needs_unknown {
            kept.extend(acquires.iter().chain(releases));
            let is_exclusive = matches!(self.rules, LockRules::Exclusive { holds_max: 1, .. });
            self.add_known(known, is_exclusive, kept);
        } else {
            self.add_sessions(known, kept);
        }
    }

    /// Whether the kept ones release more than they acquired.
    fn is_short(&self, known: &[u32], kept: &BTreeSet<u32>) -> bool {
        let mut held = 0;
        known.iter().filter(|place| kept.contains(place)).any(|place| {
            held += self.change(*place);
            held < 0
        })
    }

    fn change(&self, place: u32) -> i64 {
        let operation = &self.operations[place as usize];
        if operation.is_acquire() { i64::from(operation.permits()) } else { -i64::from(operation.permits()) }
    }

    /// All, but for whole holds: an acquire with the release that comes next, if no acquire came last before.
    fn add_known(&self, known: &[u32], without_holds: bool, kept: &mut BTreeSet<u32>) {
        let is_acquire = |index: usize| known.get(index).is_some_and(|place| self.change(*place) > 0);
        let mut index = 0;
        while index < known.len() {
            let follows_acquire = index > 0 && is_acquire(index - 1);
            let is_hold = is_acquire(index) && index + 1 < known.len() && !is_acquire(index + 1) && !follows_acquire;
            if without_holds && is_hold && known[index..index + 2].iter().all(|place| !kept.contains(place)) {
                index += 2;
            } else {
                kept.insert(known[index]);
                index += 1;
            }
        }
    }

    /// All from an acquire by one who held nothing until the release of all, wherever something of that is kept.
    fn add_sessions(&self, known: &[u32], kept: &mut BTreeSet<u32>) {
        let mut held = 0;
        let mut first = 0;
        for (index, place) in known.iter().enumerate() {
            held = (held + self.change(*place)).max(0);
            if held > 0 && index + 1 < known.len() {
                continue;
            }
            let session = &known[first..=index];
            first = index + 1;
            if !session.iter().any(|place| kept.contains(place)) {
                continue;
            }
            match self.rules {
                LockRules::Exclusive { .. } => {
                    kept.insert(session[0]);
                    if held == 0 {
                        kept.insert(*place);
                    }
                }
                LockRules::Semaphore { .. } => kept.extend(session),
            }
        }
    }
}
