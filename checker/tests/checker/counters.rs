//! Counters against brute force.

use rashomon_checker::models::Counter;
use rashomon_checker::{Algorithm, Checker, Operation};
use rashomon_history::{Call, Key, Returned, Value};

use crate::brute::{Tally, compare};
use crate::source::{Shape, Source, history};

const SHAPE: Shape = Shape { operations_max: 7, times: 14, unknown_percent: 20 };
const LONG: Shape = Shape { operations_max: 14, times: 24, unknown_percent: 10 };

/// Reads and additions of one of these amounts, of which so many tell what they came to.
pub(crate) fn random(
    model: &Counter,
    source: &mut Source,
    amounts: &[i64],
    tells_percent: u64,
) -> Vec<Operation<Call, Returned>> {
    shaped(model, source, &SHAPE, amounts, tells_percent)
}

fn shaped(
    model: &Counter,
    source: &mut Source,
    shape: &Shape,
    amounts: &[i64],
    tells_percent: u64,
) -> Vec<Operation<Call, Returned>> {
    let key = Key::from("c");
    let wrong_percent = *source.pick(&[0, 0, 10]);
    let call = |source: &mut Source, _: u64| {
        let (key, by) = (key.clone(), *source.pick(amounts));
        match source.below(10) {
            0..4 => Call::Read { key },
            4 => Call::Add { key, value: by.into() },
            _ => Call::Increment { key, by },
        }
    };
    let answer = |source: &mut Source, state: &i128, call: &Call| {
        let wrong = if source.percent(wrong_percent) { *source.pick(&[-1, 1, 2]) } else { 0 };
        let told = |by: i64| Returned::Value(Value::Int(i64::try_from(*state).expect("small") + by + wrong));
        match call {
            Call::Increment { by, .. } if source.percent(tells_percent) => told(*by),
            Call::Read { .. } if *state == 0 && wrong == 0 && source.percent(50) => Returned::Value(Value::Nil),
            Call::Read { .. } => told(0),
            _ => Returned::Done,
        }
    };
    history(model, source, shape, call, answer)
}

#[test]
fn additions_of_one_agree_with_brute_force() {
    let model = Counter { initial: 0 };
    let mut tally = Tally::default();
    let mut source = Source::new(17);
    for round in 0..200_000 {
        let tells_percent = [0, 30, 100][round % 3];
        compare(&model, &random(&model, &mut source, &[1], tells_percent), &mut tally);
    }
    eprintln!("{tally:?}");
    assert!(tally.valid > 80_000 && tally.invalid > 30_000 && tally.fast == 200_000, "{tally:?}");
}

#[test]
fn additions_of_different_amounts_agree_with_brute_force() {
    let model = Counter { initial: 3 };
    let mut tally = Tally::default();
    let mut source = Source::new(18);
    for round in 0..100_000 {
        let tells_percent = [0, 30, 100][round % 3];
        let amounts = [&[2][..], &[0, 1, 2], &[1, 2, 5], &[2, 4], &[-1, 1, 2]][round % 5];
        compare(&model, &random(&model, &mut source, amounts, tells_percent), &mut tally);
    }
    eprintln!("{tally:?}");
    assert!(tally.valid > 40_000 && tally.invalid > 15_000 && tally.fast > 60_000, "{tally:?}");
}

#[test]
fn both_algorithms_agree_on_longer_histories_of_a_counter() {
    let mut source = Source::new(19);
    let mut verdicts = [0; 2];
    for round in 0..20_000 {
        let history = shaped(&Counter::default(), &mut source, &LONG, &[1], [0, 30][round % 2]);
        let verdict = |algorithm| {
            let report =
                Checker::new(Counter::default()).algorithm(algorithm).check(&history).expect("a sound history");
            report.verdict.is_valid()
        };
        let by_search = verdict(Algorithm::Search);
        assert_eq!(verdict(Algorithm::Auto), by_search, "{history:#?}");
        verdicts[usize::from(by_search)] += 1;
    }
    assert!(verdicts.iter().all(|count| *count > 4_000), "{verdicts:?}");
}
