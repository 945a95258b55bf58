//! The answer does not depend on the threads.

use rashomon_checker::models::{KeyValue, Register};
use rashomon_checker::{Algorithm, Checker, Model, Operation, Verdict};
use rashomon_history::{Call, Returned, Value};

use crate::source::Source;

/// Operations on many keys, each on its own time line; some keys are spoilt.
fn random(source: &mut Source, length: u64, keys: u64, spoilt_percent: u64) -> Vec<Operation<Call, Returned>> {
    let mut held = vec![Value::Nil; keys as usize];
    let operation = |number: u64| {
        let index = source.below(keys);
        let (key, held) = (format!("k{index}").into(), &mut held[index as usize]);
        let invoked = number * 10 - source.below(60).min(number * 10);
        let completed = number * 10 + source.below(60);
        if source.percent(50) {
            let seen = if source.below(10_000) < spoilt_percent { Value::Int(-1) } else { held.clone() };
            return Operation::new(number % 20, Call::Read { key }, Returned::Value(seen), invoked, completed);
        }
        let value = Value::Int(number as i64);
        if source.percent(3) {
            return Operation::unknown(number % 20, Call::Write { key, value }, invoked);
        }
        *held = value.clone();
        Operation::new(number % 20, Call::Write { key, value }, Returned::Done, invoked, completed)
    };
    let mut history: Vec<_> = (0..length).map(operation).collect();
    for _ in 0..length / 10 {
        // Neighbours swapped, so that not all is in the order of invocation.
        let place = source.below(length - 1) as usize;
        history.swap(place, place + 1);
    }
    history
}

fn compare<M: Model<Call = Call, Return = Returned> + Clone>(
    model: &M,
    algorithm: Algorithm,
    history: &[Operation<Call, Returned>],
) -> bool {
    let check = |threads| {
        let checker = Checker::new(model.clone()).algorithm(algorithm).threads(threads);
        checker.check(history).expect("a sound history")
    };
    let alone = check(1);
    for threads in [2, 3, 8] {
        let together = check(threads);
        assert_eq!((&alone.verdict, alone.algorithm), (&together.verdict, together.algorithm), "{threads} threads");
        assert_eq!(alone.statistics.objects, together.statistics.objects);
        assert_eq!(alone.statistics.operations, together.statistics.operations);
    }
    match alone.verdict {
        Verdict::Valid { .. } => true,
        Verdict::Invalid(_) => false,
        Verdict::Unknown { .. } => panic!("{alone:?}"),
    }
}

#[test]
fn reports_are_the_same_whatever_the_threads() {
    let mut source = Source::new(41);
    let (mut valid, mut invalid) = (0, 0);
    for round in 0..300 {
        let (length, keys) =
            if round % 10 == 0 { (20_000, 1 + source.below(500)) } else { (300, 1 + source.below(40)) };
        let spoilt_percent = if length > 1_000 { source.below(2) } else { source.below(2) * 100 };
        let history = random(&mut source, length, keys, spoilt_percent);
        let is_valid = compare(&Register::default(), Algorithm::Auto, &history);
        if round % 3 == 0 && length < 1_000 {
            assert_eq!(compare(&Register::default(), Algorithm::Search, &history), is_valid);
            assert_eq!(compare(&KeyValue::default(), Algorithm::Search, &history), is_valid);
        }
        if is_valid { valid += 1 } else { invalid += 1 }
    }
    assert!(valid > 50 && invalid > 50, "{valid} valid, {invalid} invalid");
}

#[test]
fn an_unsound_operation_is_named_whatever_the_threads() {
    let mut history = random(&mut Source::new(42), 20_000, 50, 0);
    for position in [7_000, 15_000] {
        history[position] = Operation::new(1, Call::Read { key: "k0".into() }, Returned::Value(Value::Nil), 5, 4);
    }
    for threads in [1, 2, 8] {
        let error = Checker::new(Register::default()).threads(threads).check(&history).expect_err("it ends too early");
        assert!(error.to_string().starts_with("operation 7000 "), "{error}");
    }
}
