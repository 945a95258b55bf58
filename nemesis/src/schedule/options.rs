//! What a schedule is drawn from.

use serde::{Deserialize, Serialize};

use crate::FaultKind;

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
    /// How many clients ask it.
    pub clients: u16,
    /// The kinds of faults to draw.
    pub kinds: Vec<FaultKind>,
    /// When the last fault must be over, in milliseconds.
    pub time_limit_ms: u64,
    /// How long a fault lasts: longer than an election, so that somebody notices. Short ones are more frequent.
    pub duration_ms: RangeMs,
    /// How long the cluster is left alone before the first fault and between two.
    pub quiet_ms: RangeMs,
    /// How many faults may be active at the same time. Each lane keeps the times above for itself; 0 counts as 1.
    pub lanes: u16,
    /// How late packets come, and how much slower syncs are, in microseconds: at most so much.
    pub longest_delay_us: u32,
    /// How many microseconds a clock shows more or less in a second: at most so many.
    pub clock_rate_ppm: u32,
    /// How far a clock jumps forward, in milliseconds: at most so far.
    pub clock_ahead_ms: u32,
    /// How often, in percent, a fault is aimed at the leader beyond the one of its kind that always is.
    pub leader_percent: u32,
    /// How often, in percent, a fault that is aimed at the leader gets a companion: a partition, bad links, a
    /// pause or a bad disk, of another kind than itself, that begins while it lasts and is aimed at the leader, too. Companions
    /// come beside the lanes.
    pub companion_percent: u32,
}

impl ScheduleOptions {
    /// The usual times: faults of 1.5 to 3.5 s, one at a time, with 0.7 to 1.5 s between them; packets and syncs late by up
    /// to half a second, clocks wrong by up to 10% and two seconds. Every fifth fault is aimed at the leader, none has a
    /// companion.
    #[must_use]
    pub fn new(nodes: u16, kinds: Vec<FaultKind>, time_limit_ms: u64) -> Self {
        Self {
            nodes,
            clients: 10,
            kinds,
            time_limit_ms,
            duration_ms: RangeMs { min: 1500, max: 3500 },
            quiet_ms: RangeMs { min: 700, max: 1500 },
            lanes: 1,
            longest_delay_us: 500_000,
            clock_rate_ppm: 100_000,
            clock_ahead_ms: 2000,
            leader_percent: 20,
            companion_percent: 0,
        }
    }

    pub(super) fn check(&self) -> Result<(), ScheduleError> {
        if self.nodes == 0 {
            return Err(ScheduleError::NoNodes);
        }
        if let Some(kind) = self.kinds.iter().find(|kind| kind.fewest_nodes() > self.nodes) {
            return Err(ScheduleError::TooFewNodes { kind: *kind });
        }
        for (what, range) in [("duration of a fault", self.duration_ms), ("quiet time", self.quiet_ms)] {
            if range.min > range.max {
                return Err(ScheduleError::EmptyRange { what, range });
            }
        }
        Ok(())
    }
}

/// Why no schedule can be drawn.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ScheduleError {
    /// A cluster without nodes.
    #[error("a cluster needs at least one node")]
    NoNodes,
    /// A fault that needs others.
    #[error("the fault {kind} needs at least two nodes; take more nodes, or leave out the fault {kind}")]
    TooFewNodes {
        /// Which one.
        kind: FaultKind,
    },
    /// A range that is empty.
    #[error("the shortest {what} ({} ms) is longer than the longest ({} ms)", range.min, range.max)]
    EmptyRange {
        /// Which one.
        what: &'static str,
        /// The range.
        range: RangeMs,
    },
}
