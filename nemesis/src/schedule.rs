//! Which fault when.

use std::collections::BTreeSet;

use rashomon_draw::{Deck, Draw};
use serde::{Deserialize, Serialize};

use crate::{Choice, Cut, Direction, Fault, FaultKind, Grudge, Node, Partition, Shape, Target};

/// Which fault when: plain data, saved with the plan of a run.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schedule {
    /// The faults, by the time at which they begin.
    pub entries: Vec<ScheduledFault>,
}

/// One fault and its time. Its number in a history is its position in the schedule.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ScheduledFault {
    /// When it begins: milliseconds since the nemesis began.
    pub at_ms: u64,
    /// How long it lasts, in milliseconds.
    pub duration_ms: u64,
    /// What is done.
    pub fault: Fault,
}

impl ScheduledFault {
    /// When it ends: milliseconds since the nemesis began.
    #[must_use]
    pub fn end_ms(&self) -> u64 {
        self.at_ms.saturating_add(self.duration_ms)
    }
}

/// A shortest and a longest time, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RangeMs {
    /// The shortest.
    pub min: u64,
    /// The longest.
    pub max: u64,
}

/// What a schedule is drawn from, beside its seed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ScheduleOptions {
    /// How many nodes the cluster has.
    pub nodes: u16,
    /// The kinds of faults to draw.
    pub kinds: Vec<FaultKind>,
    /// When the last fault must be over, in milliseconds.
    pub time_limit_ms: u64,
    /// How long a fault lasts: longer than an election, so that somebody notices. Short ones are more frequent.
    pub duration_ms: RangeMs,
    /// How long the cluster is left alone before the first fault and between two.
    pub quiet_ms: RangeMs,
}

impl ScheduleOptions {
    /// The usual times: faults of 1.5 to 3.5 s, with 0.7 to 1.5 s between them.
    #[must_use]
    pub fn new(nodes: u16, kinds: Vec<FaultKind>, time_limit_ms: u64) -> Self {
        let (duration_ms, quiet_ms) = (RangeMs { min: 1500, max: 3500 }, RangeMs { min: 700, max: 1500 });
        Self { nodes, kinds, time_limit_ms, duration_ms, quiet_ms }
    }
}

/// Why no schedule can be drawn.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ScheduleError {
    /// A cluster without nodes.
    #[error("a cluster needs at least one node")]
    NoNodes,
    /// A partition has two sides.
    #[error("a partition needs at least two nodes; take more nodes, or leave out the fault partition")]
    NothingToPartition,
    /// A range that is empty.
    #[error("the shortest {what} ({} ms) is longer than the longest ({} ms)", range.min, range.max)]
    EmptyRange {
        /// Which one.
        what: &'static str,
        /// The range.
        range: RangeMs,
    },
}

impl Schedule {
    /// Draws a schedule. The same options and seed give the same schedule, on every machine.
    ///
    /// Every kind comes as often as any other, give or take one; each is aimed at the leader at least once; shapes and
    /// choices that fit the size of the cluster each come before any comes twice. Where the time is too short for one
    /// fault of each kind, some kinds don't come: see [`Schedule::kinds`].
    ///
    /// # Errors
    /// [`ScheduleError`] where the options make no sense.
    pub fn draw(options: &ScheduleOptions, seed: u64) -> Result<Self, ScheduleError> {
        options.check()?;
        if options.kinds.is_empty() {
            return Ok(Self::default());
        }
        let mut draw = Draw::stream(seed, "schedule");
        let times = draw_times(options, &mut draw);
        let kinds = deal_kinds(options, times.len(), &mut draw);
        let mut faults = Faults::new(options.nodes, &kinds, &mut draw);
        let entries = times
            .into_iter()
            .zip(kinds)
            .map(|((at_ms, duration_ms), kind)| ScheduledFault {
                at_ms,
                duration_ms,
                fault: faults.draw(kind, &mut draw),
            })
            .collect();
        Ok(Self { entries })
    }

    /// The kinds of faults that come in it.
    #[must_use]
    pub fn kinds(&self) -> BTreeSet<FaultKind> {
        self.entries.iter().map(|entry| entry.fault.kind()).collect()
    }
}

impl ScheduleOptions {
    fn check(&self) -> Result<(), ScheduleError> {
        if self.nodes == 0 {
            return Err(ScheduleError::NoNodes);
        }
        if self.nodes < 2 && self.kinds.contains(&FaultKind::Partition) {
            return Err(ScheduleError::NothingToPartition);
        }
        for (what, range) in [("duration of a fault", self.duration_ms), ("quiet time", self.quiet_ms)] {
            if range.min > range.max {
                return Err(ScheduleError::EmptyRange { what, range });
            }
        }
        Ok(())
    }
}

