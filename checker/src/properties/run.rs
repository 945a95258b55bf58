//! One check of one property: its budgets, and what it found so far.

use std::collections::BTreeMap;
use std::hash::Hash;
use std::time::Instant;

use hashbrown::HashMap;
use rashomon_history::{Key, Operation, Outcome, Returned};
use rustc_hash::FxBuildHasher;

use super::report::{
    AnomalyKind, PropertyAnomaly, PropertyReport, PropertyStatistics, PropertyVerdict, PropertyWhy, Quantiles, TOLD_MAX,
};
use super::story::Story;
use crate::budget::Pace;
use crate::operation::{CheckError, NEVER};
use crate::options::Options;

/// Why a check stops before its end.
pub(super) enum Halt {
    TimeSpent,
    MemorySpent,
    /// The operation at this position is none of the property's.
    NotOfTheProperty(u32),
}

/// What a check says where it found no violation: nothing, or why it can't say that there is none.
pub(super) type Doubt = Option<PropertyWhy>;

pub(super) struct Run<'a> {
    pub(super) operations: &'a [Operation],
    /// Positions of all operations, by invocation; see [`Run::order_by_object`].
    pub(super) order: Vec<u32>,
    pub(super) story: Story<'a>,
    started: Instant,
    deadline: Option<Instant>,
    pace: Pace,
    memory_budget_bytes: usize,
    held_bytes: usize,
    peak_bytes: usize,
    objects: usize,
    counts: BTreeMap<&'static str, u64>,
    told: BTreeMap<AnomalyKind, usize>,
    violations: u64,
    anomalies: Vec<PropertyAnomaly>,
    allowed: Vec<PropertyAnomaly>,
    latencies_ns: BTreeMap<&'static str, Quantiles>,
}

impl<'a> Run<'a> {
    pub(super) fn new(operations: &'a [Operation], options: &Options) -> Result<Self, CheckError> {
        let started = Instant::now();
        if operations.len() > (u32::MAX / 4) as usize {
            return Err(CheckError::TooLong { operations: operations.len() });
        }
        for (position, operation) in operations.iter().enumerate() {
            let (invoked, completed) = (operation.invoke_index, completed(operation));
            if completed < invoked {
                return Err(CheckError::EndsBeforeItBegins { position, invoked, completed });
            }
        }
        let mut order: Vec<u32> = (0..operations.len() as u32).collect();
        order.sort_by_key(|position| operations[*position as usize].invoke_index);
        let held_bytes = size_of_val(order.as_slice());
        Ok(Self {
            operations,
            order,
            story: Story { operations },
            started,
            deadline: options.time_budget.map(|budget| started + budget),
            pace: Pace::new(),
            memory_budget_bytes: options.memory_budget_bytes.unwrap_or(usize::MAX),
            held_bytes,
            peak_bytes: held_bytes,
            objects: 0,
            counts: BTreeMap::new(),
            told: BTreeMap::new(),
            violations: 0,
            anomalies: Vec::new(),
            allowed: Vec::new(),
            latencies_ns: BTreeMap::new(),
        })
    }

