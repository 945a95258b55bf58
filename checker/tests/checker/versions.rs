//! Registers that report versions, against brute force.

use rashomon_checker::Operation;
use rashomon_checker::models::{VersionedRegister, VersionedState};
use rashomon_checker::versions::Growth;
use rashomon_history::{Call, Key, Returned, Value};

use crate::brute::{Tally, compare};
use crate::source::{Shape, Source, history};

const SHAPE: Shape = Shape { operations_max: 7, times: 14, unknown_percent: 20 };

/// Reads, writes and compare-and-sets; so many do not tell their version.
pub(crate) fn random(
    model: &VersionedRegister,
    source: &mut Source,
    twice_percent: u64,
    untold_percent: u64,
) -> Vec<Operation<Call, Returned>> {
    let key = Key::from("x");
    let wrong_percent = *source.pick(&[0, 0, 8]);
    let call = |source: &mut Source, number: u64| {
        let new = |source: &mut Source| {
            Value::Int(if source.percent(twice_percent) { source.below(2) } else { number + 2 } as i64)
        };
        let key = key.clone();
        match source.below(10) {
            0..4 => Call::Read { key },
            4..8 => Call::Write { key, value: new(source) },
            _ => Call::Cas { key, from: if source.percent(30) { Value::Nil } else { new(source) }, to: new(source) },
        }
    };
    let answer = |source: &mut Source, state: &VersionedState, call: &Call| {
        let value = state.value().cloned().unwrap_or_default();
        let returned = match call {
            Call::Read { .. } => Returned::Value(value),
            Call::Cas { from, .. } if *from == value => Returned::Swapped,
            Call::Cas { .. } => Returned::NotSwapped { current: source.percent(70).then_some(value) },
            _ => Returned::Done,
        };
        let is_write = matches!(call, Call::Write { .. }) || matches!(returned, Returned::Swapped);
        let more = if model.growth == Growth::AtLeastOne && source.percent(40) { 1 } else { 0 };
        let mut version = state.version() + if is_write { 1 + more } else { 0 };
        if source.percent(wrong_percent) {
            version = (version + source.below(3)).saturating_sub(1);
        }
        if source.percent(untold_percent) && is_write {
            returned
        } else {
            Returned::Versioned { version, returned: Box::new(returned) }
        }
    };
    history(model, source, &SHAPE, call, answer)
}

#[test]
fn versions_that_grow_by_one_agree_with_brute_force() {
    let model = VersionedRegister::default();
    let mut tally = Tally::default();
    let mut source = Source::new(20);
    for round in 0..200_000 {
        let (twice_percent, untold_percent) = [(0, 0), (60, 0), (0, 20), (50, 20)][round % 4];
        compare(&model, &random(&model, &mut source, twice_percent, untold_percent), &mut tally);
    }
    eprintln!("{tally:?}");
    assert!(tally.valid > 50_000 && tally.invalid > 30_000 && tally.fast > 120_000, "{tally:?}");
}

#[test]
fn versions_that_leave_some_out_agree_with_brute_force() {
    let model = VersionedRegister { growth: Growth::AtLeastOne, ..VersionedRegister::default() };
    let mut tally = Tally::default();
    let mut source = Source::new(21);
    for round in 0..100_000 {
        let (twice_percent, untold_percent) = [(0, 0), (60, 0), (30, 20)][round % 3];
        compare(&model, &random(&model, &mut source, twice_percent, untold_percent), &mut tally);
    }
    eprintln!("{tally:?}");
    assert!(tally.valid > 30_000 && tally.invalid > 15_000 && tally.fast > 50_000, "{tally:?}");
}

#[test]
fn versions_of_the_writes_are_hints_that_agree_with_brute_force() {
    let model = VersionedRegister::default();
    let mut tally = Tally::default();
    let mut source = Source::new(22);
    for round in 0..200_000 {
        let mut history = random(&model, &mut source, [0, 60][round % 2], 0);
        for operation in &mut history {
            let is_read = matches!(operation.call, Call::Read { .. });
            if let Some(Returned::Versioned { returned, .. }) = &operation.returned
                && (is_read && source.percent(80))
            {
                operation.returned = Some((**returned).clone());
            }
        }
        compare(&model, &history, &mut tally);
    }
    eprintln!("{tally:?}");
    assert!(tally.valid > 50_000 && tally.invalid > 15_000 && tally.fast > 80_000, "{tally:?}");
}
