//! Queues against brute force.

use rashomon_checker::models::{Bag, Queue};
use rashomon_checker::queue::{FifoQueue, QueueCall, QueueReturn};
use rashomon_checker::{Model, Operation};
use rashomon_history::{Call, Key, Returned, Value};

use crate::brute::{Tally, compare};
use crate::source::{Shape, Source, history};

const SHAPE: Shape = Shape { operations_max: 7, times: 14, unknown_percent: 8 };

#[test]
fn queues_agree_with_brute_force() {
    let model = FifoQueue::<u64>::default();
    let mut tally = Tally::default();
    let mut source = Source::new(6);
    for round in 0..200_000 {
        let twice_percent = if round % 10 == 0 { 30 } else { 0 };
        let call = |source: &mut Source, number: u64| {
            let value = if source.percent(twice_percent) { source.below(3) } else { number };
            if source.percent(50) { QueueCall::Dequeue } else { QueueCall::Enqueue(value) }
        };
        let answer = |_: &mut Source, state: &<FifoQueue<u64> as Model>::State, call: &QueueCall<u64>| match call {
            QueueCall::Enqueue(_) => QueueReturn::Done,
            QueueCall::Dequeue => state.front().map_or(QueueReturn::Empty, |value| QueueReturn::Value(*value)),
        };
        compare(&model, &history(&model, &mut source, &SHAPE, call, answer), &mut tally);
    }
    eprintln!("{tally:?}");
    assert!(tally.valid > 50_000 && tally.invalid > 20_000 && tally.fast > 120_000, "{tally:?}");
}

/// Enqueues and dequeues; `answers` says what a dequeue may return in a state.
pub(crate) fn random<M: Model<Call = Call, Return = Returned>>(
    model: &M,
    answers: fn(&M::State) -> Vec<Value>,
    source: &mut Source,
    twice_percent: u64,
) -> Vec<Operation<Call, Returned>> {
    let key = Key::from("q");
    let call = |source: &mut Source, number: u64| {
        let value = if source.percent(twice_percent) { source.below(3) } else { number } as i64;
        let key = key.clone();
        if source.percent(50) { Call::Dequeue { key } } else { Call::Enqueue { key, value: value.into() } }
    };
    let answer = |source: &mut Source, state: &M::State, call: &Call| match call {
        Call::Dequeue { .. } => {
            let answers = answers(state);
            Returned::Value(if answers.is_empty() { Value::Nil } else { source.pick(&answers).clone() })
        }
        _ => Returned::Done,
    };
    history(model, source, &SHAPE, call, answer)
}

pub(crate) fn front(state: &<Queue as Model>::State) -> Vec<Value> {
    state.front().into_iter().cloned().collect()
}

pub(crate) fn any(state: &<Bag as Model>::State) -> Vec<Value> {
    let is_there = |value: &Value| {
        let call = Call::Dequeue { key: Key::from("q") };
        Bag.step(state, &call, Some(&Returned::Value(value.clone()))).is_some()
    };
    (0..8).map(Value::Int).filter(is_there).collect()
}

#[test]
fn recorded_queues_agree_with_brute_force() {
    let mut tally = Tally::default();
    let mut source = Source::new(12);
    for round in 0..200_000 {
        let twice_percent = if round % 10 == 0 { 30 } else { 0 };
        compare(&Queue, &random(&Queue, front, &mut source, twice_percent), &mut tally);
    }
    eprintln!("{tally:?}");
    assert!(tally.valid > 50_000 && tally.invalid > 20_000 && tally.fast > 120_000, "{tally:?}");
}

#[test]
fn bags_agree_with_brute_force() {
    let mut tally = Tally::default();
    let mut source = Source::new(13);
    for round in 0..200_000 {
        let twice_percent = if round % 10 == 0 { 30 } else { 0 };
        compare(&Bag, &random(&Bag, any, &mut source, twice_percent), &mut tally);
    }
    eprintln!("{tally:?}");
    assert!(tally.valid > 50_000 && tally.invalid > 15_000 && tally.fast > 120_000, "{tally:?}");
}
