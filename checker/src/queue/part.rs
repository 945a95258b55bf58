//! A queue's history without some of its values.

use std::hash::Hash;

use rustc_hash::FxHashSet;

use super::{QueueOperation, QueueStep};
use crate::model::SubHistory;
use crate::operation::{Entry, Partition};

/// The operations of a partition; `None` where one is none of a queue's.
pub(crate) fn operations_of<'p, C, R, V>(
    partition: &Partition<'p, C, R>,
    step: impl Fn(&Entry<'p, C, R>) -> Option<QueueStep<&'p V>>,
) -> Option<Vec<QueueOperation<&'p V>>> {
    let operation = |entry: &Entry<'p, C, R>| {
        let (invoked, completed) = (entry.invoked, entry.completed);
        Some(QueueOperation { step: step(entry)?, is_known: entry.returned.is_some(), invoked, completed })
    };
    partition.iter().map(operation).collect()
}

/// Whom a dequeue that is left out would have helped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TakesHelp {
    /// Every later dequeue: what was before its value is gone.
    All,
    /// Only dequeues that found nothing.
    Empty,
}

/// A queue without some of its values, neither put nor taken, is a queue. That holds in any order.
pub(crate) fn sub_history<'p, C, R, V: Eq + Hash + 'p>(
    kept: &Partition<'p, C, R>,
    dropped: &Partition<'p, C, R>,
    takes_help: TakesHelp,
    step: impl Fn(&Entry<'p, C, R>) -> Option<QueueStep<&'p V>>,
) -> SubHistory<C, R> {
    let (Some(kept), Some(dropped)) = (operations_of(kept, &step), operations_of(dropped, &step)) else {
        return SubHistory::Unsound;
    };
    let (put, lost) = (put(&kept), put(&dropped));
    // A dequeue of unknown outcome that is kept may have taken a value that is dropped: then it need not have happened.
    let is_torn = kept.iter().any(|operation| match operation.step {
        QueueStep::Dequeue(value) => lost.contains(value),
        QueueStep::Enqueue(_) | QueueStep::Empty => false,
    });
    let loses_its_dequeue = dropped.iter().any(|operation| match operation.step {
        // Where those that are kept took it as often as it was put, there was one too many, and the whole is impossible.
        QueueStep::Dequeue(value) => put.contains(value) && has_left(&kept, value),
        QueueStep::Empty => !operation.is_known,
        QueueStep::Enqueue(_) => false,
    });
    let is_helped = |operation: &QueueOperation<&V>| match (operation.step, takes_help) {
        (QueueStep::Enqueue(_), _) | (QueueStep::Dequeue(_), TakesHelp::Empty) => false,
        (QueueStep::Dequeue(_), TakesHelp::All) | (QueueStep::Empty, _) => operation.is_known,
    };
    if is_torn || loses_its_dequeue && kept.iter().any(is_helped) { SubHistory::Unsound } else { SubHistory::AsItIs }
}

/// Whether the value was put more often than certainly taken.
fn has_left<V: Eq>(operations: &[QueueOperation<&V>], value: &V) -> bool {
    let puts = operations.iter().filter(|operation| operation.step == QueueStep::Enqueue(value)).count();
    let takes = |operation: &&QueueOperation<&V>| operation.is_known && operation.step == QueueStep::Dequeue(value);
    puts > operations.iter().filter(takes).count()
}

fn put<'p, V: Eq + Hash + 'p>(operations: &[QueueOperation<&'p V>]) -> FxHashSet<&'p V> {
    let value = |operation: &QueueOperation<&'p V>| match operation.step {
        QueueStep::Enqueue(value) => Some(value),
        QueueStep::Dequeue(_) | QueueStep::Empty => None,
    };
    operations.iter().filter_map(value).collect()
}
