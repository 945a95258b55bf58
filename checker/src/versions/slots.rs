//! Which operation wrote each version, and which value stood there.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::clash::VersionsContradiction;
use super::{Growth, VersionedOperation, VersionsAnswer, counter_operation};
use crate::counter::{CounterOperation, CounterStep};
use crate::register::RegisterStep;

const NEVER: u64 = u64::MAX;

/// One version that somebody told of.
#[derive(Clone, Copy)]
struct Slot<V> {
    writer: Option<u32>,
    /// The value, and who told it; nobody for the initial one.
    value: Option<(V, Option<u32>)>,
}

pub(super) struct Slots<'a, V> {
    operations: &'a [VersionedOperation<V>],
    pub(super) initial: V,
    first: u64,
    growth: Growth,
    slots: FxHashMap<u64, Slot<V>>,
    /// Versions of operations that did not tell theirs, and who told it.
    claimed: FxHashMap<u32, (u64, u32)>,
}

impl<'a, V: Copy + Eq + Hash> Slots<'a, V> {
    pub(super) fn new(
        operations: &'a [VersionedOperation<V>],
        initial: V,
        first: u64,
        growth: Growth,
    ) -> Result<Self, VersionsAnswer> {
        let slot = Slot { writer: None, value: Some((initial, None)) };
        let slots = FxHashMap::from_iter([(first, slot)]);
        let mut all = Self { operations, initial, first, growth, slots, claimed: FxHashMap::default() };
        for (place, operation) in operations.iter().enumerate() {
            let place = place as u32;
            match (operation.version, operation.step) {
                (Some(version), _) => all.tell(place, version)?,
                (None, RegisterStep::Read(_) | RegisterStep::Refused(_)) if operation.is_known => {
                    return Err(VersionsAnswer::NotApplicable("an operation that came back told no version"));
                }
                (None, _) => {}
            }
        }
        if growth == Growth::AtLeastOne {
            all.check_replaced()?;
        }
        all.claim_writers()?;
        all.check_unclaimed()?;
        Ok(all)
    }

    /// Takes in what an operation tells.
    fn tell(&mut self, place: u32, version: u64) -> Result<(), VersionsAnswer> {
        let step = self.operations[place as usize].step;
        let is_write = matches!(step, RegisterStep::Write(_) | RegisterStep::Cas(..));
        if version < self.first || is_write && version == self.first {
            return Err(self.invalid(VersionsContradiction::BelowFirst { operation: place }));
        }
        let slot = self.slots.entry(version).or_insert(Slot { writer: None, value: None });
        if is_write && let Some(left) = slot.writer.replace(place) {
            return Err(self.invalid(VersionsContradiction::SameVersion { left, right: place }));
        }
        match step {
            RegisterStep::Read(value) | RegisterStep::Write(value) => self.hold(version, value, place),
            RegisterStep::Cas(from, to) => {
                self.hold(version, to, place)?;
                if self.growth == Growth::One { self.hold(version - 1, from, place) } else { Ok(()) }
            }
            RegisterStep::Refused(_) => Ok(()),
        }
    }

