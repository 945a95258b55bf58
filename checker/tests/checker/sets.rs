//! Sets whose elements come and go, against brute force.

use rashomon_checker::models::Set;
use rashomon_checker::{Algorithm, Checker, Operation};
use rashomon_history::{Call, Key, Returned, Value};

use crate::brute::{Tally, compare};
use crate::source::{Shape, Source, history};

const SHAPE: Shape = Shape { operations_max: 7, times: 14, unknown_percent: 15 };
const LONG: Shape = Shape { operations_max: 16, times: 24, unknown_percent: 10 };

/// Operations on so many elements, and reads of the whole set.
pub(crate) fn random(
    model: &Set,
    source: &mut Source,
    elements: u64,
    read_percent: u64,
) -> Vec<Operation<Call, Returned>> {
    shaped(model, source, &SHAPE, elements, read_percent)
}

fn shaped(
    model: &Set,
    source: &mut Source,
    shape: &Shape,
    elements: u64,
    read_percent: u64,
) -> Vec<Operation<Call, Returned>> {
    let key = Key::from("s");
    let tells_percent = *source.pick(&[0, 50, 100]);
    let wrong_percent = *source.pick(&[0, 20]);
    let call = |source: &mut Source, _: u64| {
        let (key, value) = (key.clone(), Value::Int(source.below(elements) as i64));
        if source.percent(read_percent) {
            return Call::Read { key };
        }
        match source.below(3) {
            0 => Call::Add { key, value },
            1 => Call::Remove { key, value },
            _ => Call::Contains { key, value },
        }
    };
    let answer = |source: &mut Source, state: &Vec<Value>, call: &Call| {
        let is_there = |value: &Value| state.contains(value);
        match call {
            Call::Add { value, .. } if source.percent(tells_percent) => {
                Returned::Flag(is_there(value) == source.percent(wrong_percent))
            }
            Call::Remove { value, .. } if source.percent(tells_percent) => {
                Returned::Flag(is_there(value) != source.percent(wrong_percent))
            }
            Call::Contains { value, .. } => Returned::Flag(is_there(value) != source.percent(wrong_percent)),
            Call::Read { .. } => Returned::List(state.clone()),
            _ => Returned::Done,
        }
    };
    history(model, source, shape, call, answer)
}

#[test]
fn elements_agree_with_brute_force() {
    let model = Set::of(&[]);
    let mut tally = Tally::default();
    let mut source = Source::new(14);
    for round in 0..200_000 {
        let elements = if round % 4 == 0 { 2 } else { 1 };
        compare(&model, &random(&model, &mut source, elements, 0), &mut tally);
    }
    eprintln!("{tally:?}");
    assert!(tally.valid > 80_000 && tally.invalid > 30_000 && tally.fast > 195_000, "{tally:?}");
}

#[test]
fn both_algorithms_agree_on_longer_histories_of_an_element() {
    let mut source = Source::new(16);
    let mut verdicts = [0; 2];
    for _ in 0..40_000 {
        let history = shaped(&Set::of(&[]), &mut source, &LONG, 1, 0);
        let verdict = |algorithm| {
            let report = Checker::new(Set::of(&[])).algorithm(algorithm).check(&history).expect("a sound history");
            report.verdict.is_valid()
        };
        let by_search = verdict(Algorithm::Search);
        assert_eq!(verdict(Algorithm::Auto), by_search, "{history:#?}");
        verdicts[usize::from(by_search)] += 1;
    }
    assert!(verdicts.iter().all(|count| *count > 6_000), "{verdicts:?}");
}

#[test]
fn sets_read_as_a_whole_agree_with_brute_force() {
    let model = Set::default();
    let mut tally = Tally::default();
    let mut source = Source::new(15);
    for _ in 0..40_000 {
        let read_percent = source.below(40);
        compare(&model, &random(&model, &mut source, 3, read_percent), &mut tally);
    }
    eprintln!("{tally:?}");
    assert!(tally.valid > 15_000 && tally.invalid > 5_000, "{tally:?}");
}
