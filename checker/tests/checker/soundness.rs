//! A part of a linearizable history, as witnesses are made of, is linearizable.

use rashomon_checker::models::{AppendList, GrowSet, Register};
use rashomon_checker::{Model, Operation};
use rashomon_history::{Call, Returned};

use crate::brute::{is_linearizable, sub_history};
use crate::source::Source;
use crate::{growing, registers};

fn parts_are_linearizable<M: Model<Call = Call, Return = Returned>>(
    model: &M,
    mut random: impl FnMut(&mut Source) -> Vec<Operation<Call, Returned>>,
) {
    let mut source = Source::new(5);
    let mut parts = 0;
    for _ in 0..60_000 {
        let history = random(&mut source);
        if !is_linearizable(model, &history) {
            continue;
        }
        let positions: Vec<usize> = (0..history.len()).filter(|_| source.percent(60)).collect();
        if let Some(part) = sub_history(model, &history, &positions) {
            parts += 1;
            assert!(
                is_linearizable(model, &part),
                "{positions:?} of {history:#?}\nis no longer linearizable: {part:#?}"
            );
        }
    }
    assert!(parts > 10_000, "{parts}");
}

#[test]
fn of_a_register() {
    parts_are_linearizable(&Register::default(), |source| registers::random(source, &registers::SHAPE, 30));
}

#[test]
fn of_a_list() {
    parts_are_linearizable(&AppendList, |source| growing::random(&AppendList, growing::append, source, 20));
}

#[test]
fn of_a_set() {
    parts_are_linearizable(&GrowSet, |source| growing::random(&GrowSet, growing::add, source, 20));
}
