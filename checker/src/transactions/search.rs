//! Cycles inside a component, by class: the worst class first, and of each the one with the fewest transactions.

use rustc_hash::FxHashMap;

use super::component::Component;
use super::graph::components::Components;
use super::graph::{Kinds, Node};
use super::ids::TxnId;
use super::kind::{AnomalyKind, CycleClass, Order};
use super::report::EdgeKind;
use super::walk::{Limits, Walk, Walker, strongest};
use super::watch::{Late, Watch};

/// A cycle: each transaction, and what orders it before the next; the last one before the first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct FoundCycle {
    pub(super) kind: AnomalyKind,
    pub(super) steps: Vec<(TxnId, EdgeKind)>,
}

/// What a component was found to contain.
#[derive(Default)]
pub(super) struct Searched {
    pub(super) cycles: Vec<FoundCycle>,
    /// Kinds that were not looked for to the end.
    pub(super) unsearched: Vec<AnomalyKind>,
}

/// Searches one component until the watch says that it is late.
pub(super) fn search(component: &Component, watch: &mut Watch) -> Searched {
    let mut search = Search {
        component,
        earliest: earliest(component),
        walker: Walker::new(component),
        searched: Searched::default(),
    };
    for order in Order::ALL.into_iter().filter(|order| *order <= component.order) {
        if search.order(order, watch).is_err() {
            search.give_up(order);
            break;
        }
    }
    if search.searched.cycles.is_empty() {
        search.any_cycle();
    }
    search.searched
}

/// Which edges the cycles of one class may have.
#[derive(Clone, Copy)]
struct Rule {
    class: CycleClass,
    /// Edges that may stand anywhere.
    allowed: Kinds,
    /// The edge to begin with: every cycle of the class has one.
    first: Kinds,
    /// Edges that may stand anywhere but next to each other.
    lone: Option<Kinds>,
}

fn rules(order: Order) -> [Rule; 5] {
    let (ordered, rw) = match order {
        Order::Data => (Kinds::default(), Kinds::RW),
        Order::Process => (Kinds::PROCESS, Kinds::RW),
        Order::Realtime => (Kinds::PROCESS.or(Kinds::REALTIME), Kinds::RW.or(Kinds::TIMED)),
    };
    let ww = Kinds::WW;
    let written = ordered.or(ww);
    let flow = written.or(Kinds::WR);
    let rule = |class, allowed, first, lone| Rule { class, allowed, first, lone };
    [
        rule(CycleClass::G0, written, ww, None),
        rule(CycleClass::G1c, flow, ww.or(Kinds::WR), None),
        rule(CycleClass::GSingleItem, flow, rw, None),
        rule(CycleClass::GNonadjacentItem, flow, rw, Some(rw)),
        rule(CycleClass::G2Item, flow.or(rw), rw, None),
    ]
}

/// An edge with which a cycle may begin.
#[derive(Clone, Copy)]
struct First {
    from: Node,
    to: Node,
    kind: Kinds,
}

struct Search<'a> {
    component: &'a Component,
    /// When the earliest transaction was invoked to which a node leads, if it is a point; otherwise when it itself was.
    earliest: Vec<u64>,
    walker: Walker<'a>,
    searched: Searched,
}

