//! Counters, by key.

use rashomon_history::{Call, Returned, Value};

use super::tell_counter::tell_clash;
use super::{HistoryModel, words};
use crate::counter::{CounterAnswer, CounterOperation, CounterStep, check_counter};
use crate::fast::FastPath;
use crate::model::{Model, ObjectKey, Observed, SubHistory, effect_of};
use crate::operation::{Entry, Operation, Partition};

/// One counter a key: increment, which may tell what it came to, and read. An add of a whole number increments too. Nil
/// reads as 0.
///
/// In a part of a history, where what else was added is not known, a compare-and-set stands for an operation that found
/// at least what the part says, and after which the counter held a known sum. No history may have one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counter {
    /// What every counter holds at first.
    pub initial: i64,
}

impl Model for Counter {
    type Call = Call;
    type Return = Returned;
    type State = i128;

    fn init(&self) -> i128 {
        i128::from(self.initial)
    }

    fn step(&self, state: &i128, call: &Call, returned: Option<&Returned>) -> Option<i128> {
        if let Call::Cas { from: Value::Int(from), to: Value::Int(to), .. } = call {
            return (*state <= i128::from(*from)).then_some(i128::from(*to));
        }
        let next = state + i128::from(amount(call)?);
        match returned {
            None => Some(next),
            Some(Returned::Done) if !is_read(call) => Some(next),
            Some(returned) => (i128::from(sum(returned)?) == next).then_some(next),
        }
    }

    fn object<'c>(&self, call: &'c Call) -> ObjectKey<'c> {
        words::object(call)
    }

    fn is_pure(&self, call: &Call, _: Option<&Returned>) -> bool {
        is_read(call)
    }

    fn effect(&self, call: &Call) -> u64 {
        effect_of(amount(call))
    }

    fn observes(&self, call: &Call, returned: Option<&Returned>) -> Observed {
        let is_part = matches!(call, Call::Cas { .. });
        if is_part || returned.is_some_and(|returned| sum(returned).is_some()) {
            Observed::Anything
        } else {
            Observed::NOTHING
        }
    }

    fn sub_history(
        &self,
        kept: &Partition<'_, Call, Returned>,
        dropped: &Partition<'_, Call, Returned>,
    ) -> SubHistory<Call, Returned> {
        let dropped = Dropped::new(dropped);
        let is_open = kept.iter().any(|entry| saw(entry).is_some() && dropped.may_count(entry));
        let exact: Vec<_> = kept.iter().map(|entry| dropped.counted(entry)).collect();
        if !is_open || dropped.takes_away {
            return SubHistory::Weakened(exact);
        }
        let part: Partition<'_, Call, Returned> = exact.iter().flatten().collect();
        if let Some(CounterAnswer::Invalid(_)) = operations_of(&part).map(|part| check_counter(&part, self.initial)) {
            return SubHistory::Weakened(exact);
        }
        SubHistory::Weakened(kept.iter().map(at_least).collect())
    }

    fn fast_path(&self, partition: &Partition<'_, Call, Returned>) -> FastPath {
        let Some(operations) = operations_of(partition) else {
            return FastPath::NotApplicable("an operation is none of a counter's");
        };
        match check_counter(&operations, self.initial) {
            CounterAnswer::NotApplicable(why) => FastPath::NotApplicable(why),
            CounterAnswer::Valid(order) => FastPath::Valid(order),
            CounterAnswer::Invalid(clash) => FastPath::Invalid(tell_clash(&clash, partition, self.initial)),
        }
    }

    fn describe(&self, call: &Call, returned: Option<&Returned>) -> String {
        words::tell(call, returned)
    }
}

impl HistoryModel for Counter {
    fn name(&self) -> &'static str {
        "counter"
    }

    fn known_calls(&self) -> &'static str {
        "increment, add of a whole number, and read of a value"
    }

    fn knows(&self, call: &Call, returned: Option<&Returned>) -> bool {
        amount(call).is_some()
            && match returned {
                None => true,
                Some(Returned::Done) => !is_read(call),
                Some(returned) => sum(returned).is_some(),
            }
    }
}

fn is_read(call: &Call) -> bool {
    matches!(call, Call::Read { .. })
}

/// What the call adds: nothing if it reads.
fn amount(call: &Call) -> Option<i64> {
    match call {
        Call::Read { .. } => Some(0),
        Call::Increment { by, .. } | Call::Add { value: Value::Int(by), .. } => Some(*by),
        _ => None,
    }
}

