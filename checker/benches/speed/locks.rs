//! Histories of locks from seeds: clients that wait for a lock, hold it for a while and release it, again and again.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rashomon_checker::Operation;
use rashomon_history::{Call, Key, Returned, Value};

use crate::generate::{Recipe, Source};

/// By invocation, with fencing tokens. So many percent of the releases are of unknown outcome and happened all the same.
pub(crate) fn locks(recipe: &Recipe) -> Vec<Operation<Call, Returned>> {
    let mut source = Source(recipe.seed);
    let keys: Vec<Key> = (0..recipe.keys).map(|key| Key::from(format!("l{key}"))).collect();
    let mut free_from = vec![0u64; keys.len()];
    let mut tokens = vec![0u64; keys.len()];
    let mut next: BinaryHeap<_> = (0..recipe.clients).map(|client| Reverse((source.below(100_000), client))).collect();
    let mut history = Vec::with_capacity(recipe.operations + 1);
    while history.len() < recipe.operations
        && let Some(Reverse((invoked, client))) = next.pop()
    {
        let lock = source.below(recipe.keys) as usize;
        let (key, owner): (Key, Value) = (keys[lock].clone(), (client as i64).into());
        let granted = (invoked + source.below(20_000)).max(free_from[lock]);
        let completed = granted + 1 + source.below(20_000);
        tokens[lock] += 1;
        let acquire = Call::Acquire { key: key.clone(), owner: owner.clone(), permits: 1 };
        history.push(Operation::new(client, acquire, Returned::Token(tokens[lock]), invoked, completed));
        let invoked = completed + 1 + source.below(50_000);
        let released = invoked + source.below(20_000);
        let completed = released + 1 + source.below(20_000);
        let release = Call::Release { key, owner, permits: 1 };
        history.push(if source.below(100) < recipe.unknown_percent {
            Operation::unknown(client, release, invoked)
        } else {
            Operation::new(client, release, Returned::Done, invoked, completed)
        });
        free_from[lock] = released;
        next.push(Reverse((completed + 1, client)));
    }
    history.sort_by_key(|operation| operation.invoked);
    history
}
