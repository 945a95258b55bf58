//! Any bytes as a small history and a model: search, fast path and brute force agree, what they say holds, and a memory
//! budget is kept.

#![no_main]

#[path = "../../checker/tests/checker/brute.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod brute;

use libfuzzer_sys::fuzz_target;
use rashomon_checker::models::{AppendList, GrowSet, KeyValue, Register, Scope};
use rashomon_checker::queue::{FifoQueue, QueueCall, QueueReturn};
use rashomon_checker::{Algorithm, Checker, Model, Operation, Verdict};
use rashomon_history::{Call, Key, Returned, Value};

/// Brute force tries all orders.
const OPERATIONS_MAX: usize = 6;

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, mut bytes)) = bytes.split_first() else { return };
    let bytes = &mut bytes;
    match kind % 6 {
        0 => check(&Register::default(), history(bytes, register)),
        1 => check(&AppendList, history(bytes, |byte, argument| growing(byte, argument, true))),
        2 => check(&GrowSet, history(bytes, |byte, argument| growing(byte, argument, false))),
        3 => check(&KeyValue::default(), history(bytes, key_value)),
        4 => check(&KeyValue { scope: Scope::Map }, history(bytes, key_value)),
        _ => check(&FifoQueue::default(), history(bytes, queue)),
    }
});

fn check<M: Model + Clone>(model: &M, history: Vec<Operation<M::Call, M::Return>>) {
    let mut tally = brute::Tally::default();
    brute::compare(model, &history, &mut tally);
    for memory_bytes in [100, 2_000, 20_000] {
        for algorithm in [Algorithm::Auto, Algorithm::Search] {
            let checker = Checker::new(model.clone()).algorithm(algorithm).memory_budget(memory_bytes);
            let report = checker.check(&history).expect("a sound history");
            match report.verdict {
                Verdict::Valid { .. } => assert_eq!(tally.valid, 1, "{history:#?}"),
                Verdict::Invalid(_) => assert_eq!(tally.invalid, 1, "{history:#?}"),
                Verdict::Unknown { help, .. } => assert!(!help.is_empty()),
            }
        }
    }
}

/// Four bytes an operation: what, with which value, when it begins, and how long it takes or that nobody knows.
fn history<C, R>(bytes: &mut &[u8], what: impl Fn(u8, u8) -> (C, R)) -> Vec<Operation<C, R>> {
    let (operations, _) = bytes.as_chunks::<4>();
    let operation = |[byte, argument, begins, takes]: &[u8; 4]| {
        let (call, returned) = what(*byte, *argument);
        let invoked = u64::from(begins % 16);
        if takes % 4 == 3 {
            return Operation::unknown(0, call, invoked);
        }
        Operation::new(u64::from(*takes), call, returned, invoked, invoked + u64::from(takes / 4 % 8))
    };
    operations.iter().take(OPERATIONS_MAX).map(operation).collect()
}

fn value(argument: u8) -> Value {
    match argument % 5 {
        0 => Value::Nil,
        small => Value::Int(i64::from(small)),
    }
}

fn register(byte: u8, argument: u8) -> (Call, Returned) {
    let key = Key::from("x");
    let (one, other) = (value(argument), value(argument / 5));
    match byte % 7 {
        0..=2 => (Call::Read { key }, Returned::Value(one)),
        3 => (Call::Write { key, value: one }, Returned::Done),
        4 => (Call::Cas { key, from: one, to: other }, Returned::Swapped),
        5 => (Call::Cas { key, from: one, to: other.clone() }, Returned::NotSwapped { current: Some(other) }),
        _ => (Call::Cas { key, from: one, to: other }, Returned::NotSwapped { current: None }),
    }
}

fn growing(byte: u8, argument: u8, is_list: bool) -> (Call, Returned) {
    let key = Key::from("x");
    match byte % 2 {
        0 if is_list => (Call::Append { key, value: value(argument) }, Returned::Done),
        0 => (Call::Add { key, value: value(argument) }, Returned::Done),
        _ => {
            let elements = [argument, argument / 5, argument / 25];
            let elements = elements[..usize::from(byte / 2 % 4)].iter();
            (Call::Read { key }, Returned::List(elements.map(|element| value(*element)).collect()))
        }
    }
}

fn key_value(byte: u8, argument: u8) -> (Call, Returned) {
    let key = Key::from(if byte & 128 == 0 { "x" } else { "y" });
    let pieces = ["", "a", "b", "ab", "longer than eight bytes"];
    let (one, other) = (pieces[usize::from(argument % 5)], pieces[usize::from(argument / 5 % 5)]);
    match byte % 6 {
        0 | 1 => (Call::Read { key }, Returned::Value(Value::Text(format!("{one}{other}").into()))),
        2 => (Call::Write { key, value: one.into() }, Returned::Done),
        3 | 4 => (Call::Append { key, value: one.into() }, Returned::Done),
        _ => (Call::Delete { key }, Returned::Done),
    }
}

fn queue(byte: u8, argument: u8) -> (QueueCall<u8>, QueueReturn<u8>) {
    match byte % 5 {
        0 | 1 => (QueueCall::Enqueue(argument % 5), QueueReturn::Done),
        2 | 3 => (QueueCall::Dequeue, QueueReturn::Value(argument % 5)),
        _ => (QueueCall::Dequeue, QueueReturn::Empty),
    }
}
