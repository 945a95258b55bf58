//! Which operations a timeline shows.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_history::{Key, Operation, ProcessId, TimeNs};

use crate::describe;
use crate::verdict::{OperationRecord, OutcomeKind};

/// Witness operations that are drawn.
const MOST_WITNESS: usize = 60;
/// Operations that are drawn beside them.
const MOST_BESIDE: usize = 24;
/// Operations that are drawn although they were asked after the witness ended: they explain little.
const MOST_AFTER: usize = 8;
/// Operations that are drawn around a moment, and the processes that they are of.
const MOST_AROUND: usize = 56;
const MOST_PROCESSES_AROUND: usize = 12;
const MOST_LANES: usize = 40;
/// Characters kept of an operation's text.
const MOST_TEXT: usize = 300;

/// What a timeline shows.
pub(in crate::page) struct Scene {
    /// First the lanes of the witness, in its order, then the others by process; never an empty one.
    pub(super) lanes: Vec<Lane>,
    /// Operations of the same time (and the same objects) that were left out.
    pub(super) left_out: usize,
    /// Whether only operations on the objects of the witness were considered.
    pub(super) same_objects_only: bool,
}

/// One process.
pub(super) struct Lane {
    pub(super) process: ProcessId,
    pub(super) node: Option<String>,
    /// By invocation; they do not overlap.
    pub(super) bars: Vec<Bar>,
}

/// One operation.
pub(super) struct Bar {
    pub(super) record: OperationRecord,
    /// Its place in the witness, from 1.
    pub(super) witness: Option<usize>,
}

impl Bar {
    /// When it ended for sure; an operation of unknown outcome never does.
    pub(super) fn ended(&self) -> Option<TimeNs> {
        match self.record.outcome {
            OutcomeKind::Ok | OutcomeKind::Fail => self.record.completed_ns,
            OutcomeKind::Info => None,
        }
    }

    /// The last time at which something was seen of it.
    pub(super) fn last_seen(&self) -> TimeNs {
        self.record.completed_ns.unwrap_or(self.record.invoked_ns)
    }

    fn new(mut record: OperationRecord, witness: Option<usize>) -> Self {
        record.text = describe::clip(&record.text, MOST_TEXT).into_owned();
        Self { record, witness }
    }
}

impl Scene {
    /// The witness, and what was done to the same objects close to it.
    pub(in crate::page) fn around_witness(witness: &[OperationRecord], operations: &[Operation]) -> Self {
        let drawn = &witness[..witness.len().min(MOST_WITNESS)];
        let indices: BTreeSet<u64> = drawn.iter().map(|record| record.index).collect();
        let keys: BTreeSet<&Key> = operations
            .iter()
            .filter(|operation| indices.contains(&operation.invoke_index))
            .filter_map(|operation| operation.call.key())
            .collect();
        let mut focus: Vec<TimeNs> =
            drawn.iter().flat_map(|record| [Some(record.invoked_ns), record.completed_ns]).flatten().collect();
        focus.sort_unstable();
        let last = focus.last().copied().unwrap_or_default();
        let (after, beside): (Vec<&Operation>, Vec<&Operation>) = operations
            .iter()
            .filter(|operation| operation.call.key().is_some_and(|key| keys.contains(key)))
            .filter(|operation| !indices.contains(&operation.invoke_index))
            .partition(|operation| operation.invoked > last);
        let beside = nearest(&focus, beside, MOST_BESIDE);
        let after = nearest(&focus, after, MOST_AFTER);
        let left_out = beside.left_out + witness.len() - drawn.len();
        let marked = drawn.iter().enumerate().map(|(position, record)| Bar::new(record.clone(), Some(position + 1)));
        let context = beside.shown.into_iter().chain(after.shown).map(|operation| Bar::new(operation.into(), None));
        Self::of_bars(marked.chain(context), left_out, true)
    }

    /// What was done close to one moment.
    pub(in crate::page) fn around_moment(moment: TimeNs, operations: &[Operation]) -> Self {
        let close = nearest(&[moment], operations.iter().collect(), 10 * MOST_AROUND).shown;
        // Who was busy then: a process that began later has nothing to do with the moment.
        let closest = nearest(&[moment], close.clone(), 2 * MOST_AROUND).shown;
        let busy: BTreeSet<ProcessId> = closest.iter().map(|operation| operation.process).collect();
        let busy: BTreeSet<ProcessId> = busy.into_iter().take(MOST_PROCESSES_AROUND).collect();
        let mut by_process: BTreeMap<ProcessId, Vec<&Operation>> = BTreeMap::new();
        for operation in close.into_iter().filter(|operation| busy.contains(&operation.process)) {
            by_process.entry(operation.process).or_default().push(operation);
        }
        let each = (MOST_AROUND / busy.len().max(1)).clamp(4, 10);
        let drawn: Vec<&Operation> =
            by_process.into_values().flat_map(|operations| nearest(&[moment], operations, each).shown).collect();
        let from = drawn.iter().map(|operation| operation.invoked).min().unwrap_or_default();
        let to = drawn.iter().map(|operation| last_seen(operation)).max().unwrap_or_default();
        let then =
            operations.iter().filter(|operation| operation.invoked <= to && last_seen(operation) >= from).count();
        let bars = drawn.iter().map(|operation| Bar::new((*operation).into(), None));
        Self::of_bars(bars, then - drawn.len(), false)
    }

