use std::collections::BTreeMap;

use rashomon_history::{FaultPhase, History, NemesisEvent, TimeNs};

use super::FaultCounts;

/// One fault, from its begin to its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FaultInterval {
    /// Its number in the run.
    pub number: u64,
    /// Its kind: `partition`, `kill`, ...
    pub kind: String,
    /// Who is cut off from whom, who was killed.
    pub detail: String,
    /// When it began.
    pub began: TimeNs,
    /// When it was seen to bite, and by what.
    pub bites: Option<(TimeNs, String)>,
    /// When it was over; `None` where it was not before the history ends.
    pub ended: Option<TimeNs>,
    /// Why it could not be injected or was not seen to bite.
    pub failed: Option<String>,
}

impl FaultInterval {
    fn new(event: &NemesisEvent) -> Self {
        Self {
            number: event.fault,
            kind: event.f.clone(),
            detail: event.detail.clone(),
            began: event.time,
            bites: None,
            ended: None,
            failed: None,
        }
    }

    fn learn(&mut self, event: &NemesisEvent) {
        match event.phase {
            FaultPhase::Begin => {}
            FaultPhase::Bites => {
                if self.bites.is_none() {
                    self.bites = Some((event.time, event.detail.clone()));
                }
            }
            FaultPhase::End => self.ended = Some(event.time),
            FaultPhase::Failed => {
                self.failed = Some(event.detail.clone());
                // A fault that was never there does not last until the end of the run.
                self.ended.get_or_insert(event.time);
            }
        }
    }

    /// When it was over, in a run that ended then.
    #[must_use]
    pub fn ended_by(&self, end: TimeNs) -> TimeNs {
        self.ended.unwrap_or(end).max(self.began)
    }
}

/// The faults of a run, by their begin.
#[must_use]
pub fn fault_intervals(history: &History) -> Vec<FaultInterval> {
    let mut faults: Vec<FaultInterval> = Vec::new();
    let mut positions: BTreeMap<u64, usize> = BTreeMap::new();
    for event in history.nemesis() {
        let position = *positions.entry(event.fault).or_insert_with(|| {
            faults.push(FaultInterval::new(event));
            faults.len() - 1
        });
        faults[position].learn(event);
    }
    faults
}

pub(super) fn by_kind(history: &History) -> BTreeMap<String, FaultCounts> {
    let mut counts: BTreeMap<String, FaultCounts> = BTreeMap::new();
    for fault in fault_intervals(history) {
        let counts = counts.entry(fault.kind).or_default();
        counts.injected += 1;
        counts.bitten += u64::from(fault.bites.is_some());
        counts.failed += u64::from(fault.failed.is_some());
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{MS, Story};

    #[test]
    fn events_of_one_number_are_one_fault() {
        let mut story = Story::default();
        story.ok(0, "n1", 0, MS, "read", "x", "null");
        story.fault(2 * MS, 0, "partition", "begin", "n1 | n2 n3");
        story.fault(3 * MS, 1, "pause", "begin", "n3");
        story.fault(4 * MS, 0, "partition", "bites", "12 packets dropped");
        story.fault(9 * MS, 0, "partition", "end", "healed");
        let faults = fault_intervals(&story.history());
        assert_eq!(faults.len(), 2);
        assert_eq!(faults[0].detail, "n1 | n2 n3");
        assert_eq!(faults[0].bites, Some((TimeNs(4 * MS), "12 packets dropped".into())));
        assert_eq!((faults[0].began, faults[0].ended), (TimeNs(2 * MS), Some(TimeNs(9 * MS))));
        assert_eq!((faults[1].ended, faults[1].ended_by(TimeNs(30 * MS))), (None, TimeNs(30 * MS)));
    }

    #[test]
    fn a_fault_that_failed_is_over() {
        let mut story = Story::default();
        story.ok(0, "n1", 0, MS, "read", "x", "null");
        story.fault(2 * MS, 0, "kill", "begin", "n1");
        story.fault(3 * MS, 0, "kill", "failed", "no such process");
        let faults = fault_intervals(&story.history());
        assert_eq!(faults[0].ended, Some(TimeNs(3 * MS)));
        assert_eq!(faults[0].failed.as_deref(), Some("no such process"));
    }
}
