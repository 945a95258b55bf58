//! No more is held at a time than there is.

use rashomon_history::{Key, TimeNs};

use super::super::run::{Halt, Run};
use super::super::story::{Story, duration};
use super::holds::Hold;
use super::sessions::Sessions;
use super::{AnomalyKind, NONE, Rules};

/// Looks at the holds of one lock, in the order of time, and forgets them.
pub(super) fn check(
    run: &mut Run<'_>,
    key: &Key,
    held: &mut Vec<Hold>,
    sessions: &Sessions<'_>,
    rules: Rules,
) -> Result<(), Halt> {
    held.sort_by_key(|hold| (hold.from_ns, hold.acquire));
    let mut active: Vec<Hold> = Vec::new();
    for hold in held.drain(..) {
        run.step()?;
        active.retain(|earlier| earlier.to_ns > hold.from_ns);
        let others: u64 = active.iter().map(|earlier| u64::from(earlier.permits)).sum();
        if others + u64::from(hold.permits) > u64::from(rules.permits) {
            tell(run, key, &active, &hold, sessions, rules);
        }
        active.push(hold);
    }
    Ok(())
}

fn tell(run: &mut Run<'_>, key: &Key, active: &[Hold], last: &Hold, sessions: &Sessions<'_>, rules: Rules) {
    let kind = if rules.permits == 1 { AnomalyKind::DoubleHold } else { AnomalyKind::TooManyPermits };
    let proof = |hold: &Hold| match hold.release {
        NONE => sessions.lease(hold.session).renewed,
        release => release,
    };
    let positions: Vec<u32> = active.iter().chain([last]).flat_map(|hold| [hold.acquire, proof(hold)]).collect();
    run.violation(kind, Some(key), &positions, |story| {
        let holds: Vec<String> = active.iter().map(|hold| format!("{}; ", was_held(story, hold, sessions))).collect();
        let to_ns = active.iter().map(|hold| hold.to_ns).min().unwrap_or(last.to_ns).min(last.to_ns);
        let overlap = duration(to_ns - last.from_ns);
        let end = match kind {
            AnomalyKind::DoubleHold => format!("both held it for {overlap}"),
            _ => {
                let all: u64 = active.iter().chain([last]).map(|hold| u64::from(hold.permits)).sum();
                format!("together they held {all} of {} permits for {overlap}", rules.permits)
            }
        };
        format!("{}and {}: {end}.", holds.concat(), was_held(story, last, sessions))
    });
}

/// "process 1 (n2) acquired l1 for c0-1 with token 3, from 0.100 s to 0.120 s, and held it to 0.300 s, when it asked to
/// release it"
fn was_held(story: Story<'_>, hold: &Hold, sessions: &Sessions<'_>) -> String {
    let until = TimeNs(hold.to_ns).exactly();
    let held = format!("{}, and held it until {until}", story.whole(hold.acquire));
    let renewed = sessions.lease(hold.session).renewed;
    if hold.release != NONE {
        format!("{held}, when it asked to release it")
    } else if renewed == hold.acquire {
        format!("{held} by its lease")
    } else {
        format!("{held} by its lease, which was renewed last when {}", story.whole(renewed))
    }
}
