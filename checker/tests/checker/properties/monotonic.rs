//! Numbers that a process is told: each is compared with all earlier ones.

use rashomon_checker::properties::Property;
use rashomon_history::{Call, Key, Operation, Outcome, Returned, Value};

use super::histories::{Tally, check, count, is_earlier, operation, outcome, sessions, shuffle, verdict};
use crate::source::Source;

fn random(source: &mut Source) -> Vec<Operation> {
    let mut history = Vec::new();
    let highest = *source.pick(&[3, 20]);
    for (number, (process, invoked, completed)) in sessions(source, 2, 8).into_iter().enumerate() {
        let key = Key::from(*source.pick(&["a", "b"]));
        let told = if source.percent(70) { number as u64 } else { source.below(highest) };
        let value = Value::from(source.below(3) as i64 - 1);
        let (call, returned) = match source.below(5) {
            0 => (Call::Acquire { key, owner: 1.into(), permits: 1 }, Returned::Token(told)),
            1 => (Call::Send { key, value }, Returned::Offset(told)),
            2 => (Call::Increment { key, by: 1 }, Returned::Value(value)),
            3 => (Call::Write { key, value }, Returned::Done),
            _ => (Call::Read { key }, Returned::Value(value)),
        };
        let returned = match source.percent(50) {
            true => Returned::Versioned { version: told, returned: Box::new(returned) },
            false => returned,
        };
        history.push(operation(process, call, outcome(source, returned, 5, 5), invoked, completed));
    }
    shuffle(source, &mut history);
    history
}

/// All numbers that came back, with what they are.
fn told(operation: &Operation, values: bool) -> Vec<(&'static str, i128)> {
    fn of(returned: &Returned, values: bool) -> Vec<(&'static str, i128)> {
        match returned {
            Returned::Versioned { version, returned } => {
                [vec![("version", i128::from(*version))], of(returned, values)].concat()
            }
            Returned::Token(token) => vec![("token", i128::from(*token))],
            Returned::Offset(offset) => vec![("offset", i128::from(*offset))],
            Returned::Value(Value::Int(value)) if values => vec![("value", i128::from(*value))],
            _ => Vec::new(),
        }
    }
    match &operation.outcome {
        Outcome::Ok(returned) => of(returned, values),
        Outcome::Fail(_) | Outcome::Info(_) => Vec::new(),
    }
}

#[test]
fn numbers_are_compared_with_all_earlier_ones() {
    let mut source = Source::new(26);
    let mut tally = Tally::default();
    for round in 0..200_000 {
        let history = random(&mut source);
        let values = round % 2 == 0;
        let (mut down, mut compared) = (0, false);
        for later in &history {
            for (what, number) in told(later, values) {
                let earlier = history
                    .iter()
                    .filter(|earlier| is_earlier(earlier, later) && earlier.call.key() == later.call.key());
                let before: Vec<i128> = earlier
                    .flat_map(|earlier| told(earlier, values))
                    .filter(|(other, _)| *other == what)
                    .map(|(_, number)| number)
                    .collect();
                compared |= !before.is_empty();
                down += u64::from(before.iter().any(|before| *before > number));
            }
        }
        let report = check(&Property::Monotonic { values }, &history);
        assert_eq!(count(&report, "non-monotonic"), down, "{history:#?}");
        let expected = match (down, compared) {
            (1.., _) => "invalid",
            (0, true) => "valid",
            (0, false) => "unknown",
        };
        assert_eq!(verdict(&report), expected, "{history:#?}");
        tally.add(&report);
    }
    tally.assert_at_least(20_000);
}
