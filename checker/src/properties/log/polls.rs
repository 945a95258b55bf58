//! How each process goes through a log.

use super::super::report::AnomalyKind;
use super::super::run::{Halt, Numbers, Run};
use super::records::{NONE, Ranks, Records};

/// A record that a process polled, or that it assigned itself logs.
#[derive(Clone, Copy)]
struct Step {
    position: u32,
    /// The slot of the record; [`NONE`] for an assignment.
    slot: u32,
}

pub(super) struct Polls {
    /// By invocation; those of one process are in their order.
    steps: Vec<Step>,
}

impl Polls {
    pub(super) fn new() -> Self {
        Self { steps: Vec::new() }
    }

    pub(super) fn assign(&mut self, run: &mut Run<'_>, position: u32) -> Result<(), Halt> {
        run.push(&mut self.steps, Step { position, slot: NONE })
    }

    pub(super) fn poll(&mut self, run: &mut Run<'_>, slot: u32, position: u32) -> Result<(), Halt> {
        run.push(&mut self.steps, Step { position, slot })
    }

    /// Finds the steps of a process that go back in a log, stay where it was, or leave out a record.
    pub(super) fn check<'a>(&self, run: &mut Run<'a>, records: &Records<'a>, ranks: &Ranks) -> Result<(), Halt> {
        let mut processes: Numbers<u64> = Numbers::new();
        let mut assignments: Vec<u32> = Vec::new();
        let mut streams: Numbers<(usize, u32)> = Numbers::new();
        // The last step of each process in each log, and how often the process had assigned itself logs by then.
        let mut last: Vec<(Step, u32)> = Vec::new();
        for step in &self.steps {
            run.step()?;
            let process = processes.number(run, run.operation(step.position).process.0)?;
            if process == assignments.len() {
                run.push(&mut assignments, 0)?;
            }
            if step.slot == NONE {
                assignments[process] += 1;
                continue;
            }
            let (log, _) = records.place(step.slot);
            let stream = streams.number(run, (process, log))?;
            let now = (*step, assignments[process]);
            if stream == last.len() {
                run.push(&mut last, now)?;
                continue;
            }
            let (before, assigned) = std::mem::replace(&mut last[stream], now);
            if assigned == assignments[process] {
                hold_against(run, records, ranks, before, *step);
            }
        }
        Ok(())
    }
}

fn hold_against<'a>(run: &mut Run<'a>, records: &Records<'a>, ranks: &Ranks, before: Step, now: Step) {
    let [from, to] = [before, now].map(|step| ranks.rank_of[step.slot as usize]);
    let (log, offset) = records.place(now.slot);
    let (_, offset_before) = records.place(before.slot);
    let key = Some(records.key(log));
    if to <= from {
        run.violation(AnomalyKind::NonmonotonicPoll, key, &[before.position, now.position], |story| {
            let what = if to == from { "stayed at" } else { "went back to" };
            format!(
                "{} and came to offset {offset_before}; then it {what} {offset}: {}.",
                story.whole(before.position),
                story.whole(now.position)
            )
        });
    } else if to - from > 1 {
        let skipped = ranks.slots[from as usize + 1];
        let (told_by, (_, skipped)) = (records.told_by(skipped), records.place(skipped));
        let more = to - from - 2;
        run.violation(AnomalyKind::PollSkip, key, &[before.position, now.position, told_by], |story| {
            let others = if more == 0 { String::new() } else { format!(" and {more} more") };
            format!(
                "{} and came to offset {offset_before}; then it went on with {offset}: {}. It left out offset \
                 {skipped}{others}: {}.",
                story.whole(before.position),
                story.whole(now.position),
                story.whole(told_by)
            )
        });
    }
}
