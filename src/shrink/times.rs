//! Lets everything happen sooner.

use std::collections::BTreeSet;

use crate::plan::Plan;
use crate::shrink::search::Search;

/// A gap shorter than this is no longer to be shortened.
const SHORT_MS: u64 = 10;

/// The plan with every time changed; times of operations keep what they have below a millisecond.
fn moved(plan: &Plan, new_ms: impl Fn(u64) -> u64) -> Plan {
    let mut plan = plan.clone();
    for operation in plan.script.iter_mut().flat_map(|script| &mut script.operations) {
        operation.at_us = new_ms(operation.at_us / 1000) * 1000 + operation.at_us % 1000;
    }
    for fault in &mut plan.schedule.entries {
        let end_ms = new_ms(fault.end_ms());
        fault.at_ms = new_ms(fault.at_ms);
        fault.duration_ms = end_ms.saturating_sub(fault.at_ms).max(1);
    }
    plan.time_limit_ms = new_ms(plan.time_limit_ms).max(1);
    plan
}

/// Everything in half of the time, in a quarter, and so on.
pub(super) fn scale(plan: &mut Plan, search: &Search<'_>) {
    while plan.time_limit_ms > SHORT_MS {
        match search.any_seed(&moved(plan, |ms| ms / 2)) {
            Some(shorter) => *plan = shorter,
            None => return,
        }
    }
}

/// The moments at which something begins or ends, the first one included.
fn moments_ms(plan: &Plan) -> Vec<u64> {
    let operations = plan.script.iter().flat_map(|script| &script.operations).map(|operation| operation.at_us / 1000);
    let faults = plan.schedule.entries.iter().flat_map(|fault| [fault.at_ms, fault.end_ms()]);
    let moments: BTreeSet<u64> = operations.chain(faults).chain([0, plan.time_limit_ms]).collect();
    moments.into_iter().collect()
}

/// Shortens the times in which nothing begins or ends, each on its own: the whole of it, then half of it.
pub(super) fn gaps(plan: &mut Plan, search: &Search<'_>) {
    loop {
        let moments = moments_ms(plan);
        let gaps: Vec<(u64, u64)> = moments.windows(2).map(|pair| (pair[0], pair[1])).collect();
        let long = gaps.into_iter().filter(|(from, to)| to - from > SHORT_MS);
        let shorter: Vec<(u64, u64)> =
            long.flat_map(|(from, to)| [(to, to - from - 1), (to, (to - from) / 2)]).collect();
        // All that comes at `from` or later comes so much sooner.
        let sooner = |number: usize| {
            let (from, by) = shorter[number];
            moved(plan, |ms| if ms >= from { ms - by } else { ms })
        };
        match search.first(shorter.len(), &sooner) {
            Some((_, sooner)) => *plan = sooner,
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shrink::tests::{call, plan};

    #[test]
    fn times_move_in_whole_milliseconds() {
        let mut plan = plan(&[1], &[(0, 5), (0, 90)], &[]);
        if let Some(script) = &mut plan.script {
            script.operations[1].at_us += 7;
        }
        let sooner = moved(&plan, |ms| ms / 2);
        let mut expected = [call(0, 2), call(0, 45)];
        expected[1].at_us += 7;
        assert_eq!(sooner.script.unwrap().operations, expected);
        assert_eq!(sooner.time_limit_ms, plan.time_limit_ms / 2);
        assert_eq!(moments_ms(&plan), [0, 5, 90, plan.time_limit_ms]);
    }
}
