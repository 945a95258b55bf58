//! Cycles inside a component, by class: the worst class first, and of each the one with the fewest transactions.

use super::component::Component;
use super::graph::components::Components;
use super::graph::{Kinds, Node};
use super::ids::TxnId;
use super::kind::{AnomalyKind, CycleClass, Order};
use super::report::EdgeKind;
use super::walk::{Limits, Walk, Walker};
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
    let mut search = Search { component, walker: Walker::new(component), searched: Searched::default() };
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
    let (ordered, ww, rw) = match order {
        Order::Data => (Kinds::default(), Kinds::WW, Kinds::RW),
        Order::Process => (Kinds::PROCESS, Kinds::WW, Kinds::RW),
        Order::Realtime => {
            (Kinds::PROCESS.or(Kinds::REALTIME), Kinds::WW.or(Kinds::WW_REALTIME), Kinds::RW.or(Kinds::RW_REALTIME))
        }
    };
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

struct Search<'a> {
    component: &'a Component,
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
    fn first_edges(&self, kinds: Kinds, may_close: impl Fn(Node, Node) -> bool) -> Vec<(Node, Node)> {
        let component = self.component;
        let invoked = |node: Node| component.spans.get(node as usize).map_or(0, |span| span.invoked);
        let mut edges: Vec<(Node, Node)> = Vec::new();
        for from in 0..component.members.len() as Node {
            let leading = component.edges_from(from).filter(|(_, of)| of.meets(kinds));
            edges.extend(leading.filter(|(to, _)| may_close(from, *to)).map(|(to, _)| (from, to)));
        }
        edges.sort_by_key(|(from, to)| std::cmp::Reverse(invoked(*from).saturating_sub(invoked(*to))));
        edges
    }

    /// The shortest cycle of a class that can be found with a bounded effort.
    fn class(&mut self, rule: Rule, kind: AnomalyKind, first: &[(Node, Node)], watch: &mut Watch) -> Result<(), Late> {
        let mut best: Option<FoundCycle> = None;
        let mut limits = Limits::new(self.component);
        for (from, to) in first {
            let length_max = best.as_ref().map_or(usize::MAX, |best| best.steps.len() - 1);
            if length_max < 2 {
                break;
            }
            let walk =
                Walk { allowed: rule.allowed, lone: rule.lone, from: *to, to: *from, length_max: length_max - 1 };
            let Some(found) = self.walker.walk(&walk, &mut limits, watch)? else {
                if limits.is_spent() {
                    break;
                }
                continue;
            };
            for cycle in self.simple_cycles(rule, *from, found) {
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

    /// The way from the end of the first edge back to its beginning, as cycles that pass no transaction twice.
    fn simple_cycles(&self, rule: Rule, from: Node, way: Vec<(Node, EdgeKind)>) -> Vec<FoundCycle> {
        let first = match rule.class {
            CycleClass::G0 => EdgeKind::Ww,
            CycleClass::G1c => self.flow_kind(from, way[0].0),
            CycleClass::GSingleItem | CycleClass::GNonadjacentItem | CycleClass::G2Item => EdgeKind::Rw,
        };
        let mut cycles = Vec::new();
        let mut open: Vec<(Node, EdgeKind)> = Vec::new();
        for step in std::iter::once((from, first)).chain(way) {
            if let Some(place) = open.iter().position(|(node, _)| *node == step.0) {
                cycles.extend(self.cycle(open.split_off(place)));
            }
            open.push(step);
        }
        cycles.extend(self.cycle(open));
        cycles
    }

    /// `wr` where there is one, for the edge that makes a cycle G1c.
    fn flow_kind(&self, from: Node, to: Node) -> EdgeKind {
        let kinds = self.component.edges_from(from).find(|(other, _)| *other == to).map(|(_, kinds)| kinds);
        if kinds.is_some_and(|kinds| kinds.meets(Kinds::WW.or(Kinds::WW_REALTIME))) {
            EdgeKind::Ww
        } else {
            EdgeKind::Wr
        }
    }

    /// The cycle of these steps, named after its edges; `None` of a single transaction.
    fn cycle(&self, steps: Vec<(Node, EdgeKind)>) -> Option<FoundCycle> {
        if steps.len() < 2 {
            return None;
        }
        let spans = &self.component.spans;
        let following = |place: usize| steps[(place + 1) % steps.len()].0;
        let mut needs = Order::Data;
        let mut kinds = Vec::with_capacity(steps.len());
        for (place, (node, kind)) in steps.iter().enumerate() {
            let next = following(place);
            let in_process = || spans[*node as usize].precedes_in_process(&spans[next as usize]);
            let kind = if *kind == EdgeKind::Realtime && in_process() { EdgeKind::Process } else { *kind };
            needs = needs.max(match kind {
                EdgeKind::Process => Order::Process,
                EdgeKind::Realtime => Order::Realtime,
                EdgeKind::Ww | EdgeKind::Wr | EdgeKind::Rw => self.needs(*node, next, kind),
            });
            kinds.push(kind);
        }
        let class = classify(&kinds);
        let members = steps.iter().map(|(node, _)| self.component.members[*node as usize]);
        Some(FoundCycle { kind: AnomalyKind::Cycle(class, needs), steps: members.zip(kinds).collect() })
    }

    /// Whether the edge rests on real time.
    fn needs(&self, from: Node, to: Node, kind: EdgeKind) -> Order {
        let timed = match kind {
            EdgeKind::Ww => (Kinds::WW, Kinds::WW_REALTIME),
            EdgeKind::Rw => (Kinds::RW, Kinds::RW_REALTIME),
            EdgeKind::Wr | EdgeKind::Process | EdgeKind::Realtime => return Order::Data,
        };
        let direct = self.component.edges_from(from).find(|(other, _)| *other == to).map(|(_, kinds)| kinds);
        match direct {
            Some(kinds) if kinds.meets(timed.1) && !kinds.meets(timed.0) => Order::Realtime,
            Some(_) | None => Order::Data,
        }
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
            let data = Kinds::WW.or(Kinds::WR).or(Kinds::RW).or(Kinds::WW_REALTIME).or(Kinds::RW_REALTIME);
            let Some((to, kinds)) = self.component.edges_from(from).find(|(_, kinds)| kinds.meets(data)) else {
                continue;
            };
            let walk = Walk { allowed: all.allowed, lone: None, from: to, to: from, length_max: usize::MAX };
            let Ok(Some(way)) = self.walker.walk(&walk, &mut limits, &mut Watch::new(None)) else { continue };
            let first = super::walk::strongest(kinds.and(data));
            let mut steps = vec![(from, first)];
            steps.extend(way);
            self.searched.cycles.extend(self.cycle(steps));
            return;
        }
    }
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
