//! What the models promise, tried out.

use rashomon_checker::models::{
    AppendList, Bag, Counter, FencedMutex, GrowSet, KeyValue, Mutex, OwnedMutex, Queue, ReentrantFencedMutex,
    ReentrantMutex, Register, Scope, Semaphore, Set, VersionedRegister,
};
use rashomon_checker::versions::Growth;
use rashomon_checker::{Model, Operation};
use rashomon_history::{Call, Returned};

use crate::brute::{is_linearizable, sub_history};
use crate::source::Source;
use crate::{counters, growing, key_value, locks, queues, registers, sets, versions};

/// Whatever calls are left out of those before an operation, if it may observe none of them, it stays legal.
fn observes_all_that_helps<M: Model<Call = Call, Return = Returned>>(
    model: &M,
    mut random: impl FnMut(&mut Source) -> Vec<Operation<Call, Returned>>,
) {
    let mut source = Source::new(8);
    let mut tried = 0;
    for _ in 0..60_000 {
        let history = random(&mut source);
        let Some((last, before)) = history.split_last() else { continue };
        // Calls alone: what came back does not matter here, and a call that is not legal itself says nothing.
        let after = |calls: &[&Call]| calls.iter().try_fold(model.init(), |state, call| model.step(&state, call, None));
        let is_legal = |state: &M::State| model.step(state, &last.call, last.returned.as_ref()).is_some();
        let all: Vec<&Call> = before.iter().map(|operation| &operation.call).collect();
        if !after(&all).is_some_and(|state| is_legal(&state)) {
            continue;
        }
        let observed = model.observes(&last.call, last.returned.as_ref());
        let is_left = |call: &&Call| observed.includes(model.effect(call)) || source.percent(50);
        let left: Vec<&Call> = all.into_iter().filter(is_left).collect();
        if let Some(state) = after(&left) {
            tried += 1;
            assert!(is_legal(&state), "{last:#?} after {left:#?} of {before:#?}");
        }
    }
    assert!(tried > 10_000, "{tried}");
}

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
    observes_all_that_helps(&Register::default(), |source| registers::random(source, &registers::SHAPE, 30));
    parts_are_linearizable(&Register::default(), |source| registers::random(source, &registers::SHAPE, 30));
}

#[test]
fn of_a_list() {
    observes_all_that_helps(&AppendList, |source| growing::random(&AppendList, growing::append, source, 20));
    parts_are_linearizable(&AppendList, |source| growing::random(&AppendList, growing::append, source, 20));
}

#[test]
fn of_a_set() {
    observes_all_that_helps(&GrowSet, |source| growing::random(&GrowSet, growing::add, source, 20));
    parts_are_linearizable(&GrowSet, |source| growing::random(&GrowSet, growing::add, source, 20));
}

#[test]
fn of_a_map() {
    for scope in [Scope::Key, Scope::Map] {
        observes_all_that_helps(&KeyValue { scope }, |source| key_value::random(source, scope, 60));
        parts_are_linearizable(&KeyValue { scope }, |source| key_value::random(source, scope, 60));
    }
}

#[test]
fn of_a_queue() {
    observes_all_that_helps(&Queue, |source| queues::random(&Queue, queues::front, source, 20));
    parts_are_linearizable(&Queue, |source| queues::random(&Queue, queues::front, source, 20));
}

#[test]
fn of_a_bag() {
    observes_all_that_helps(&Bag, |source| queues::random(&Bag, queues::any, source, 20));
    parts_are_linearizable(&Bag, |source| queues::random(&Bag, queues::any, source, 20));
}

#[test]
fn of_a_set_with_removes() {
    for read_percent in [0, 30] {
        let elements = 1 + read_percent / 10;
        observes_all_that_helps(&Set::default(), |source| {
            sets::random(&Set::default(), source, elements, read_percent)
        });
        parts_are_linearizable(&Set::default(), |source| sets::random(&Set::default(), source, elements, read_percent));
    }
}

#[test]
fn of_a_counter() {
    let model = Counter::default();
    for amounts in [&[1][..], &[0, 1, 2, 5], &[-2, 1, 3]] {
        observes_all_that_helps(&model, |source| counters::random(&model, source, amounts, 50));
        parts_are_linearizable(&model, |source| counters::random(&model, source, amounts, 50));
    }
}

fn of_locks<M: Model<Call = Call, Return = Returned>>(model: &M, shape: locks::Shape) {
    observes_all_that_helps(model, |source| locks::random(model, source, shape));
    parts_are_linearizable(model, |source| locks::random(model, source, shape));
}

#[test]
fn of_a_mutex() {
    of_locks(&Mutex, locks::OWNED);
    of_locks(&OwnedMutex, locks::OWNED);
    of_locks(&FencedMutex, locks::FENCED);
}

#[test]
fn of_a_reentrant_mutex() {
    of_locks(&ReentrantMutex { limit: 2 }, locks::OWNED);
    of_locks(&ReentrantFencedMutex { limit: 2 }, locks::FENCED);
}

#[test]
fn of_a_semaphore() {
    of_locks(&Semaphore { permits: 2 }, locks::OWNED);
    of_locks(&Semaphore { permits: 3 }, locks::OF_SEVERAL);
}

#[test]
fn of_a_register_with_versions() {
    for growth in [Growth::One, Growth::AtLeastOne] {
        let model = VersionedRegister { growth, ..VersionedRegister::default() };
        observes_all_that_helps(&model, |source| versions::random(&model, source, 30, 20));
        parts_are_linearizable(&model, |source| versions::random(&model, source, 30, 20));
    }
}
