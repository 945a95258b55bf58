//! What was put into a queue comes out, and nothing else does; in which order is not asked.
//!
//! A value is lost if its queue was found empty, by an empty dequeue or a drain that began after the value was
//! acknowledged, and no dequeue brought it. A dequeue of unknown outcome may have taken one such value, unless it began
//! after the queue had been found empty; a drain of unknown outcome may have taken any number of them.

use rashomon_history::{Call, Key, Outcome, Returned, Value};

use super::report::{AnomalyKind, PropertyWhy};
use super::run::{Doubt, Halt, Numbers, Run, completed, plain};
use super::story::Story;
use crate::operation::NEVER;

const NONE: u32 = u32::MAX;

/// Acknowledged values that did not come out and need not have: the queue was not found empty after them.
const LEFT: &str = "left";
/// Acknowledged values that did not come out but may have, to a dequeue of unknown outcome.
const PERHAPS_TAKEN: &str = "perhaps-taken";

/// One value of one queue.
#[derive(Clone, Copy)]
struct Item<'a> {
    queue: u32,
    value: &'a Value,
    /// Enqueues that did not fail, and those that were acknowledged.
    attempts: u32,
    acknowledged: u32,
    /// How often it came out.
    out: u32,
    /// The first enqueue that did not fail, and the first that did.
    enqueue: u32,
    failed: u32,
    /// The first and the last dequeue that brought it.
    first_out: u32,
    last_out: u32,
}

/// What is known of one queue.
#[derive(Clone, Default)]
struct Queue {
    /// Operations that found it empty, by invocation.
    empties: Vec<u32>,
    /// For each of them, the first completion among it and those after it.
    empty_by: Vec<u64>,
    /// Invocations of the dequeues of unknown outcome.
    unknown_dequeues: Vec<u64>,
    /// The first drain of unknown outcome.
    unknown_drain: Option<u64>,
}

/// An acknowledged enqueue whose value may be lost.
struct Candidate {
    item: u32,
    /// When the queue had first been found empty after it; [`NEVER`] if it was not.
    empty_by: u64,
    position: u32,
}

struct TotalQueue<'a> {
    keys: Numbers<&'a Key>,
    queues: Vec<Queue>,
    values: Numbers<(u32, &'a Value)>,
    items: Vec<Item<'a>>,
    /// Values that came out before an enqueue of them was seen to begin.
    early: Vec<(u32, u32)>,
}

pub(super) fn check(run: &mut Run<'_>, exactly_once: bool) -> Result<Doubt, Halt> {
    const KINDS: [AnomalyKind; 4] =
        [AnomalyKind::Lost, AnomalyKind::Duplicated, AnomalyKind::Unexpected, AnomalyKind::AbortedRead];
    for name in ["attempt", "acknowledged", "ok", "recovered", LEFT, PERHAPS_TAKEN] {
        run.count(name, 0);
    }
    for kind in KINDS {
        run.count(kind.name(), 0);
    }
    let mut all = TotalQueue {
        keys: Numbers::new(),
        queues: Vec::new(),
        values: Numbers::new(),
        items: Vec::new(),
        early: Vec::new(),
    };
    for place in 0..run.order.len() {
        run.step()?;
        all.read(run, run.order[place])?;
    }
    run.objects(all.queues.len());
    all.check_early(run);
    all.check_numbers(run, exactly_once)?;
    let hidden_by_drains = all.check_lost(run)?;
    Ok(doubt(run, hidden_by_drains))
}

fn doubt(run: &Run<'_>, hidden_by_drains: u64) -> Doubt {
    let left = run.counted(LEFT);
    if run.counted("acknowledged") == 0 {
        Some(PropertyWhy::nothing("no enqueue was acknowledged"))
    } else if left > 0 {
        Some(PropertyWhy::undecided(format!(
            "{left} acknowledged values did not come out, but their queue was not found empty after them; draining it at \
             the end would help"
        )))
    } else if hidden_by_drains > 0 {
        Some(PropertyWhy::undecided(format!(
            "{hidden_by_drains} acknowledged values did not come out, unless to a drain of unknown outcome"
        )))
    } else if run.counted("ok") == 0 {
        Some(PropertyWhy::nothing("nothing came out"))
    } else {
        None
    }
}

impl<'a> TotalQueue<'a> {
    fn read(&mut self, run: &mut Run<'a>, position: u32) -> Result<(), Halt> {
        let operation = run.operation(position);
        let key = match &operation.call {
            Call::Enqueue { key, .. } | Call::Dequeue { key } | Call::Drain { key } => key,
            _ => return Err(Halt::NotOfTheProperty(position)),
        };
        let queue = self.keys.number(run, key)?;
        if queue == self.queues.len() {
            run.push(&mut self.queues, Queue::default())?;
        }
        match (&operation.call, &operation.outcome) {
            (Call::Enqueue { value, .. }, outcome) => self.put(run, queue, value, outcome, position),
            (_, Outcome::Fail(_)) => Ok(()),
            (Call::Drain { .. }, Outcome::Info(_)) => {
                let drain = &mut self.queues[queue].unknown_drain;
                *drain = drain.or(Some(operation.invoke_index));
                Ok(())
            }
            (_, Outcome::Info(_)) => run.push(&mut self.queues[queue].unknown_dequeues, operation.invoke_index),
            (call, Outcome::Ok(returned)) => self.take(run, queue, call, plain(returned), position),
        }
    }

