//! Registers against brute force.

use rashomon_checker::Operation;
use rashomon_checker::models::Register;
use rashomon_history::{Call, Key, Returned, Value};

use crate::brute::{Tally, compare};
use crate::source::{Shape, Source, history};

pub(crate) const SHAPE: Shape = Shape { operations_max: 7, times: 14, unknown_percent: 25 };

/// How likely it is that a value is written twice, in percent.
pub(crate) fn random(source: &mut Source, shape: &Shape, twice_percent: u64) -> Vec<Operation<Call, Returned>> {
    let key = Key::from("x");
    let tells = source.percent(70);
    let call = |source: &mut Source, number: u64| {
        let key = key.clone();
        let new = if source.percent(twice_percent) { source.below(3) } else { number + 1 } as i64;
        match source.below(10) {
            0..4 => Call::Read { key },
            4..7 => Call::Write { key, value: new.into() },
            _ => Call::Cas { key, from: Value::Nil, to: new.into() },
        }
    };
    let answer = |_: &mut Source, state: &Value, call: &Call| match call {
        Call::Read { .. } => Returned::Value(state.clone()),
        Call::Cas { from, .. } if from == state => Returned::Swapped,
        Call::Cas { .. } => Returned::NotSwapped { current: tells.then(|| state.clone()) },
        _ => Returned::Done,
    };
    let mut history = history(&Register::default(), source, shape, call, answer);
    expect_more(source, &mut history);
    history
}

/// Lets compare-and-sets expect what others wrote.
fn expect_more(source: &mut Source, history: &mut [Operation<Call, Returned>]) {
    let written: Vec<Value> = history
        .iter()
        .filter_map(|operation| match &operation.call {
            Call::Write { value, .. } | Call::Cas { to: value, .. } => Some(value.clone()),
            _ => None,
        })
        .collect();
    for operation in history.iter_mut() {
        if let Call::Cas { from, .. } = &mut operation.call
            && source.percent(70)
        {
            *from = source.pick(&written).clone();
            let becomes_known = operation.returned.is_some() && source.percent(70);
            if becomes_known {
                operation.returned = Some(Returned::Swapped);
            }
        }
    }
}

#[test]
fn unique_values_agree_with_brute_force() {
    let mut tally = Tally::default();
    let mut source = Source::new(1);
    for _ in 0..200_000 {
        compare(&Register::default(), &random(&mut source, &SHAPE, 0), &mut tally);
    }
    eprintln!("{tally:?}");
    assert!(tally.valid > 40_000 && tally.invalid > 40_000, "{tally:?}");
    assert!(tally.fast > 180_000, "the fast path answers nearly all: {tally:?}");
    assert!(tally.has_prefixes() && tally.confirmed * 100 > tally.witnesses * 95, "{tally:?}");
}

#[test]
fn values_written_twice_agree_with_brute_force() {
    let mut tally = Tally::default();
    let mut source = Source::new(2);
    for _ in 0..60_000 {
        compare(&Register::default(), &random(&mut source, &SHAPE, 50), &mut tally);
    }
    eprintln!("{tally:?}");
    assert!(tally.valid > 10_000 && tally.invalid > 10_000, "{tally:?}");
}
