//! The orders of processes and of real time.

use rustc_hash::FxHashMap;

use super::{Edges, Kinds, Node};
use crate::transactions::facts::Facts;
use crate::transactions::history::{Transaction, TransactionHistory, TransactionOutcome};
use crate::transactions::ids::TxnId;

/// When a transaction ran.
#[derive(Clone, Copy, Debug)]
pub(in crate::transactions) struct Span {
    pub(in crate::transactions) process: u64,
    pub(in crate::transactions) invoked: u64,
    /// `None` where it may take effect at any later time.
    pub(in crate::transactions) completed: Option<u64>,
}

impl Span {
    pub(in crate::transactions) fn new(transaction: &Transaction) -> Self {
        let Transaction { process, outcome, invoked, completed, .. } = *transaction;
        let completed = (outcome == TransactionOutcome::Committed).then_some(completed);
        Self { process, invoked, completed }
    }

    /// Whether the process made it before the other.
    pub(in crate::transactions) fn precedes_in_process(&self, other: &Self) -> bool {
        self.process == other.process && self.completed.is_some_and(|completed| completed <= other.invoked)
    }
}

/// Adds an edge from each transaction to the next of its process.
pub(in crate::transactions) fn add_processes(history: &TransactionHistory, facts: &Facts, edges: &mut Edges) {
    let mut spans = effective(history, facts);
    spans.sort_by_key(|(_, span)| span.invoked);
    let pairs = spans.iter().map(|(id, span)| (id.0, *span));
    process_pairs(pairs, |from, to| edges.add(from, to, Kinds::PROCESS));
}

/// Adds edges such that a way leads from a transaction to exactly those that began after it was over.
pub(in crate::transactions) fn add_realtime(history: &TransactionHistory, facts: &Facts, edges: &mut Edges) {
    let spans = effective(history, facts);
    let spans: Vec<(Node, Span)> = spans.into_iter().map(|(id, span)| (id.0, span)).collect();
    let first = edges.nodes;
    edges.first_time = Some(first);
    let points = realtime_chain(&spans, first, |from, to| edges.add(from, to, Kinds::REALTIME));
    edges.nodes += points;
}

fn effective(history: &TransactionHistory, facts: &Facts) -> Vec<(TxnId, Span)> {
    let ids = history.ids().filter(|id| facts.takes_effect(*id));
    ids.map(|id| (id, Span::new(history.transaction(id)))).collect()
}

/// Calls `add` for each transaction and the next one of its process. They come by invocation.
pub(in crate::transactions) fn process_pairs(
    spans: impl Iterator<Item = (Node, Span)>,
    mut add: impl FnMut(Node, Node),
) {
    let mut last: FxHashMap<u64, (Node, Span)> = FxHashMap::default();
    for (node, span) in spans {
        if let Some((earlier, before)) = last.insert(span.process, (node, span))
            && before.precedes_in_process(&span)
        {
            add(earlier, node);
        }
    }
}

/// Calls `add` for edges through points in time, of which there are as many as is returned, from `first` on. A point
/// follows all that completed before the next invocation, and the point before it: so there are at most three edges a
/// transaction.
pub(in crate::transactions) fn realtime_chain(
    spans: &[(Node, Span)],
    first: Node,
    mut add: impl FnMut(Node, Node),
) -> u32 {
    let mut invoked: Vec<(u64, Node)> = spans.iter().map(|(node, span)| (span.invoked, *node)).collect();
    let completions = spans.iter().filter_map(|(node, span)| Some((span.completed?, *node)));
    let mut completed: Vec<(u64, Node)> = completions.collect();
    invoked.sort();
    completed.sort();
    let mut over = completed.into_iter().peekable();
    let mut points = 0;
    for (invoked, node) in invoked {
        let mut is_new = false;
        while let Some((_, earlier)) = over.next_if(|(completed, _)| *completed < invoked) {
            if !is_new {
                is_new = true;
                points += 1;
                if points > 1 {
                    add(first + points - 2, first + points - 1);
                }
            }
            add(earlier, first + points - 1);
        }
        if points > 0 {
            add(first + points - 1, node);
        }
    }
    points
}
