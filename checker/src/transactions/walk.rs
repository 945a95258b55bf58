//! Shortest ways through a component, breadth first.

use super::component::Component;
use super::graph::{Kinds, Node};
use super::ids::NONE;
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

/// The strongest of several kinds: what is about data, and needs no clock, comes first.
pub(super) fn strongest(kinds: Kinds) -> Kinds {
    let order = [Kinds::WW, Kinds::WR, Kinds::RW, Kinds::PROCESS, Kinds::REALTIME];
    order.into_iter().find(|kind| kinds.meets(*kind)).unwrap_or(Kinds::TIMED)
}

/// A place in a walk: a node, and whether a lone edge led there.
#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    node: Node,
    is_after_lone: bool,
}

/// Where an edge begins, and what it is.
#[derive(Clone, Copy)]
struct Origin {
    /// The state, as a number; [`NONE`] where the walk begins.
    from: u32,
    /// The transaction: an edge through points does not lead back to it.
    node: Node,
    is_after_lone: bool,
    kind: Kinds,
}

/// Walks through one component.
pub(super) struct Walker<'a> {
    component: &'a Component,
    /// In which walk a state was reached last; states after lone edges stand behind the others.
    reached: Vec<u32>,
    /// From where, and by what.
    parent: Vec<(u32, Kinds)>,
    walk: u32,
    queue: Vec<State>,
    /// Points that are still to be passed.
    points: Vec<Node>,
    /// All transactions from here on, by invocation, were reached because another one was over before.
    later_than: usize,
}

impl<'a> Walker<'a> {
    pub(super) fn new(component: &'a Component) -> Self {
        let states = component.nodes() * 2;
        Self {
            component,
            reached: vec![0; states],
            parent: vec![(NONE, Kinds::default()); states],
            walk: 0,
            queue: Vec::new(),
            points: Vec::new(),
            later_than: 0,
        }
    }

    /// The steps of a shortest way: each transaction with the edge that leads on from it, the last one to where it ends.
    pub(super) fn walk(
        &mut self,
        walk: &Walk,
        limits: &mut Limits,
        watch: &mut Watch,
    ) -> Result<Option<Vec<(Node, Kinds)>>, Late> {
        self.walk += 1;
        self.queue.clear();
        self.later_than = self.component.members.len();
        let is_after_lone = walk.lone.is_some();
        if self.component.is_transaction(walk.from) {
            self.reach(State { node: walk.from, is_after_lone }, NONE, Kinds::default());
        } else {
            let start = Origin { from: NONE, node: walk.to, is_after_lone, kind: Kinds::default() };
            self.pass(walk.from, start, limits);
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
                let kind = strongest(kinds.and(walk.allowed));
                self.go(to, Origin { from, node: state.node, is_after_lone: false, kind }, limits);
            }
            if let Some(lone) = walk.lone
                && !state.is_after_lone
                && kinds.meets(lone)
            {
                let kind = strongest(kinds.and(lone));
                self.go(to, Origin { from, node: state.node, is_after_lone: true, kind }, limits);
            }
        }
        if walk.allowed.meets(Kinds::REALTIME)
            && let Some(completed) = component.spans[state.node as usize].completed
        {
            let later = component.spans.partition_point(|span| span.invoked <= completed);
            for node in later..self.later_than {
                limits.spend();
                self.reach(State { node: node as Node, is_after_lone: false }, from, Kinds::REALTIME);
            }
            self.later_than = self.later_than.min(later);
        }
    }

    fn go(&mut self, to: Node, origin: Origin, limits: &mut Limits) {
        if self.component.is_transaction(to) {
            self.reach(State { node: to, is_after_lone: origin.is_after_lone }, origin.from, origin.kind);
        } else {
            self.pass(to, origin, limits);
        }
    }

    /// Goes through points to all but the transaction that came there. The first that comes leaves out itself only, so
    /// from the second one on there is nothing new.
    fn pass(&mut self, point: Node, origin: Origin, limits: &mut Limits) {
        let Origin { from, node, is_after_lone, kind } = origin;
        let component = self.component;
        self.points.push(point);
        while let Some(point) = self.points.pop() {
            let index = self.index(State { node: point, is_after_lone }) as usize;
            if from != NONE {
                let (is_first, last) = (self.reached[index] != self.walk, self.parent[index].0);
                if !is_first && (last == NONE || last == from) {
                    continue;
                }
                self.reached[index] = self.walk;
                self.parent[index].0 = if is_first { from } else { NONE };
            }
            for (to, _) in component.edges_from(point) {
                limits.spend();
                if !component.is_transaction(to) {
                    self.points.push(to);
                } else if to != node {
                    self.reach(State { node: to, is_after_lone }, from, kind);
                }
            }
        }
    }

    fn index(&self, state: State) -> u32 {
        state.node + if state.is_after_lone { self.component.nodes() as u32 } else { 0 }
    }

    fn is_reached(&self, state: State) -> bool {
        self.reached[self.index(state) as usize] == self.walk
    }

    fn reach(&mut self, state: State, from: u32, kind: Kinds) {
        if !self.is_reached(state) {
            let index = self.index(state) as usize;
            self.reached[index] = self.walk;
            self.parent[index] = (from, kind);
            self.queue.push(state);
        }
    }

    fn way(&self, to: Node) -> Vec<(Node, Kinds)> {
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
