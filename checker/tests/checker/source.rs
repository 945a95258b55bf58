//! Random small histories.

use rashomon_checker::{Model, Operation};

/// A source of random numbers: SplitMix64.
pub(crate) struct Source(u64);

impl Source {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number from 0 up to, but not with, `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len() as u64) as usize]
    }
}

/// What a random history looks like.
pub(crate) struct Shape {
    pub(crate) operations_max: u64,
    /// Times are below this: few times make many ties.
    pub(crate) times: u64,
    pub(crate) unknown_percent: u64,
}

/// A history of a real object: every operation takes effect at a moment of its interval. Half of the histories are then
/// spoilt: intervals moved, results swapped. `call` draws a call, `answer` says what a call returns in a state.
pub(crate) fn history<M: Model>(
    model: &M,
    source: &mut Source,
    shape: &Shape,
    mut call: impl FnMut(&mut Source, u64) -> M::Call,
    mut answer: impl FnMut(&mut Source, &M::State, &M::Call) -> M::Return,
) -> Vec<Operation<M::Call, M::Return>> {
    let length = 1 + source.below(shape.operations_max);
    let mut moments: Vec<u64> = (0..length).map(|_| source.below(shape.times)).collect();
    moments.sort_unstable();
    let width = if source.percent(50) { 3 } else { shape.times };
    let mut state = model.init();
    let mut history = Vec::new();
    for (number, moment) in moments.into_iter().enumerate() {
        let call = call(source, number as u64);
        let invoked = moment - source.below(moment + 1).min(source.below(width));
        let completed = moment + source.below(shape.times - moment).min(source.below(width));
        let is_unknown = source.percent(shape.unknown_percent);
        let returned = answer(source, &state, &call);
        let happened = !(is_unknown && source.percent(50));
        if happened && let Some(next) = model.step(&state, &call, Some(&returned)) {
            state = next;
        }
        let process = source.below(5);
        history.push(if is_unknown {
            Operation::unknown(process, call, invoked)
        } else {
            Operation::new(process, call, returned, invoked, completed)
        });
    }
    if source.percent(70) {
        for _ in 0..=source.below(3) {
            spoil(source, &mut history, shape);
        }
    }
    // The checker must not depend on the order in which it gets them.
    for index in (1..history.len()).rev() {
        history.swap(index, source.below(index as u64 + 1) as usize);
    }
    history
}

fn spoil<C: Clone, R: Clone>(source: &mut Source, history: &mut [Operation<C, R>], shape: &Shape) {
    let (one, other) = (source.below(history.len() as u64) as usize, source.below(history.len() as u64) as usize);
    if source.percent(50) {
        let (left, right) = (source.below(shape.times), source.below(shape.times));
        history[one].invoked = left.min(right);
        if history[one].returned.is_some() {
            history[one].completed = left.max(right);
        }
    } else if std::mem::discriminant(&history[one].returned) == std::mem::discriminant(&history[other].returned)
        && history[one].returned.is_some()
    {
        let swapped = (history[one].call.clone(), history[one].returned.clone());
        history[one].call = history[other].call.clone();
        history[one].returned = history[other].returned.clone();
        (history[other].call, history[other].returned) = swapped;
    }
}
