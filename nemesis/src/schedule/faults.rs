//! The faults of a schedule, drawn.

use std::collections::BTreeSet;

use rashomon_draw::{Deck, Draw};

use super::packets::Packets;
use crate::{
    Choice, Clients, ClockFault, ClockTrouble, Cut, Direction, DiskFault, DiskTrouble, Fault, FaultKind, Grudge, Node,
    Partition, ScheduleOptions, Shape, Target,
};

/// Draws faults one after the other and remembers what came already.
pub(super) struct Faults {
    nodes: u16,
    clients: u16,
    longest_delay_us: u32,
    clock_rate_ppm: u32,
    clock_ahead_ms: u32,
    leader_percent: u32,
    shapes: Deck<Shape>,
    kills: Deck<Choice>,
    pauses: Deck<Choice>,
    powers: Deck<Choice>,
    clocks: Deck<Choice>,
    packets: Packets,
    disks: Deck<DiskShape>,
    /// The only node on whose disk bits flip.
    flips: Node,
    /// How many faults of a kind come before the one that is aimed at the leader.
    before_leader: Vec<(FaultKind, usize)>,
    /// Whether the next partition that is not aimed at the leader shall leave several nodes on both sides: no other shape
    /// shows two leaders that both find followers.
    split_next: bool,
}

/// What is wrong with a disk, roughly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum DiskShape {
    Slow,
    SyncError,
    Full,
    BitFlip,
}

/// The fewest nodes of which a half is more than one.
const NODES_TO_SPLIT: u16 = 4;

/// The fewest nodes of which a majority is sound when one is not.
const NODES_TO_FLIP: u16 = 3;

impl Faults {
    pub(super) fn new(options: &ScheduleOptions, kinds: &[FaultKind], draw: &mut Draw) -> Self {
        let nodes = options.nodes;
        let shapes: Vec<Shape> =
            Shape::ALL.into_iter().filter(|shape| *shape != Shape::Leader && shape.fewest_nodes() <= nodes).collect();
        let choices: Vec<Choice> = Choice::ALL
            .into_iter()
            .filter(|choice| *choice != Choice::Leader && choice.size(nodes) > 0)
            .filter(|choice| *choice == Choice::One || choice.size(nodes) > 1)
            .collect();
        let mut first_two = |kind: FaultKind| {
            let times = kinds.iter().filter(|other| **other == kind).count();
            (kind, draw.below(times.clamp(1, 2)))
        };
        let before_leader = FaultKind::ALL.into_iter().map(&mut first_two).collect();
        let shapes = Deck::new(if shapes.is_empty() { vec![Shape::Leader] } else { shapes });
        let mut disks = vec![DiskShape::Slow, DiskShape::SyncError, DiskShape::Full];
        if nodes >= NODES_TO_FLIP {
            disks.push(DiskShape::BitFlip);
        }
        Self {
            nodes,
            clients: options.clients.max(1),
            longest_delay_us: options.longest_delay_us,
            clock_rate_ppm: options.clock_rate_ppm,
            clock_ahead_ms: options.clock_ahead_ms,
            leader_percent: options.leader_percent,
            shapes,
            kills: Deck::new(choices.clone()),
            pauses: Deck::new(choices.clone()),
            powers: Deck::new(choices.clone()),
            clocks: Deck::new(choices),
            packets: Packets::new(nodes, options.longest_delay_us),
            disks: Deck::new(disks),
            flips: any_node(nodes, draw),
            before_leader,
            // Where every fault is aimed at the leader, none is at halves.
            split_next: nodes >= NODES_TO_SPLIT && options.leader_percent < 100,
        }
    }

    pub(super) fn draw(&mut self, kind: FaultKind, draw: &mut Draw) -> Fault {
        let leader = self.aims_at_leader(kind, draw);
        self.draw_for(kind, leader, draw)
    }

    /// A fault for a leader that another fault has hit already. It may be cut off one way only: then what it sends is lost,
    /// and what others sent still comes, or the other way round.
    pub(super) fn draw_companion(&mut self, kind: FaultKind, draw: &mut Draw) -> Fault {
        match (kind, draw.pick(&[Direction::Both, Direction::Deaf, Direction::Mute])) {
            (FaultKind::Partition, direction @ (Direction::Deaf | Direction::Mute)) => {
                Fault::Partition(Partition { shape: Shape::OneWay, cut: self.leader_cut(direction, draw) })
            }
            (kind, _) => self.draw_for(kind, true, draw),
        }
    }

    fn draw_for(&mut self, kind: FaultKind, leader: bool, draw: &mut Draw) -> Fault {
        match kind {
            FaultKind::Partition => {
                let shape = if leader {
                    Shape::Leader
                } else if std::mem::take(&mut self.split_next) {
                    draw.pick(&[Shape::Halves, Shape::RandomHalves])
                } else {
                    self.shapes.deal(draw)
                };
                Fault::Partition(Partition { shape, cut: self.cut(shape, draw) })
            }
            FaultKind::Kill => {
                let choice = if leader { Choice::Leader } else { self.kills.deal(draw) };
                Fault::Kill(self.target(choice, draw))
            }
            FaultKind::Pause => {
                let choice = if leader { Choice::Leader } else { self.pauses.deal(draw) };
                Fault::Pause(self.target(choice, draw))
            }
            FaultKind::Power => {
                let choice = if leader { Choice::Leader } else { self.powers.deal(draw) };
                Fault::Power(self.target(choice, draw))
            }
            FaultKind::Packet => {
                let leader = leader.then(|| any_node(self.nodes, draw));
                Fault::Packet(self.packets.draw(leader, draw))
            }
            FaultKind::Disk => Fault::Disk(self.disk(leader, draw)),
            FaultKind::Clock => {
                let choice = if leader { Choice::Leader } else { self.clocks.deal(draw) };
                let of = self.target(choice, draw);
                Fault::Clock(ClockFault { of, trouble: self.clock_trouble(draw) })
            }
            FaultKind::Membership => {
                let choice = if leader { Choice::Leader } else { Choice::One };
                Fault::Membership(self.target(choice, draw))
            }
            FaultKind::Client => Fault::Client(self.some_clients(draw)),
        }
    }

