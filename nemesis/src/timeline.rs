//! When the faults of a schedule begin and end.

use crate::Schedule;

/// A fault begins or ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Step {
    /// When: milliseconds since the nemesis began.
    pub at_ms: u64,
    /// Which of the two.
    pub kind: StepKind,
    /// The number of the fault: its position in the schedule.
    pub fault: u64,
}

/// What ends at the same moment as something begins ends first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum StepKind {
    /// It ends.
    End,
    /// It begins.
    Begin,
}

impl Schedule {
    /// Every begin and end of a fault, in the order in which they come.
    #[must_use]
    pub fn timeline(&self) -> Vec<Step> {
        let faults = (0u64..).zip(&self.entries);
        let mut steps: Vec<Step> = faults
            .flat_map(|(fault, entry)| {
                // One of no length ends after it began all the same.
                let end_ms = entry.end_ms().max(entry.at_ms + 1);
                let both = [(entry.at_ms, StepKind::Begin), (end_ms, StepKind::End)];
                both.map(|(at_ms, kind)| Step { at_ms, kind, fault })
            })
            .collect();
        steps.sort_unstable();
        steps
    }
}
