//! What the locks are, and how they change.

use rashomon_history::Value;

use super::{FencedMutex, Mutex, OwnedMutex, ReentrantFencedMutex, ReentrantMutex, Semaphore, Step};

/// Who holds how much.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Holder {
    /// Who.
    pub owner: Value,
    /// How many times it holds a lock, or how many permits; at least one.
    pub count: u32,
}

/// A [`FencedMutex`].
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct FencedState {
    /// Who holds it.
    pub owner: Option<Value>,
    /// The largest token that was given, as far as is known.
    pub largest_token: Option<u64>,
}

/// A [`ReentrantFencedMutex`].
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct ReentrantFencedState {
    /// Who holds it how many times.
    pub holder: Option<Holder>,
    /// The token of this hold, as far as is known.
    pub token: Option<u64>,
    /// The largest token that was given, as far as is known.
    pub largest_token: Option<u64>,
}

/// How a lock changes.
pub(super) trait Change {
    type State;

    /// The state after an acquire or release, or `None` where it can't happen.
    fn change(&self, state: &Self::State, step: &Step<'_>) -> Option<Self::State>;
}

impl Change for Mutex {
    type State = bool;

    fn change(&self, is_held: &bool, step: &Step<'_>) -> Option<bool> {
        (step.is_acquire != *is_held).then_some(step.is_acquire)
    }
}

impl Change for OwnedMutex {
    type State = Option<Value>;

    fn change(&self, owner: &Option<Value>, step: &Step<'_>) -> Option<Option<Value>> {
        change_owner(owner.as_ref(), step)
    }
}

impl Change for ReentrantMutex {
    type State = Option<Holder>;

    fn change(&self, holder: &Option<Holder>, step: &Step<'_>) -> Option<Option<Holder>> {
        change_count(holder.as_ref(), self.limit, step)
    }
}

impl Change for FencedMutex {
    type State = FencedState;

    fn change(&self, state: &FencedState, step: &Step<'_>) -> Option<FencedState> {
        let owner = change_owner(state.owner.as_ref(), step)?;
        let largest_token = larger(state.largest_token, step.token)?;
        Some(FencedState { owner, largest_token })
    }
}

impl Change for ReentrantFencedMutex {
    type State = ReentrantFencedState;

    fn change(&self, state: &ReentrantFencedState, step: &Step<'_>) -> Option<ReentrantFencedState> {
        let holder = change_count(state.holder.as_ref(), self.limit, step)?;
        let (token, largest_token) = match (state.token, step.token) {
            (Some(held), Some(got)) if held != got => return None,
            (Some(held), _) => (Some(held), state.largest_token),
            (None, got) => (got, larger(state.largest_token, got)?),
        };
        Some(ReentrantFencedState { token: token.filter(|_| holder.is_some()), holder, largest_token })
    }
}

impl Change for Semaphore {
    /// By owner.
    type State = Vec<Holder>;

    fn change(&self, holders: &Vec<Holder>, step: &Step<'_>) -> Option<Vec<Holder>> {
        let mut holders = holders.clone();
        let place = holders.binary_search_by(|holder| holder.owner.cmp(step.owner));
        if step.is_acquire {
            let used: u64 = holders.iter().map(|holder| u64::from(holder.count)).sum();
            if used + u64::from(step.permits) > u64::from(self.permits) {
                return None;
            }
            match place {
                Ok(place) => holders[place].count += step.permits,
                Err(place) => holders.insert(place, Holder { owner: step.owner.clone(), count: step.permits }),
            }
            return Some(holders);
        }
        let holder = &mut holders[place.ok()?];
        holder.count = holder.count.checked_sub(step.permits)?;
        holders.retain(|holder| holder.count > 0);
        Some(holders)
    }
}

fn change_owner(owner: Option<&Value>, step: &Step<'_>) -> Option<Option<Value>> {
    match owner {
        None => step.is_acquire.then(|| Some(step.owner.clone())),
        Some(owner) => (!step.is_acquire && owner == step.owner).then_some(None),
    }
}

fn change_count(holder: Option<&Holder>, limit: u32, step: &Step<'_>) -> Option<Option<Holder>> {
    let count = match holder {
        Some(holder) if holder.owner != *step.owner => return None,
        Some(holder) => holder.count,
        None => 0,
    };
    let count = if step.is_acquire { Some(count + 1).filter(|count| *count <= limit) } else { count.checked_sub(1) }?;
    Some((count > 0).then(|| Holder { owner: step.owner.clone(), count }))
}

/// The larger token, if the one that was got is larger than all before, or nobody knows it.
fn larger(largest: Option<u64>, got: Option<u64>) -> Option<Option<u64>> {
    match (largest, got) {
        (Some(largest), Some(got)) if got <= largest => None,
        (largest, got) => Some(got.or(largest)),
    }
}

/// Heap bytes that a state holds.
pub(super) trait HeapBytes {
    fn heap_bytes(&self) -> usize;
}

impl HeapBytes for bool {
    fn heap_bytes(&self) -> usize {
        0
    }
}

impl HeapBytes for Value {
    fn heap_bytes(&self) -> usize {
        match self {
            Value::Nil | Value::Int(_) => 0,
            Value::Text(text) => text.len(),
        }
    }
}

impl HeapBytes for Holder {
    fn heap_bytes(&self) -> usize {
        self.owner.heap_bytes()
    }
}

impl<T: HeapBytes> HeapBytes for Option<T> {
    fn heap_bytes(&self) -> usize {
        self.as_ref().map_or(0, T::heap_bytes)
    }
}

impl<T: HeapBytes> HeapBytes for Vec<T> {
    fn heap_bytes(&self) -> usize {
        self.capacity() * size_of::<T>() + self.iter().map(T::heap_bytes).sum::<usize>()
    }
}

impl HeapBytes for FencedState {
    fn heap_bytes(&self) -> usize {
        self.owner.heap_bytes()
    }
}

impl HeapBytes for ReentrantFencedState {
    fn heap_bytes(&self) -> usize {
        self.holder.heap_bytes()
    }
}
