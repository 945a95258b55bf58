//! Holds in time.
//!
//! A hold can be put at any place where it begins by its first completion and ends from its last invocation on. If the
//! completion is the earlier of the two, the hold certainly lasts from the one to the other, and no longer than needed if
//! it is put exactly there. Otherwise it is *brief*: any moment between the two will do, as no time passes between its
//! acquire and its release. So the holds that last are where they are; there is a legal order iff they never need more
//! permits than there are, and every brief one finds a moment at which its permits are free.

use super::clash::LockContradiction;
use super::{AMBIGUOUS, Failed};

pub(super) const NEVER: u64 = u64::MAX;

/// Permits that one owner has for some time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hold {
    /// The earliest completion of its operations: it has begun by then.
    pub(super) first_completed: u64,
    /// The latest invocation of its operations, never if it has no end: it ends from then on.
    pub(super) last_invoked: u64,
    pub(super) permits: u32,
    /// Where its operations stand in the list of all holds' operations.
    pub(super) members: (u32, u32),
    /// The first and the last of them.
    pub(super) first: u32,
    pub(super) last: u32,
    /// Whether the owner certainly has the permits all the time.
    pub(super) is_certain: bool,
}

impl Hold {
    /// Whether it may be over as soon as it begins.
    pub(super) fn is_brief(&self) -> bool {
        self.last_invoked <= self.first_completed
    }
}

/// Where a hold begins.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moment {
    pub(super) time: u64,
    /// Puts brief holds of one moment in order.
    pub(super) rank: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    End,
    Brief,
    Start,
}

/// A moment for each hold, or why there is none.
pub(super) fn schedule(holds: &[Hold], permits: u32) -> Result<Vec<Moment>, Failed> {
    let mut events = Vec::with_capacity(holds.len() * 2);
    for (number, hold) in (0u32..).zip(holds) {
        if hold.is_brief() {
            events.push((hold.last_invoked, What::Brief, number));
        } else {
            events.push((hold.first_completed, What::Start, number));
            if hold.last_invoked < NEVER {
                events.push((hold.last_invoked, What::End, number));
            }
        }
    }
    events.sort_unstable();
    let mut moments = vec![Moment::default(); holds.len()];
    let mut used = 0u64;
    let fits = |used: u64, hold: &Hold| used + u64::from(hold.permits) <= u64::from(permits);
    let mut waiting: Vec<u32> = Vec::new();
    for (time, what, number) in events {
        let hold = &holds[number as usize];
        match what {
            What::Start => {
                used += u64::from(hold.permits);
                moments[number as usize].time = time;
                if used > u64::from(permits) {
                    return Err(too_many(holds, permits, time));
                }
            }
            What::Brief if fits(used, hold) => moments[number as usize].time = time,
            What::Brief => waiting.push(number),
            What::End => {
                used -= u64::from(hold.permits);
                // They take no time, so they are no hindrance to each other.
                for brief in waiting.extract_if(.., |brief| fits(used, &holds[*brief as usize])) {
                    if holds[brief as usize].first_completed < time {
                        return Err(no_room(holds, permits, brief));
                    }
                    moments[brief as usize].time = time;
                }
            }
        }
    }
    match waiting.first() {
        Some(late) => Err(no_room(holds, permits, *late)),
        None => Ok(moments),
    }
}

/// At this time a hold begins for which no permit is left.
fn too_many(holds: &[Hold], permits: u32, time: u64) -> Failed {
    let lasts = |hold: &&Hold| hold.is_certain && hold.first_completed <= time && hold.last_invoked > time;
    let mut holders: Vec<&Hold> = holds.iter().filter(lasts).collect();
    holders.sort_unstable_by_key(|hold| (std::cmp::Reverse(hold.permits), hold.first_completed, hold.first));
    let mut used = 0;
    let mut chosen = Vec::new();
    for hold in holders {
        used += u64::from(hold.permits);
        chosen.push((hold.first, hold.end()));
        if used > u64::from(permits) {
            chosen.sort_unstable();
            return Failed::Contradiction(LockContradiction::TooMany { holds: chosen });
        }
    }
    AMBIGUOUS
}

impl Hold {
    /// The operation that ends it.
    pub(super) fn end(&self) -> Option<u32> {
        (self.last_invoked < NEVER).then_some(self.last)
    }
}

/// Others have the permits as long as this brief hold could be.
fn no_room(holds: &[Hold], permits: u32, late: u32) -> Failed {
    let late = &holds[late as usize];
    let hold = (late.first, late.last);
    if late.permits > permits {
        return Failed::Contradiction(LockContradiction::NoRoom { hold, others: Vec::new() });
    }
    let meets = |hold: &&Hold| {
        !hold.is_brief() && hold.first_completed < late.first_completed && hold.last_invoked > late.last_invoked
    };
    let others: Vec<&Hold> = holds.iter().filter(meets).collect();
    if !late.is_certain || others.iter().any(|other| !other.is_certain) {
        return AMBIGUOUS;
    }
    let others = others.iter().map(|other| (other.first, other.end())).collect();
    Failed::Contradiction(LockContradiction::NoRoom { hold, others })
}
