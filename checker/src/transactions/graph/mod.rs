//! Which transaction must come before which: the dependency graph, packed.

pub(super) mod components;
pub(super) mod lists;
pub(super) mod orders;
pub(super) mod registers;
pub(super) mod timed;

use super::ids::TxnId;

/// Kinds of edges, as a set of bits. One step from a transaction to another may have several.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) struct Kinds(u8);

impl Kinds {
    pub(super) const WW: Self = Self(1);
    pub(super) const WR: Self = Self(2);
    pub(super) const RW: Self = Self(4);
    pub(super) const PROCESS: Self = Self(8);
    pub(super) const REALTIME: Self = Self(16);
    /// `rw`, or `ww`, of a register the order of whose values rests on real time. It counts as `rw`: were the order another
    /// one, there would be a cycle with one `rw` and real time.
    pub(super) const TIMED: Self = Self(32);

    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// A node: a transaction, or a point through which many edges are led.
///
/// Where each of many transactions must come before each of many others, edges through a point between them say so
/// without a product of their numbers.
pub(super) type Node = u32;

/// Edges, while they are collected. The first nodes are the transactions.
pub(super) struct Edges {
    transactions: u32,
    nodes: u32,
    /// The first point in time: the points after it are that as well.
    pub(super) first_time: Option<Node>,
    from: Vec<Node>,
    to: Vec<Node>,
    kinds: Vec<Kinds>,
}

impl Edges {
    /// Bytes that an edge takes while it is collected, with room to grow.
    pub(super) const BYTES_EACH: usize = 18;

    pub(super) fn new(transactions: usize) -> Self {
        let transactions = transactions as u32;
        Self {
            transactions,
            nodes: transactions,
            first_time: None,
            from: Vec::new(),
            to: Vec::new(),
            kinds: Vec::new(),
        }
    }

    /// A new point.
    pub(super) fn point(&mut self) -> Node {
        self.nodes += 1;
        self.nodes - 1
    }

    pub(super) fn len(&self) -> usize {
        self.to.len()
    }

    pub(super) fn add(&mut self, from: Node, to: Node, kinds: Kinds) {
        self.from.push(from);
        self.to.push(to);
        self.kinds.push(kinds);
    }

    /// Every one of `earlier` before every one of `later`, but none before itself. Both are sorted and without
    /// repetitions.
    pub(super) fn add_all(&mut self, earlier: &[TxnId], later: &[TxnId], kinds: Kinds) {
        const DIRECT_MAX: usize = 4;
        if earlier.is_empty() || later.is_empty() {
            return;
        }
        if earlier.len().min(later.len()) == 1 || earlier.len() * later.len() <= DIRECT_MAX * DIRECT_MAX {
            for one in earlier {
                for other in later.iter().filter(|other| *other != one) {
                    self.add(one.0, other.0, kinds);
                }
            }
            return;
        }
        let mut both = earlier.iter().filter(|one| later.binary_search(one).is_ok());
        let (only, another) = (both.next().copied(), both.next());
        // With two that are in both, each has a real way back to itself through the other one.
        let only = only.filter(|_| another.is_none());
        let point = self.point();
        for one in earlier.iter().filter(|one| Some(**one) != only) {
            self.add(one.0, point, kinds);
        }
        let others = match only {
            None => point,
            Some(only) => {
                let others = self.point();
                self.add(point, only.0, kinds);
                self.add(point, others, kinds);
                self.add(only.0, others, kinds);
                others
            }
        };
        for other in later.iter().filter(|other| Some(**other) != only) {
            self.add(others, other.0, kinds);
        }
    }

    /// Packs the edges by where they begin.
    pub(super) fn pack(self) -> Graph {
        let mut first = vec![0u32; self.nodes as usize + 1];
        for from in &self.from {
            first[*from as usize + 1] += 1;
        }
        for node in 0..self.nodes as usize {
            first[node + 1] += first[node];
        }
        let mut to = vec![0; self.to.len()];
        let mut kinds = vec![Kinds::default(); self.to.len()];
        let mut free = first.clone();
        for (index, from) in self.from.iter().enumerate() {
            let place = &mut free[*from as usize];
            to[*place as usize] = self.to[index];
            kinds[*place as usize] = self.kinds[index];
            *place += 1;
        }
        let first_time = self.first_time.unwrap_or(self.nodes);
        Graph { transactions: self.transactions, first_time, first, to, kinds }
    }
}

/// The edges, packed by where they begin (compressed sparse rows).
pub(super) struct Graph {
    pub(super) transactions: u32,
    pub(super) first_time: Node,
    first: Vec<u32>,
    to: Vec<Node>,
    kinds: Vec<Kinds>,
}

impl Graph {
    pub(super) fn nodes(&self) -> usize {
        self.first.len() - 1
    }

    pub(super) fn edges_from(&self, node: Node) -> impl Iterator<Item = (Node, Kinds)> {
        let range = self.first[node as usize] as usize..self.first[node as usize + 1] as usize;
        self.to[range.clone()].iter().copied().zip(self.kinds[range].iter().copied())
    }
}

impl components::Successors for Graph {
    fn nodes(&self) -> usize {
        self.nodes()
    }

    fn next(&self, node: Node, cursor: &mut u32) -> Option<Node> {
        let at = self.first[node as usize] + *cursor;
        *cursor += 1;
        (at < self.first[node as usize + 1]).then(|| self.to[at as usize])
    }
}
