//! The operations of a lock, by owner.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::LockOperation;

/// The places of the operations, by owner, those of one owner by invocation. Those that came back do not overlap.
pub(super) struct Owners {
    /// The owner of each operation, numbered by first appearance.
    pub(super) of: Vec<u32>,
    known: Lists,
    unknown_acquires: Lists,
    unknown_releases: Lists,
}

impl Owners {
    /// `None` where operations of one owner overlap.
    pub(super) fn new<O: Copy + Eq + Hash>(operations: &[LockOperation<O>]) -> Option<Self> {
        let mut numbers: FxHashMap<O, u32> = FxHashMap::default();
        let of: Vec<u32> = operations
            .iter()
            .map(|operation| {
                let next = numbers.len() as u32;
                *numbers.entry(operation.owner).or_insert(next)
            })
            .collect();
        let list = |is_in: &dyn Fn(&LockOperation<O>) -> bool| {
            Lists::new(&of, numbers.len(), |place| is_in(&operations[place as usize]))
        };
        let owners = Self {
            known: list(&|operation| operation.is_known),
            unknown_acquires: list(&|operation| !operation.is_known && operation.is_acquire()),
            unknown_releases: list(&|operation| !operation.is_known && !operation.is_acquire()),
            of,
        };
        let in_turn = |pair: &[u32]| operations[pair[0] as usize].completed < operations[pair[1] as usize].invoked;
        owners.all().all(|owner| owners.known(owner).windows(2).all(in_turn)).then_some(owners)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = u32> + use<> {
        0..self.known.ends.len() as u32 - 1
    }

    /// The operations of the owner that came back.
    pub(super) fn known(&self, owner: u32) -> &[u32] {
        self.known.of(owner)
    }

    pub(super) fn unknown_acquires(&self, owner: u32) -> &[u32] {
        self.unknown_acquires.of(owner)
    }

    pub(super) fn unknown_releases(&self, owner: u32) -> &[u32] {
        self.unknown_releases.of(owner)
    }
}

/// One list an owner, end to end.
struct Lists {
    ends: Vec<u32>,
    places: Vec<u32>,
}

impl Lists {
    fn new(of: &[u32], owners: usize, is_in: impl Fn(u32) -> bool) -> Self {
        let mut ends = vec![0u32; owners + 1];
        let chosen = || (0..of.len() as u32).filter(|place| is_in(*place));
        for place in chosen() {
            ends[of[place as usize] as usize + 1] += 1;
        }
        for owner in 1..ends.len() {
            ends[owner] += ends[owner - 1];
        }
        let mut next = ends.clone();
        let mut places = vec![0; *ends.last().unwrap_or(&0) as usize];
        for place in chosen() {
            let slot = &mut next[of[place as usize] as usize];
            places[*slot as usize] = place;
            *slot += 1;
        }
        Self { ends, places }
    }

    fn of(&self, owner: u32) -> &[u32] {
        &self.places[self.ends[owner as usize] as usize..self.ends[owner as usize + 1] as usize]
    }
}

/// Operations of unknown outcome of one owner, to be used one after the other.
pub(super) struct Spares<'a> {
    left: &'a [u32],
}

impl<'a> Spares<'a> {
    pub(super) fn new(places: &'a [u32]) -> Self {
        Self { left: places }
    }

    /// Uses the first one, if it had begun by then.
    pub(super) fn take<O>(&mut self, operations: &[LockOperation<O>], by: u64) -> Option<u32> {
        let place = self.peek(operations, by)?;
        self.left = &self.left[1..];
        Some(place)
    }

    /// The first one, if it had begun by then.
    pub(super) fn peek<O>(&self, operations: &[LockOperation<O>], by: u64) -> Option<u32> {
        self.left.first().copied().filter(|place| operations[*place as usize].invoked <= by)
    }
}