    fn take(
        &mut self,
        run: &mut Run<'a>,
        queue: usize,
        call: &Call,
        returned: &'a Returned,
        position: u32,
    ) -> Result<(), Halt> {
        let is_drain = matches!(call, Call::Drain { .. });
        match returned {
            Returned::Value(Value::Nil) => run.push(&mut self.queues[queue].empties, position),
            Returned::Value(value) if !is_drain => self.take_one(run, queue, value, position),
            Returned::List(values) if is_drain => {
                for value in values {
                    run.step()?;
                    self.take_one(run, queue, value, position)?;
                }
                run.push(&mut self.queues[queue].empties, position)
            }
            _ => Err(Halt::NotOfTheProperty(position)),
        }
    }

    fn item(&mut self, run: &mut Run<'a>, queue: usize, value: &'a Value) -> Result<usize, Halt> {
        let queue = queue as u32;
        let number = self.values.number(run, (queue, value))?;
        if number == self.items.len() {
            let none = Item {
                queue,
                value,
                attempts: 0,
                acknowledged: 0,
                out: 0,
                enqueue: NONE,
                failed: NONE,
                first_out: NONE,
                last_out: NONE,
            };
            run.push(&mut self.items, none)?;
        }
        Ok(number)
    }

    fn put(
        &mut self,
        run: &mut Run<'a>,
        queue: usize,
        value: &'a Value,
        outcome: &Outcome,
        position: u32,
    ) -> Result<(), Halt> {
        let number = self.item(run, queue, value)?;
        let item = &mut self.items[number];
        if let Outcome::Fail(_) = outcome {
            if item.failed == NONE {
                item.failed = position;
            }
            return Ok(());
        }
        item.attempts += 1;
        if item.enqueue == NONE {
            item.enqueue = position;
        }
        run.count("attempt", 1);
        if let Outcome::Ok(_) = outcome {
            item.acknowledged += 1;
            run.count("acknowledged", 1);
        }
        Ok(())
    }

    fn take_one(&mut self, run: &mut Run<'a>, queue: usize, value: &'a Value, position: u32) -> Result<(), Halt> {
        let number = self.item(run, queue, value)?;
        if self.items[number].enqueue == NONE {
            return run.push(&mut self.early, (number as u32, position));
        }
        self.items[number].take(position);
        Ok(())
    }

    /// Values that came out before an enqueue of them had been seen to begin: one may have begun later, but in time.
    fn check_early(&mut self, run: &mut Run<'a>) {
        for (number, position) in std::mem::take(&mut self.early) {
            let item = &mut self.items[number as usize];
            let operation = run.operation(position);
            let is_in_time = |put: u32| put != NONE && run.operation(put).invoke_index <= completed(operation);
            let (value, failed, key) = (item.value, item.failed, operation.call.key());
            if is_in_time(item.enqueue) {
                item.take(position);
            } else if is_in_time(failed) {
                run.violation(AnomalyKind::AbortedRead, key, &[failed, position], |story| {
                    format!("{}, with {value}; but {}.", story.whole(position), story.whole(failed))
                });
            } else {
                run.violation(AnomalyKind::Unexpected, key, &[position], |story| {
                    format!("{}, although nobody had tried to put {value} there by then.", story.whole(position))
                });
            }
        }
    }

