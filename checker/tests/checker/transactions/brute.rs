//! What the levels mean, tried out on small histories.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_checker::transactions::{AnomalyKind, CycleClass, Order, TransactionOutcome};
use rashomon_history::{Key, MicroOp, Seen, Value};

use super::random::Small;

type State = BTreeMap<Key, Vec<Value>>;

/// Whether the transactions can have run one after the other in an order that keeps the given one: all that committed, and
/// of those of unknown outcome any.
pub(crate) fn is_serializable(transactions: &[Small], order: Order) -> bool {
    let left: Vec<&Small> = transactions.iter().filter(|small| !small.is(TransactionOutcome::Aborted)).collect();
    try_all(&left, &State::new(), order)
}

fn try_all(left: &[&Small], state: &State, order: Order) -> bool {
    if left.iter().all(|small| small.is(TransactionOutcome::Unknown)) {
        return true;
    }
    (0..left.len()).any(|index| {
        let next = left[index];
        let must_wait = left.iter().any(|other| match order {
            Order::Data => false,
            Order::Process => other.precedes_in_process(next),
            Order::Realtime => other.precedes(next),
        });
        let mut state = state.clone();
        if must_wait || !run(next, &mut state) {
            return false;
        }
        let mut rest = left.to_vec();
        rest.remove(index);
        try_all(&rest, &state, order)
    })
}

/// Runs one transaction. Whether it saw what is there.
fn run(small: &Small, state: &mut State) -> bool {
    small.micro_ops.iter().all(|micro_op| match micro_op {
        MicroOp::Append { key, value } => {
            state.entry(key.clone()).or_default().push(value.clone());
            true
        }
        MicroOp::Write { key, value } => {
            state.insert(key.clone(), vec![value.clone()]);
            true
        }
        MicroOp::Read { .. } if small.is(TransactionOutcome::Unknown) => true,
        MicroOp::Read { key, seen } => {
            let held = state.get(key).map_or(&[][..], Vec::as_slice);
            match seen {
                None => true,
                Some(Seen::List(seen)) => seen == held,
                Some(Seen::Value(seen)) => held.last().unwrap_or(&Value::Nil) == seen,
            }
        }
    })
}

/// Two transactions of which one comes before the other, by their places, and why.
type Edge = (usize, usize, Why);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Why {
    Ww,
    Wr,
    Rw,
    Process,
    Realtime,
}

/// All kinds of simple cycles of a history of lists whose reads are all beginnings of the longest ones.
pub(crate) fn cycles(transactions: &[Small]) -> BTreeSet<AnomalyKind> {
    let edges = edges(transactions);
    let mut found = BTreeSet::new();
    for start in 0..transactions.len() {
        go_on(&edges, &mut vec![start], &mut Vec::new(), &mut found);
    }
    found
}

fn go_on(edges: &BTreeSet<Edge>, path: &mut Vec<usize>, kinds: &mut Vec<Why>, found: &mut BTreeSet<AnomalyKind>) {
    let last = path[path.len() - 1];
    for (_, to, why) in edges.iter().filter(|(from, ..)| *from == last) {
        kinds.push(*why);
        if *to == path[0] {
            found.extend(classify(kinds));
        } else if *to > path[0] && !path.contains(to) {
            path.push(*to);
            go_on(edges, path, kinds, found);
            path.pop();
        }
        kinds.pop();
    }
}

fn classify(kinds: &[Why]) -> Option<AnomalyKind> {
    let count = |wanted| kinds.iter().filter(|why| **why == wanted).count();
    let is_adjacent = (0..kinds.len()).any(|at| [kinds[at], kinds[(at + 1) % kinds.len()]] == [Why::Rw, Why::Rw]);
    let class = match (count(Why::Rw), count(Why::Wr), count(Why::Ww)) {
        (0, 0, 0) => return None,
        (0, 0, _) => CycleClass::G0,
        (0, _, _) => CycleClass::G1c,
        (1, _, _) => CycleClass::GSingleItem,
        _ if is_adjacent => CycleClass::G2Item,
        _ => CycleClass::GNonadjacentItem,
    };
    let order = match (count(Why::Realtime), count(Why::Process)) {
        (0, 0) => Order::Data,
        (0, _) => Order::Process,
        _ => Order::Realtime,
    };
    Some(AnomalyKind::Cycle(class, order))
}

fn edges(transactions: &[Small]) -> BTreeSet<Edge> {
    let mut longest: BTreeMap<&Key, &[Value]> = BTreeMap::new();
    for (key, seen) in transactions.iter().flat_map(lists_seen) {
        let known = longest.entry(key).or_default();
        if seen.len() > known.len() {
            *known = seen;
        }
    }
    let is_seen = |key: &Key, value: &Value| longest.get(key).is_some_and(|list| list.contains(value));
    let takes_effect = |small: &Small| match small.transaction.outcome {
        TransactionOutcome::Committed => true,
        TransactionOutcome::Aborted => false,
        TransactionOutcome::Unknown => appends(small).any(|(key, value)| is_seen(key, value)),
    };
    let effective: Vec<usize> = (0..transactions.len()).filter(|at| takes_effect(&transactions[*at])).collect();
    let mut edges = BTreeSet::new();
    for from in &effective {
        for to in &effective {
            let (one, other) = (&transactions[*from], &transactions[*to]);
            if from == to {
                continue;
            }
            if one.precedes_in_process(other) {
                edges.insert((*from, *to, Why::Process));
            }
            if one.precedes(other) {
                edges.insert((*from, *to, Why::Realtime));
            }
            for (key, value) in appends(other) {
                let list = longest.get(key).copied().unwrap_or_default();
                let place = list.iter().position(|seen| seen == value).unwrap_or(list.len());
                let before = &list[..place];
                if before.last().is_some_and(|last| appends(one).any(|(k, v)| k == key && v == last)) {
                    edges.insert((*from, *to, Why::Ww));
                }
                if lists_seen(one).any(|(k, seen)| k == key && seen == before) {
                    edges.insert((*from, *to, Why::Rw));
                }
            }
            for (key, seen) in lists_seen(other) {
                if seen.last().is_some_and(|last| appends(one).any(|(k, v)| k == key && v == last)) {
                    edges.insert((*from, *to, Why::Wr));
                }
            }
        }
    }
    edges
}

fn appends(small: &Small) -> impl Iterator<Item = (&Key, &Value)> {
    small.micro_ops.iter().filter_map(|micro_op| match micro_op {
        MicroOp::Append { key, value } => Some((key, value)),
        MicroOp::Read { .. } | MicroOp::Write { .. } => None,
    })
}

fn lists_seen(small: &Small) -> impl Iterator<Item = (&Key, &[Value])> {
    let is_known = small.is(TransactionOutcome::Committed);
    small.micro_ops.iter().filter(move |_| is_known).filter_map(|micro_op| match micro_op {
        MicroOp::Read { key, seen: Some(Seen::List(seen)) } => Some((key, seen.as_slice())),
        MicroOp::Read { key, seen: Some(Seen::Value(Value::Nil)) } => Some((key, &[][..])),
        MicroOp::Read { .. } | MicroOp::Append { .. } | MicroOp::Write { .. } => None,
    })
}
