//! The order of the values in a queue.
//!
//! A value is put at a moment of its enqueue and taken at a later moment of its dequeue (never, if nobody took it). So it
//! is put by `put_end`, the earlier of the two completions, and taken from `taken_start` on, the later of the two
//! invocations. Value X must come before Y iff `put_end(X) < put_start(Y)` or `taken_end(X) < taken_start(Y)`. Given an
//! order of the values that keeps to this, enqueues and dequeues can be merged greedily, each sequence in that order, by
//! their times: if both next ones had to wait for the other sequence, two values would stand in the wrong order.
//!
//! A dequeue that found nothing needs a moment at which no value is certainly there: one that lies inside no
//! `(put_end, taken_start)`. Put at that moment it is like a value that is put and taken at once.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::{QueueAnswer, QueueClash, QueueOperation, QueueStep};

pub(super) const NONE: u32 = u32::MAX;
const NEVER: u64 = u64::MAX;

/// A value, or a dequeue that found nothing.
#[derive(Clone, Copy)]
pub(super) struct Item {
    /// The enqueue; [`NONE`] for a dequeue that found nothing.
    pub(super) put: u32,
    /// The dequeue, or [`NONE`].
    pub(super) taken: u32,
    pub(super) put_start: u64,
    pub(super) put_end: u64,
    pub(super) taken_start: u64,
    pub(super) taken_end: u64,
}

impl Item {
    fn must_precede(&self, other: &Self) -> bool {
        self.put_end < other.put_start || self.taken_end < other.taken_start
    }
}

/// Decides whether the operations on a queue that starts empty are linearizable, if every value is enqueued at most once
/// and every dequeue came back. `operations` are in the order of their invocations.
pub fn check_queue<V: Copy + Eq + Hash>(operations: &[QueueOperation<V>]) -> QueueAnswer {
    match items(operations).and_then(|items| order(operations, &items)) {
        Ok(order) => QueueAnswer::Valid(order),
        Err(answer) => answer,
    }
}

/// The values that were certainly put, and the dequeues that found nothing, each at its moment.
pub(super) fn items<V: Copy + Eq + Hash>(operations: &[QueueOperation<V>]) -> Result<Vec<Item>, QueueAnswer> {
    let end = |operation: &QueueOperation<V>| if operation.is_known { operation.completed } else { NEVER };
    if operations.iter().any(|operation| !operation.is_known && !matches!(operation.step, QueueStep::Enqueue(_))) {
        return Err(QueueAnswer::NotApplicable("a dequeue of unknown outcome may have taken any value"));
    }
    let mut by_value: FxHashMap<V, Item> = FxHashMap::default();
    for (place, operation) in operations.iter().enumerate() {
        let QueueStep::Enqueue(value) = operation.step else { continue };
        let item = Item {
            put: place as u32,
            taken: NONE,
            put_start: operation.invoked,
            put_end: end(operation),
            taken_start: NEVER,
            taken_end: NEVER,
        };
        if by_value.insert(value, item).is_some() {
            return Err(QueueAnswer::NotApplicable("a value is enqueued more than once"));
        }
    }
    let mut empty = Vec::new();
    // Told last: where another dequeue has the value too, that one has to be told.
    let mut early = None;
    for (place, operation) in operations.iter().enumerate() {
        let dequeue = place as u32;
        match operation.step {
            QueueStep::Enqueue(_) => continue,
            QueueStep::Empty => empty.push(dequeue),
            QueueStep::Dequeue(value) => {
                let Some(item) = by_value.get_mut(&value) else {
                    return Err(QueueAnswer::Invalid(QueueClash::NeverEnqueued { dequeue }));
                };
                let enqueue = item.put;
                if item.taken != NONE {
                    let (first, second) = (item.taken, dequeue);
                    return Err(QueueAnswer::Invalid(QueueClash::DequeuedTwice { enqueue, first, second }));
                }
                if operation.completed < item.put_start {
                    early.get_or_insert(QueueClash::DequeuedEarly { enqueue, dequeue });
                }
                item.taken = dequeue;
                item.put_end = item.put_end.min(operation.completed);
                item.taken_start = operation.invoked.max(item.put_start);
                item.taken_end = operation.completed;
            }
        }
    }
    if let Some(clash) = early {
        return Err(QueueAnswer::Invalid(clash));
    }
    let happened = |item: &Item| item.taken != NONE || operations[item.put as usize].is_known;
    let mut items: Vec<Item> = by_value.into_values().filter(happened).collect();
    items.sort_unstable_by_key(|item| item.put);
    place_empty(operations, &empty, &mut items)?;
    Ok(items)
}

/// Gives each dequeue that found nothing the first moment of its interval at which no value is certainly there.
fn place_empty<V>(operations: &[QueueOperation<V>], empty: &[u32], items: &mut Vec<Item>) -> Result<(), QueueAnswer> {
    let mut there: Vec<Item> = items.iter().filter(|item| item.put_end < item.taken_start).copied().collect();
    there.sort_unstable_by_key(|item| item.put_end);
    let mut next = 0;
    // The first moment from which on no value of those that were put before is certainly there.
    let mut free_from = 0;
    for dequeue in empty {
        let operation = &operations[*dequeue as usize];
        let mut moment = operation.invoked.max(free_from);
        while let Some(item) = there.get(next).filter(|item| item.put_end < moment) {
            free_from = free_from.max(item.taken_start);
            moment = moment.max(free_from);
            next += 1;
        }
        if moment > operation.completed {
            let values = covering(&there, operation.invoked, operation.completed);
            return Err(QueueAnswer::Invalid(QueueClash::NotEmpty { dequeue: *dequeue, values }));
        }
        let (start, end) = (moment, moment);
        items.push(Item {
            put: NONE,
            taken: *dequeue,
            put_start: start,
            put_end: end,
            taken_start: start,
            taken_end: end,
        });
    }
    Ok(())
}

