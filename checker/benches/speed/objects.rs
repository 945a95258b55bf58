//! The fast paths of counters, sets, queues and versions on a million operations of fifty clients.

use std::collections::{BTreeSet, VecDeque};

use rashomon_checker::models::{Bag, Counter, Queue, Set, VersionedRegister};
use rashomon_checker::{Checker, Operation};
use rashomon_history::{Call, Key, Returned, Value};

use super::generate::{Pending, Recipe, Source, schedule};
use super::{VALID, run};

const RECIPE: Recipe = Recipe { operations: 1_000_000, clients: 50, ..VALID };

pub(crate) fn run_all(is_wanted: impl Fn(&str) -> bool) {
    if is_wanted("queue 1M C=50") {
        run("queue 1M C=50", Checker::new(Queue), &history(queue(VecDeque::pop_front)));
    }
    if is_wanted("bag 1M C=50") {
        run("bag 1M C=50", Checker::new(Bag), &history(queue(VecDeque::pop_back)));
    }
    if is_wanted("set 1M C=50") {
        run("set 1M C=50", Checker::new(Set::of(&[])), &history(set()));
    }
    if is_wanted("counter 1M C=50") {
        run("counter 1M C=50", Checker::new(Counter::default()), &history(counter()));
    }
    if is_wanted("versions 1M C=50") {
        run("versions 1M C=50", Checker::new(VersionedRegister::default()), &history(versions()));
    }
}

/// What is asked and what comes back, at the moments at which the operations take effect. By invocation.
fn history(mut act: impl FnMut(&mut Source, i64) -> (Call, Returned)) -> Vec<Operation<Call, Returned>> {
    let mut source = Source(RECIPE.seed);
    let pending = schedule(&RECIPE, &mut source);
    let numbered = (1..).zip(pending);
    let mut history: Vec<_> = numbered
        .map(|(number, Pending { client, invoked, completed, .. })| {
            let (call, returned) = act(&mut source, number);
            Operation::new(client, call, returned, invoked, completed)
        })
        .collect();
    history.sort_by_key(|operation| operation.invoked);
    history
}

fn queue(take: fn(&mut VecDeque<i64>) -> Option<i64>) -> impl FnMut(&mut Source, i64) -> (Call, Returned) {
    let key = Key::from("q");
    let mut values = VecDeque::new();
    move |source, number| {
        let key = key.clone();
        if source.below(2) == 0 {
            values.push_back(number);
            return (Call::Enqueue { key, value: number.into() }, Returned::Done);
        }
        (Call::Dequeue { key }, Returned::Value(take(&mut values).map_or(Value::Nil, Value::Int)))
    }
}

/// Half of it adds and removes, the rest asks; of elements that are touched some twenty times.
fn set() -> impl FnMut(&mut Source, i64) -> (Call, Returned) {
    let key = Key::from("s");
    let mut there = BTreeSet::new();
    move |source, _| {
        let element = source.below(RECIPE.operations as u64 / 20) as i64;
        let (key, value) = (key.clone(), Value::Int(element));
        match source.below(4) {
            0 => (Call::Add { key, value }, Returned::Flag(there.insert(element))),
            1 => (Call::Remove { key, value }, Returned::Flag(there.remove(&element))),
            _ => (Call::Contains { key, value }, Returned::Flag(there.contains(&element))),
        }
    }
}

fn counter() -> impl FnMut(&mut Source, i64) -> (Call, Returned) {
    let key = Key::from("c");
    let mut sum = 0;
    move |source, _| {
        let key = key.clone();
        if source.below(2) == 0 {
            return (Call::Read { key }, Returned::Value(sum.into()));
        }
        sum += 1;
        (Call::Increment { key, by: 1 }, Returned::Done)
    }
}

/// Of a hundred values only, so that nothing but the versions tells the order.
fn versions() -> impl FnMut(&mut Source, i64) -> (Call, Returned) {
    let key = Key::from("x");
    let (mut version, mut value) = (0, Value::Nil);
    move |source, _| {
        let key = key.clone();
        let (call, returned) = if source.below(2) == 0 {
            (Call::Read { key }, Returned::Value(value.clone()))
        } else {
            version += 1;
            value = Value::Int(source.below(100) as i64);
            (Call::Write { key, value: value.clone() }, Returned::Done)
        };
        (call, Returned::Versioned { version, returned: Box::new(returned) })
    }
}