/// Begin and duration of each fault, in milliseconds: as many as usually fit, but two of each kind where that is possible
/// at all. Each is preceded by a quiet time.
fn draw_times(options: &ScheduleOptions, draw: &mut Draw) -> Vec<(u64, u64)> {
    let (duration, quiet) = (options.duration_ms, options.quiet_ms);
    let shortest = (duration.min + quiet.min).max(1);
    // The smaller of two draws is on average a third of the way from the shortest to the longest.
    let usual = (duration.min + (duration.max - duration.min) / 3 + quiet.midpoint()).max(1);
    let wanted = (options.kinds.len() as u64 * 2).max(options.time_limit_ms / usual);
    let count = wanted.min(options.time_limit_ms / shortest);

    let mut times: Vec<(u64, u64)> = (0..count)
        .map(|_| {
            let lasting = [(); 2].map(|()| draw.between(duration.min, duration.max));
            (draw.between(quiet.min, quiet.max), lasting[0].min(lasting[1]))
        })
        .collect();
    let drawn: u64 = times.iter().map(|(quiet, lasting)| quiet + lasting).sum();
    let (room, spare) = (options.time_limit_ms - count * shortest, drawn - count * shortest);
    let mut now_ms = 0;
    for (at_ms, lasting) in &mut times {
        // What was drawn beyond the shortest times is scaled down together until all fits.
        let fit = |time: u64, min: u64| if spare > room { min + (time - min) * room / spare } else { time };
        now_ms += fit(*at_ms, quiet.min);
        *at_ms = now_ms;
        *lasting = fit(*lasting, duration.min);
        now_ms += *lasting;
    }
    times
}

impl RangeMs {
    fn midpoint(self) -> u64 {
        self.min.midpoint(self.max)
    }
}

fn deal_kinds(options: &ScheduleOptions, count: usize, draw: &mut Draw) -> Vec<FaultKind> {
    let kinds: BTreeSet<FaultKind> = options.kinds.iter().copied().collect();
    let mut deck = Deck::new(kinds.into_iter().collect());
    (0..count).map(|_| deck.deal(draw)).collect()
}

/// Draws faults one after the other and remembers what came already.
struct Faults {
    nodes: u16,
    shapes: Deck<Shape>,
    kills: Deck<Choice>,
    pauses: Deck<Choice>,
    /// How many faults of a kind come before the one that is aimed at the leader.
    before_leader: Vec<(FaultKind, usize)>,
    /// Whether the next partition that is not aimed at the leader shall leave several nodes on both sides: no other shape
    /// shows two leaders that both find followers.
    split_next: bool,
}

/// The fewest nodes of which a half is more than one.
const NODES_TO_SPLIT: u16 = 4;

/// How often, in percent, a fault is aimed at the leader beyond the one of its kind that always is.
const LEADER_PERCENT: u32 = 20;

impl Faults {
    fn new(nodes: u16, kinds: &[FaultKind], draw: &mut Draw) -> Self {
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
        Self {
            nodes,
            shapes,
            kills: Deck::new(choices.clone()),
            pauses: Deck::new(choices),
            before_leader,
            split_next: nodes >= NODES_TO_SPLIT,
        }
    }