impl Search<'_> {
    fn order(&mut self, order: Order, watch: &mut Watch) -> Result<(), Late> {
        let rules = rules(order);
        let [_, flow, _, apart, all] = rules;
        let whole = self.component.components_of(all.allowed, watch)?;
        if whole.count as usize == self.component.nodes() {
            return Ok(());
        }
        let apart = self.component.components_apart(apart.allowed, apart.first, watch)?;
        let flows = self.component.components_of(flow.allowed, watch)?;
        for rule in rules {
            let kind = AnomalyKind::Cycle(rule.class, order);
            if self.searched.cycles.iter().any(|found| found.kind.implies(kind)) {
                continue;
            }
            let first = match rule.class {
                CycleClass::G0 => {
                    let written = self.component.components_of(rule.allowed, watch)?;
                    self.first_edges(rule.first, |from, to| on_one(&written, from, to))
                }
                CycleClass::G1c => self.first_edges(rule.first, |from, to| on_one(&flows, from, to)),
                CycleClass::GSingleItem | CycleClass::GNonadjacentItem => {
                    let nodes = self.component.nodes() as Node;
                    self.first_edges(rule.first, |from, to| on_one(&apart, from, to + nodes))
                }
                CycleClass::G2Item => self.first_edges(rule.first, |from, to| on_one(&whole, from, to)),
            };
            self.class(rule, kind, &first, watch)?;
        }
        Ok(())
    }

    /// Edges with which a cycle may begin, those first that lead back furthest in time.
    fn first_edges(&self, kinds: Kinds, may_close: impl Fn(Node, Node) -> bool) -> Vec<First> {
        let component = self.component;
        let mut edges: Vec<(u64, First)> = Vec::new();
        for from in 0..component.members.len() as Node {
            let leading = component.edges_from(from).filter(|(_, of)| of.meets(kinds));
            edges.extend(leading.filter(|(to, _)| may_close(from, *to)).map(|(to, of)| {
                let back = component.spans[from as usize].invoked.saturating_sub(self.earliest[to as usize]);
                (back, First { from, to, kind: strongest(of.and(kinds)) })
            }));
        }
        // Of those alike, the latest: it is more often the one that is wrong.
        edges.sort_by_key(|(back, first)| std::cmp::Reverse((*back, first.from)));
        edges.into_iter().map(|(_, first)| first).collect()
    }

    /// The shortest cycle of a class that can be found with a bounded effort.
    fn class(&mut self, rule: Rule, kind: AnomalyKind, first: &[First], watch: &mut Watch) -> Result<(), Late> {
        let mut best: Option<FoundCycle> = None;
        let mut limits = Limits::new(self.component);
        for First { from, to, kind: first } in first {
            let length_max = best.as_ref().map_or(usize::MAX, |best| best.steps.len() - 1);
            if length_max < 2 {
                break;
            }
            let Rule { allowed, lone, .. } = rule;
            let walk = Walk { allowed, lone, from: *to, to: *from, length_max: length_max - 1 };
            let Some(way) = self.walker.walk(&walk, &mut limits, watch)? else {
                if limits.is_spent() {
                    break;
                }
                continue;
            };
            for cycle in self.simple_cycles((*from, *first), way) {
                let is_better = best.as_ref().is_none_or(|best| cycle.steps.len() < best.steps.len());
                if cycle.kind == kind && is_better {
                    best = Some(cycle);
                } else if cycle.kind != kind {
                    self.add(cycle);
                }
            }
        }
        match best {
            Some(best) => self.add(best),
            None if limits.is_spent() => self.searched.unsearched.push(kind),
            None => {}
        }
        Ok(())
    }

    /// The first edge and the way back from its end, as cycles that pass no transaction twice.
    fn simple_cycles(&self, first: (Node, Kinds), way: Vec<(Node, Kinds)>) -> Vec<FoundCycle> {
        let mut cycles = Vec::new();
        let mut open: Vec<(Node, Kinds)> = Vec::new();
        let mut place_of: FxHashMap<Node, usize> = FxHashMap::default();
        for step in std::iter::once(first).chain(way) {
            if let Some(place) = place_of.get(&step.0) {
                let closed = open.split_off(*place);
                for (node, _) in &closed {
                    place_of.remove(node);
                }
                cycles.extend(self.cycle(closed));
            }
            place_of.insert(step.0, open.len());
            open.push(step);
        }
        cycles.extend(self.cycle(open));
        cycles
    }

    /// The cycle of these steps, from the earliest transaction on, named after its edges; `None` of a single transaction.
    fn cycle(&self, mut steps: Vec<(Node, Kinds)>) -> Option<FoundCycle> {
        if steps.len() < 2 {
            return None;
        }
        let earliest = (0..steps.len()).min_by_key(|place| steps[*place].0).unwrap_or(0);
        steps.rotate_left(earliest);
        let spans = &self.component.spans;
        let mut order = Order::Data;
        let mut kinds = Vec::with_capacity(steps.len());
        for (place, (node, kind)) in steps.iter().enumerate() {
            let next = steps[(place + 1) % steps.len()].0;
            let in_process = || spans[*node as usize].precedes_in_process(&spans[next as usize]);
            let (kind, needs) = match *kind {
                Kinds::WW => (EdgeKind::Ww, Order::Data),
                Kinds::WR => (EdgeKind::Wr, Order::Data),
                Kinds::PROCESS => (EdgeKind::Process, Order::Process),
                Kinds::REALTIME if in_process() => (EdgeKind::Process, Order::Process),
                Kinds::REALTIME => (EdgeKind::Realtime, Order::Realtime),
                Kinds::TIMED => (EdgeKind::Rw, Order::Realtime),
                _ => (EdgeKind::Rw, Order::Data),
            };
            order = order.max(needs);
            kinds.push(kind);
        }
        let members = steps.iter().map(|(node, _)| self.component.members[*node as usize]);
        let kind = AnomalyKind::Cycle(classify(&kinds), order);
        Some(FoundCycle { kind, steps: members.zip(kinds).collect() })
    }

    fn add(&mut self, cycle: FoundCycle) {
        let found = &mut self.searched.cycles;
        if !found.iter().any(|found| found.kind.implies(cycle.kind)) {
            found.push(cycle);
        }
    }

    fn give_up(&mut self, late: Order) {
        for order in Order::ALL.into_iter().filter(|order| (late..=self.component.order).contains(order)) {
            for class in CycleClass::ALL {
                let kind = AnomalyKind::Cycle(class, order);
                if !self.searched.cycles.iter().any(|found| found.kind.implies(kind)) {
                    self.searched.unsearched.push(kind);
                }
            }
        }
    }

    /// A cycle of whatever class, where there was no time for more: there is one in every component.
    fn any_cycle(&mut self) {
        let [.., all] = rules(self.component.order);
        let mut limits = Limits::none();
        for from in 0..self.component.members.len() as Node {
            let data = Kinds::WW.or(Kinds::WR).or(Kinds::RW).or(Kinds::TIMED);
            let Some((to, kinds)) = self.component.edges_from(from).find(|(_, kinds)| kinds.meets(data)) else {
                continue;
            };
            let walk = Walk { allowed: all.allowed, lone: None, from: to, to: from, length_max: usize::MAX };
            let Ok(Some(way)) = self.walker.walk(&walk, &mut limits, &mut Watch::new(None)) else { continue };
            let cycles = self.simple_cycles((from, strongest(kinds.and(data))), way);
            self.searched.cycles.extend(cycles);
            return;
        }
    }
}

