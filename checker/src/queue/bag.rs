//! A queue of any order: a dequeue takes whatever is there.
//!
//! Values do not influence each other, but for the dequeues that found nothing: each has a moment at which no value is
//! certainly there, see `order.rs`. So a value that can be put and taken at once is; any other is put as late and taken as
//! early as its operations allow, and no such moment lies between.

use std::hash::Hash;

use super::order::{Item, NONE, items};
use super::{QueueAnswer, QueueOperation};

/// What happens at one moment, in this order: first goes what was there, at last comes what stays.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Take,
    PassThrough,
    Put,
}

/// Decides whether the operations on a queue of any order that starts empty are linearizable, if every value is enqueued
/// at most once and every dequeue came back. `operations` are in the order of their invocations.
pub fn check_bag<V: Copy + Eq + Hash>(operations: &[QueueOperation<V>]) -> QueueAnswer {
    match items(operations) {
        Ok(items) => QueueAnswer::Valid(order(&items)),
        Err(answer) => answer,
    }
}

fn order(items: &[Item]) -> Vec<u32> {
    let mut steps: Vec<(u64, Step, u32)> = Vec::with_capacity(items.len() * 2);
    for (index, item) in items.iter().enumerate() {
        let index = index as u32;
        if item.taken != NONE && item.taken_start <= item.put_end {
            steps.push((item.taken_start, Step::PassThrough, index));
        } else {
            steps.push((item.put_end, Step::Put, index));
            if item.taken != NONE {
                steps.push((item.taken_start, Step::Take, index));
            }
        }
    }
    steps.sort_unstable();
    let mut order = Vec::with_capacity(steps.len());
    for (_, step, index) in steps {
        let item = &items[index as usize];
        match step {
            Step::Put => order.push(item.put),
            Step::Take => order.push(item.taken),
            Step::PassThrough => order.extend([item.put, item.taken].into_iter().filter(|place| *place != NONE)),
        }
    }
    order
}
