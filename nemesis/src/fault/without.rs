//! The same fault in a smaller cluster.

use std::collections::BTreeSet;

use super::{AtLinks, ClockFault, Cut, DiskFault, Links, PacketFault, Partition, Target};
use crate::{Fault, Node};

impl Fault {
    /// The fault as it is in a cluster that lacks `gone`, where the nodes after it move up by one. `None` where nothing of it
    /// is left.
    #[must_use]
    pub fn without(&self, gone: Node) -> Option<Self> {
        Some(match self {
            Self::Partition(partition) => Self::Partition(partition.without(gone)?),
            Self::Kill(target) => Self::Kill(target.without(gone)?),
            Self::Pause(target) => Self::Pause(target.without(gone)?),
            Self::Power(target) => Self::Power(target.without(gone)?),
            Self::Packet(packet) => Self::Packet(packet.without(gone)?),
            Self::Disk(disk) => Self::Disk(DiskFault { of: disk.of.without(gone)?, ..disk.clone() }),
            Self::Clock(clock) => Self::Clock(ClockFault { of: clock.of.without(gone)?, ..clock.clone() }),
            Self::Membership(target) => Self::Membership(target.without(gone)?),
            Self::Client(clients) => Self::Client(clients.clone()),
        })
    }
}

impl Node {
    /// The node's name where `gone` is no more; nothing for that node itself.
    fn without(self, gone: Self) -> Option<Self> {
        (self != gone).then_some(if self > gone { Self(self.0 - 1) } else { self })
    }

    /// The same; another node where it was that one itself.
    fn without_or_first(self, gone: Self) -> Self {
        self.without(gone).unwrap_or(Self(1))
    }
}

impl Target {
    fn without(&self, gone: Node) -> Option<Self> {
        let nodes: BTreeSet<Node> = self.nodes.iter().filter_map(|node| node.without(gone)).collect();
        (!nodes.is_empty()).then_some(Self { choice: self.choice, nodes })
    }
}

impl Partition {
    fn without(&self, gone: Node) -> Option<Self> {
        let cut = match &self.cut {
            Cut::Grudge(grudge) => {
                let grudge = grudge.renamed(|node| node.without(gone));
                (!grudge.is_empty()).then_some(Cut::Grudge(grudge))?
            }
            Cut::Leader { direction, otherwise } => {
                Cut::Leader { direction: *direction, otherwise: otherwise.without_or_first(gone) }
            }
        };
        Some(Self { shape: self.shape, cut })
    }
}

impl PacketFault {
    fn without(&self, gone: Node) -> Option<Self> {
        let on = match &self.on {
            AtLinks::All => AtLinks::All,
            AtLinks::These(Links(links)) => {
                let links = links.iter().filter_map(|(from, to)| Some((from.without(gone)?, to.without(gone)?)));
                let links = Links(links.collect());
                (!links.0.is_empty()).then_some(AtLinks::These(links))?
            }
            AtLinks::Leader { direction, otherwise } => {
                AtLinks::Leader { direction: *direction, otherwise: otherwise.without_or_first(gone) }
            }
        };
        Some(Self { on, trouble: self.trouble })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Choice, Direction, Grudge, PacketTrouble, Shape};

    fn nodes(numbers: &[u16]) -> BTreeSet<Node> {
        numbers.iter().copied().map(Node).collect()
    }

    #[test]
    fn the_nodes_after_the_one_that_is_gone_move_up() {
        let kill = Fault::Kill(Target { choice: Choice::Minority, nodes: nodes(&[2, 3, 5]) });
        assert_eq!(kill.without(Node(3)).unwrap().to_string(), "kill: a minority (n2, n4)");
        assert_eq!(Fault::Kill(Target { choice: Choice::One, nodes: nodes(&[3]) }).without(Node(3)), None);

        let grudge = Grudge::between(&[nodes(&[1, 2]), nodes(&[3, 4, 5])]);
        let partition = Fault::Partition(Partition { shape: Shape::Halves, cut: Cut::Grudge(grudge) });
        let smaller = partition.without(Node(2)).unwrap();
        assert_eq!(smaller.resolve(None, 4).to_string(), "partition n1 | n2 n3 n4");
        assert_eq!(smaller.without(Node(1)), None, "one side alone is no partition");

        let links = Links([(Node(1), Node(2)), (Node(2), Node(3))].into());
        let packet = Fault::Packet(PacketFault { on: AtLinks::These(links), trouble: PacketTrouble::default() });
        assert_eq!(packet.without(Node(1)).unwrap().to_string(), "packet: n1>n2, as ever");
        assert_eq!(packet.without(Node(2)), None);
    }

    #[test]
    fn whoever_leads_stays_whoever_leads() {
        let cut = Cut::Leader { direction: Direction::Both, otherwise: Node(3) };
        let partition = Fault::Partition(Partition { shape: Shape::Leader, cut });
        let smaller = partition.without(Node(3)).unwrap();
        assert!(smaller.wants_leader());
        assert_eq!(smaller.resolve(None, 2).to_string(), "partition n1 | n2");
    }
}
