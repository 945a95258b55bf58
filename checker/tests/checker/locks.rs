//! Locks and semaphores against brute force.

use rashomon_checker::models::{
    FencedMutex, HistoryModel, Mutex, OwnedMutex, ReentrantFencedMutex, ReentrantMutex, Semaphore,
};
use rashomon_checker::{Model, Operation};
use rashomon_history::{Call, Key, Returned, Value};

use crate::brute::{Tally, compare};
use crate::source::Source;

/// What a random history looks like.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    operations_max: u64,
    owners: u64,
    permits_max: u64,
    has_tokens: bool,
    unknown_percent: u64,
}

const SHAPE: Shape = Shape { operations_max: 7, owners: 3, permits_max: 1, has_tokens: false, unknown_percent: 15 };
pub(crate) const FENCED: Shape = Shape { has_tokens: true, ..SHAPE };
pub(crate) const OWNED: Shape = SHAPE;
pub(crate) const OF_SEVERAL: Shape = Shape { permits_max: 2, ..SHAPE };

/// What a client would see of a real lock, if nothing were spoilt: owners ask one thing after the other, but for what they
/// never heard of.
pub(crate) fn random<M: Model<Call = Call, Return = Returned>>(
    model: &M,
    source: &mut Source,
    shape: Shape,
) -> Vec<Operation<Call, Returned>> {
    let key = Key::from("l");
    let width = if source.percent(50) { 3 } else { 9 };
    let liar_percent = if source.percent(60) { 50 } else { 0 };
    let unknown_percent = if source.percent(70) { shape.unknown_percent } else { 3 * shape.unknown_percent };
    let mut free_from = vec![0u64; shape.owners as usize];
    let mut state = model.init();
    let (mut now, mut token) = (0, 0);
    let mut history = Vec::new();
    for _ in 0..1 + source.below(shape.operations_max) {
        let owner = source.below(shape.owners) as usize;
        let (key, permits) = (key.clone(), 1 + source.below(shape.permits_max) as u32);
        let acquire = Call::Acquire { key: key.clone(), owner: (owner as i64).into(), permits };
        let release = Call::Release { key, owner: (owner as i64).into(), permits };
        // Mostly what makes sense.
        let can_release = model.step(&state, &release, Some(&Returned::Done)).is_some();
        let call = if can_release != source.percent(20) { release } else { acquire };
        now = (now + source.below(3)).max(free_from[owner]);
        let is_unknown = source.percent(unknown_percent);
        let is_acquire = matches!(call, Call::Acquire { .. });
        let returned = grant(model, &state, &call, source, &mut token, is_acquire && shape.has_tokens);
        let happens = !is_unknown || source.percent(50);
        match model.step(&state, &call, Some(&returned)) {
            Some(next) if happens => state = next,
            None if !is_unknown && !source.percent(liar_percent) => continue,
            Some(_) | None => {}
        }
        let earliest = if is_unknown { 0 } else { free_from[owner] };
        let invoked = now - source.below(width).min(now - earliest);
        history.push(if is_unknown {
            Operation::unknown(owner as u64, call, invoked)
        } else {
            let completed = now + source.below(width);
            free_from[owner] = completed + 1;
            Operation::new(owner as u64, call, returned, invoked, completed)
        });
    }
    if source.percent(40) {
        for _ in 0..=source.below(2) {
            spoil(source, &mut history, shape);
        }
    }
    for index in (1..history.len()).rev() {
        history.swap(index, source.below(index as u64 + 1) as usize);
    }
    history
}

/// What the lock answers: with the token of this hold, or with a new one.
fn grant<M: Model<Call = Call, Return = Returned>>(
    model: &M,
    state: &M::State,
    call: &Call,
    source: &mut Source,
    token: &mut u64,
    has_tokens: bool,
) -> Returned {
    if !has_tokens {
        return Returned::Done;
    }
    let held = Returned::Token(*token);
    if model.step(state, call, Some(&held)).is_none() {
        *token += 1 + source.below(2);
    }
    let returned = Returned::Token(*token);
    if source.percent(20) { Returned::Versioned { version: *token, returned: Box::new(returned) } } else { returned }
}

fn spoil(source: &mut Source, history: &mut Vec<Operation<Call, Returned>>, shape: Shape) {
    if history.is_empty() {
        return;
    }
    let place = source.below(history.len() as u64) as usize;
    let operation = &mut history[place];
    match source.below(4) {
        0 => {
            history.remove(place);
        }
        1 => {
            let delay = source.below(8);
            operation.invoked += delay;
            if operation.returned.is_some() {
                operation.completed += delay;
            }
        }
        2 => {
            let haste = source.below(8).min(operation.invoked);
            operation.invoked -= haste;
            if operation.returned.is_some() {
                operation.completed -= haste;
            }
        }
        _ if shape.has_tokens && matches!(operation.returned, Some(Returned::Token(_))) => {
            operation.returned = Some(Returned::Token(source.below(6)));
        }
        _ => {
            let other: Value = (source.below(shape.owners) as i64).into();
            match &mut operation.call {
                Call::Acquire { owner, .. } | Call::Release { owner, .. } => *owner = other,
                _ => unreachable!("only acquires and releases are drawn"),
            }
        }
    }
}

fn agree<M: HistoryModel + Clone>(model: &M, seed: u64, shape: Shape) -> Tally {
    let mut tally = Tally::default();
    let mut source = Source::new(seed);
    for _ in 0..200_000 {
        let history = random(model, &mut source, shape);
        assert!(history.iter().all(|operation| model.knows(&operation.call, operation.returned.as_ref())));
        compare(model, &history, &mut tally);
    }
    eprintln!("{}: {tally:?}", model.name());
    assert!(tally.valid > 80_000 && tally.invalid > 20_000, "{tally:?}");
    tally
}

#[test]
fn mutexes_of_anybody_agree_with_brute_force() {
    let tally = agree(&Mutex, 31, OWNED);
    assert_eq!(tally.fast, 200_000, "the fast path decides all");
}

#[test]
fn mutexes_agree_with_brute_force() {
    assert!(agree(&OwnedMutex, 32, OWNED).fast > 150_000);
}

#[test]
fn reentrant_mutexes_agree_with_brute_force() {
    assert!(agree(&ReentrantMutex { limit: 2 }, 33, OWNED).fast > 150_000);
}

#[test]
fn fenced_mutexes_agree_with_brute_force() {
    assert!(agree(&FencedMutex, 34, FENCED).fast > 150_000);
}

#[test]
fn reentrant_fenced_mutexes_agree_with_brute_force() {
    assert!(agree(&ReentrantFencedMutex { limit: 2 }, 35, FENCED).fast > 150_000);
}

#[test]
fn semaphores_of_single_permits_agree_with_brute_force() {
    assert!(agree(&Semaphore { permits: 2 }, 36, OWNED).fast > 150_000);
}

#[test]
fn semaphores_agree_with_brute_force() {
    assert!(agree(&Semaphore { permits: 3 }, 37, OF_SEVERAL).fast > 150_000);
}
