//! Which fault when.

mod faults;
mod options;
mod packets;
mod times;

use std::collections::BTreeSet;

use rashomon_draw::{Deck, Draw};
use serde::{Deserialize, Serialize};

pub use options::{RangeMs, ScheduleError, ScheduleOptions};

use crate::{Fault, FaultKind};
use faults::Faults;
use times::draw_times;

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

impl Schedule {
    /// Draws a schedule. The same options and seed give the same schedule, on every machine.
    ///
    /// Every kind comes as often as any other, give or take one; each is aimed at the leader at least once; shapes and
    /// choices that fit the size of the cluster each come before any comes twice. Where the time is too short for one
    /// fault of each kind, some kinds don't come: see [`Schedule::kinds`].
    ///
    /// Bits flip on the disk of one node only, and only where there are three nodes: nothing can make up for what a majority of
    /// disks forgot.
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
        let mut faults = Faults::new(options, &kinds, &mut draw);
        let mut entries: Vec<ScheduledFault> = times
            .into_iter()
            .zip(kinds)
            .map(|((at_ms, duration_ms), kind)| ScheduledFault {
                at_ms,
                duration_ms,
                fault: faults.draw(kind, &mut draw),
            })
            .collect();
        entries.extend(draw_companions(options, &entries, &mut faults, &mut Draw::stream(seed, "companions")));
        entries.sort_by_key(|entry| entry.at_ms);
        Ok(Self { entries })
    }

    /// The kinds of faults that come in it.
    #[must_use]
    pub fn kinds(&self) -> BTreeSet<FaultKind> {
        self.entries.iter().map(|entry| entry.fault.kind()).collect()
    }

    /// Fault `number`.
    #[must_use]
    pub fn fault(&self, number: u64) -> Option<&Fault> {
        let entry = usize::try_from(number).ok().and_then(|index| self.entries.get(index));
        entry.map(|entry| &entry.fault)
    }
}

fn deal_kinds(options: &ScheduleOptions, count: usize, draw: &mut Draw) -> Vec<FaultKind> {
    let kinds: BTreeSet<FaultKind> = options.kinds.iter().copied().collect();
    let mut deck = Deck::new(kinds.into_iter().collect());
    (0..count).map(|_| deck.deal(draw)).collect()
}

/// Faults that begin while those at the leader last: many mistakes need a leader that two troubles meet. They hinder it, and do
/// not end it: after a kill there is no more to see of the first trouble.
fn draw_companions(
    options: &ScheduleOptions,
    entries: &[ScheduledFault],
    faults: &mut Faults,
    draw: &mut Draw,
) -> Vec<ScheduledFault> {
    let mut companions = Vec::new();
    for entry in entries.iter().filter(|entry| entry.fault.wants_leader()) {
        let kind = entry.fault.kind();
        let hinders = [FaultKind::Partition, FaultKind::Packet, FaultKind::Pause, FaultKind::Disk];
        let others: Vec<FaultKind> =
            hinders.into_iter().filter(|other| *other != kind && options.kinds.contains(other)).collect();
        if others.is_empty() || !draw.chance(options.companion_percent) {
            continue;
        }
        let at_ms = draw.between(entry.at_ms, entry.end_ms());
        let lasting = draw.between(options.duration_ms.min, options.duration_ms.max);
        let duration_ms = lasting.min(options.time_limit_ms.saturating_sub(at_ms));
        let kind = draw.pick(&others);
        companions.push(ScheduledFault { at_ms, duration_ms, fault: faults.draw_companion(kind, draw) });
    }
    companions
}

#[cfg(test)]
mod tests;
