//! Which operations of unknown outcome were taken, as numbers.

use hashbrown::HashTable;

use super::compile::ClassId;
use super::mask::mix;

/// The number of a multiset of classes: operations of one class are interchangeable, only how many were taken counts.
pub(super) type TakenId = u32;

/// Numbers multisets of classes.
pub(super) struct TakenSets {
    /// Sorted, a class as often as it was taken.
    sets: Vec<Box<[ClassId]>>,
    ids: HashTable<TakenId>,
    bytes: usize,
}

impl TakenSets {
    pub(super) const EMPTY: TakenId = 0;

    pub(super) fn new() -> Self {
        let mut sets = Self { sets: Vec::new(), ids: HashTable::new(), bytes: 0 };
        sets.intern(Box::default());
        sets
    }

    /// How many of the class are in the set.
    pub(super) fn count(&self, set: TakenId, class: ClassId) -> usize {
        let set = &self.sets[set as usize];
        set.partition_point(|other| *other <= class) - set.partition_point(|other| *other < class)
    }

    /// The set with one more of the class.
    pub(super) fn with(&mut self, set: TakenId, class: ClassId) -> TakenId {
        let set = &self.sets[set as usize];
        let place = set.partition_point(|other| *other <= class);
        let mut larger = Vec::with_capacity(set.len() + 1);
        larger.extend_from_slice(&set[..place]);
        larger.push(class);
        larger.extend_from_slice(&set[place..]);
        self.intern(larger.into_boxed_slice())
    }

    /// Whether all of `smaller` is in `larger`.
    pub(super) fn is_subset(&self, smaller: TakenId, larger: TakenId) -> bool {
        if smaller == larger || smaller == Self::EMPTY {
            return true;
        }
        let mut rest = self.sets[larger as usize].iter();
        self.sets[smaller as usize].iter().all(|class| rest.by_ref().any(|other| other == class))
    }

    fn intern(&mut self, set: Box<[ClassId]>) -> TakenId {
        let hash = hash_of(&set);
        if let Some(id) = self.ids.find(hash, |id| self.sets[*id as usize] == set) {
            return *id;
        }
        let id = self.sets.len() as TakenId;
        self.bytes += size_of_val(&*set);
        self.sets.push(set);
        self.ids.insert_unique(hash, id, |id| hash_of(&self.sets[*id as usize]));
        id
    }

    pub(super) fn bytes(&self) -> usize {
        self.sets.capacity() * size_of::<Box<[ClassId]>>() + self.bytes + self.ids.allocation_size()
    }
}

fn hash_of(set: &[ClassId]) -> u64 {
    set.iter().fold(set.len() as u64, |hash, class| mix(hash, u64::from(*class)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_multisets_whatever_the_order_of_taking() {
        let mut sets = TakenSets::new();
        let five = sets.with(TakenSets::EMPTY, 5);
        let three = sets.with(TakenSets::EMPTY, 3);
        let both = sets.with(five, 3);
        assert_eq!(both, sets.with(three, 5));
        let twice = sets.with(both, 5);
        assert_eq!((sets.count(twice, 5), sets.count(twice, 3), sets.count(twice, 4)), (2, 1, 0));
        assert!(sets.is_subset(five, both) && sets.is_subset(both, twice) && sets.is_subset(TakenSets::EMPTY, five));
        assert!(!sets.is_subset(twice, both) && !sets.is_subset(five, three));
    }
}
