//! Strongly connected components, by Tarjan's algorithm without recursion: a chain of a million transactions is no
//! deeper than one of two.

use super::Node;
use crate::transactions::ids::NONE;
use crate::transactions::watch::{Late, Watch};

/// A graph that can say where edges lead.
pub(in crate::transactions) trait Successors {
    /// How many nodes there are.
    fn nodes(&self) -> usize;
    /// Where the next edge of a node leads. The cursor is 0 at first, and moved along.
    fn next(&self, node: Node, cursor: &mut u32) -> Option<Node>;
}

/// The components of a graph.
pub(in crate::transactions) struct Components {
    /// The component of each node. An edge between two components leads from the higher number to the lower one.
    pub(in crate::transactions) of: Vec<u32>,
    /// How many there are.
    pub(in crate::transactions) count: u32,
}

impl Components {
    /// Bytes that finding them takes for each node.
    pub(in crate::transactions) const BYTES_EACH: usize = 24;

    /// Nodes that lie on a cycle, by component. Edges from a node to itself do not count.
    pub(in crate::transactions) fn cyclic(&self) -> Vec<Vec<Node>> {
        let mut sizes = vec![0u32; self.count as usize];
        for component in &self.of {
            sizes[*component as usize] += 1;
        }
        let mut place = vec![NONE; self.count as usize];
        let mut members: Vec<Vec<Node>> = Vec::new();
        for (node, component) in self.of.iter().enumerate() {
            let component = *component as usize;
            if sizes[component] < 2 {
                continue;
            }
            if place[component] == NONE {
                place[component] = members.len() as u32;
                members.push(Vec::with_capacity(sizes[component] as usize));
            }
            members[place[component] as usize].push(node as Node);
        }
        members
    }
}

/// Finds the components.
pub(in crate::transactions) fn components<G: Successors>(graph: &G, watch: &mut Watch) -> Result<Components, Late> {
    let nodes = graph.nodes();
    let mut search = Tarjan {
        number: vec![NONE; nodes],
        lowest: vec![NONE; nodes],
        stack: Vec::new(),
        found: Components { of: vec![NONE; nodes], count: 0 },
        next: 0,
    };
    let mut calls: Vec<(Node, u32)> = Vec::new();
    for root in 0..nodes as Node {
        if search.number[root as usize] != NONE {
            continue;
        }
        search.enter(root);
        calls.push((root, 0));
        while let Some((node, cursor)) = calls.last_mut() {
            watch.tick()?;
            match graph.next(*node, cursor) {
                Some(to) if search.number[to as usize] == NONE => {
                    search.enter(to);
                    calls.push((to, 0));
                }
                Some(to) => {
                    if search.found.of[to as usize] == NONE {
                        let lowest = &mut search.lowest[*node as usize];
                        *lowest = (*lowest).min(search.number[to as usize]);
                    }
                }
                None => {
                    let node = *node;
                    calls.pop();
                    search.leave(node);
                    if let Some((caller, _)) = calls.last() {
                        let lowest = search.lowest[node as usize];
                        let of_caller = &mut search.lowest[*caller as usize];
                        *of_caller = (*of_caller).min(lowest);
                    }
                }
            }
        }
    }
    Ok(search.found)
}

struct Tarjan {
    /// The order in which nodes were entered.
    number: Vec<u32>,
    lowest: Vec<u32>,
    stack: Vec<Node>,
    found: Components,
    next: u32,
}

impl Tarjan {
    fn enter(&mut self, node: Node) {
        self.number[node as usize] = self.next;
        self.lowest[node as usize] = self.next;
        self.next += 1;
        self.stack.push(node);
    }

    fn leave(&mut self, node: Node) {
        if self.lowest[node as usize] != self.number[node as usize] {
            return;
        }
        while let Some(member) = self.stack.pop() {
            self.found.of[member as usize] = self.found.count;
            if member == node {
                break;
            }
        }
        self.found.count += 1;
    }
}
