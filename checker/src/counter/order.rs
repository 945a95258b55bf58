//! The order of the additions to a counter.
//!
//! The sums that the counter goes through are a line. A read stands at one point of it; an addition that tells what it came
//! to covers a known piece. They must not overlap, nor stand against the times. All other additions are jobs that must
//! cover the rest of the line up to the highest sum seen: each not before `least`, the highest sum that was seen before it
//! began, and not beyond `most`, the lowest that was seen after it was over. Of unknown outcome, they have no `most` and
//! need not be done.
//!
//! Taking always the job with the lowest `most` finds a schedule of jobs that may be interrupted wherever there is one. If
//! none is interrupted at a sum that was seen, that is a legal order: of two jobs of which one was over before the other
//! began, the first has neither the higher `least` nor the higher `most`, and is taken first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::clash::{self, CounterContradiction};
use super::{CounterAnswer, CounterOperation, CounterStep};

pub(super) const NEVER: u64 = u64::MAX;

/// An operation that saw the sum.
#[derive(Clone, Copy)]
pub(super) struct Observer {
    pub(super) place: u32,
    /// The sum before it ...
    pub(super) from: i128,
    /// ... and after it: the same for a read.
    pub(super) to: i128,
}

/// An addition that did not tell what it came to.
#[derive(Clone, Copy)]
pub(super) struct Job {
    pub(super) place: u32,
    pub(super) by: i128,
    pub(super) least: i128,
    pub(super) most: i128,
}

pub(super) struct Schedule<'a> {
    pub(super) operations: &'a [CounterOperation],
    pub(super) initial: i128,
    /// By the sums that they saw.
    pub(super) observers: Vec<Observer>,
    /// By `least`.
    pub(super) jobs: Vec<Job>,
    /// Additions of nothing.
    idle: Vec<u32>,
}

type Due = Reverse<(i128, u64, u32)>;

impl<'a> Schedule<'a> {
    /// Collects what was seen, and holds it against the times.
    pub(super) fn new(operations: &'a [CounterOperation], initial: i64) -> Result<Self, CounterAnswer> {
        let initial = i128::from(initial);
        let mut schedule = Self { operations, initial, observers: Vec::new(), jobs: Vec::new(), idle: Vec::new() };
        for (place, operation) in operations.iter().enumerate() {
            let place = place as u32;
            match (operation.step, operation.is_known) {
                (CounterStep::Read(sum), true) => schedule.observe(place, 0, sum),
                (CounterStep::AddAndGet(by, sum), true) => schedule.observe(place, by, sum),
                (CounterStep::Read(_), false) => {}
                (CounterStep::Add(0), is_known) => schedule.idle.extend(is_known.then_some(place)),
                (CounterStep::Add(by) | CounterStep::AddAndGet(by, _), _) => {
                    let by = i128::from(by);
                    schedule.jobs.push(Job { place, by, least: initial, most: i128::MAX });
                }
            }
        }
        schedule.bound_from_below()?;
        schedule.bound_from_above();
        schedule.observers.sort_unstable_by_key(|observer| (observer.from, observer.to, observer.place));
        schedule.jobs.sort_by_key(|job| job.least);
        Ok(schedule)
    }

    fn observe(&mut self, place: u32, by: i64, sum: i64) {
        let to = i128::from(sum);
        self.observers.push(Observer { place, from: to - i128::from(by), to });
    }

    pub(super) fn invoked(&self, place: u32) -> u64 {
        self.operations[place as usize].invoked
    }

    pub(super) fn completed(&self, place: u32) -> u64 {
        let operation = &self.operations[place as usize];
        if operation.is_known { operation.completed } else { NEVER }
    }

    /// The highest sum that was seen before each operation began. What was seen after it must not be lower.
    fn bound_from_below(&mut self) -> Result<(), CounterAnswer> {
        let mut over = self.observers.clone();
        over.sort_by_key(|observer| self.completed(observer.place));
        let mut over = over.into_iter().peekable();
        let mut highest: Option<Observer> = None;
        let mut jobs = std::mem::take(&mut self.jobs);
        let mut next_job = jobs.iter_mut().peekable();
        let mut next_observer = self.observers.iter().peekable();
        for (place, operation) in self.operations.iter().enumerate() {
            while let Some(before) =
                over.next_if(|before| self.operations[before.place as usize].completed < operation.invoked)
            {
                if highest.is_none_or(|highest| before.to > highest.to) {
                    highest = Some(before);
                }
            }
            let least = highest.map_or(self.initial, |highest| highest.to);
            if let Some(job) = next_job.next_if(|job| job.place as usize == place) {
                job.least = least;
            }
            let Some(observer) = next_observer.next_if(|observer| observer.place as usize == place) else { continue };
            if observer.from < least {
                return Err(self.invalid(match highest {
                    Some(highest) => CounterContradiction::Backwards { earlier: highest.place, later: observer.place },
                    None => CounterContradiction::BelowInitial { observer: observer.place },
                }));
            }
        }
        self.jobs = jobs;
        Ok(())
    }