    /// One client as often as several: who holds a lock is one of them, and who waits for it another.
    fn some_clients(&self, draw: &mut Draw) -> Clients {
        let mut clients: Vec<u16> = (0..self.clients).collect();
        draw.shuffle(&mut clients);
        let most = usize::from(self.clients);
        let count = if draw.chance(50) { 1 } else { 1 + draw.below(most.div_ceil(2)) };
        Clients(clients.into_iter().take(count).collect())
    }

    fn disk(&mut self, leader: bool, draw: &mut Draw) -> DiskFault {
        let shape = self.disks.deal(draw);
        let trouble = match shape {
            DiskShape::Slow => {
                let scale = draw.pick(&[1, 5, 20, 100]);
                DiskTrouble::SlowSync { us: (self.longest_delay_us / scale).max(1) }
            }
            DiskShape::SyncError => DiskTrouble::SyncError,
            DiskShape::Full => DiskTrouble::Full,
            // Whoever leads may be another one each time.
            DiskShape::BitFlip if leader => DiskTrouble::SyncError,
            DiskShape::BitFlip => {
                let of = Target { choice: Choice::One, nodes: BTreeSet::from([self.flips]) };
                return DiskFault { of, trouble: DiskTrouble::BitFlip };
            }
        };
        let choices = [Choice::One, Choice::Minority];
        let several = Choice::Minority.size(self.nodes) > 1;
        let choice = if leader { Choice::Leader } else { choices[usize::from(several && draw.chance(30))] };
        DiskFault { of: self.target(choice, draw), trouble }
    }

    /// Half of the clocks that are wrong also jump.
    fn clock_trouble(&self, draw: &mut Draw) -> ClockTrouble {
        let rate_ppm = draw.between(u64::from(self.clock_rate_ppm / 10), self.clock_rate_ppm.into()) as i32;
        let ahead_ms = if draw.chance(50) { draw.between(0, self.clock_ahead_ms.into()) as u32 } else { 0 };
        ClockTrouble { ahead_ms, rate_ppm: if draw.chance(50) { rate_ppm } else { -rate_ppm } }
    }

    fn aims_at_leader(&mut self, kind: FaultKind, draw: &mut Draw) -> bool {
        let by_chance = draw.chance(self.leader_percent) && !(kind == FaultKind::Partition && self.split_next);
        let Some(position) = self.before_leader.iter().position(|(other, _)| *other == kind) else { return by_chance };
        match &mut self.before_leader[position].1 {
            0 => {
                self.before_leader.remove(position);
                true
            }
            left => {
                *left -= 1;
                by_chance
            }
        }
    }

    fn target(&self, choice: Choice, draw: &mut Draw) -> Target {
        Target { choice, nodes: self.some(usize::from(choice.size(self.nodes)), draw) }
    }

    fn shuffled(&self, draw: &mut Draw) -> Vec<Node> {
        let mut nodes: Vec<Node> = Node::all(self.nodes).collect();
        draw.shuffle(&mut nodes);
        nodes
    }

    fn some(&self, count: usize, draw: &mut Draw) -> BTreeSet<Node> {
        self.shuffled(draw).into_iter().take(count).collect()
    }

    fn cut(&self, shape: Shape, draw: &mut Draw) -> Cut {
        let ordered: Vec<Node> = Node::all(self.nodes).collect();
        let count = usize::from(self.nodes);
        let set = |nodes: &[Node]| nodes.iter().copied().collect::<BTreeSet<Node>>();
        let split = |nodes: &[Node]| {
            let (left, right) = nodes.split_at(count / 2);
            Grudge::between(&[set(left), set(right)])
        };
        let apart = |size: usize, draw: &mut Draw| Grudge::around(&self.some(size, draw), self.nodes, Direction::Both);
        Cut::Grudge(match shape {
            Shape::Halves => split(&ordered),
            Shape::RandomHalves => split(&self.shuffled(draw)),
            Shape::OneNode => apart(1, draw),
            Shape::MinorityThird => apart((count / 3).max(1), draw),
            Shape::MajoritiesRing => Grudge::majorities_ring(&self.shuffled(draw)),
            Shape::Bridge => {
                let nodes = self.shuffled(draw);
                let (left, right) = nodes[1..].split_at((count - 1) / 2);
                Grudge::bridge(&set(left), nodes[0], &set(right))
            }
            Shape::Leader => return self.leader_cut(Direction::Both, draw),
            Shape::OneWay => {
                let direction = draw.pick(&[Direction::Deaf, Direction::Mute]);
                if draw.chance(50) {
                    return self.leader_cut(direction, draw);
                }
                let size = 1 + draw.below((count / 2).max(1));
                Grudge::around(&self.some(size, draw), self.nodes, direction)
            }
        })
    }

    fn leader_cut(&self, direction: Direction, draw: &mut Draw) -> Cut {
        Cut::Leader { direction, otherwise: any_node(self.nodes, draw) }
    }
}

pub(super) fn any_node(nodes: u16, draw: &mut Draw) -> Node {
    Node(1 + draw.below(usize::from(nodes)) as u16)
}
