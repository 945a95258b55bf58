//! Shortest ways through a component, breadth first.

use super::component::Component;
use super::graph::{Kinds, Node};
use super::ids::NONE;
use super::report::EdgeKind;
use super::watch::{Late, Watch};

/// Which way to find: one that leads `from` a node, or a point, back `to` the transaction from which an edge led there.
#[derive(Clone, Copy)]
pub(super) struct Walk {
    /// Edges that may stand anywhere.
    pub(super) allowed: Kinds,
    /// Edges that may stand anywhere but next to each other. Then one led to where the way begins.
    pub(super) lone: Option<Kinds>,
    pub(super) from: Node,
    pub(super) to: Node,
    /// The most edges that it may have.
    pub(super) length_max: usize,
}

/// How many steps the search for one class of cycles may take, so that the answer does not depend on the clock.
pub(super) struct Limits {
    left: u64,
}

impl Limits {
    pub(super) fn new(component: &Component) -> Self {
        let size = component.nodes() + component.graph.edge_count();
        Self { left: 1_000_000 + 8 * size as u64 }
    }

    pub(super) fn none() -> Self {
        Self { left: u64::MAX }
    }

    pub(super) fn is_spent(&self) -> bool {
        self.left == 0
    }

    fn spend(&mut self) -> bool {
        self.left = self.left.saturating_sub(1);
        self.left > 0
    }
}

/// The strongest kind of an edge: what is about data, and needs no clock, comes first.
pub(super) fn strongest(kinds: Kinds) -> EdgeKind {
    let order = [
        (Kinds::WW, EdgeKind::Ww),
        (Kinds::WR, EdgeKind::Wr),
        (Kinds::RW, EdgeKind::Rw),
        (Kinds::PROCESS, EdgeKind::Process),
        (Kinds::REALTIME, EdgeKind::Realtime),
        (Kinds::WW_REALTIME, EdgeKind::Ww),
    ];
    order.into_iter().find(|(kind, _)| kinds.meets(*kind)).map_or(EdgeKind::Rw, |(_, kind)| kind)
}

/// A place in a walk: a node, and whether a lone edge led there.
#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    node: Node,
    is_after_lone: bool,
}

/// Walks through one component.
pub(super) struct Walker<'a> {
    component: &'a Component,
    /// In which walk a state was reached last; states after lone edges stand behind the others.
    reached: Vec<u32>,
    /// From where, and by what.
    parent: Vec<(u32, EdgeKind)>,
    walk: u32,
    queue: Vec<State>,
    /// All transactions from here on, by invocation, were reached because another one was over before.
    later_than: usize,
}

impl<'a> Walker<'a> {
    pub(super) fn new(component: &'a Component) -> Self {
        let states = component.nodes() * 2;
        Self {
            component,
            reached: vec![0; states],
            parent: vec![(NONE, EdgeKind::Realtime); states],
            walk: 0,
            queue: Vec::new(),
            later_than: 0,
        }
    }

    /// The steps of a shortest way: each transaction with the edge that leads on from it, the last one to where it ends.
    pub(super) fn walk(
        &mut self,
        walk: &Walk,
        limits: &mut Limits,
        watch: &mut Watch,
    ) -> Result<Option<Vec<(Node, EdgeKind)>>, Late> {
        self.walk += 1;
        self.queue.clear();
        self.later_than = self.component.members.len();
        let is_after_lone = walk.lone.is_some();
        if self.component.is_transaction(walk.from) {
            self.reach(State { node: walk.from, is_after_lone }, NONE, EdgeKind::Rw);
        } else {
            self.pass(walk.from, NONE, walk.to, is_after_lone);
        }
        let (mut begin, mut length) = (0, 0);
        while begin < self.queue.len() && length < walk.length_max {
            length += 1;
            let end = self.queue.len();
            for place in begin..end {
                let state = self.queue[place];
                watch.tick()?;
                if !limits.spend() {
                    return Ok(None);
                }
                self.expand(state, walk, limits);
                if self.is_reached(State { node: walk.to, is_after_lone: false }) {
                    return Ok(Some(self.way(walk.to)));
                }
            }
            begin = end;
        }
        Ok(None)
    }

    fn expand(&mut self, state: State, walk: &Walk, limits: &mut Limits) {
        let component = self.component;
        let from = self.index(state);
        for (to, kinds) in component.edges_from(state.node) {
            limits.spend();
            if to >= component.first_time {
                continue;
            }
            if kinds.meets(walk.allowed) {
                self.go(to, from, state.node, false, strongest(kinds.and(walk.allowed)));
            }
            if let Some(lone) = walk.lone
                && !state.is_after_lone
                && kinds.meets(lone)
            {
                self.go(to, from, state.node, true, EdgeKind::Rw);
            }
        }
        if walk.allowed.meets(Kinds::REALTIME)
            && let Some(completed) = component.spans[state.node as usize].completed
        {
            let later = component.spans.partition_point(|span| span.invoked <= completed);
            for node in later..self.later_than {
                limits.spend();
                self.reach(State { node: node as Node, is_after_lone: false }, from, EdgeKind::Realtime);
            }
            self.later_than = self.later_than.min(later);
        }
    }

    fn go(&mut self, to: Node, from: u32, node: Node, is_after_lone: bool, kind: EdgeKind) {
        if self.component.is_transaction(to) {
            self.reach(State { node: to, is_after_lone }, from, kind);
        } else {
            self.pass(to, from, node, is_after_lone);
        }
    }

    /// Goes through a point to all but the transaction that came there. The first that comes leaves out itself only, so
    /// from the second one on there is nothing new.
    fn pass(&mut self, point: Node, from: u32, node: Node, is_after_lone: bool) {
        let index = self.index(State { node: point, is_after_lone });
        if from != NONE {
            let (first, again) = (self.reached[index as usize] != self.walk, self.parent[index as usize].0);
            if !first && (again == NONE || again == from) {
                return;
            }
            self.reached[index as usize] = self.walk;
            self.parent[index as usize].0 = if first { from } else { NONE };
        }
        let component = self.component;
        for (to, _) in component.edges_from(point) {
            if !component.is_transaction(to) {
                self.pass(to, from, node, is_after_lone);
            } else if to != node {
                self.reach(State { node: to, is_after_lone }, from, EdgeKind::Rw);
            }
        }
    }

    fn index(&self, state: State) -> u32 {
        state.node + if state.is_after_lone { self.component.nodes() as u32 } else { 0 }
    }

    fn is_reached(&self, state: State) -> bool {
        self.reached[self.index(state) as usize] == self.walk
    }

    fn reach(&mut self, state: State, from: u32, kind: EdgeKind) {
        if !self.is_reached(state) {
            let index = self.index(state) as usize;
            self.reached[index] = self.walk;
            self.parent[index] = (from, kind);
            self.queue.push(state);
        }
    }

    fn way(&self, to: Node) -> Vec<(Node, EdgeKind)> {
        let nodes = self.component.nodes() as u32;
        let (mut index, mut kind) = self.parent[to as usize];
        let mut way = Vec::new();
        while index != NONE {
            way.push((index % nodes, kind));
            (index, kind) = self.parent[index as usize];
        }
        way.reverse();
        way
    }
}
