//! Histories from seeds: clients in a closed loop on a register a key, half reads, 35% writes, the rest compare-and-sets.

use std::collections::VecDeque;

use rashomon_checker::Operation;
use rashomon_checker::queue::{QueueCall, QueueReturn};
use rashomon_history::{Call, Key, Returned, Value};

/// SplitMix64.
pub(crate) struct Source(pub(crate) u64);

impl Source {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % end
    }
}

/// What to generate.
#[derive(Clone, Copy)]
pub(crate) struct Recipe {
    pub(crate) operations: usize,
    pub(crate) clients: u64,
    pub(crate) keys: u64,
    /// Writes of unknown outcome, in percent of all operations.
    pub(crate) unknown_percent: u64,
    /// Whether one read near the end sees what had long been overwritten.
    pub(crate) is_stale: bool,
    pub(crate) seed: u64,
}

pub(crate) struct Pending {
    pub(crate) moment: u64,
    pub(crate) client: u64,
    pub(crate) invoked: u64,
    pub(crate) completed: u64,
}

/// Who asks when, by the moments at which the operations take effect.
pub(crate) fn schedule(recipe: &Recipe, source: &mut Source) -> Vec<Pending> {
    let mut pending = Vec::with_capacity(recipe.operations);
    let mut free: Vec<u64> = (0..recipe.clients).map(|_| source.below(100_000)).collect();
    for _ in 0..recipe.operations {
        let client = (0..recipe.clients).min_by_key(|client| free[*client as usize]).unwrap_or(0);
        let invoked = free[client as usize] + source.below(50_000);
        // Most answers take little, some take long.
        let completed = invoked + 20_000 + source.below(300_000) * source.below(8);
        pending.push(Pending { moment: invoked + source.below(completed - invoked), client, invoked, completed });
        free[client as usize] = completed + 1;
    }
    pending.sort_unstable_by_key(|operation| operation.moment);
    pending
}

/// The history of a FIFO queue, by invocation: half enqueues of unique values, half dequeues.
pub(crate) fn queue(recipe: &Recipe) -> Vec<Operation<QueueCall<i64>, QueueReturn<i64>>> {
    let mut source = Source(recipe.seed);
    let mut values = VecDeque::new();
    let mut history: Vec<_> = (0..)
        .zip(schedule(recipe, &mut source))
        .map(|(value, Pending { client, invoked, completed, .. })| {
            let (call, returned) = if source.below(2) == 0 {
                values.push_back(value);
                (QueueCall::Enqueue(value), QueueReturn::Done)
            } else {
                (QueueCall::Dequeue, values.pop_front().map_or(QueueReturn::Empty, QueueReturn::Value))
            };
            Operation::new(client, call, returned, invoked, completed)
        })
        .collect();
    history.sort_by_key(|operation| operation.invoked);
    history
}

/// The history of registers, by invocation.
pub(crate) fn registers(recipe: &Recipe) -> Vec<Operation<Call, Returned>> {
    let mut source = Source(recipe.seed);
    let pending = schedule(recipe, &mut source);
    let keys: Vec<Key> = (0..recipe.keys).map(|key| Key::from(format!("k{key}"))).collect();
    let mut objects = vec![vec![0i64]; keys.len()];
    let stale_from = pending.len() * 99 / 100;
    let mut is_stale_left = recipe.is_stale;
    let mut next_value = 0;
    let mut history: Vec<Operation<Call, Returned>> = Vec::with_capacity(pending.len());
    for (number, Pending { client, invoked, completed, .. }) in pending.into_iter().enumerate() {
        let object = source.below(recipe.keys) as usize;
        let (key, values) = (keys[object].clone(), &mut objects[object]);
        let current = values[values.len() - 1];
        let choice = source.below(100);
        next_value += 1;
        let mut unknown = None;
        let (call, returned) = if choice < 50 {
            let mut seen = current;
            if is_stale_left && number > stale_from && values.len() > 200 {
                is_stale_left = false;
                seen = values[values.len() - 150];
            }
            (Call::Read { key }, Returned::Value(seen.into()))
        } else if choice < 85 {
            if choice < 50 + recipe.unknown_percent {
                unknown = Some(source.below(2) == 0);
            }
            if unknown != Some(true) {
                values.push(next_value);
            }
            (Call::Write { key, value: next_value.into() }, Returned::Done)
        } else if choice < 95 {
            values.push(next_value);
            (Call::Cas { key, from: current.into(), to: next_value.into() }, Returned::Swapped)
        } else {
            let current = Some(Value::Int(current));
            (Call::Cas { key, from: (-1).into(), to: next_value.into() }, Returned::NotSwapped { current })
        };
        history.push(match unknown {
            Some(_) => Operation::unknown(client, call, invoked),
            None => Operation::new(client, call, returned, invoked, completed),
        });
    }
    history.sort_by_key(|operation| operation.invoked);
    history
}
