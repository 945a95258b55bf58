//! What all locks have in common as models.

use rashomon_history::{Call, Returned, Value};

use super::state::{Change, FencedState, HeapBytes, Holder, ReentrantFencedState};
use super::{FencedMutex, Mutex, OwnedMutex, ReentrantFencedMutex, ReentrantMutex, Rules, Semaphore, Step};
use super::{bare, parts, tell, token};
use crate::fast::FastPath;
use crate::locks::{LockAnswer, LockOperation, LockRules, LockStep, check_owned_lock, check_ownerless_lock};
use crate::model::{Model, ObjectKey, Observed, SubHistory, effect_of};
use crate::models::{HistoryModel, words};
use crate::operation::Partition;

/// Makes a lock a model. The last argument tells its rules.
macro_rules! lock_model {
    ($lock:ident, $state:ty, $name:literal, $calls:literal, $rules:expr) => {
        impl Model for $lock {
            type Call = Call;
            type Return = Returned;
            type State = $state;

            fn init(&self) -> $state {
                <$state>::default()
            }

            fn step(&self, state: &$state, call: &Call, returned: Option<&Returned>) -> Option<$state> {
                self.change(state, &Step::new(call, returned)?)
            }

            fn object<'c>(&self, call: &'c Call) -> ObjectKey<'c> {
                words::object(call)
            }

            fn effect(&self, call: &Call) -> u64 {
                effect($rules(self), call)
            }

            fn observes(&self, call: &Call, _: Option<&Returned>) -> Observed {
                observes($rules(self), call)
            }

            fn sub_history(
                &self,
                kept: &Partition<'_, Call, Returned>,
                dropped: &Partition<'_, Call, Returned>,
            ) -> SubHistory<Call, Returned> {
                parts::sub_history($rules(self), kept, dropped)
            }

            fn fast_path(&self, partition: &Partition<'_, Call, Returned>) -> FastPath {
                fast_path($rules(self), partition)
            }

            fn state_heap_bytes(&self, state: &$state) -> usize {
                state.heap_bytes()
            }

            fn describe(&self, call: &Call, returned: Option<&Returned>) -> String {
                words::tell(call, returned)
            }
        }

        impl HistoryModel for $lock {
            fn name(&self) -> &'static str {
                $name
            }

            fn known_calls(&self) -> &'static str {
                $calls
            }

            fn knows(&self, call: &Call, returned: Option<&Returned>) -> bool {
                knows($rules(self), call, returned)
            }
        }
    };
}

lock_model!(Mutex, bool, "mutex", "acquire and release of one permit", |_: &Mutex| Rules::Ownerless);
lock_model!(OwnedMutex, Option<Value>, "owned-mutex", "acquire and release of one permit", |_: &OwnedMutex| {
    exclusive(1, false)
});
lock_model!(
    ReentrantMutex,
    Option<Holder>,
    "reentrant-mutex",
    "acquire and release of one permit",
    |lock: &ReentrantMutex| exclusive(lock.limit, false)
);
lock_model!(
    FencedMutex,
    FencedState,
    "fenced-mutex",
    "acquire with a token and release, of one permit",
    |_: &FencedMutex| exclusive(1, true)
);
lock_model!(
    ReentrantFencedMutex,
    ReentrantFencedState,
    "reentrant-fenced-mutex",
    "acquire with a token and release, of one permit",
    |lock: &ReentrantFencedMutex| exclusive(lock.limit, true)
);
lock_model!(Semaphore, Vec<Holder>, "semaphore", "acquire and release of at least one permit", |lock: &Semaphore| {
    Rules::Owned(LockRules::Semaphore { permits: lock.permits })
});

fn exclusive(holds_max: u32, is_fenced: bool) -> Rules {
    Rules::Owned(LockRules::Exclusive { holds_max, is_fenced })
}

/// An acquire can help only its owner to release, a release anybody to acquire.
fn effect(rules: Rules, call: &Call) -> u64 {
    match (call, rules) {
        (Call::Acquire { .. }, Rules::Ownerless) => effect_of(true),
        (Call::Acquire { owner, .. }, Rules::Owned(_)) => effect_of(owner),
        _ => effect_of(false),
    }
}

fn observes(rules: Rules, call: &Call) -> Observed {
    Observed::Effects(vec![match (call, rules) {
        (Call::Release { .. }, Rules::Ownerless) => effect_of(true),
        (Call::Release { owner, .. }, Rules::Owned(_)) => effect_of(owner),
        _ => effect_of(false),
    }])
}

fn knows(rules: Rules, call: &Call, returned: Option<&Returned>) -> bool {
    let fits = |permits: &u32| match rules {
        Rules::Owned(LockRules::Semaphore { .. }) => *permits > 0,
        Rules::Ownerless | Rules::Owned(LockRules::Exclusive { .. }) => *permits == 1,
    };
    let is_done = returned.is_none_or(|returned| *bare(returned) == Returned::Done);
    let has_token = returned.is_none() || token(returned).is_some();
    match call {
        Call::Acquire { permits, .. }
            if matches!(rules, Rules::Owned(LockRules::Exclusive { is_fenced: true, .. })) =>
        {
            fits(permits) && has_token
        }
        // A lock that may give tokens and is not asked for them.
        Call::Acquire { permits, .. } => fits(permits) && (is_done || has_token),
        Call::Release { permits, .. } => fits(permits) && is_done,
        _ => false,
    }
}

fn fast_path(rules: Rules, partition: &Partition<'_, Call, Returned>) -> FastPath {
    let mut operations = Vec::with_capacity(partition.len());
    for entry in partition.iter() {
        let Some(Step { is_acquire, owner, permits, token }) = Step::new(entry.call, entry.returned) else {
            return FastPath::NotApplicable("an operation is none of a lock's");
        };
        if entry.is_optional() && entry.returned.is_some() {
            return FastPath::NotApplicable("an operation that may not have happened is known to return something");
        }
        operations.push(LockOperation {
            step: if is_acquire { LockStep::Acquire { permits, token } } else { LockStep::Release { permits } },
            owner,
            is_known: entry.returned.is_some(),
            invoked: entry.invoked,
            completed: entry.completed,
        });
    }
    let answer = match rules {
        Rules::Ownerless => check_ownerless_lock(&operations),
        Rules::Owned(rules) => check_owned_lock(&operations, rules),
    };
    match answer {
        LockAnswer::NotApplicable(why) => FastPath::NotApplicable(why),
        LockAnswer::Valid(order) => FastPath::Valid(order),
        LockAnswer::Invalid(clash) => FastPath::Invalid(tell::tell_clash(&clash, rules, partition)),
    }
}
