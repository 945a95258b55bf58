//! The operations, apart by object.

use rustc_hash::FxHashMap;

use crate::model::{Model, ObjectKey};
use crate::narrator::Narrator;
use crate::operation::{Entry, Partition};

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

/// The operations by object, objects in the order of their first operations, operations by invocation.
pub(crate) fn partition<'a, M: Model>(
    model: &M,
    entries: Vec<Entry<'a, M::Call, M::Return>>,
    narrator: &'a dyn Narrator,
) -> Vec<Part<'a, M::Call, M::Return>> {
    let mut numbers: FxHashMap<ObjectKey<'a>, u32> = FxHashMap::default();
    let mut objects = Vec::new();
    let mut sizes: Vec<usize> = Vec::new();
    let mut object_of = Vec::with_capacity(entries.len());
    for entry in &entries {
        let key = model.object(entry.call);
        let next = objects.len() as u32;
        let number = *numbers.entry(key).or_insert_with_key(|key| {
            objects.push(key.clone());
            sizes.push(0);
            next
        });
        sizes[number as usize] += 1;
        object_of.push(number);
    }
    let mut parts: Vec<Part<'a, M::Call, M::Return>> = if objects.len() == 1 {
        objects
            .into_iter()
            .map(|object| Part { object, partition: Partition { entries: Vec::new(), narrator } })
            .collect()
    } else {
        let apart =
            |(object, size)| Part { object, partition: Partition { entries: Vec::with_capacity(size), narrator } };
        objects.into_iter().zip(sizes).map(apart).collect()
    };
    if let [part] = &mut parts[..] {
        part.partition.entries = entries;
    } else {
        for (entry, object) in entries.into_iter().zip(object_of) {
            parts[object as usize].partition.entries.push(entry);
        }
    }
    for part in &mut parts {
        if !part.partition.entries.is_sorted_by_key(|entry| entry.invoked) {
            part.partition.entries.sort_by_key(|entry| entry.invoked);
        }
    }
    parts
}
