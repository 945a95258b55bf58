//! Fencing tokens of one lock: each hold has its own, and it is larger than that of every hold that was over before.

use super::super::run::{Halt, Numbers, Run};
use super::{AnomalyKind, Step};

/// The highest token among acquires that were answered, and who was given it.
#[derive(Clone, Copy)]
struct Highest {
    token: u64,
    position: u32,
}

struct Tokens {
    highest: Option<Highest>,
    /// What had been given when each acquire began, by its place among the steps.
    floors: Vec<Option<Highest>>,
}

/// Looks at the acquires of one lock.
pub(super) fn check(run: &mut Run<'_>, steps: &[Step<'_>]) -> Result<(), Halt> {
    let mut moments: Vec<(u64, bool, u32)> = Vec::new();
    for (place, step) in (0..).zip(steps) {
        let operation = run.operation(step.position);
        if step.token.is_some() {
            moments.push((operation.invoke_index, false, place));
            moments.push((operation.complete_index.unwrap_or(u64::MAX), true, place));
        }
    }
    moments.sort_unstable();
    let mut tokens = Tokens { highest: None, floors: run.filled(steps.len(), None)? };
    let mut given: Numbers<u64> = Numbers::new();
    let mut first: Vec<u32> = Vec::new();
    for (_, is_answer, place) in moments {
        run.step()?;
        let step = &steps[place as usize];
        let Some(token) = step.token else { continue };
        if !is_answer {
            tokens.floors[place as usize] = tokens.highest;
            continue;
        }
        let number = given.number(run, token)?;
        if number == first.len() {
            run.push(&mut first, place)?;
        }
        let other = &steps[first[number] as usize];
        if other.session != step.session {
            tell_reused(run, other.position, step);
        }
        tokens.answer(run, place, step, token);
    }
    run.release(size_of_val(tokens.floors.as_slice()));
    Ok(())
}

impl Tokens {
    fn answer(&mut self, run: &mut Run<'_>, place: u32, step: &Step<'_>, token: u64) {
        if let Some(floor) = self.floors[place as usize].filter(|floor| floor.token > token) {
            run.violation(AnomalyKind::TokenFell, Some(step.key), &[floor.position, step.position], |story| {
                let (earlier, later) = (story.whole(floor.position), story.whole(step.position));
                format!("{earlier}; then {later}: the token fell.")
            });
        }
        if self.highest.is_none_or(|highest| highest.token < token) {
            self.highest = Some(Highest { token, position: step.position });
        }
    }
}

/// One token for two holds.
pub(super) fn tell_reused(run: &mut Run<'_>, other: u32, step: &Step<'_>) {
    run.violation(AnomalyKind::TokenReused, Some(step.key), &[other, step.position], |story| {
        let (one, other) = (story.whole(other), story.whole(step.position));
        format!("{one}; and {other}: the same token was given to two holds.")
    });
}

/// Two tokens for one hold.
pub(super) fn tell_changed(run: &mut Run<'_>, other: u32, step: &Step<'_>) {
    run.violation(AnomalyKind::TokenChanged, Some(step.key), &[other, step.position], |story| {
        let (one, other) = (story.whole(other), story.whole(step.position));
        format!("{one}, and did not release it; then {other}: the same hold has another token.")
    });
}
