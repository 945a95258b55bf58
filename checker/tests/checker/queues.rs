//! FIFO queues against brute force.

use rashomon_checker::Model;
use rashomon_checker::queue::{FifoQueue, QueueCall, QueueReturn};

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
