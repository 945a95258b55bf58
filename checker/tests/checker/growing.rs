//! Lists and sets against brute force.

use rashomon_checker::models::{AppendList, GrowSet};
use rashomon_checker::{Model, Operation};
use rashomon_history::{Call, Key, Returned, Value};

use crate::brute::{Tally, compare};
use crate::source::{Shape, Source, history};

pub(crate) const SHAPE: Shape = Shape { operations_max: 7, times: 14, unknown_percent: 25 };

pub(crate) fn random<M: Model<Call = Call, Return = Returned, State = Vec<Value>>>(
    model: &M,
    put: fn(Key, Value) -> Call,
    source: &mut Source,
    twice_percent: u64,
) -> Vec<Operation<Call, Returned>> {
    let key = Key::from("x");
    let call = |source: &mut Source, number: u64| {
        let new = if source.percent(twice_percent) { source.below(3) } else { number } as i64;
        if source.percent(50) { Call::Read { key: key.clone() } } else { put(key.clone(), new.into()) }
    };
    let answer = |source: &mut Source, state: &Vec<Value>, call: &Call| match call {
        Call::Read { .. } => {
            let mut seen = state.clone();
            if source.percent(10) && !seen.is_empty() {
                let (one, other) = (source.below(seen.len() as u64), source.below(seen.len() as u64));
                match source.below(4) {
                    0 => seen.swap(one as usize, other as usize),
                    1 => drop(seen.remove(one as usize)),
                    2 => seen.push(seen[one as usize].clone()),
                    _ => seen.push(77.into()),
                }
            }
            if seen.is_empty() && source.percent(50) { Returned::Value(Value::Nil) } else { Returned::List(seen) }
        }
        _ => Returned::Done,
    };
    history(model, source, &SHAPE, call, answer)
}

pub(crate) fn append(key: Key, value: Value) -> Call {
    Call::Append { key, value }
}

pub(crate) fn add(key: Key, value: Value) -> Call {
    Call::Add { key, value }
}

#[test]
fn lists_agree_with_brute_force() {
    let mut tally = Tally::default();
    let mut source = Source::new(3);
    for round in 0..200_000 {
        let twice_percent = if round % 4 == 0 { 30 } else { 0 };
        compare(&AppendList, &random(&AppendList, append, &mut source, twice_percent), &mut tally);
    }
    eprintln!("{tally:?}");
    assert!(tally.valid > 50_000 && tally.invalid > 25_000 && tally.fast > 150_000, "{tally:?}");
}

#[test]
fn sets_agree_with_brute_force() {
    let mut tally = Tally::default();
    let mut source = Source::new(4);
    for round in 0..200_000 {
        let twice_percent = if round % 4 == 0 { 30 } else { 0 };
        compare(&GrowSet, &random(&GrowSet, add, &mut source, twice_percent), &mut tally);
    }
    eprintln!("{tally:?}");
    assert!(tally.valid > 50_000 && tally.invalid > 25_000 && tally.fast > 150_000, "{tally:?}");
}
