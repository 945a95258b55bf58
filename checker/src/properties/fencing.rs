//! What is guarded by fenced locks is written under tokens that never fall.
//!
//! Who holds the lock writes under the token of its hold, and the resource numbers what it accepts. By these numbers the
//! tokens must never fall: then whoever lost the lock without noticing can't write after its successor did, and the writes
//! of two holds never interleave (Kleppmann 2016, Burrows 2006 section 2.4). The cost is n log n.

use rashomon_history::{Call, Key, Outcome, Returned};

use super::report::{AnomalyKind, PropertyWhy};
use super::run::{Doubt, Halt, Numbers, Run, plain};

/// A write that the resource accepted.
#[derive(Clone, Copy)]
struct Write<'a> {
    object: usize,
    /// Its number at the resource.
    number: u64,
    token: Option<u64>,
    position: u32,
    key: &'a Key,
}

pub(super) fn check(run: &mut Run<'_>) -> Result<Doubt, Halt> {
    const KINDS: [AnomalyKind; 3] = [AnomalyKind::StaleToken, AnomalyKind::NumberReused, AnomalyKind::NumberFell];
    for name in ["write", "fenced-write"].into_iter().chain(KINDS.map(AnomalyKind::name)) {
        run.count(name, 0);
    }
    let mut writes = writes(run)?;
    writes.sort_by_key(|write| (write.object, write.number, write.position));
    for of_object in writes.chunk_by(|one, other| one.object == other.object) {
        check_tokens(run, of_object)?;
        check_numbers(run, of_object)?;
    }
    let doubt = (run.counted("fenced-write") < 2)
        .then(|| PropertyWhy::nothing("the resource said of fewer than two writes under which token it took them"));
    Ok(doubt)
}

/// Accepted writes by their numbers. Other calls are passed over.
fn writes<'a>(run: &mut Run<'a>) -> Result<Vec<Write<'a>>, Halt> {
    let mut keys: Numbers<&Key> = Numbers::new();
    let mut writes = Vec::new();
    for place in 0..run.order.len() {
        run.step()?;
        let position = run.order[place];
        let operation = run.operation(position);
        let (Call::Add { key, .. } | Call::Write { key, .. } | Call::Append { key, .. }) = &operation.call else {
            continue;
        };
        let Outcome::Ok(returned) = &operation.outcome else { continue };
        let Returned::Versioned { version: number, .. } = returned else { continue };
        let token = match plain(returned) {
            Returned::Token(token) => Some(*token),
            _ => None,
        };
        run.count("write", 1);
        run.count("fenced-write", u64::from(token.is_some()));
        let object = keys.number(run, key)?;
        run.push(&mut writes, Write { object, number: *number, token, position, key })?;
    }
    run.objects(keys.len());
    Ok(writes)
}

fn check_tokens(run: &mut Run<'_>, writes: &[Write<'_>]) -> Result<(), Halt> {
    // Among the writes with smaller numbers.
    let mut highest: Option<Write<'_>> = None;
    for same in writes.chunk_by(|one, other| one.number == other.number) {
        for write in same.iter().filter(|write| write.token.is_some()) {
            run.step()?;
            if let Some(earlier) = highest.filter(|earlier| earlier.token > write.token) {
                tell(run, AnomalyKind::StaleToken, &earlier, write, |earlier, later| {
                    format!("{earlier}; the resource took after that: {later}, under an older token.")
                });
            }
        }
        // No token is less than any token.
        highest = highest.into_iter().chain(same.iter().copied()).max_by_key(|write| write.token);
    }
    Ok(())
}

/// Every write has a number of its own, and one that began after another was over a larger one.
fn check_numbers(run: &mut Run<'_>, writes: &[Write<'_>]) -> Result<(), Halt> {
    for pair in writes.windows(2).filter(|pair| pair[0].number == pair[1].number) {
        run.step()?;
        tell(run, AnomalyKind::NumberReused, &pair[0], &pair[1], |one, other| {
            format!("{one}; and {other}: the resource gave both writes one number.")
        });
    }
    // From the largest number on: the one that was over first of those with larger numbers.
    let mut soonest: Option<Write<'_>> = None;
    for same in writes.chunk_by(|one, other| one.number == other.number).rev() {
        for write in same {
            run.step()?;
            let begun = run.operation(write.position).invoke_index;
            if let Some(larger) = soonest.filter(|larger| over(run, larger) < begun) {
                tell(run, AnomalyKind::NumberFell, &larger, write, |earlier, later| {
                    format!("{earlier}; then {later}: the number at the resource fell.")
                });
            }
        }
        for write in same {
            if soonest.is_none_or(|soonest| over(run, write) < over(run, &soonest)) {
                soonest = Some(*write);
            }
        }
    }
    Ok(())
}

fn over(run: &Run<'_>, write: &Write<'_>) -> u64 {
    super::run::completed(run.operation(write.position))
}

fn tell(
    run: &mut Run<'_>,
    kind: AnomalyKind,
    one: &Write<'_>,
    other: &Write<'_>,
    explain: impl FnOnce(String, String) -> String,
) {
    run.violation(kind, Some(other.key), &[one.position, other.position], |story| {
        explain(story.whole(one.position), story.whole(other.position))
    });
}
