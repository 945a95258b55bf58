//! Faults that come and go.

use rashomon_draw::Draw;

use super::world::World;
use crate::server::{Micros, NodeId};
use crate::sim::Disturbance;
use crate::sim::disk::Crash;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    Kill,
    Power,
    Pause,
    Partition,
    Messages,
}

impl Fault {
    pub(super) const ALL: [Self; 5] = [Self::Kill, Self::Power, Self::Pause, Self::Partition, Self::Messages];
}

/// Faults one after the other, until `until`; then all is well again.
pub(super) fn torment(world: &mut World, faults: &[Fault], seed: u64, until: Micros) {
    let mut draw = Draw::stream(seed, "faults");
    let nodes: Vec<NodeId> = world.cluster.nodes().collect();
    while world.cluster.now() < until {
        let fault = faults[draw.below(faults.len())];
        let mut victims = || nodes.iter().copied().filter(|_| draw.chance(35)).collect::<Vec<NodeId>>();
        let (victims, others) = (victims(), victims());
        begin(world, fault, &victims, &mut draw);
        if draw.chance(30) {
            world.pass(draw.between(0, 400));
            let another = faults[draw.below(faults.len())];
            begin(world, another, &others, &mut draw);
        }
        world.pass(draw.between(1, 700));
        end(world, &nodes, &mut draw);
        world.pass(draw.between(1, 500));
    }
}

fn begin(world: &mut World, fault: Fault, victims: &[NodeId], draw: &mut Draw) {
    let nodes: Vec<NodeId> = world.cluster.nodes().collect();
    match fault {
        Fault::Kill | Fault::Power => {
            let crash = if fault == Fault::Kill { Crash::Process } else { Crash::Power };
            victims.iter().for_each(|node| world.cluster.crash(*node, crash));
        }
        Fault::Pause => victims.iter().for_each(|node| world.cluster.pause(*node)),
        Fault::Partition => {
            let cut = Disturbance { cut: true, ..Disturbance::default() };
            let one_way = draw.chance(25);
            for inside in victims {
                for outside in nodes.iter().filter(|node| !victims.contains(node)) {
                    world.cluster.disturb(*inside, *outside, cut);
                    if !one_way {
                        world.cluster.disturb(*outside, *inside, cut);
                    }
                }
            }
        }
        Fault::Messages => {
            let delay_max_us = if draw.chance(50) { 300_000 } else { 0 };
            let bad = Disturbance { delay_max_us, loss_ppm: 150_000, duplicate_ppm: 150_000, ..Disturbance::default() };
            for from in &nodes {
                nodes.iter().filter(|to| *to != from).for_each(|to| world.cluster.disturb(*from, *to, bad));
            }
        }
    }
}

/// All is well again, with one node after the other.
fn end(world: &mut World, nodes: &[NodeId], draw: &mut Draw) {
    let mut nodes = nodes.to_vec();
    draw.shuffle(&mut nodes);
    for from in &nodes {
        nodes.iter().filter(|to| *to != from).for_each(|to| world.cluster.disturb(*from, *to, Disturbance::default()));
        world.cluster.resume(*from);
        if !world.cluster.is_up(*from) {
            world.cluster.start(*from);
            world.pass(draw.between(0, 200));
        }
    }
}
