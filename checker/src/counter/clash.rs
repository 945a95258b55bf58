//! The contradictions that a counter can show.

use super::order::{Observer, Schedule};

/// Why the operations on a counter are not linearizable. Numbers are places in the operations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CounterClash {
    /// The contradiction.
    pub contradiction: CounterContradiction,
    /// All operations that are part of it, each once.
    pub operations: Vec<u32>,
}

/// The contradictions that a counter can show. Numbers are places in the operations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CounterContradiction {
    /// It saw less than what was there at first.
    BelowInitial {
        /// The operation.
        observer: u32,
    },
    /// The later one, which began when the earlier one was over, saw less.
    Backwards {
        /// The one that was over.
        earlier: u32,
        /// The other.
        later: u32,
    },
    /// An addition told that it came from one sum to another, and another operation saw a sum between them.
    Overlap {
        /// The addition.
        left: u32,
        /// The other.
        right: u32,
    },
    /// More was certainly added between two operations than the sums that they saw allow.
    TooLittle {
        /// An operation that was over before all that was added; `None`: what was there at first.
        earlier: Option<u32>,
        /// An operation that began after all of it.
        later: u32,
        /// What was added.
        added: Vec<u32>,
        /// How much that is.
        amount: i128,
    },
    /// It saw more than can have been added by then.
    TooMuch {
        /// The operation.
        observer: u32,
        /// Additions that may have happened by then, and those that tell that they can't have helped.
        added: Vec<u32>,
        /// The highest sum that could have been reached.
        most: i128,
    },
    /// It saw a sum that additions of these amounts never come to.
    OffStep {
        /// The operation.
        observer: u32,
        /// Additions that may have happened by then, without those that certainly had.
        added: Vec<u32>,
        /// Divides all that was ever added.
        step: i128,
    },
}

impl CounterContradiction {
    pub(super) fn into_clash(self) -> CounterClash {
        let mut operations = match &self {
            Self::BelowInitial { observer } => vec![*observer],
            Self::Backwards { earlier: left, later: right } | Self::Overlap { left, right } => vec![*left, *right],
            Self::TooLittle { earlier, later, added, .. } => {
                added.iter().copied().chain(*earlier).chain([*later]).collect()
            }
            Self::TooMuch { observer, added, .. } | Self::OffStep { observer, added, .. } => {
                added.iter().copied().chain([*observer]).collect()
            }
        };
        operations.sort_unstable();
        operations.dedup();
        CounterClash { contradiction: self, operations }
    }
}

/// The schedule has a job left that must not go beyond `most`: between two sums seen there is too little room for all that
/// must be between them. The narrowest such piece of the line is taken.
pub(super) fn too_little(schedule: &Schedule<'_>, most: i128) -> CounterContradiction {
    let must: Vec<_> = schedule.jobs.iter().rev().filter(|job| job.most <= most).collect();
    let told = schedule.observers.iter().filter(|observer| observer.from < observer.to && observer.to <= most);
    let mut told: Vec<&Observer> = told.collect();
    let mut amount = 0;
    let mut added = Vec::new();
    let mut start = schedule.initial;
    for (index, job) in must.iter().enumerate() {
        amount += job.by;
        added.push(job.place);
        start = job.least;
        while let Some(observer) = told.pop_if(|observer| observer.from >= start) {
            amount += observer.to - observer.from;
            added.push(observer.place);
        }
        let is_last = must.get(index + 1).is_none_or(|next| next.least < start);
        if is_last && amount > most - start {
            break;
        }
    }
    let later = schedule.observers.iter().filter(|observer| observer.from <= most);
    let later = later.max_by_key(|observer| schedule.invoked(observer.place));
    let earlier = schedule.observers.iter().filter(|observer| observer.to >= start);
    let earlier = earlier.min_by_key(|observer| schedule.completed(observer.place));
    let earlier = earlier.filter(|_| start > schedule.initial).map(|observer| observer.place);
    let Some(later) = later.map(|observer| observer.place) else { unreachable!("somebody saw the sum {most}") };
    CounterContradiction::TooLittle { earlier, later, added, amount }
}

/// The schedule has nothing left to go beyond `most`, but more was seen.
pub(super) fn too_much(schedule: &Schedule<'_>, most: i128) -> CounterContradiction {
    let beyond = || schedule.observers.iter().filter(|observer| observer.to > most);
    let observer = beyond().min_by_key(|observer| schedule.completed(observer.place));
    let Some(observer) = observer.map(|observer| observer.place) else { unreachable!("somebody saw more than {most}") };
    let over = schedule.completed(observer);
    // Those that tell that they came later still, though they may have happened by then.
    let later = beyond().filter(|other| other.from < other.to && schedule.invoked(other.place) <= over);
    let observers: Vec<u32> = later.map(|other| other.place).chain([observer]).collect();
    CounterContradiction::TooMuch { observer, added: additions_around(schedule, &observers), most }
}

pub(super) fn off_step(schedule: &Schedule<'_>, observer: u32, step: i128) -> CounterContradiction {
    CounterContradiction::OffStep { observer, added: additions_around(schedule, &[observer]), step }
}

/// The additions that were neither over before the first of the observers began nor began after the last was over.
fn additions_around(schedule: &Schedule<'_>, observers: &[u32]) -> Vec<u32> {
    let begun = observers.iter().map(|place| schedule.invoked(*place)).min().unwrap_or(0);
    let over = observers.iter().map(|place| schedule.completed(*place)).max().unwrap_or(0);
    let told = schedule.observers.iter().filter(|observer| observer.from < observer.to).map(|observer| observer.place);
    let all = schedule.jobs.iter().map(|job| job.place).chain(told);
    all.filter(|place| schedule.completed(*place) >= begun && schedule.invoked(*place) <= over).collect()
}