    pub(super) fn operation(&self, position: u32) -> &'a Operation {
        &self.operations[position as usize]
    }

    /// Positions of the operations that came back with `ok`, by completion.
    pub(super) fn completions(&mut self) -> Result<Vec<u32>, Halt> {
        self.hold(size_of_val(self.order.as_slice()))?;
        let is_ok = |position: &u32| matches!(self.operation(*position).outcome, Outcome::Ok(_));
        let mut completions: Vec<u32> = self.order.iter().copied().filter(is_ok).collect();
        completions.sort_by_key(|position| completed(self.operation(*position)));
        Ok(completions)
    }

    /// Puts the operations into the order of their objects, and those of one object into that of their invocations, so that
    /// what is known of an object stays close together.
    pub(super) fn order_by_object(&mut self) -> Result<(), Halt> {
        let mut objects: Numbers<Option<&Key>> = Numbers::new();
        let mut object_of = self.filled(self.operations.len(), 0)?;
        for place in 0..self.order.len() {
            self.step()?;
            let position = self.order[place];
            object_of[position as usize] = objects.number(self, self.operation(position).call.key())?;
        }
        self.order.sort_by_key(|position| object_of[*position as usize]);
        Ok(())
    }

    /// Counts one step; an error when the time is over.
    pub(super) fn step(&mut self) -> Result<(), Halt> {
        let is_late = self.pace.tick() && self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if is_late { Err(Halt::TimeSpent) } else { Ok(()) }
    }

    /// Asks for memory before it is taken.
    pub(super) fn hold(&mut self, bytes: usize) -> Result<(), Halt> {
        self.held_bytes += bytes;
        self.peak_bytes = self.peak_bytes.max(self.held_bytes);
        if self.held_bytes > self.memory_budget_bytes { Err(Halt::MemorySpent) } else { Ok(()) }
    }

    pub(super) fn release(&mut self, bytes: usize) {
        self.held_bytes -= bytes;
    }

    pub(super) fn filled<T: Clone>(&mut self, length: usize, value: T) -> Result<Vec<T>, Halt> {
        self.hold(length * size_of::<T>())?;
        Ok(vec![value; length])
    }

    pub(super) fn push<T>(&mut self, all: &mut Vec<T>, item: T) -> Result<(), Halt> {
        const FIRST: usize = 4;
        if all.len() == all.capacity() {
            let more = all.capacity().max(FIRST);
            self.hold(more * size_of::<T>())?;
            all.reserve_exact(more);
        }
        all.push(item);
        Ok(())
    }

    /// How many objects the history is about.
    pub(super) fn objects(&mut self, objects: usize) {
        self.objects = objects;
    }

    /// Adds to a count; 0 makes it stand in the report.
    pub(super) fn count(&mut self, name: &'static str, more: u64) {
        *self.counts.entry(name).or_default() += more;
    }

    pub(super) fn counted(&self, name: &'static str) -> u64 {
        self.counts.get(name).copied().unwrap_or(0)
    }

    pub(super) fn latencies(&mut self, name: &'static str, mut values_ns: Vec<u64>) {
        if let Some(quantiles) = Quantiles::of(&mut values_ns) {
            self.latencies_ns.insert(name, quantiles);
        }
    }

    /// Something that breaks the property. The first of each kind are told.
    pub(super) fn violation(
        &mut self,
        kind: AnomalyKind,
        object: Option<&Key>,
        positions: &[u32],
        explain: impl FnOnce(Story<'a>) -> String,
    ) {
        self.violations += 1;
        if let Some(anomaly) = self.anomaly(kind, object, positions, explain) {
            self.anomalies.push(anomaly);
        }
    }

    /// Something worth knowing that does not break the property.
    pub(super) fn remark(
        &mut self,
        kind: AnomalyKind,
        object: Option<&Key>,
        positions: &[u32],
        explain: impl FnOnce(Story<'a>) -> String,
    ) {
        if let Some(anomaly) = self.anomaly(kind, object, positions, explain) {
            self.allowed.push(anomaly);
        }
    }

    fn anomaly(
        &mut self,
        kind: AnomalyKind,
        object: Option<&Key>,
        positions: &[u32],
        explain: impl FnOnce(Story<'a>) -> String,
    ) -> Option<PropertyAnomaly> {
        self.count(kind.name(), 1);
        let told = self.told.entry(kind).or_default();
        *told += 1;
        (*told <= TOLD_MAX).then(|| {
            let mut positions = positions.to_vec();
            positions.sort_by_key(|position| self.operation(*position).invoke_index);
            positions.dedup();
            PropertyAnomaly {
                kind,
                object: object.map(ToString::to_string),
                operations: positions.into_iter().map(|position| self.story.operation(position)).collect(),
                explanation: explain(self.story),
            }
        })
    }

    /// The report of a check that came to its end, or was stopped by its budget.
    pub(super) fn finish(mut self, property: &'static str, doubt: Doubt) -> PropertyReport {
        let verdict = match doubt {
            _ if self.violations > 0 => PropertyVerdict::Invalid,
            Some(why) => PropertyVerdict::Unknown { why },
            None => PropertyVerdict::Valid,
        };
        self.anomalies.sort_by_key(|anomaly| anomaly.kind);
        self.allowed.sort_by_key(|anomaly| anomaly.kind);
        PropertyReport {
            property,
            verdict,
            anomalies: self.anomalies,
            allowed: self.allowed,
            counts: self.counts,
            statistics: PropertyStatistics {
                operations: self.operations.len(),
                objects: self.objects,
                peak_memory_bytes: self.peak_bytes,
                check_seconds: self.started.elapsed().as_secs_f64(),
                latencies_ns: self.latencies_ns,
            },
        }
    }
}

/// The position of the completion; [`NEVER`] where the operation may take effect at any later time.
pub(super) fn completed(operation: &Operation) -> u64 {
    match (&operation.outcome, operation.complete_index) {
        (Outcome::Ok(_) | Outcome::Fail(_), Some(index)) => index,
        (Outcome::Info(_), _) | (_, None) => NEVER,
    }
}

/// What came back without the version that the server reported with it.
pub(super) fn plain(returned: &Returned) -> &Returned {
    match returned {
        Returned::Versioned { returned, .. } => plain(returned),
        other => other,
    }
}

/// Numbers things in the order in which they come.
pub(super) struct Numbers<T> {
    numbers: HashMap<T, u32, FxBuildHasher>,
    /// How many were forgotten.
    forgotten: u32,
}

impl<T: Copy + Eq + Hash> Numbers<T> {
    pub(super) fn new() -> Self {
        Self { numbers: HashMap::default(), forgotten: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.forgotten as usize + self.numbers.len()
    }

    /// Forgets all things, but goes on counting.
    pub(super) fn forget(&mut self) {
        self.forgotten += self.numbers.len() as u32;
        self.numbers.clear();
    }

    pub(super) fn get(&self, item: T) -> Option<usize> {
        self.numbers.get(&item).map(|number| *number as usize)
    }

    /// Its number, a new one if it has none yet.
    pub(super) fn number(&mut self, run: &mut Run<'_>, item: T) -> Result<usize, Halt> {
        const FIRST_BYTES: usize = 128;
        if self.numbers.len() == self.numbers.capacity() {
            let old = self.numbers.allocation_size();
            run.hold(2 * old.max(FIRST_BYTES))?;
            self.numbers.reserve(1);
            run.release(old);
        }
        let next = self.len() as u32;
        Ok(*self.numbers.entry(item).or_insert(next) as usize)
    }
}
