//! Faults as data.

mod action;
mod clients;
mod clock;
mod disk;
mod packet;
mod partition;
mod target;
mod without;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use action::Action;
pub use clients::Clients;
pub use clock::{ClockFault, ClockTrouble};
pub use disk::{DiskFault, DiskTrouble};
pub use packet::{AtLinks, Links, PacketFault, PacketTrouble};
pub use partition::{Cut, Partition, Shape};
pub use target::{Choice, Target};

use crate::{FaultKind, Node};

/// One thing done to the cluster for a while. All random choices are made when it is drawn; only who leads is asked when
/// it begins, see [`Fault::resolve`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Packets between nodes are dropped, then no longer.
    Partition(Partition),
    /// Processes are killed with `kill -9`, then started again on the same disk.
    Kill(Target),
    /// Processes are stopped with SIGSTOP, then go on with SIGCONT.
    Pause(Target),
    /// Machines lose power, and of what was not synced to the disk any part; then they are started again.
    Power(Target),
    /// Links between nodes are bad, then good again.
    Packet(PacketFault),
    /// Disks are in trouble, then sound again.
    Disk(DiskFault),
    /// Clocks jump forward and run at another rate, then at their own.
    Clock(ClockFault),
    /// Members are removed from the cluster, then added again.
    Membership(Target),
    /// Clients stand still, then go on where they stood.
    Client(Clients),
}

impl Fault {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::Partition(_) => FaultKind::Partition,
            Self::Kill(_) => FaultKind::Kill,
            Self::Pause(_) => FaultKind::Pause,
            Self::Power(_) => FaultKind::Power,
            Self::Packet(_) => FaultKind::Packet,
            Self::Disk(_) => FaultKind::Disk,
            Self::Clock(_) => FaultKind::Clock,
            Self::Membership(_) => FaultKind::Membership,
            Self::Client(_) => FaultKind::Client,
        }
    }

    /// Whether it is aimed at whoever leads.
    #[must_use]
    pub fn wants_leader(&self) -> bool {
        match self {
            Self::Partition(partition) => matches!(partition.cut, Cut::Leader { .. }),
            Self::Packet(packet) => matches!(packet.on, AtLinks::Leader { .. }),
            Self::Kill(target) | Self::Pause(target) | Self::Power(target) | Self::Membership(target) => {
                target.choice == Choice::Leader
            }
            Self::Disk(disk) => disk.of.choice == Choice::Leader,
            Self::Clock(clock) => clock.of.choice == Choice::Leader,
            Self::Client(_) => false,
        }
    }

    /// Decides who it is done to in a cluster of `count` nodes, when `leader` leads.
    #[must_use]
    pub fn resolve(&self, leader: Option<Node>, count: u16) -> Action {
        match self {
            Self::Partition(partition) => Action::Cut(partition.resolve(leader, count)),
            Self::Kill(target) => Action::Kill(target.resolve(leader)),
            Self::Pause(target) => Action::Pause(target.resolve(leader)),
            Self::Power(target) => Action::PowerOff(target.resolve(leader)),
            Self::Packet(packet) => Action::Packets(packet.resolve(leader, count), packet.trouble),
            Self::Disk(disk) => Action::Disks(disk.of.resolve(leader), disk.trouble),
            Self::Clock(clock) => Action::Clocks(clock.of.resolve(leader), clock.trouble),
            Self::Membership(target) => Action::Remove(target.resolve(leader)),
            Self::Client(clients) => Action::PauseClients(clients.clone()),
        }
    }
}

impl Fault {
    /// What it does and to whom, for people, without its kind: `bridge (n1 drops n4 n5; ...)`, `the leader`, `clients 1, 4`.
    #[must_use]
    pub fn told(&self) -> String {
        match self {
            Self::Partition(partition) => partition.to_string(),
            Self::Kill(target) | Self::Pause(target) | Self::Power(target) => target.to_string(),
            Self::Packet(packet) => packet.to_string(),
            Self::Disk(disk) => disk.to_string(),
            Self::Clock(clock) => clock.to_string(),
            Self::Membership(target) => format!("without {target}"),
            Self::Client(clients) => clients.to_string(),
        }
    }
}

impl fmt::Display for Fault {
    /// For people, as planned: `partition: bridge (n1 drops n4 n5; ...)`, `kill: the leader`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind(), self.told())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::Direction;

    fn target(choice: Choice, number: u16) -> Target {
        Target { choice, nodes: BTreeSet::from([Node(number)]) }
    }

    #[test]
    fn the_leader_is_whoever_leads_when_it_begins() {
        let kill = Fault::Kill(target(Choice::Leader, 2));
        assert_eq!(kill.resolve(Some(Node(4)), 5), Action::Kill(BTreeSet::from([Node(4)])));
        assert_eq!(kill.resolve(None, 5), Action::Kill(BTreeSet::from([Node(2)])));
        let cut = Cut::Leader { direction: Direction::Both, otherwise: Node(1) };
        let partition = Fault::Partition(Partition { shape: Shape::Leader, cut });
        assert_eq!(partition.resolve(Some(Node(4)), 5).to_string(), "partition n1 n2 n3 n5 | n4");
        let on = AtLinks::Leader { direction: Direction::Mute, otherwise: Node(1) };
        let trouble = PacketTrouble { loss_per_mille: 100, ..PacketTrouble::default() };
        let packet = Fault::Packet(PacketFault { on, trouble });
        assert_eq!(packet.resolve(Some(Node(3)), 3).to_string(), "packet n3>n1 n3>n2: 10% lost");
        assert!(kill.wants_leader() && partition.wants_leader() && packet.wants_leader());
    }

    #[test]
    fn nodes_that_were_drawn_do_not_depend_on_the_leader() {
        let pause = Fault::Pause(target(Choice::One, 2));
        assert_eq!(pause.resolve(Some(Node(4)), 5), pause.resolve(None, 5));
    }

    #[test]
    fn every_fault_is_told_in_one_line_and_is_plain_data() {
        let packets = PacketTrouble { delay_max_us: 20_000, ..PacketTrouble::default() };
        let slow = DiskTrouble::SlowSync { us: 20_000 };
        let clock = ClockTrouble { ahead_ms: 300, rate_ppm: -50_000 };
        let faults = [
            (Fault::Power(target(Choice::Leader, 2)), "power: the leader"),
            (Fault::Packet(PacketFault { on: AtLinks::All, trouble: packets }), "packet: all links, 0 to 20 ms late"),
            (
                Fault::Disk(DiskFault { of: target(Choice::One, 2), trouble: slow }),
                "disk: syncs 20 ms slower, one node (n2)",
            ),
            (
                Fault::Disk(DiskFault { of: target(Choice::Leader, 2), trouble: DiskTrouble::SyncError }),
                "disk: syncs fail, the leader",
            ),
            (
                Fault::Clock(ClockFault { of: target(Choice::One, 1), trouble: clock }),
                "clock: 300 ms ahead, 5% slower, one node (n1)",
            ),
            (Fault::Membership(target(Choice::One, 3)), "membership: without one node (n3)"),
            (Fault::Client(Clients(BTreeSet::from([0, 3]))), "client: clients 0, 3"),
        ];
        for (fault, told) in faults {
            assert_eq!(fault.to_string(), told);
            let text = serde_json::to_string(&fault).unwrap();
            assert_eq!(serde_json::from_str::<Fault>(&text).unwrap(), fault);
            assert_eq!(fault.resolve(None, 3).kind(), fault.kind());
        }
    }
}