/// The sum that came back.
fn sum(returned: &Returned) -> Option<i64> {
    match returned {
        Returned::Value(Value::Int(sum)) => Some(*sum),
        Returned::Value(Value::Nil) => Some(0),
        _ => None,
    }
}

/// The sum that the operation left behind, where it told.
fn saw(entry: &Entry<'_, Call, Returned>) -> Option<i64> {
    entry.returned.and_then(sum)
}

fn operations_of(partition: &Partition<'_, Call, Returned>) -> Option<Vec<CounterOperation>> {
    let operation = |entry: &Entry<'_, Call, Returned>| {
        let step = match (is_read(entry.call), saw(entry)) {
            (true, seen) => CounterStep::Read(seen.unwrap_or(0)),
            (false, None) => CounterStep::Add(amount(entry.call)?),
            (false, Some(sum)) => CounterStep::AddAndGet(amount(entry.call)?, sum),
        };
        let (invoked, completed) = (entry.invoked, entry.completed);
        Some(CounterOperation { step, is_known: entry.returned.is_some(), invoked, completed })
    };
    partition.iter().map(operation).collect()
}

/// The additions that are left out of a part of a history.
struct Dropped {
    /// By completion: the completion, and what all until then make.
    over: Vec<(u64, i128)>,
    /// When each began, sorted.
    begun: Vec<u64>,
    takes_away: bool,
}

impl Dropped {
    fn new(dropped: &Partition<'_, Call, Returned>) -> Self {
        let by = |entry: &Entry<'_, Call, Returned>| i128::from(amount(entry.call).unwrap_or(0));
        let additions = || dropped.iter().filter(|entry| by(entry) != 0);
        let mut over: Vec<(u64, i128)> = additions().map(|entry| (entry.completed, by(entry))).collect();
        over.sort_by_key(|(completed, _)| *completed);
        let mut total = 0;
        for (_, by) in &mut over {
            total += *by;
            *by = total;
        }
        let mut begun: Vec<u64> = additions().map(|entry| entry.invoked).collect();
        begun.sort_unstable();
        Self { over, begun, takes_away: additions().any(|entry| by(entry) < 0) }
    }

    /// How many of them were certainly counted by the operation, and how much they make.
    fn before(&self, entry: &Entry<'_, Call, Returned>) -> (usize, i128) {
        let count = self.over.partition_point(|(completed, _)| *completed < entry.invoked);
        (count, if count == 0 { 0 } else { self.over[count - 1].1 })
    }

    /// Whether the operation may have counted some of them, or not.
    fn may_count(&self, entry: &Entry<'_, Call, Returned>) -> bool {
        self.begun.partition_point(|invoked| *invoked <= entry.completed) > self.before(entry).0
    }

    /// The operation, with what it saw less what it certainly counted. Where that is not certain it saw nothing.
    fn counted(&self, entry: &Entry<'_, Call, Returned>) -> Option<Operation<Call, Returned>> {
        let Some(sum) = saw(entry) else { return Some(operation(entry, entry.call.clone(), entry.returned.cloned())) };
        if self.may_count(entry) {
            return (!is_read(entry.call)).then(|| operation(entry, entry.call.clone(), Some(Returned::Done)));
        }
        let sum = i64::try_from(i128::from(sum) - self.before(entry).1).ok()?;
        Some(operation(entry, entry.call.clone(), Some(Returned::Value(sum.into()))))
    }
}

/// The operation in a part of a history where others added nobody knows how much.
fn at_least(entry: &Entry<'_, Call, Returned>) -> Option<Operation<Call, Returned>> {
    let (Some(to), Some(key)) = (saw(entry), entry.call.key()) else {
        return Some(operation(entry, entry.call.clone(), entry.returned.cloned()));
    };
    let from = to.checked_sub(amount(entry.call)?)?;
    let call = Call::Cas { key: key.clone(), from: from.into(), to: to.into() };
    Some(operation(entry, call, Some(Returned::Done)))
}

fn operation(entry: &Entry<'_, Call, Returned>, call: Call, returned: Option<Returned>) -> Operation<Call, Returned> {
    Operation { process: 0, call, returned, invoked: entry.invoked, completed: entry.completed }
}