/// Few values of which one is there at every moment from `start` to `end`: always the one that stays longest.
fn covering(there: &[Item], start: u64, end: u64) -> Vec<u32> {
    let mut values = Vec::new();
    let mut moment = start;
    while moment <= end {
        let covers = |item: &&Item| item.put_end < moment && moment < item.taken_start;
        let Some(longest) = there.iter().filter(covers).max_by_key(|item| item.taken_start) else { break };
        values.extend([longest.put, longest.taken].into_iter().filter(|place| *place != NONE));
        moment = longest.taken_start;
    }
    values
}

fn order<V>(operations: &[QueueOperation<V>], items: &[Item]) -> Result<Vec<u32>, QueueAnswer> {
    let values = sort(items);
    if values.len() < items.len() {
        let mut is_sorted = vec![false; items.len()];
        for index in &values {
            is_sorted[*index as usize] = true;
        }
        let rest = items.iter().zip(is_sorted).filter(|(_, is_sorted)| !is_sorted).map(|(item, _)| *item);
        return Err(out_of_order(rest.collect()));
    }
    let sorted: Vec<Item> = values.into_iter().map(|index| items[index as usize]).collect();
    Ok(merge(operations, &sorted))
}

/// Takes an item that none of the others must precede, again and again.
fn sort(items: &[Item]) -> Vec<u32> {
    let by = |key: fn(&Item) -> u64| {
        let mut order: Vec<u32> = (0..items.len() as u32).collect();
        order.sort_unstable_by_key(|index| key(&items[*index as usize]));
        order
    };
    let (by_put_end, by_taken_end) = (by(|item| item.put_end), by(|item| item.taken_end));
    let (by_put_start, by_taken_start) = (by(|item| item.put_start), by(|item| item.taken_start));
    let (mut put_end, mut taken_end, mut put_start, mut taken_start) = (0, 0, 0, 0);
    let mut is_done = vec![false; items.len()];
    // Two conditions must be met by each.
    let mut conditions_met = vec![0u8; items.len()];
    let mut ready = Vec::new();
    let mut sorted = Vec::with_capacity(items.len());
    loop {
        put_end += by_put_end[put_end..].iter().take_while(|index| is_done[**index as usize]).count();
        taken_end += by_taken_end[taken_end..].iter().take_while(|index| is_done[**index as usize]).count();
        let (Some(first_put), Some(first_taken)) = (by_put_end.get(put_end), by_taken_end.get(taken_end)) else {
            return sorted;
        };
        let (first_put, first_taken) = (items[*first_put as usize].put_end, items[*first_taken as usize].taken_end);
        let mut meet = |index: u32| {
            conditions_met[index as usize] += 1;
            if conditions_met[index as usize] == 2 {
                ready.push(index);
            }
        };
        while let Some(index) =
            by_put_start.get(put_start).filter(|index| items[**index as usize].put_start <= first_put)
        {
            meet(*index);
            put_start += 1;
        }
        while let Some(index) =
            by_taken_start.get(taken_start).filter(|index| items[**index as usize].taken_start <= first_taken)
        {
            meet(*index);
            taken_start += 1;
        }
        let Some(index) = ready.pop() else { return sorted };
        is_done[index as usize] = true;
        sorted.push(index);
    }
}

/// Two values that must each come before the other, out of items that can't be sorted.
fn out_of_order(mut rest: Vec<Item>) -> QueueAnswer {
    let mut by_start = rest.clone();
    by_start.sort_unstable_by_key(|item| item.put_start);
    rest.sort_unstable_by_key(|item| item.put_end);
    let mut before = rest.iter().peekable();
    let mut latest: Option<&Item> = None;
    for second in &by_start {
        while let Some(item) = before.next_if(|item| item.put_end < second.put_start) {
            if latest.is_none_or(|latest| item.taken_start > latest.taken_start) {
                latest = Some(item);
            }
        }
        if let Some(first) = latest.filter(|first| first.must_precede(second) && second.taken_end < first.taken_start) {
            return QueueAnswer::Invalid(QueueClash::OutOfOrder {
                first: first.put,
                first_taken: Some(first.taken).filter(|taken| *taken != NONE),
                second: second.put,
                second_taken: second.taken,
            });
        }
    }
    QueueAnswer::NotApplicable("the values stand in a circle, but no two of them contradict each other")
}

/// Enqueues and dequeues, both in the order of the items, so that none comes after one that began when it was over.
fn merge<V>(operations: &[QueueOperation<V>], items: &[Item]) -> Vec<u32> {
    let end = |place: u32| {
        let operation = &operations[place as usize];
        if operation.is_known { operation.completed } else { NEVER }
    };
    // The earliest completion of the enqueues from each item on.
    let mut put_end_from = vec![NEVER; items.len() + 1];
    for (index, item) in items.iter().enumerate().rev() {
        let own = if item.put == NONE { item.put_end } else { end(item.put) };
        put_end_from[index] = put_end_from[index + 1].min(own);
    }
    let mut merged = Vec::with_capacity(operations.len());
    let mut put = 0;
    for (index, item) in items.iter().enumerate() {
        let was_taken = item.taken != NONE;
        // All that must be put before this one is taken: itself, and what was put by then.
        while put < items.len() && (put <= index || (was_taken && put_end_from[put] < item.taken_start)) {
            if items[put].put != NONE {
                merged.push(items[put].put);
            }
            put += 1;
        }
        if was_taken {
            merged.push(item.taken);
        }
    }
    merged
}