    fn draw(&mut self, kind: FaultKind, draw: &mut Draw) -> Fault {
        let leader = self.aims_at_leader(kind, draw);
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
        }
    }

    fn aims_at_leader(&mut self, kind: FaultKind, draw: &mut Draw) -> bool {
        let by_chance = draw.chance(LEADER_PERCENT) && !(kind == FaultKind::Partition && self.split_next);
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
        Cut::Leader { direction, otherwise: Node(1 + u16::try_from(draw.below(usize::from(self.nodes))).unwrap_or(0)) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::Action;

    fn usual(nodes: u16) -> ScheduleOptions {
        ScheduleOptions::new(nodes, FaultKind::ALL.to_vec(), 30_000)
    }

    #[test]
    fn the_same_seed_gives_the_same_schedule() {
        let drawn = Schedule::draw(&usual(5), 7).unwrap();
        assert_eq!(drawn, Schedule::draw(&usual(5), 7).unwrap());
        assert_ne!(drawn, Schedule::draw(&usual(5), 8).unwrap());
        let text = serde_json::to_string(&drawn).unwrap();
        assert_eq!(serde_json::from_str::<Schedule>(&text).unwrap(), drawn);
    }

    #[test]
    fn thirty_seconds_hold_every_kind_twice_and_one_of_each_for_the_leader() {
        for seed in 0..500 {
            let schedule = Schedule::draw(&usual(5), seed).unwrap();
            assert!((8..=12).contains(&schedule.entries.len()), "seed {seed}: {} faults", schedule.entries.len());
            for kind in FaultKind::ALL {
                let of_kind: Vec<_> = schedule.entries.iter().filter(|entry| entry.fault.kind() == kind).collect();
                assert!(of_kind.len() >= 2, "seed {seed}: {kind} comes {} times", of_kind.len());
                assert!(
                    of_kind.iter().any(|entry| entry.fault.wants_leader()),
                    "seed {seed}: {kind} spares the leader"
                );
            }
        }
    }

    #[test]
    fn thirty_seconds_hold_a_split_in_halves() {
        for seed in 0..500 {
            let schedule = Schedule::draw(&usual(5), seed).unwrap();
            let is_split = |entry: &ScheduledFault| match &entry.fault {
                Fault::Partition(partition) => matches!(partition.shape, Shape::Halves | Shape::RandomHalves),
                Fault::Kill(_) | Fault::Pause(_) => false,
            };
            assert!(schedule.entries.iter().any(is_split), "seed {seed}: {schedule:?}");
        }
    }

    #[test]
    fn faults_keep_their_times() {
        for seed in 0..200 {
            for time_limit_ms in [1000, 2200, 5000, 13_300, 30_000, 300_000] {
                let options = ScheduleOptions { time_limit_ms, ..usual(5) };
                let schedule = Schedule::draw(&options, seed).unwrap();
                assert_eq!(schedule.entries.is_empty(), time_limit_ms < 2200);
                let mut free_from = 0;
                for entry in &schedule.entries {
                    assert!((700..=1500).contains(&(entry.at_ms - free_from)), "seed {seed}: {entry:?}");
                    assert!((1500..=3500).contains(&entry.duration_ms), "seed {seed}: {entry:?}");
                    free_from = entry.end_ms();
                }
                assert!(free_from <= time_limit_ms, "seed {seed}");
            }
        }
    }

    #[test]
    fn a_short_run_covers_what_fits() {
        let schedule = Schedule::draw(&ScheduleOptions { time_limit_ms: 6600, ..usual(5) }, 3).unwrap();
        assert_eq!(schedule.kinds().len(), 3);
        let one = Schedule::draw(&ScheduleOptions { time_limit_ms: 2500, ..usual(5) }, 3).unwrap();
        assert_eq!(one.entries.len(), 1);
        assert!(one.entries[0].fault.wants_leader());
    }

    #[test]
    fn every_shape_and_choice_comes_and_names_only_members() {
        for nodes in [2, 3, 4, 5, 7, 9] {
            let options = ScheduleOptions { time_limit_ms: 300_000, ..usual(nodes) };
            let schedule = Schedule::draw(&options, u64::from(nodes)).unwrap();
            let mut shapes: BTreeMap<Shape, usize> = BTreeMap::new();
            let members: BTreeSet<Node> = Node::all(nodes).collect();
            for entry in &schedule.entries {
                match entry.fault.resolve(None, nodes) {
                    Action::Cut(grudge) => {
                        assert!(!grudge.is_empty(), "{}", entry.fault);
                        assert!(grudge.edges().all(|(from, to)| members.contains(&from) && members.contains(&to)));
                    }
                    Action::Kill(targets) | Action::Pause(targets) => {
                        assert!(!targets.is_empty() && targets.is_subset(&members), "{}", entry.fault);
                    }
                }
                if let Fault::Partition(partition) = &entry.fault {
                    *shapes.entry(partition.shape).or_default() += 1;
                }
            }
            let fitting: BTreeSet<Shape> =
                Shape::ALL.into_iter().filter(|shape| shape.fewest_nodes() <= nodes).collect();
            assert_eq!(shapes.keys().copied().collect::<BTreeSet<_>>(), fitting, "{nodes} nodes");
        }
    }

    #[test]
    fn sizes_are_what_the_choice_says() {
        let options = ScheduleOptions { kinds: vec![FaultKind::Kill], time_limit_ms: 200_000, ..usual(5) };
        let schedule = Schedule::draw(&options, 1).unwrap();
        let sizes: BTreeMap<Choice, usize> = schedule
            .entries
            .iter()
            .filter_map(|entry| match &entry.fault {
                Fault::Kill(target) => Some((target.choice, target.nodes.len())),
                Fault::Partition(_) | Fault::Pause(_) => None,
            })
            .collect();
        let expected =
            [(Choice::One, 1), (Choice::Minority, 2), (Choice::Majority, 3), (Choice::All, 5), (Choice::Leader, 1)];
        assert_eq!(sizes, BTreeMap::from(expected));
    }

    #[test]
    fn options_that_make_no_sense_are_refused() {
        assert_eq!(Schedule::draw(&usual(0), 1), Err(ScheduleError::NoNodes));
        assert_eq!(Schedule::draw(&usual(1), 1), Err(ScheduleError::NothingToPartition));
        let backwards = ScheduleOptions { quiet_ms: RangeMs { min: 2, max: 1 }, ..usual(5) };
        assert!(matches!(Schedule::draw(&backwards, 1), Err(ScheduleError::EmptyRange { .. })));
        let alone = ScheduleOptions { kinds: vec![FaultKind::Kill, FaultKind::Pause], ..usual(1) };
        assert!(Schedule::draw(&alone, 1).unwrap().entries.len() >= 8);
        let calm = ScheduleOptions { kinds: vec![], ..usual(5) };
        assert_eq!(Schedule::draw(&calm, 1), Ok(Schedule::default()));
    }
}
