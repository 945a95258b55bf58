//! Counters: every selection of the additions that may have happened is tried.

use rashomon_checker::properties::Property;
use rashomon_history::{Call, Key, Operation, Outcome, Returned, Value};

use super::histories::{Tally, check, count, interval, is_failed, is_ok, operation, outcome, over, shuffle, verdict};
use crate::source::Source;

fn random(source: &mut Source) -> Vec<Operation> {
    let mut history = Vec::new();
    let with_negative = source.percent(50);
    let keys = 1 + source.below(2);
    let times = 8 + source.below(20);
    for process in 0..1 + source.below(7) {
        let (invoked, completed) = interval(source, times);
        let key = Key::from(*source.pick(&["a", "b"][..keys as usize]));
        let by = source.below(4) as i64 - if with_negative { 2 } else { 0 };
        let seen = source.below(6) as i64 - if with_negative { 3 } else { 0 };
        let seen = if seen == 0 && source.percent(50) { Value::Nil } else { seen.into() };
        let (call, returned) = if source.percent(40) {
            (Call::Read { key }, Returned::Value(seen))
        } else if source.percent(70) || seen == Value::Nil {
            (Call::Increment { key, by }, Returned::Done)
        } else {
            (Call::Increment { key, by }, Returned::Value(seen))
        };
        history.push(operation(process, call, outcome(source, returned, 20, 15), invoked, completed));
    }
    shuffle(source, &mut history);
    history
}

fn added(operation: &Operation) -> Option<i64> {
    match operation.call {
        Call::Increment { by, .. } => Some(by),
        _ => None,
    }
}

fn seen(operation: &Operation) -> Option<i64> {
    match &operation.outcome {
        Outcome::Ok(Returned::Value(Value::Int(seen))) => Some(*seen),
        Outcome::Ok(Returned::Value(Value::Nil)) => Some(0),
        _ => None,
    }
}

/// The least and the most that the operation can have seen.
fn bounds(history: &[Operation], reader: &Operation) -> (i64, i64) {
    let others = || {
        let is_other =
            |operation: &&Operation| !std::ptr::eq(*operation, reader) && operation.call.key() == reader.call.key();
        history.iter().filter(is_other).filter_map(|operation| Some((operation, added(operation)?)))
    };
    let is_before = |operation: &Operation| is_ok(operation) && over(operation) < reader.invoke_index;
    let before: i64 = others().filter(|(operation, _)| is_before(operation)).map(|(_, by)| by).sum();
    let possible: Vec<i64> = others()
        .filter(|(operation, _)| {
            !is_before(operation) && !is_failed(operation) && operation.invoke_index <= over(reader)
        })
        .map(|(_, by)| by)
        .collect();
    let selections = (0..1u32 << possible.len()).map(|selection| {
        let taken = (0..possible.len()).filter(|place| selection & (1 << place) != 0);
        before + added(reader).unwrap_or(0) + taken.map(|place| possible[place]).sum::<i64>()
    });
    selections.fold((i64::MAX, i64::MIN), |(least, most), sum| (least.min(sum), most.max(sum)))
}

#[test]
fn counters_lie_between_the_least_and_the_most_of_all_selections() {
    let mut source = Source::new(22);
    let mut tally = Tally::default();
    for _ in 0..200_000 {
        let history = random(&mut source);
        let is_out = |operation: &&Operation| {
            let (least, most) = bounds(&history, operation);
            seen(operation).is_some_and(|seen| seen < least || seen > most)
        };
        let out = history.iter().filter(is_out).count() as u64;
        let report = check(&Property::CounterBounds, &history);
        assert_eq!(count(&report, "out-of-bounds"), out, "{history:#?}");
        let tells = |reader: &Operation| {
            seen(reader).is_some()
                && history.iter().any(|other| {
                    is_ok(other)
                        && added(other).is_some()
                        && other.call.key() == reader.call.key()
                        && over(other) < reader.invoke_index
                })
        };
        let expected = match out {
            0 if history.iter().any(tells) => "valid",
            0 => "unknown",
            1.. => "invalid",
        };
        assert_eq!(verdict(&report), expected, "{history:#?}");
        tally.add(&report);
    }
    tally.assert_at_least(5_000);
}
