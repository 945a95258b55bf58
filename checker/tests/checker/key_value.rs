//! Maps of texts against brute force.

use rashomon_checker::Operation;
use rashomon_checker::models::{KeyValue, KeyValueState, Scope};
use rashomon_history::{Call, Key, Returned, Value};

use crate::brute::{Tally, compare};
use crate::source::{Shape, Source, history};

const SHAPE: Shape = Shape { operations_max: 7, times: 14, unknown_percent: 20 };

/// What is put are pieces that are alike, so that a text can come about in several ways.
pub(crate) fn random(source: &mut Source, scope: Scope, append_percent: u64) -> Vec<Operation<Call, Returned>> {
    let keys: &[Key] = if scope == Scope::Map { &["x".into(), "y".into()] } else { &["x".into()] };
    let is_unique = source.percent(50);
    let call = |source: &mut Source, number: u64| {
        let key = source.pick(keys).clone();
        let value = match source.below(8) {
            _ if is_unique => Value::Text(format!("v{number}").into()),
            0 => Value::Nil,
            1 => 12.into(),
            2..5 => "a".into(),
            5 => "b".into(),
            6 => "ab".into(),
            _ => "a longer one".into(),
        };
        match source.below(10) {
            0..4 => Call::Read { key },
            4 => Call::Delete { key },
            _ if source.percent(append_percent) => Call::Append { key, value },
            _ => Call::Write { key, value },
        }
    };
    let answer = |source: &mut Source, state: &KeyValueState, call: &Call| match call {
        Call::Read { key } => Returned::Value(match state.text(key) {
            "" if source.percent(50) => Value::Nil,
            text if source.percent(15) => Value::Text(format!("{text}a").into()),
            text => text.into(),
        }),
        _ => Returned::Done,
    };
    history(&KeyValue { scope }, source, &SHAPE, call, answer)
}

#[test]
fn texts_agree_with_brute_force() {
    let (mut tally, mut source) = (Tally::default(), Source::new(31));
    for _ in 0..120_000 {
        compare(&KeyValue::default(), &random(&mut source, Scope::Key, 60), &mut tally);
    }
    eprintln!("{tally:?}");
    assert!(tally.valid > 30_000 && tally.invalid > 15_000, "{tally:?}");
}

#[test]
fn whole_maps_agree_with_brute_force() {
    let (mut tally, mut source) = (Tally::default(), Source::new(32));
    for _ in 0..100_000 {
        compare(&KeyValue { scope: Scope::Map }, &random(&mut source, Scope::Map, 60), &mut tally);
    }
    eprintln!("{tally:?}");
    assert!(tally.valid > 30_000 && tally.invalid > 15_000, "{tally:?}");
}

#[test]
fn maps_without_appends_are_decided_as_registers() {
    let (mut tally, mut source) = (Tally::default(), Source::new(33));
    for _ in 0..50_000 {
        compare(&KeyValue::default(), &random(&mut source, Scope::Key, 0), &mut tally);
    }
    eprintln!("{tally:?}");
    assert!(tally.valid > 10_000 && tally.invalid > 5_000 && tally.fast > 10_000, "{tally:?}");
}
