use rashomon_history::{EventRef, History, Operation, Outcome, TimeNs};
use serde::{Deserialize, Serialize};

use super::{FaultInterval, fault_intervals};

/// A span of time within a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Window {
    /// Its begin.
    pub from_ns: TimeNs,
    /// Its end.
    pub to_ns: TimeNs,
}

impl Window {
    /// How long it is.
    #[must_use]
    pub fn length_ns(self) -> u64 {
        self.to_ns.0 - self.from_ns.0
    }
}

/// What a fault did to the availability of the system.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FaultAvailability {
    /// The number of the fault.
    pub fault: u64,
    /// The longest time without an `ok` that the fault has a part of, while at least one client waited for one.
    pub longest_without_ok: Option<Window>,
    /// From the end of the fault to the next `ok`; `None` where the fault did not end, or no `ok` came any more.
    pub ok_after_ns: Option<u64>,
}

/// What each fault did, in the order in which they began. `windows` are those of the history, the longest first.
pub(super) fn by_fault(history: &History, operations: &[Operation], windows: &[Window]) -> Vec<FaultAvailability> {
    let acknowledged = operations.iter().filter(|operation| matches!(operation.outcome, Outcome::Ok(_)));
    let mut acknowledged: Vec<TimeNs> = acknowledged.filter_map(|operation| operation.completed).collect();
    acknowledged.sort_unstable();
    let of = |fault: FaultInterval| {
        let to = fault.ended_by(TimeNs(u64::MAX));
        let overlaps = |window: &&Window| window.from_ns <= to && fault.began <= window.to_ns;
        let next_ok = |ended: TimeNs| acknowledged.get(acknowledged.partition_point(|time| *time < ended));
        FaultAvailability {
            fault: fault.number,
            longest_without_ok: windows.iter().find(overlaps).copied(),
            ok_after_ns: fault.ended.and_then(|ended| Some(next_ok(ended)?.0 - ended.0)),
        }
    };
    fault_intervals(history).into_iter().map(of).collect()
}

/// The spans in which no operation was acknowledged although somebody asked, the longest first.
///
/// A span begins with the last `ok` if an operation was open then, else with the next invocation: a cluster that nobody
/// asks is not unavailable. It ends with the next `ok`, or with the last event of a client.
#[must_use]
pub fn windows_without_ok(history: &History) -> Vec<Window> {
    let mut windows = Vec::new();
    let mut open: u64 = 0;
    let mut waiting_since: Option<TimeNs> = None;
    let mut latest = TimeNs(0);
    for event in history.events() {
        match event {
            EventRef::Nemesis(_) => continue,
            EventRef::Invoked(_) => {
                open += 1;
                waiting_since.get_or_insert(event.time());
            }
            EventRef::Completed(operation) => {
                open -= 1;
                if let Outcome::Ok(_) = operation.outcome {
                    windows.extend(waiting_since.map(|from_ns| Window { from_ns, to_ns: event.time() }));
                    waiting_since = (open > 0).then_some(event.time());
                }
            }
        }
        latest = event.time();
    }
    windows.extend(waiting_since.map(|from_ns| Window { from_ns, to_ns: latest }));
    windows.sort_by_key(|window| (std::cmp::Reverse(window.length_ns()), window.from_ns));
    windows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{MS, Story};

    fn longest(story: &Story) -> Window {
        windows_without_ok(&story.history())[0]
    }

    #[test]
    fn a_pause_in_which_nobody_asks_does_not_count() {
        let mut story = Story::default();
        story.ok(0, "n1", 0, 2 * MS, "read", "x", "null");
        story.ok(0, "n1", 900 * MS, 903 * MS, "read", "x", "null");
        assert_eq!(longest(&story), Window { from_ns: TimeNs(900 * MS), to_ns: TimeNs(903 * MS) });
    }

    #[test]
    fn refusals_are_not_answers() {
        let mut story = Story::default();
        story.ok(0, "n1", 0, 2 * MS, "read", "x", "null");
        story.fail(0, "n1", 3 * MS, 4 * MS, "read", "x", "", "no leader");
        story.fail(0, "n1", 50 * MS, 51 * MS, "read", "x", "", "no leader");
        story.ok(0, "n1", 80 * MS, 90 * MS, "read", "x", "null");
        assert_eq!(longest(&story), Window { from_ns: TimeNs(3 * MS), to_ns: TimeNs(90 * MS) });
    }

    #[test]
    fn a_fault_is_told_with_its_gap_and_with_the_time_until_it_was_over() {
        let mut story = Story::default();
        story.ok(0, "n1", 0, 2 * MS, "read", "x", "null");
        story.fault(10 * MS, 0, "kill", "begin", "n1");
        story.fail(0, "n1", 12 * MS, 13 * MS, "read", "x", "", "nobody there");
        story.fault(50 * MS, 0, "kill", "end", "");
        story.ok(0, "n1", 51 * MS, 60 * MS, "read", "x", "null");
        story.ok(0, "n1", 70 * MS, 71 * MS, "read", "x", "null");
        story.fault(80 * MS, 1, "kill", "begin", "n1");
        let history = story.history();
        let told = by_fault(&history, history.operations(), &windows_without_ok(&history));
        let gap = Window { from_ns: TimeNs(12 * MS), to_ns: TimeNs(60 * MS) };
        let first = FaultAvailability { fault: 0, longest_without_ok: Some(gap), ok_after_ns: Some(10 * MS) };
        assert_eq!(told, [first, FaultAvailability { fault: 1, longest_without_ok: None, ok_after_ns: None }]);
    }

    #[test]
    fn a_run_that_ends_waiting_is_unavailable_to_its_end() {
        let mut story = Story::default();
        story.ok(0, "n1", 0, 2 * MS, "read", "x", "null");
        story.info(1, "n1", MS, 70 * MS, "read", "x", "", "timeout");
        assert_eq!(longest(&story), Window { from_ns: TimeNs(2 * MS), to_ns: TimeNs(70 * MS) });
    }
}