    /// The lowest sum that was seen after each job was over.
    fn bound_from_above(&mut self) {
        let mut lowest: Vec<i128> = self.observers.iter().map(|observer| observer.from).collect();
        for index in (1..lowest.len()).rev() {
            lowest[index - 1] = lowest[index - 1].min(lowest[index]);
        }
        let mut jobs = std::mem::take(&mut self.jobs);
        for job in &mut jobs {
            let over = self.completed(job.place);
            let after = self.observers.partition_point(|observer| self.invoked(observer.place) <= over);
            job.most = lowest.get(after).copied().unwrap_or(i128::MAX);
        }
        self.jobs = jobs;
    }

    pub(super) fn order(self) -> Result<Vec<u32>, CounterAnswer> {
        let mut order = Vec::with_capacity(self.operations.len());
        let mut sum = self.initial;
        let mut due: BinaryHeap<Due> = BinaryHeap::new();
        let mut left: Vec<i128> = self.jobs.iter().map(|job| job.by).collect();
        let mut next = 0;
        let mut is_interrupted = false;
        let mut last: Option<&Observer> = None;
        for observer in &self.observers {
            while let Some(job) = self.jobs.get(next).filter(|job| job.least <= sum) {
                due.push(Reverse((job.most, self.completed(job.place), next as u32)));
                next += 1;
            }
            if let Some(last) = last.filter(|last| observer.from < last.to) {
                let (left, right) = (last.place, observer.place);
                return Err(self.invalid(CounterContradiction::Overlap { left, right }));
            }
            while sum < observer.from {
                let Some(Reverse((most, completed, index))) = due.pop() else {
                    return Err(self.invalid(clash::too_much(&self, sum)));
                };
                let part = left[index as usize].min(observer.from - sum);
                sum += part;
                left[index as usize] -= part;
                if sum > most {
                    return Err(self.invalid(clash::too_little(&self, most)));
                }
                if left[index as usize] == 0 {
                    order.push(self.jobs[index as usize].place);
                } else {
                    is_interrupted = true;
                    due.push(Reverse((most, completed, index)));
                }
            }
            if let Some(Reverse((most, ..))) = due.peek().filter(|Reverse((most, ..))| *most <= sum) {
                return Err(self.invalid(clash::too_little(&self, *most)));
            }
            order.push(observer.place);
            sum = observer.to;
            last = Some(observer);
        }
        if is_interrupted {
            return Err(self.interrupted());
        }
        let mut rest: Vec<u32> =
            due.into_iter().map(|Reverse((.., index))| index).chain(next as u32..left.len() as u32).collect();
        rest.retain(|index| self.completed(self.jobs[*index as usize].place) != NEVER);
        let mut rest: Vec<u32> = rest.into_iter().map(|index| self.jobs[index as usize].place).collect();
        rest.sort_unstable();
        order.extend(rest);
        Ok(self.with_idle(order))
    }

    /// Additions of nothing happen when they begin.
    fn with_idle(&self, order: Vec<u32>) -> Vec<u32> {
        if self.idle.is_empty() {
            return order;
        }
        let mut merged = Vec::with_capacity(self.operations.len());
        let mut idle = self.idle.iter().copied().peekable();
        let mut moment = 0;
        for place in order {
            // It happens as soon as all before it have, and it has begun.
            moment = self.invoked(place).max(moment);
            while let Some(idle) = idle.next_if(|idle| self.invoked(*idle) < moment) {
                merged.push(idle);
            }
            merged.push(place);
        }
        merged.extend(idle);
        merged
    }

    /// A sum that is no multiple of what divides all additions is wrong for sure.
    fn interrupted(&self) -> CounterAnswer {
        let amounts = self.jobs.iter().map(|job| job.by);
        let amounts = amounts.chain(self.observers.iter().map(|observer| observer.to - observer.from));
        let step = amounts.fold(0, greatest_common_divisor);
        match self.observers.iter().find(|observer| step > 0 && (observer.to - self.initial) % step != 0) {
            Some(observer) => self.invalid(clash::off_step(self, observer.place, step)),
            None => CounterAnswer::NotApplicable("additions of different amounts could be put together in many ways"),
        }
    }

    fn invalid(&self, contradiction: CounterContradiction) -> CounterAnswer {
        CounterAnswer::Invalid(contradiction.into_clash())
    }
}

fn greatest_common_divisor(left: i128, right: i128) -> i128 {
    if right == 0 { left } else { greatest_common_divisor(right, left % right) }
}
