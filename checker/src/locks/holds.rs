//! The holds of a lock that one owner has at a time.
//!
//! What an owner's operations of unknown outcome must have done follows from those that came back: an acquire of a lock
//! that the owner still holds needs a release between, a release of a lock that it does not hold needs an acquire. For
//! each the one that began first is used. Others are not needed; of those, acquires are no help to anybody, and releases
//! end the last hold if it has no end.
//!
//! An unneeded release and an unneeded acquire may also have cut a hold in two, with others between. Such a hold is not
//! certain: an order in which it is whole is legal, but no contradiction is built on it.

use super::clash::LockContradiction;
use super::owners::{Owners, Spares};
use super::schedule::{Hold, Moment, NEVER, schedule};
use super::{AMBIGUOUS, Failed, LockOperation, tokens};

/// A legal order of the operations that happened.
pub(super) fn order<O>(
    operations: &[LockOperation<O>],
    owners: &Owners,
    holds_max: u32,
    is_fenced: bool,
) -> Result<Vec<u32>, Failed> {
    let mut found = Holds { operations, owners, holds_max, is_fenced, holds: Vec::new(), members: Vec::new() };
    for owner in owners.all() {
        found.find(owner)?;
    }
    let Holds { holds, members, .. } = found;
    let moments =
        if is_fenced { tokens::moments(operations, owners, &holds, holds_max > 1)? } else { schedule(&holds, 1)? };
    // At one moment a lock may be released, then held and released by some, then acquired.
    let mut by_moment: Vec<(Moment, bool, u32)> =
        (0..).zip(moments.iter().zip(&holds)).map(|(hold, (moment, it))| (*moment, !it.is_brief(), hold)).collect();
    by_moment.sort_unstable_by_key(|(moment, lasts, hold)| (moment.time, *lasts, moment.rank, *hold));
    let mut order = Vec::with_capacity(operations.len());
    for (_, _, hold) in by_moment {
        let (first, end) = holds[hold as usize].members;
        order.extend_from_slice(&members[first as usize..end as usize]);
    }
    Ok(order)
}

struct Holds<'a, O> {
    operations: &'a [LockOperation<O>],
    owners: &'a Owners,
    holds_max: u32,
    is_fenced: bool,
    holds: Vec<Hold>,
    /// The operations of each hold, in their order.
    members: Vec<u32>,
}

/// The hold that an owner is in, if it is in one.
struct Open {
    /// How many times it holds the lock.
    count: u32,
    first_member: u32,
}

impl<O> Holds<'_, O> {
    fn find(&mut self, owner: u32) -> Result<(), Failed> {
        let (operations, owners) = (self.operations, self.owners);
        let mut acquires = Spares::new(owners.unknown_acquires(owner));
        let mut releases = Spares::new(owners.unknown_releases(owner));
        let mut open = Open { count: 0, first_member: self.members.len() as u32 };
        for place in owners.known(owner) {
            let operation = &operations[*place as usize];
            let end = operation.completed;
            if operation.is_acquire() {
                let other_token = self.is_fenced
                    && open.count > 0
                    && operation.token() != self.operations[self.members[open.first_member as usize] as usize].token();
                if open.count == self.holds_max || other_token {
                    let needed = if other_token { open.count } else { 1 };
                    for _ in 0..needed {
                        let Some(release) = releases.take(operations, end) else {
                            return Err(self.held_already(owner, &open, *place));
                        };
                        self.members.push(release);
                        open.count -= 1;
                    }
                    if open.count == 0 {
                        self.close(owner, &mut open, false);
                    }
                }
                self.members.push(*place);
                open.count += 1;
            } else {
                if open.count == 0 {
                    let Some(acquire) = acquires.take(operations, end) else {
                        return Err(self.exactly(owner, end, LockContradiction::NotHeld { release: *place }));
                    };
                    self.members.extend([acquire, *place]);
                    self.close(owner, &mut open, false);
                    continue;
                }
                self.members.push(*place);
                open.count -= 1;
                if open.count == 0 {
                    let may_be_cut =
                        releases.peek(operations, end).is_some() && acquires.peek(operations, end).is_some();
                    self.close(owner, &mut open, may_be_cut);
                }
            }
        }
        while open.count > 0
            && let Some(release) = releases.take(operations, NEVER)
        {
            self.members.push(release);
            open.count -= 1;
        }
        if open.first_member < self.members.len() as u32 {
            self.close(owner, &mut open, false);
        }
        Ok(())
    }

    /// Ends the hold with the last member, or never.
    fn close(&mut self, owner: u32, open: &mut Open, may_be_cut: bool) {
        let members = (open.first_member, self.members.len() as u32);
        let all = self.members[members.0 as usize..members.1 as usize].iter();
        let mut hold = Hold {
            first_completed: NEVER,
            last_invoked: if open.count == 0 { 0 } else { NEVER },
            permits: 1,
            members,
            first: self.members[members.0 as usize],
            last: self.members[members.1 as usize - 1],
            is_certain: !may_be_cut,
        };
        for place in all {
            let operation = &self.operations[*place as usize];
            hold.first_completed = hold.first_completed.min(operation.end());
            hold.last_invoked = hold.last_invoked.max(operation.invoked);
        }
        if self.holds_max > 1 {
            hold.is_certain = !self.has_release(owner, hold.last_invoked);
        }
        self.holds.push(hold);
        *open = Open { count: 0, first_member: members.1 };
    }

    /// Whether a release of unknown outcome began before this.
    fn has_release(&self, owner: u32, before: u64) -> bool {
        let first = self.owners.unknown_releases(owner).first();
        first.is_some_and(|release| self.operations[*release as usize].invoked < before)
    }

    fn held_already(&self, owner: u32, open: &Open, again: u32) -> Failed {
        // Those that were not released again.
        let mut held: Vec<u32> = Vec::new();
        for member in &self.members[open.first_member as usize..] {
            if self.operations[*member as usize].is_acquire() {
                held.push(*member);
            } else {
                held.pop();
            }
        }
        let contradiction = if open.count == self.holds_max {
            LockContradiction::HeldAlready { held, again }
        } else {
            held.truncate(1);
            LockContradiction::TokenChanged { first: held[0], again }
        };
        self.exactly(owner, self.operations[again as usize].completed, contradiction)
    }

    /// A contradiction, unless other choices among the unknown releases of a re-entrant lock may avoid it.
    fn exactly(&self, owner: u32, by: u64, contradiction: LockContradiction) -> Failed {
        if self.holds_max > 1 && self.has_release(owner, by.saturating_add(1)) {
            return AMBIGUOUS;
        }
        Failed::Contradiction(contradiction)
    }
}
