//! Versions for reads that tell none, from those of the writes.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::VersionedOperation;
use crate::register::RegisterStep;

/// Whether reads that came back without a version are all that is missing.
pub(super) fn are_wanted<V>(operations: &[VersionedOperation<V>]) -> bool {
    let is_bare_read = |operation: &VersionedOperation<V>| {
        operation.is_known && operation.version.is_none() && matches!(operation.step, RegisterStep::Read(_))
    };
    operations.iter().any(is_bare_read)
}

/// The same operations, where every such read has the lowest version at which its value stands and that is not older than
/// what was over before it. A higher one would only leave later reads less choice. `None` where there is no such version.
pub(super) fn with_hints<V: Copy + Eq + Hash>(
    operations: &[VersionedOperation<V>],
    initial: V,
    first: u64,
) -> Option<Vec<VersionedOperation<V>>> {
    let mut stands_at: FxHashMap<V, Vec<u64>> = FxHashMap::default();
    stands_at.entry(initial).or_default().push(first);
    for operation in operations {
        if let (RegisterStep::Write(value) | RegisterStep::Cas(_, value), Some(version)) =
            (operation.step, operation.version)
        {
            stands_at.entry(value).or_default().push(version);
        }
    }
    stands_at.values_mut().for_each(|versions| versions.sort_unstable());
    let mut by_completion: Vec<u32> = (0..operations.len() as u32).collect();
    by_completion.retain(|place| operations[*place as usize].is_known);
    by_completion.sort_by_key(|place| operations[*place as usize].completed);
    let mut over = by_completion.into_iter().peekable();
    let mut hinted = operations.to_vec();
    let mut lowest = first;
    for place in 0..operations.len() {
        let operation = operations[place];
        // What is over was invoked before, so that its version is known by now.
        while let Some(before) = over.next_if(|before| operations[*before as usize].completed < operation.invoked) {
            lowest = lowest.max(hinted[before as usize].version.unwrap_or(first));
        }
        if let (RegisterStep::Read(seen), None, true) = (operation.step, operation.version, operation.is_known) {
            let versions = stands_at.get(&seen)?;
            let next = versions.partition_point(|version| *version < lowest);
            hinted[place].version = Some(*versions.get(next)?);
        }
    }
    Some(hinted)
}
