use rashomon_history::{EventRef, History, Outcome, TimeNs};
use serde::{Deserialize, Serialize};

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
    fn a_run_that_ends_waiting_is_unavailable_to_its_end() {
        let mut story = Story::default();
        story.ok(0, "n1", 0, 2 * MS, "read", "x", "null");
        story.info(1, "n1", MS, 70 * MS, "read", "x", "", "timeout");
        assert_eq!(longest(&story), Window { from_ns: TimeNs(2 * MS), to_ns: TimeNs(70 * MS) });
    }
}
