//! The operations, apart by object.

use std::ops::Range;

use rustc_hash::FxHashMap;

use crate::budget::{Budget, Pace};
use crate::model::{Model, ObjectKey};
use crate::narrator::Narrator;
use crate::operation::{CheckError, Entry, Partition};
use crate::search::Stopped;
use crate::workers::Workers;

/// One object and its operations.
pub(crate) struct Part<'a, C, R> {
    pub(crate) object: ObjectKey<'a>,
    pub(crate) partition: Partition<'a, C, R>,
}

impl<C, R> Part<'_, C, R> {
    /// The position in the history of the operation at a place.
    pub(crate) fn position(&self, place: u32) -> usize {
        self.partition.entries[place as usize].position
    }
}

/// The parts of a history.
type PartsOf<'a, M> = Vec<Part<'a, <M as Model>::Call, <M as Model>::Return>>;

/// Why there are no parts.
pub(crate) enum Refusal {
    Unsound(CheckError),
    Stopped(Stopped),
}

impl From<Stopped> for Refusal {
    fn from(stopped: Stopped) -> Self {
        Self::Stopped(stopped)
    }
}

/// Positions that one thread takes at a time, at least.
const CHUNK_MIN: usize = 1 << 10;

/// The operations by object, objects in the order of their first operations, operations by invocation.
///
/// `entry` makes the operation at a position, or nothing where it is to be left out. It is asked twice, which takes less
/// than to keep what it made.
pub(crate) fn partition<'a, M, F>(
    model: &M,
    positions: usize,
    entry: F,
    narrator: &'a dyn Narrator,
    workers: &Workers,
    budget: &Budget,
) -> Result<PartsOf<'a, M>, Refusal>
where
    M: Model,
    F: Fn(usize) -> Result<Option<Entry<'a, M::Call, M::Return>>, CheckError> + Sync,
    M::Call: 'a,
    M::Return: 'a,
{
    budget.look(positions * (size_of::<Entry<'_, M::Call, M::Return>>() + 2 * size_of::<u32>()))?;
    let chunk = positions.div_ceil(workers.count() * 4).max(CHUNK_MIN);
    let chunk = if workers.count() == 1 { positions.max(1) } else { chunk };
    let scan = |number: usize| {
        let range = number * chunk..positions.min((number + 1) * chunk);
        Chunk::new(range, |position| Ok(entry(position)?.map(|entry| model.object(entry.call))), budget)
    };
    let chunks = workers.map(positions.div_ceil(chunk), scan).into_iter().collect::<Result<Vec<_>, _>>()?;
    let (objects, pieces) = merge(&chunks);
    budget.look(positions * size_of::<Entry<'_, M::Call, M::Return>>() + objects.len() * OBJECT_BYTES)?;
    let parts = workers.map(objects.len(), |object| {
        budget.look(0)?;
        let own = &pieces.runs[pieces.ends[object] as usize..pieces.ends[object + 1] as usize];
        let runs = own.iter().map(|run| &chunks[run.chunk as usize].positions[run.start as usize..run.end as usize]);
        let mut entries = Vec::with_capacity(own.iter().map(|run| (run.end - run.start) as usize).sum());
        let made = runs.flatten().filter_map(|position| entry(*position as usize).ok().flatten());
        entries.extend(made);
        if !entries.is_sorted_by_key(|entry| entry.invoked) {
            entries.sort_by_key(|entry| entry.invoked);
        }
        Ok(Part { object: objects[object].clone(), partition: Partition { entries, narrator } })
    });
    parts.into_iter().collect::<Result<Vec<_>, Stopped>>().map_err(Refusal::Stopped)
}

/// What an object takes beside its operations.
const OBJECT_BYTES: usize = 256;

/// The operations of a piece of the history, by object.
struct Chunk<'a> {
    /// In the order of their first operations.
    objects: Vec<ObjectKey<'a>>,
    /// Where the positions of each object end.
    ends: Vec<u32>,
    positions: Vec<u32>,
}

impl<'a> Chunk<'a> {
    fn new(
        range: Range<usize>,
        object_at: impl Fn(usize) -> Result<Option<ObjectKey<'a>>, CheckError>,
        budget: &Budget,
    ) -> Result<Self, Refusal> {
        let mut numbers: FxHashMap<ObjectKey<'a>, u32> = FxHashMap::default();
        let (mut objects, mut sizes): (Vec<ObjectKey<'a>>, Vec<u32>) = (Vec::new(), Vec::new());
        let mut object_of = Vec::with_capacity(range.len());
        let mut pace = Pace::new();
        for position in range.clone() {
            if pace.tick() {
                budget.look(objects.len() * OBJECT_BYTES)?;
            }
            let Some(key) = object_at(position).map_err(Refusal::Unsound)? else {
                object_of.push(NONE);
                continue;
            };
            let next = objects.len() as u32;
            let number = *numbers.entry(key).or_insert_with_key(|key| {
                objects.push(key.clone());
                sizes.push(0);
                next
            });
            sizes[number as usize] += 1;
            object_of.push(number);
        }
        Ok(Self::sort(range, objects, &sizes, &object_of))
    }

    /// Sorts the positions by object, counting.
    fn sort(range: Range<usize>, objects: Vec<ObjectKey<'a>>, sizes: &[u32], object_of: &[u32]) -> Self {
        let mut ends: Vec<u32> = Vec::with_capacity(sizes.len());
        let mut total = 0;
        for size in sizes {
            // Where they begin, for now: filling them in moves that to their end.
            ends.push(total);
            total += size;
        }
        let mut positions = vec![0; total as usize];
        for (position, object) in range.zip(object_of) {
            if *object != NONE {
                let place = &mut ends[*object as usize];
                positions[*place as usize] = position as u32;
                *place += 1;
            }
        }
        Self { objects, ends, positions }
    }
}

/// In place of the number of an object: the operation is left out.
const NONE: u32 = u32::MAX;

/// Where the operations of each object are.
struct Pieces {
    ends: Vec<u32>,
    runs: Vec<Run>,
}

#[derive(Clone, Copy)]
struct Run {
    chunk: u32,
    start: u32,
    end: u32,
}

/// The objects of all chunks in the order of their first operations, and the runs of each.
fn merge<'a>(chunks: &[Chunk<'a>]) -> (Vec<ObjectKey<'a>>, Pieces) {
    if let [chunk] = chunks {
        let starts = [0].into_iter().chain(chunk.ends.iter().copied());
        let runs = starts.zip(&chunk.ends).map(|(start, end)| Run { chunk: 0, start, end: *end }).collect();
        return (chunk.objects.clone(), Pieces { ends: (0..=chunk.objects.len() as u32).collect(), runs });
    }
    let mut numbers: FxHashMap<&ObjectKey<'a>, u32> = FxHashMap::default();
    let mut objects = Vec::new();
    let mut runs: Vec<(u32, Run)> = Vec::new();
    for (number, chunk) in chunks.iter().enumerate() {
        let mut start = 0;
        for (object, end) in chunk.objects.iter().zip(&chunk.ends) {
            let next = objects.len() as u32;
            let object = *numbers.entry(object).or_insert_with(|| {
                objects.push(object.clone());
                next
            });
            runs.push((object, Run { chunk: number as u32, start, end: *end }));
            start = *end;
        }
    }
    runs.sort_by_key(|(object, _)| *object);
    let count = |object| runs.partition_point(|(other, _)| *other < object) as u32;
    let ends = (0..=objects.len() as u32).map(count).collect();
    (objects, Pieces { ends, runs: runs.into_iter().map(|(_, run)| run).collect() })
}
