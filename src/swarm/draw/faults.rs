//! What is done to a cluster: which kinds of faults, when, for how long and to whom.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use rashomon_draw::Draw;
use rashomon_nemesis::{
    Cut, Direction, Fault, FaultKind, Grudge, Node, Partition, Place, RangeMs, ScheduleOptions, ScheduledFault, Shape,
};

use super::load::Size;
use crate::plan::{LockSettings, RaftSettings};
use crate::swarm::Fixed;

/// Any subset of the kinds that can be done to so many nodes; sometimes only one, sometimes none.
pub(super) fn draw_kinds(fixed: &Fixed, nodes: u16, spared: bool, draw: &mut Draw) -> Vec<FaultKind> {
    let all = if spared { vec![FaultKind::Kill] } else { fixed.system.faults(Place::Simulated) };
    // Few kinds as often as many: some mistakes need two kinds that no third one disturbs.
    let percent = draw.pick(&[25, 25, 50, 75]);
    let kept: Vec<FaultKind> = match draw.below(20) {
        0 => Vec::new(),
        1..=3 => vec![draw.pick(&all)],
        _ => all.into_iter().filter(|_| draw.chance(percent)).collect(),
    };
    fixed.nemesis.clone().unwrap_or(kept.into_iter().filter(|kind| kind.fewest_nodes() <= nodes).collect())
}

/// When faults come, how long they last and how bad they are.
pub(super) fn draw_times(
    size: &Size,
    kinds: Vec<FaultKind>,
    raft: &RaftSettings,
    lease_reads: bool,
    lock: Option<LockSettings>,
    draw: &mut Draw,
) -> ScheduleOptions {
    let limit_ms = size.time_limit_ms;
    // In tenths of the longest election timeout: shorter than an election, as long as a few, longer than many.
    let (shortest, longest, most_quiet) = draw.pick(&[(1, 10, 10), (10, 30, 20), (30, 80, 30), (1, 80, 30)]);
    let tenths = |count: u64| (count * raft.election_max_us / 10_000).max(1);
    let longest_delay_us = tenths(draw.pick(&[1, 5, 10, 20, 50])) * 1000;
    // A lease counts on clocks that agree to a sixth, see `Timing::lease_us`.
    let (clock_rate_ppm, clock_ahead_ms) =
        (draw.pick(&[10_000, 100_000, 300_000]), tenths(draw.pick(&[1, 10, 100])) as u32);
    let (clock_rate_ppm, clock_ahead_ms) = if lease_reads { (50_000, 0) } else { (clock_rate_ppm, clock_ahead_ms) };
    let options = ScheduleOptions {
        duration_ms: RangeMs { min: tenths(shortest).min(limit_ms / 4), max: tenths(longest).min(limit_ms / 2) },
        quiet_ms: RangeMs { min: 0, max: tenths(most_quiet).min(limit_ms / 4) },
        lanes: draw.pick(&[1, 1, 2, 2, 3]),
        longest_delay_us: longest_delay_us as u32,
        clock_rate_ppm,
        clock_ahead_ms,
        ..ScheduleOptions::new(size.nodes, kinds, limit_ms)
    };
    lock.map_or(options.clone(), |lock| with_clocks_for_leases(options, lock))
}

/// The service counts on clocks that agree to a twentieth, and on no more than three jumps within a lease. What jumps leave of
/// a lease's margin is less than a write may be on its way, so that without fencing tokens there are none.
fn with_clocks_for_leases(options: ScheduleOptions, lock: LockSettings) -> ScheduleOptions {
    let clock_ahead_ms = if lock.fencing { options.clock_ahead_ms } else { 0 };
    let clock_rate_ppm = options.clock_rate_ppm.min(50_000);
    let options = ScheduleOptions { clock_rate_ppm, clock_ahead_ms, ..options };
    if options.clock_ahead_ms == 0 || !options.kinds.contains(&FaultKind::Clock) {
        return options;
    }
    let min = options.duration_ms.min.max(lock.ttl_ms / 2);
    let max = options.duration_ms.max.max(min);
    ScheduleOptions { lanes: 1, duration_ms: RangeMs { min, max }, ..options }
}

/// How often faults are aimed at the leader, and how often two at once: in some runs rather at it than elsewhere.
pub(super) fn draw_aim(options: ScheduleOptions, draw: &mut Draw) -> ScheduleOptions {
    ScheduleOptions {
        leader_percent: draw.pick(&[20, 20, 50, 80]),
        companion_percent: draw.pick(&[0, 0, 30, 80]),
        ..options
    }
}

/// A minority that lags when the faults end.
pub(super) fn last_partition(size: &Size, raft: &RaftSettings, draw: &mut Draw) -> ScheduledFault {
    let lasting_ms = draw.between(3, 15) * raft.election_max_us / 1_000;
    let duration_ms = lasting_ms.min(size.time_limit_ms / 3);
    let mut nodes: Vec<Node> = Node::all(size.nodes).collect();
    draw.shuffle(&mut nodes);
    nodes.truncate(usize::from(size.nodes - 1) / 2);
    let grudge = Grudge::around(&nodes.into_iter().collect(), size.nodes, Direction::Both);
    let fault = Fault::Partition(Partition { shape: Shape::RandomHalves, cut: Cut::Grudge(grudge) });
    ScheduledFault { at_ms: size.time_limit_ms - duration_ms, duration_ms, fault }
}
