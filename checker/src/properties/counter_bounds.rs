//! Every read of a counter lies between what was certainly added and what can have been added by then.
//!
//! An addition that came back before a read began is part of what the read saw; one that was asked for before the read
//! came back, and did not fail, may be. So a read sees at least the former and all negative ones of the latter, and at
//! most the former and all positive ones of the latter. A counter starts at 0.

use rashomon_history::{Call, Key, Outcome, Returned, Value};
use rustc_hash::FxHashMap;

use super::report::{AnomalyKind, PropertyWhy};
use super::run::{Doubt, Halt, Numbers, Run, plain};

/// What was added to one counter up to some moment, additions and subtractions apart.
#[derive(Clone, Copy, Default)]
struct Sums {
    /// Acknowledged additions, and how many operations were acknowledged.
    more_done: i128,
    less_done: i128,
    done: u64,
    /// Additions that were asked for and did not fail.
    more_asked: i128,
    less_asked: i128,
}

/// What a counter's value may be.
struct Bounds {
    least: i128,
    most: i128,
}

pub(super) fn check(run: &mut Run<'_>) -> Result<Doubt, Halt> {
    for name in ["attempt", "acknowledged", "read", "read-after-acknowledged", AnomalyKind::OutOfBounds.name()] {
        run.count(name, 0);
    }
    let completions = run.completions()?;
    let mut completions = completions.iter().copied().peekable();
    let mut keys: Numbers<&Key> = Numbers::new();
    let mut sums: Vec<Sums> = Vec::new();
    // What was acknowledged when each open operation began.
    let mut at_invocation: FxHashMap<u32, Sums> = FxHashMap::default();
    for place in 0..=run.order.len() {
        let invoked = run.order.get(place).copied();
        let until = invoked.map_or(u64::MAX, |position| run.operation(position).invoke_index);
        // Events of one position are concurrent: invocations first.
        while let Some(position) = completions.next_if(|position| {
            let completed = run.operation(*position).complete_index;
            invoked.is_none() || completed.is_some_and(|completed| completed < until)
        }) {
            let Some(before) = at_invocation.remove(&position) else { continue };
            complete(run, &keys, &mut sums, before, position)?;
        }
        let Some(position) = invoked else { break };
        run.step()?;
        let operation = run.operation(position);
        let (key, by) = match &operation.call {
            Call::Increment { key, by } => (key, *by),
            Call::Read { key } => (key, 0),
            _ => return Err(Halt::NotOfTheProperty(position)),
        };
        let object = keys.number(run, key)?;
        if object == sums.len() {
            run.push(&mut sums, Sums::default())?;
        }
        if let Call::Increment { .. } = operation.call {
            run.count("attempt", 1);
        }
        if matches!(operation.outcome, Outcome::Ok(_)) {
            at_invocation.insert(position, sums[object]);
        }
        if !matches!(operation.outcome, Outcome::Fail(_)) {
            let by = i128::from(by);
            sums[object].more_asked += by.max(0);
            sums[object].less_asked += by.min(0);
        }
    }
    run.objects(keys.len());
    let doubt = (run.counted("read-after-acknowledged") == 0)
        .then(|| PropertyWhy::nothing("no read began after an addition was acknowledged"));
    Ok(doubt)
}

/// Holds what came back against the bounds. `before` is what was known when the operation began.
fn complete(
    run: &mut Run<'_>,
    keys: &Numbers<&Key>,
    sums: &mut [Sums],
    before: Sums,
    position: u32,
) -> Result<(), Halt> {
    let operation = run.operation(position);
    let (Some(key), Outcome::Ok(returned)) = (operation.call.key(), &operation.outcome) else { return Ok(()) };
    let Some(object) = keys.get(key) else { return Ok(()) };
    let by = match operation.call {
        Call::Increment { by, .. } => Some(i128::from(by)),
        _ => None,
    };
    let seen = match (plain(returned), by) {
        (Returned::Value(Value::Int(seen)), _) => Some(i128::from(*seen)),
        (Returned::Value(Value::Nil), None) => Some(0),
        (Returned::Done, Some(_)) => None,
        _ => return Err(Halt::NotOfTheProperty(position)),
    };
    if let Some(seen) = seen {
        run.count("read", 1);
        run.count("read-after-acknowledged", u64::from(before.done > 0));
        let now = sums[object];
        let own = by.unwrap_or(0);
        let bounds = Bounds {
            least: before.more_done + now.less_asked + own.max(0),
            most: before.less_done + now.more_asked + own.min(0),
        };
        tell(run, key, position, seen, &bounds);
    }
    if let Some(by) = by {
        run.count("acknowledged", 1);
        sums[object].more_done += by.max(0);
        sums[object].less_done += by.min(0);
        sums[object].done += 1;
    }
    Ok(())
}

fn tell(run: &mut Run<'_>, key: &Key, position: u32, seen: i128, bounds: &Bounds) {
    let Bounds { least, most } = *bounds;
    if seen >= least && seen <= most {
        return;
    }
    run.violation(AnomalyKind::OutOfBounds, Some(key), &[position], |story| {
        let reason = if seen < least {
            format!("what had been acknowledged before made at least {least}")
        } else {
            format!("all that had been asked for by then made at most {most}")
        };
        format!("{}, but {reason}.", story.whole(position))
    });
}