    /// The value stood there with this version.
    fn hold(&mut self, version: u64, value: V, place: u32) -> Result<(), VersionsAnswer> {
        let slot = self.slots.entry(version).or_insert(Slot { writer: None, value: None });
        match slot.value {
            None => slot.value = Some((value, Some(place))),
            Some((other, left)) if other != value => {
                return Err(self.invalid(VersionsContradiction::TwoValues { left, right: place, version }));
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Where versions may be left out, a compare-and-set must have found the value of the version told of before.
    fn check_replaced(&self) -> Result<(), VersionsAnswer> {
        let mut versions: Vec<u64> = self.slots.keys().copied().collect();
        versions.sort_unstable();
        for pair in versions.windows(2) {
            let [before, after] = pair else { continue };
            let Some(place) = self.slots[after].writer else { continue };
            let RegisterStep::Cas(from, _) = self.operations[place as usize].step else { continue };
            if self.slots[before].value.is_none_or(|(value, _)| value != from) {
                return Err(VersionsAnswer::NotApplicable("a compare-and-set replaced what no version told of"));
            }
        }
        Ok(())
    }

    /// A version that nobody tells to have written is of one of those that told none, if only one writes that value.
    fn claim_writers(&mut self) -> Result<(), VersionsAnswer> {
        let mut writers: FxHashMap<V, Vec<u32>> = FxHashMap::default();
        for (place, operation) in self.operations.iter().enumerate() {
            if let (None, RegisterStep::Write(value) | RegisterStep::Cas(_, value)) =
                (operation.version, operation.step)
            {
                writers.entry(value).or_default().push(place as u32);
            }
        }
        let mut open: Vec<u64> = self.slots.keys().copied().filter(|version| *version > self.first).collect();
        open.sort_unstable();
        while let Some(version) = open.pop() {
            let Slot { writer: None, value: Some((value, Some(observer))) } = self.slots[&version] else { continue };
            let place = match writers.get(&value).map(Vec::as_slice) {
                None => return Err(self.never_written(value, observer)),
                Some([place]) => *place,
                Some(_) => return Err(VersionsAnswer::NotApplicable("several operations may have written a version")),
            };
            if let Some((_, other)) = self.claimed.insert(place, (version, observer)) {
                let (left, right) = (other, observer);
                return Err(self.invalid(VersionsContradiction::TwoVersions { write: place, left, right }));
            }
            if let Some(slot) = self.slots.get_mut(&version) {
                slot.writer = Some(place);
            }
            if let RegisterStep::Cas(from, _) = self.operations[place as usize].step {
                if self.growth == Growth::AtLeastOne {
                    return Err(VersionsAnswer::NotApplicable("a compare-and-set replaced what no version told of"));
                }
                self.hold(version - 1, from, place)?;
                open.push(version - 1);
            }
        }
        Ok(())
    }

    fn never_written(&self, value: V, observer: u32) -> VersionsAnswer {
        let others = self.operations.iter().enumerate().filter(|(_, operation)| {
            matches!(operation.step, RegisterStep::Write(other) | RegisterStep::Cas(_, other) if other == value)
        });
        let others = others.map(|(place, _)| place as u32).filter(|place| *place != observer).collect();
        self.invalid(VersionsContradiction::NeverWritten { observer, others })
    }

    /// What is known to have happened, though no version told of it, must not be more than a write that fills a gap.
    fn check_unclaimed(&self) -> Result<(), VersionsAnswer> {
        for (place, operation) in self.operations.iter().enumerate() {
            if operation.version.is_some() || !operation.is_known || self.claimed.contains_key(&(place as u32)) {
                continue;
            }
            if self.growth == Growth::AtLeastOne || matches!(operation.step, RegisterStep::Cas(..)) {
                return Err(VersionsAnswer::NotApplicable("an operation that came back told no version"));
            }
        }
        if self.growth == Growth::AtLeastOne
            && self.slots.iter().any(|(version, slot)| *version > self.first && slot.writer.is_none())
        {
            return Err(VersionsAnswer::NotApplicable("nobody told who wrote a version"));
        }
        Ok(())
    }

    /// The operations as those on a counter of the writes, and their places here.
    pub(super) fn as_counter(&self) -> (Vec<CounterOperation>, Vec<u32>) {
        let mut versions: Vec<u64> = self.slots.keys().copied().collect();
        versions.sort_unstable();
        let rank = |version: u64| match self.growth {
            Growth::One => i64::try_from(version - self.first).unwrap_or(i64::MAX),
            Growth::AtLeastOne => versions.partition_point(|other| *other < version) as i64,
        };
        let mut counted = Vec::with_capacity(self.operations.len());
        let mut places = Vec::with_capacity(self.operations.len());
        for (place, operation) in self.operations.iter().enumerate() {
            let place = place as u32;
            let claimed = self.claimed.get(&place).map(|(version, _)| *version);
            let step = match (operation.step, operation.version.or(claimed)) {
                (RegisterStep::Read(_) | RegisterStep::Refused(_), Some(version)) => CounterStep::Read(rank(version)),
                (RegisterStep::Write(_) | RegisterStep::Cas(..), Some(version)) => {
                    CounterStep::AddAndGet(1, rank(version))
                }
                (RegisterStep::Write(_), None) if self.growth == Growth::One => CounterStep::Add(1),
                (
                    RegisterStep::Write(_) | RegisterStep::Cas(..) | RegisterStep::Read(_) | RegisterStep::Refused(_),
                    None,
                ) => {
                    continue;
                }
            };
            let mut operation = counter_operation(operation, step);
            if claimed.is_some() && !operation.is_known {
                (operation.is_known, operation.completed) = (true, NEVER);
            }
            counted.push(operation);
            places.push(place);
        }
        (counted, places)
    }

    /// The contradiction, with those who told the versions of operations that did not, and those who wrote the same values
    /// with other versions.
    pub(super) fn invalid(&self, contradiction: VersionsContradiction) -> VersionsAnswer {
        let mut operations = contradiction.operations();
        let mut next = 0;
        while let Some(place) = operations.get(next).copied() {
            if let Some((_, observer)) = self.claimed.get(&place) {
                let others = self.writers_like(place);
                let more: Vec<u32> = others.chain([*observer]).filter(|other| !operations.contains(other)).collect();
                operations.extend(more);
            }
            next += 1;
        }
        VersionsAnswer::Invalid(contradiction.into_clash(operations))
    }

    fn writers_like(&self, place: u32) -> impl Iterator<Item = u32> {
        let written = |step| match step {
            RegisterStep::Write(value) | RegisterStep::Cas(_, value) => Some(value),
            RegisterStep::Read(_) | RegisterStep::Refused(_) => None,
        };
        let value = written(self.operations[place as usize].step);
        let like = move |(_, operation): &(usize, &VersionedOperation<V>)| written(operation.step) == value;
        self.operations.iter().enumerate().filter(like).map(|(place, _)| place as u32)
    }
}
