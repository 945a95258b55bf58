//! One component of the dependency graph: transactions that each reach all the others.

use petgraph::csr::Csr;

use super::graph::components::{Components, Successors, components};
use super::graph::orders::{Span, process_pairs, realtime_chain};
use super::graph::{Graph, Kinds, Node};
use super::history::TransactionHistory;
use super::ids::{NONE, TxnId};
use super::kind::Order;
use super::watch::{Late, Watch};

/// A component by itself. Its nodes are its transactions, by invocation; then the points through which many `rw` are
/// led; then points in time.
pub(super) struct Component {
    /// The transactions.
    pub(super) members: Vec<TxnId>,
    /// When each of them ran.
    pub(super) spans: Vec<Span>,
    /// The edges. Each two nodes have at most one, of all kinds at once.
    pub(super) graph: Csr<(), Kinds>,
    /// The first node that is a point in time.
    pub(super) first_time: Node,
    /// The strongest order that counts.
    pub(super) order: Order,
}

impl Component {
    /// `nodes` are those of one component of the graph; `local` has an entry for every node of the graph, all [`NONE`],
    /// and is left like that.
    pub(super) fn new(
        history: &TransactionHistory,
        graph: &Graph,
        nodes: &[Node],
        order: Order,
        local: &mut [u32],
    ) -> Self {
        let mut members: Vec<TxnId> =
            nodes.iter().filter(|node| **node < graph.transactions).map(|n| TxnId(*n)).collect();
        members.sort_by_key(|id| (history.transaction(*id).invoked, *id));
        let spans: Vec<Span> = members.iter().map(|id| Span::new(history.transaction(*id))).collect();
        let points = nodes.iter().copied().filter(|node| (graph.transactions..graph.first_time).contains(node));
        let kept: Vec<Node> = members.iter().map(|id| id.0).chain(points).collect();
        for (index, node) in kept.iter().enumerate() {
            local[*node as usize] = index as u32;
        }
        let first_time = kept.len() as u32;
        let mut edges: Vec<(Node, Node, Kinds)> = Vec::new();
        for (from, node) in kept.iter().enumerate() {
            let inner = graph.edges_from(*node).filter(|(to, _)| local[*to as usize] != NONE);
            edges.extend(inner.map(|(to, kinds)| (from as Node, local[to as usize], kinds)));
        }
        for node in kept {
            local[node as usize] = NONE;
        }
        let timed: Vec<(Node, Span)> = (0..).zip(spans.iter().copied()).collect();
        if order >= Order::Process {
            process_pairs(timed.iter().copied(), |from, to| edges.push((from, to, Kinds::PROCESS)));
        }
        if order == Order::Realtime {
            realtime_chain(&timed, first_time, |from, to| edges.push((from, to, Kinds::REALTIME)));
        }
        Self { members, spans, graph: pack(edges), first_time, order }
    }

    pub(super) fn nodes(&self) -> usize {
        self.graph.node_count()
    }

    /// Whether the node is a transaction, and not a point.
    pub(super) fn is_transaction(&self, node: Node) -> bool {
        (node as usize) < self.members.len()
    }

    pub(super) fn edges_from(&self, node: Node) -> impl Iterator<Item = (Node, Kinds)> {
        let (to, kinds) = (self.graph.neighbors_slice(node), self.graph.edges_slice(node));
        to.iter().copied().zip(kinds.iter().copied())
    }

    /// Components of the graph that has only edges of these kinds.
    pub(super) fn components_of(&self, allowed: Kinds, watch: &mut Watch) -> Result<Components, Late> {
        components(&Allowed { component: self, allowed }, watch)
    }

    /// Components of the graph in which no two edges of the kinds `lone` follow each other. Every node is there twice:
    /// reached by another edge, and, with a number higher by the number of nodes, by a lone one.
    pub(super) fn components_apart(&self, allowed: Kinds, lone: Kinds, watch: &mut Watch) -> Result<Components, Late> {
        components(&Apart { component: self, allowed, lone }, watch)
    }
}

fn pack(mut edges: Vec<(Node, Node, Kinds)>) -> Csr<(), Kinds> {
    edges.sort_unstable();
    edges.dedup_by(|later, kept| {
        let is_same = (later.0, later.1) == (kept.0, kept.1);
        if is_same {
            kept.2 = kept.2.or(later.2);
        }
        is_same
    });
    match Csr::from_sorted_edges(&edges) {
        Ok(graph) => graph,
        Err(_) => unreachable!("the edges were sorted just now"),
    }
}

struct Allowed<'a> {
    component: &'a Component,
    allowed: Kinds,
}

impl Successors for Allowed<'_> {
    fn nodes(&self) -> usize {
        self.component.nodes()
    }

    fn next(&self, node: Node, cursor: &mut u32) -> Option<Node> {
        let to = self.component.graph.neighbors_slice(node);
        let kinds = self.component.graph.edges_slice(node);
        while (*cursor as usize) < to.len() {
            let at = *cursor as usize;
            *cursor += 1;
            if kinds[at].meets(self.allowed) {
                return Some(to[at]);
            }
        }
        None
    }
}

struct Apart<'a> {
    component: &'a Component,
    allowed: Kinds,
    lone: Kinds,
}

impl Successors for Apart<'_> {
    fn nodes(&self) -> usize {
        self.component.nodes() * 2
    }

    fn next(&self, node: Node, cursor: &mut u32) -> Option<Node> {
        let nodes = self.component.nodes() as u32;
        let (node, is_after_lone) = if node < nodes { (node, false) } else { (node - nodes, true) };
        let is_inside = (self.component.members.len() as u32..self.component.first_time).contains(&node);
        let to = self.component.graph.neighbors_slice(node);
        let kinds = self.component.graph.edges_slice(node);
        // Each edge is looked at twice: as one that may follow any other, and as a lone one.
        while (*cursor as usize) < to.len() * 2 {
            let (at, is_lone) = (*cursor as usize / 2, *cursor % 2 == 1);
            *cursor += 1;
            if is_lone && kinds[at].meets(self.lone) {
                // The second half of an edge through a point is no edge of its own.
                if is_after_lone == is_inside {
                    return Some(to[at] + nodes);
                }
            } else if !is_lone && kinds[at].meets(self.allowed) {
                return Some(to[at]);
            }
        }
        None
    }
}
