//! The holds of a semaphore's permits.
//!
//! A release gives back what its owner acquired last. As with a lock, a release of more than the owner holds needs an
//! acquire of unknown outcome. Acquires whose permits are never given back are all that a release of unknown outcome can
//! end without another acquire: the first of each end the first of the others. So what the owner holds is as little as it
//! can be at every moment.
//!
//! Where an owner has acquires of unknown outcome too, or operations of several permits, an unknown release may have done
//! more: what it may have ended is not certain.

use super::clash::LockContradiction;
use super::owners::{Owners, Spares};
use super::schedule::{Hold, Moment, NEVER, schedule};
use super::{Failed, LockOperation};

/// A legal order of the operations that happened.
pub(super) fn order<O>(operations: &[LockOperation<O>], owners: &Owners, permits: u32) -> Result<Vec<u32>, Failed> {
    let mut found = Permits { operations, owners, holds: Vec::new(), ends_are_certain: true };
    for owner in owners.all() {
        found.find(owner)?;
    }
    let moments = schedule(&found.holds, permits)?;
    Ok(found.order(&moments))
}

struct Permits<'a, O> {
    operations: &'a [LockOperation<O>],
    owners: &'a Owners,
    holds: Vec<Hold>,
    /// Whether the releases of unknown outcome of this owner can't have done more than to end what has no other end.
    ends_are_certain: bool,
}

impl<O> Permits<'_, O> {
    fn find(&mut self, owner: u32) -> Result<(), Failed> {
        let (operations, owners) = (self.operations, self.owners);
        self.ends_are_certain = owners.unknown_acquires(owner).is_empty()
            && owners.known(owner).iter().chain(owners.unknown_releases(owner)).all(|place| self.is_of_one(*place));
        let mut acquires = Spares::new(owners.unknown_acquires(owner));
        let mut releases = Spares::new(owners.unknown_releases(owner));
        // Acquires, with what is not yet released of them.
        let mut held: Vec<(u32, u32)> = Vec::new();
        for place in owners.known(owner) {
            let operation = &operations[*place as usize];
            if operation.is_acquire() {
                held.push((*place, operation.permits()));
                continue;
            }
            let mut left = operation.permits();
            while left > 0 {
                let Some((acquire, rest)) = held.last_mut() else {
                    let acquire = self.needed(owner, *place, left, &mut acquires)?;
                    self.hold(owner, acquire, Some(*place), left);
                    break;
                };
                let (acquire, permits) = (*acquire, left.min(*rest));
                left -= permits;
                *rest -= permits;
                if *rest == 0 {
                    held.pop();
                }
                self.hold(owner, acquire, Some(*place), permits);
            }
        }
        for (acquire, permits) in held {
            let is_whole = operations[acquire as usize].permits() == permits;
            let ends_it = |release: &u32| is_whole && operations[*release as usize].permits() == permits;
            let release = releases.peek(operations, NEVER).filter(ends_it);
            if release.is_some() {
                releases.take(operations, NEVER);
            }
            self.hold(owner, acquire, release, permits);
        }
        Ok(())
    }

    /// The acquire of unknown outcome that a release of more than is held needs.
    fn needed(&self, owner: u32, release: u32, left: u32, acquires: &mut Spares<'_>) -> Result<u32, Failed> {
        let operation = &self.operations[release as usize];
        let whole = operation.permits() == left;
        match acquires.take(self.operations, operation.completed) {
            Some(acquire) if whole && self.operations[acquire as usize].permits() == left => Ok(acquire),
            Some(_) => {
                Err(Failed::NotApplicable("an unknown acquire and a release are of different numbers of permits"))
            }
            None if self.owners.unknown_acquires(owner).iter().all(|place| self.is_of_one(*place)) => {
                Err(Failed::Contradiction(LockContradiction::NotHeld { release }))
            }
            None => Err(Failed::NotApplicable("an unknown acquire is of several permits")),
        }
    }

    fn is_of_one(&self, place: u32) -> bool {
        self.operations[place as usize].permits() == 1
    }

    fn hold(&mut self, owner: u32, acquire: u32, release: Option<u32>, permits: u32) {
        let begin = &self.operations[acquire as usize];
        let end = release.map(|release| &self.operations[release as usize]);
        let last_invoked = end.map_or(NEVER, |end| end.invoked.max(begin.invoked));
        let first_release = self.owners.unknown_releases(owner).first();
        self.holds.push(Hold {
            first_completed: begin.end().min(end.map_or(NEVER, LockOperation::end)),
            last_invoked,
            permits,
            members: (0, 0),
            first: acquire,
            last: release.unwrap_or(acquire),
            is_certain: self.ends_are_certain
                || first_release.is_none_or(|release| self.operations[*release as usize].invoked >= last_invoked),
        });
    }

    /// Releases as soon as they can be, acquires as late as they can be, those of a brief hold together at its moment.
    fn order(&self, moments: &[Moment]) -> Vec<u32> {
        let mut by_moment: Vec<(u64, u8, u32)> = Vec::with_capacity(self.operations.len());
        let mut is_placed = vec![false; self.operations.len()];
        for (hold, moment) in self.holds.iter().zip(moments).filter(|(hold, _)| hold.is_brief()) {
            for place in [hold.first, hold.last] {
                is_placed[place as usize] = true;
                by_moment.push((moment.time, 1, place));
            }
        }
        for hold in self.holds.iter().filter(|hold| !hold.is_brief()) {
            for place in [hold.first].into_iter().chain(hold.end()) {
                let operation = &self.operations[place as usize];
                if !std::mem::replace(&mut is_placed[place as usize], true) {
                    by_moment.push(if operation.is_acquire() {
                        (hold.first_completed, 2, place)
                    } else {
                        (hold.last_invoked, 0, place)
                    });
                }
            }
        }
        // Of one brief hold the acquire comes first.
        by_moment.sort_by_key(|(time, class, _)| (*time, *class));
        by_moment.into_iter().map(|(_, _, place)| place).collect()
    }
}