    /// Values that came out more often than they can have been put in.
    fn check_numbers(&self, run: &mut Run<'a>, exactly_once: bool) -> Result<(), Halt> {
        for item in &self.items {
            run.step()?;
            run.count("ok", u64::from(item.out.min(item.attempts)));
            run.count("recovered", u64::from(item.out.min(item.attempts).saturating_sub(item.acknowledged)));
            if item.out <= item.attempts {
                continue;
            }
            let Item { value, attempts, out, enqueue, first_out, last_out, .. } = *item;
            let key = run.operation(enqueue).call.key();
            let positions = [enqueue, first_out, last_out];
            let explain = |story: Story<'_>| {
                format!(
                    "{value} came out {out} times but was put in {attempts} times at most: {}; {}; {}.",
                    story.whole(enqueue),
                    story.whole(first_out),
                    story.whole(last_out)
                )
            };
            if exactly_once {
                run.violation(AnomalyKind::Duplicated, key, &positions, explain);
            } else {
                run.remark(AnomalyKind::Duplicated, key, &positions, explain);
            }
        }
        Ok(())
    }

    /// Acknowledged values that did not come out. How many of them only a drain of unknown outcome can have taken.
    fn check_lost(&mut self, run: &mut Run<'a>) -> Result<u64, Halt> {
        for queue in &mut self.queues {
            queue.empty_by = run.filled(queue.empties.len(), NEVER)?;
            let mut first = NEVER;
            for (place, position) in queue.empties.iter().enumerate().rev() {
                first = first.min(completed(run.operation(*position)));
                queue.empty_by[place] = first;
            }
        }
        let mut candidates = self.candidates(run)?;
        candidates.sort_unstable_by_key(|candidate| {
            let queue = self.items[candidate.item as usize].queue;
            (queue, candidate.empty_by, run.operation(candidate.position).invoke_index)
        });
        let mut hidden_by_drains = 0;
        // Dequeues of unknown outcome that have been made to account for a value, of the queue at hand.
        let (mut queue_at_hand, mut used) = (NONE, 0);
        for Candidate { item, empty_by, position } in candidates {
            run.step()?;
            let queue_number = self.items[item as usize].queue;
            if queue_number != queue_at_hand {
                (queue_at_hand, used) = (queue_number, 0);
            }
            let queue = &self.queues[queue_number as usize];
            if empty_by == NEVER {
                run.count(LEFT, 1);
            } else if queue.unknown_dequeues.get(used).is_some_and(|invoked| *invoked <= empty_by) {
                used += 1;
                run.count(PERHAPS_TAKEN, 1);
            } else if queue.unknown_drain.is_some_and(|invoked| invoked <= empty_by) {
                hidden_by_drains += 1;
                run.count(PERHAPS_TAKEN, 1);
            } else {
                self.tell_lost(run, queue, position, used);
            }
        }
        Ok(hidden_by_drains)
    }

    /// Acknowledged enqueues, without as many of each value as came out: those that were missed first.
    fn candidates(&self, run: &mut Run<'a>) -> Result<Vec<Candidate>, Halt> {
        let mut candidates = Vec::new();
        for place in 0..run.order.len() {
            run.step()?;
            let position = run.order[place];
            let operation = run.operation(position);
            let (Call::Enqueue { key, value }, Outcome::Ok(_)) = (&operation.call, &operation.outcome) else {
                continue;
            };
            let Some(queue) = self.keys.get(key) else { continue };
            let Some(item) = self.values.get((queue as u32, value)) else { continue };
            if self.items[item].out >= self.items[item].acknowledged {
                continue;
            }
            let Queue { empties, empty_by, .. } = &self.queues[queue];
            let next = self.first_empty_after(run, queue, position);
            let empty_by = if next < empties.len() { empty_by[next] } else { NEVER };
            run.push(&mut candidates, Candidate { item: item as u32, empty_by, position })?;
        }
        candidates.sort_unstable_by_key(|candidate| (candidate.item, candidate.empty_by, candidate.position));
        let mut left = (NONE, 0);
        candidates.retain(|candidate| {
            if candidate.item != left.0 {
                left = (candidate.item, self.items[candidate.item as usize].out);
            }
            let is_out = left.1 > 0;
            left.1 -= u32::from(is_out);
            !is_out
        });
        Ok(candidates)
    }

    /// The place of the first operation that found the queue empty and began after this enqueue was acknowledged.
    fn first_empty_after(&self, run: &Run<'a>, queue: usize, position: u32) -> usize {
        let acknowledged = completed(run.operation(position));
        self.queues[queue].empties.partition_point(|empty| run.operation(*empty).invoke_index <= acknowledged)
    }

    fn tell_lost(&self, run: &mut Run<'a>, queue: &Queue, position: u32, used: usize) {
        let operation = run.operation(position);
        let Call::Enqueue { key, value } = &operation.call else { return };
        let Some(number) = self.keys.get(key) else { return };
        let empties = &queue.empties[self.first_empty_after(run, number, position)..];
        let Some(empty) = empties.iter().copied().min_by_key(|empty| completed(run.operation(*empty))) else { return };
        let out = self.values.get((number as u32, value)).map_or(0, |item| self.items[item].out);
        run.violation(AnomalyKind::Lost, Some(key), &[position, empty], |story| {
            let fate = if out == 0 { "Nobody ever took it." } else { "It came out less often than it was put in." };
            let unknown = if used == 0 {
                String::new()
            } else {
                format!(" The {used} dequeues of unknown outcome that began in time account for as many others.")
            };
            format!("{}; then {}. {fate}{unknown}", story.whole(position), story.whole(empty))
        });
    }
}

impl Item<'_> {
    fn take(&mut self, position: u32) {
        self.out += 1;
        if self.first_out == NONE {
            self.first_out = position;
        }
        self.last_out = position;
    }
}
