//! Writes under fencing tokens: all pairs are compared.

use rashomon_checker::properties::Property;
use rashomon_history::{Call, Operation, Returned};

use super::histories::{Tally, check, count, is_ok, operation, outcome, over, sessions, shuffle, verdict};
use crate::source::Source;

fn random(source: &mut Source) -> Vec<Operation> {
    let mut history = Vec::new();
    let odd_percent = *source.pick(&[0, 10, 40]);
    for (place, (process, invoked, completed)) in (1u64..).zip(sessions(source, 3, 9)) {
        let key = *source.pick(&["s", "s", "t"]);
        let number = if source.percent(odd_percent) { source.below(10) } else { place };
        let token = if source.percent(odd_percent) { source.below(4) } else { place / 3 };
        let returned = if source.percent(90) { Returned::Token(token) } else { Returned::Done };
        let call = match source.below(10) {
            0 => Call::KeepAlive { owner: 1.into() },
            1 => Call::Write { key: key.into(), value: 1.into() },
            _ => Call::Add { key: key.into(), value: 1.into() },
        };
        let returned = Returned::Versioned { version: number, returned: Box::new(returned) };
        history.push(operation(process, call, outcome(source, returned, 10, 5), invoked, completed));
    }
    shuffle(source, &mut history);
    history
}

/// The number and the token of a write.
fn told(operation: &Operation) -> Option<(u64, Option<u64>)> {
    let rashomon_history::Outcome::Ok(Returned::Versioned { version, returned }) = &operation.outcome else {
        return None;
    };
    operation.call.key()?;
    match **returned {
        Returned::Token(token) => Some((*version, Some(token))),
        _ => Some((*version, None)),
    }
}

#[test]
fn tokens_and_numbers_are_those_of_one_order() {
    let mut source = Source::new(61);
    let mut tally = Tally::default();
    for _ in 0..100_000 {
        let history = random(&mut source);
        let report = check(&Property::Fencing, &history);
        let mut expected = [false; 3];
        let mut fenced = 0;
        for one in history.iter().filter(|operation| is_ok(operation)) {
            let Some((number, token)) = told(one) else { continue };
            fenced += usize::from(token.is_some());
            for other in history.iter().filter(|other| other.call.key() == one.call.key() && !std::ptr::eq(*other, one))
            {
                let Some((later_number, later_token)) = told(other) else { continue };
                expected[0] |= number < later_number && token.zip(later_token).is_some_and(|(one, other)| other < one);
                expected[1] |= number == later_number;
                expected[2] |= over(one) < other.invoke_index && later_number < number;
            }
        }
        let names = ["stale-token", "number-reused", "number-fell"];
        assert_eq!(names.map(|name| count(&report, name) > 0), expected, "{history:#?}\n{report:#?}");
        let wanted = match expected {
            [false, false, false] if fenced < 2 => "unknown",
            [false, false, false] => "valid",
            _ => "invalid",
        };
        assert_eq!(verdict(&report), wanted);
        tally.add(&report);
    }
    tally.assert_at_least(2_000);
}
