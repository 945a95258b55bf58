use super::*;
use crate::{
    AtLinks, ClockFault, ClockTrouble, Cut, Direction, DiskFault, Links, PacketFault, Partition, Shape, Target,
};

/// Faults that begin and end, and what is asked for each time.
struct Told {
    active: ActiveFaults,
    next: u64,
}

fn cluster(nodes: u16) -> Told {
    Told { active: ActiveFaults::new(nodes), next: 0 }
}

fn told(deeds: Vec<Deed>) -> String {
    deeds.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl Told {
    /// Faults are numbered from 0 in the order in which they begin.
    fn begin(&mut self, fault: Fault) -> String {
        let begun = self.active.begin(self.next, &fault, Some(Node(3)));
        self.next += 1;
        begun.deeds.map_or_else(|reason| format!("not: {reason}"), told)
    }

    fn end(&mut self, number: u64) -> String {
        let ended = self.active.end(number).expect("it is active");
        if ended.deeds.is_empty() { format!("nothing: {}", ended.why_nothing) } else { told(ended.deeds) }
    }
}

fn at(numbers: &[u16]) -> Target {
    Target { choice: Choice::One, nodes: numbers.iter().map(|number| Node(*number)).collect() }
}

fn disk(numbers: &[u16], trouble: DiskTrouble) -> Fault {
    Fault::Disk(DiskFault { of: at(numbers), trouble })
}

fn clock(number: u16, ahead_ms: u32, rate_ppm: i32) -> Fault {
    Fault::Clock(ClockFault { of: at(&[number]), trouble: ClockTrouble { ahead_ms, rate_ppm } })
}

#[test]
fn what_begins_is_told_with_who_leads() {
    let leader = Fault::Power(Target { choice: Choice::Leader, ..at(&[1]) });
    let mut active = ActiveFaults::new(3);
    let begun = active.begin(7, &leader, Some(Node(2)));
    assert_eq!((begun.kind, begun.text.as_str()), (FaultKind::Power, "the leader; n2 leads"));
    assert_eq!((active.numbers(), active.describe()), (vec![7], "power n2".into()));
    assert_eq!(active.down(), BTreeSet::from([Node(2)]));
    assert_eq!(active.begin(8, &leader, None).text, "the leader; nobody knows a leader");
    assert_eq!(active.end(9), None);
}

#[test]
fn power_takes_what_a_kill_left_and_servers_start_when_neither_wants_them_down() {
    let mut cluster = cluster(3);
    assert_eq!(cluster.begin(Fault::Kill(at(&[1, 2]))), "kill n1, n2");
    assert_eq!(cluster.begin(Fault::Power(at(&[2, 3]))), "power off n2, n3");
    assert_eq!(cluster.begin(Fault::Power(at(&[2]))), "not: n2 already without power");
    assert_eq!(cluster.begin(Fault::Kill(at(&[3]))), "not: n3 already down");
    assert_eq!(cluster.begin(Fault::Pause(at(&[3]))), "not: n3 already down or paused");
    assert_eq!(cluster.end(0), "start n1");
    assert_eq!(cluster.end(1), "nothing: n2, n3 stay as another fault wants them");
    assert_eq!(cluster.end(3), "start n3; pause n3");
    assert_eq!(cluster.end(2), "start n2");
    assert_eq!(cluster.end(4), "resume n3");
}

#[test]
fn a_bit_flips_before_the_server_is_killed_which_reads_it_when_it_starts() {
    let mut cluster = cluster(3);
    assert_eq!(cluster.begin(disk(&[2], DiskTrouble::BitFlip)), "flip a bit of n2; kill n2");
    assert_eq!(cluster.end(0), "start n2");
    assert_eq!(cluster.begin(Fault::Kill(at(&[2]))), "kill n2");
    assert_eq!(cluster.begin(disk(&[2], DiskTrouble::BitFlip)), "flip a bit of n2");
    assert_eq!(cluster.end(1), "nothing: n2 stay as another fault wants them");
    assert_eq!(cluster.end(2), "start n2");
}

#[test]
fn a_fault_that_could_not_begin_is_undone_and_keeps_nobody_down() {
    let mut cluster = cluster(3);
    cluster.begin(Fault::Pause(at(&[2])));
    cluster.begin(disk(&[2], DiskTrouble::BitFlip));
    cluster.active.not_begun(1);
    assert_eq!(cluster.active.down(), BTreeSet::new());
    assert_eq!(cluster.end(0), "resume n2");
    assert_eq!(cluster.begin(Fault::Kill(at(&[2]))), "kill n2");
    assert_eq!(cluster.end(1), "nothing: n2 stay as another fault wants them");
    assert_eq!(cluster.end(2), "start n2");
}

#[test]
fn servers_on_failing_disks_start_when_the_disks_are_sound() {
    let mut cluster = cluster(5);
    assert_eq!(cluster.begin(disk(&[1], DiskTrouble::SlowSync { us: 4_000 })), "disks n1 syncs 4 ms slower");
    let both = cluster.begin(disk(&[1, 2], DiskTrouble::SyncError));
    assert_eq!(both, "disks n1 syncs 4 ms slower and syncs fail, n2 syncs fail");
    assert_eq!(cluster.begin(Fault::Kill(at(&[2, 3]))), "kill n2, n3");
    assert_eq!(cluster.begin(disk(&[3], DiskTrouble::Full)).rsplit(", ").next(), Some("n3 full"));
    assert_eq!(cluster.end(2), "nothing: n2, n3 stay as another fault wants them");
    let sound = "disks n1 syncs 4 ms slower, n3 full; power off n1, n2; start n1, n2";
    assert_eq!(cluster.end(1), sound);
    assert_eq!(cluster.end(3), "disks n1 syncs 4 ms slower; start n3");
    assert_eq!(cluster.end(0), "disks as ever");
}

#[test]
fn bad_links_and_wrong_clocks_add_up_to_the_worse_of_each() {
    let mut cluster = cluster(2);
    let late = PacketTrouble { delay_max_us: 2_000, ..PacketTrouble::default() };
    let lossy = PacketTrouble { loss_per_mille: 10, ..PacketTrouble::default() };
    let to_n1 = AtLinks::These(Links::at(&BTreeSet::from([Node(1)]), 2, Direction::Deaf));
    assert_eq!(cluster.begin(Fault::Packet(PacketFault { on: to_n1, trouble: late })), "links n2>n1 0 to 2 ms late");
    let both = cluster.begin(Fault::Packet(PacketFault { on: AtLinks::All, trouble: lossy }));
    assert_eq!(both, "links n1>n2 1% lost, n2>n1 0 to 2 ms late, 1% lost");
    assert_eq!(cluster.begin(clock(1, 0, 10_000)), "clocks n1 1% faster");
    assert_eq!(cluster.begin(clock(1, 90, -20_000)), "clocks of n1 90 ms ahead; clocks n1 2% slower");
    assert_eq!(cluster.end(3), "clocks n1 1% faster");
    assert_eq!(cluster.end(2), "clocks as ever");
    assert_eq!(cluster.end(0), "links n1>n2 1% lost, n2>n1 1% lost");
    assert_eq!(cluster.end(1), "links as ever");
}

#[test]
fn members_are_removed_while_enough_remain_and_added_last() {
    let mut cluster = cluster(5);
    assert_eq!(cluster.begin(Fault::Membership(Target { choice: Choice::Leader, ..at(&[1]) })), "remove n3");
    assert_eq!(cluster.begin(Fault::Membership(at(&[3]))), "not: n3 already removed");
    assert_eq!(cluster.begin(Fault::Membership(at(&[4]))), "remove n4");
    assert_eq!(cluster.begin(Fault::Membership(at(&[5]))), "not: n3, n4 already removed, which is enough");
    assert_eq!(cluster.end(3), "nothing: there was nothing to undo");
    let grudge = Grudge::around(&BTreeSet::from([Node(1)]), 5, Direction::Both);
    cluster.begin(Fault::Partition(Partition { shape: Shape::OneNode, cut: Cut::Grudge(grudge) }));
    assert_eq!(cluster.active.numbers(), [4, 0, 1, 2]);
    assert_eq!(cluster.active.removed(), BTreeSet::from([Node(3), Node(4)]));
    let ended = cluster.active.end(2).unwrap();
    assert_eq!(told(ended.deeds.clone()), "add n4");
    cluster.active.not_ended(2, ended);
    assert_eq!(cluster.end(2), "add n4");
    assert_eq!(cluster.end(0), "add n3");
}