/// Edges between points lead to higher numbers.
fn earliest(component: &Component) -> Vec<u64> {
    let mut earliest: Vec<u64> = component.spans.iter().map(|span| span.invoked).collect();
    earliest.resize(component.nodes(), u64::MAX);
    for point in (component.members.len()..component.first_time as usize).rev() {
        let reached = component.edges_from(point as Node).map(|(to, _)| earliest[to as usize]);
        earliest[point] = reached.min().unwrap_or(u64::MAX);
    }
    earliest
}

fn on_one(components: &Components, from: Node, to: Node) -> bool {
    components.of[from as usize] == components.of[to as usize]
}

/// The class of a cycle with these edges.
fn classify(kinds: &[EdgeKind]) -> CycleClass {
    let is_rw = |place: usize| kinds[place % kinds.len()] == EdgeKind::Rw;
    let anti = (0..kinds.len()).filter(|place| is_rw(*place)).count();
    let is_adjacent = (0..kinds.len()).any(|place| is_rw(place) && is_rw(place + 1));
    match anti {
        0 if kinds.contains(&EdgeKind::Wr) => CycleClass::G1c,
        0 => CycleClass::G0,
        1 => CycleClass::GSingleItem,
        _ if is_adjacent => CycleClass::G2Item,
        _ => CycleClass::GNonadjacentItem,
    }
}