    fn of_bars(bars: impl Iterator<Item = Bar>, mut left_out: usize, same_objects_only: bool) -> Self {
        let mut by_process: BTreeMap<ProcessId, Vec<Bar>> = BTreeMap::new();
        for bar in bars {
            by_process.entry(bar.record.process).or_default().push(bar);
        }
        let mut lanes: Vec<Lane> = by_process
            .into_iter()
            .map(|(process, mut bars)| {
                bars.sort_by_key(|bar| (bar.record.invoked_ns, bar.record.index));
                Lane { process, node: bars[0].record.node.clone(), bars }
            })
            .collect();
        if lanes.len() > MOST_LANES {
            lanes.sort_by_key(|lane| {
                (std::cmp::Reverse(lane.witnesses()), std::cmp::Reverse(lane.bars.len()), lane.process)
            });
            left_out += lanes.drain(MOST_LANES..).map(|lane| lane.bars.len()).sum::<usize>();
        }
        lanes.sort_by_key(|lane| (lane.first_witness().unwrap_or(usize::MAX), lane.process));
        Self { lanes, left_out, same_objects_only }
    }

    /// Lanes at the top that hold operations of the witness.
    pub(super) fn witness_lanes(&self) -> usize {
        self.lanes.iter().filter(|lane| lane.first_witness().is_some()).count()
    }

    pub(super) fn bars(&self) -> impl Iterator<Item = &Bar> {
        self.lanes.iter().flat_map(|lane| &lane.bars)
    }
}

impl Lane {
    fn first_witness(&self) -> Option<usize> {
        self.bars.iter().filter_map(|bar| bar.witness).min()
    }

    fn witnesses(&self) -> usize {
        self.bars.iter().filter(|bar| bar.witness.is_some()).count()
    }
}

/// Operations close to some times.
pub(in crate::page) struct Near<'a> {
    pub(in crate::page) shown: Vec<&'a Operation>,
    pub(in crate::page) left_out: usize,
}

/// The operations closest to the times of `focus` (sorted), and how many others lie between the first and the last of
/// these times.
pub(in crate::page) fn nearest<'a>(focus: &[TimeNs], operations: Vec<&'a Operation>, most: usize) -> Near<'a> {
    let (Some(&first), Some(&last)) = (focus.first(), focus.last()) else {
        return Near { shown: Vec::new(), left_out: 0 };
    };
    let mut ranked: Vec<(u64, &Operation)> = operations
        .into_iter()
        .map(|operation| (distance(focus, operation.invoked, last_seen(operation)), operation))
        .collect();
    let shown = ranked.len().min(most);
    if shown < ranked.len() {
        ranked.select_nth_unstable_by_key(shown, |(distance, operation)| (*distance, operation.invoke_index));
    }
    let others = ranked.split_off(shown);
    let within = |operation: &Operation| operation.invoked <= last && last_seen(operation) >= first;
    let left_out = others.iter().filter(|(_, operation)| within(operation)).count();
    Near { shown: ranked.into_iter().map(|(_, operation)| operation).collect(), left_out }
}

fn last_seen(operation: &Operation) -> TimeNs {
    operation.completed.unwrap_or(operation.invoked)
}

/// From an interval to the closest of some sorted times; 0 where one lies within.
pub(in crate::page) fn distance(focus: &[TimeNs], from: TimeNs, to: TimeNs) -> u64 {
    let after = focus.partition_point(|time| *time < from);
    let right = focus.get(after).map_or(u64::MAX, |time| time.0.saturating_sub(to.0));
    let left = after.checked_sub(1).map_or(u64::MAX, |before| from.0 - focus[before].0);
    left.min(right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{MS, Story};

    fn crowd() -> Vec<Operation> {
        let mut story = Story::default();
        for process in 0..100 {
            for turn in 0..10 {
                let from = (process + turn * 100) * MS;
                let key = if process % 2 == 0 { "x" } else { "y" };
                story.ok(process, "n1", from, from + 5 * MS, "write", key, &format!("{}", process * 10 + turn));
            }
        }
        story.history().into_operations()
    }

    #[test]
    fn only_what_touches_the_same_object_stands_beside_the_witness() {
        let operations = crowd();
        let witness: Vec<OperationRecord> =
            operations[500..502].iter().filter(|o| o.call.key() == Some(&Key::from("x"))).map(Into::into).collect();
        let scene = Scene::around_witness(&witness, &operations);
        assert_eq!(scene.bars().filter(|bar| bar.witness.is_some()).count(), 1);
        assert!(scene.bars().all(|bar| bar.record.text.starts_with("write x")));
    }

    #[test]
    fn a_timeline_is_bounded_and_keeps_every_witness() {
        let operations = crowd();
        let witness: Vec<OperationRecord> =
            operations.iter().filter(|operation| operation.process.0 == 4).map(Into::into).collect();
        let scene = Scene::around_witness(&witness, &operations);
        assert!(scene.lanes.len() <= MOST_LANES);
        assert!(scene.bars().count() <= MOST_WITNESS + MOST_BESIDE + MOST_AFTER);
        assert_eq!(scene.bars().filter(|bar| bar.witness.is_some()).count(), witness.len());
        assert!(scene.left_out > 0);
    }

    #[test]
    fn the_closest_operations_are_shown() {
        let operations = crowd();
        let scene = Scene::around_moment(TimeNs(500 * MS), &operations);
        assert!(scene.bars().count() >= 40 && scene.lanes.len() == MOST_PROCESSES_AROUND);
        assert!(scene.bars().all(|bar| bar.record.invoked_ns.0.abs_diff(500 * MS) < 300 * MS));
    }

    #[test]
    fn distances_are_to_the_closest_time() {
        let focus = [TimeNs(10), TimeNs(20)];
        assert_eq!(distance(&focus, TimeNs(1), TimeNs(4)), 6);
        assert_eq!(distance(&focus, TimeNs(5), TimeNs(12)), 0);
        assert_eq!(distance(&focus, TimeNs(13), TimeNs(15)), 3);
        assert_eq!(distance(&focus, TimeNs(26), TimeNs(30)), 6);
    }
}
