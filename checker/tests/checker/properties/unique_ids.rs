//! Identifiers: every pair is compared.

use rashomon_checker::properties::Property;
use rashomon_history::{Call, Key, Operation, Outcome, Returned, Value};

use super::histories::{Tally, check, count, interval, is_ok, operation, outcome, shuffle, verdict};
use crate::source::Source;

#[test]
fn identifiers_are_compared_with_all_others() {
    let mut source = Source::new(21);
    let mut tally = Tally::default();
    for _ in 0..200_000 {
        let ids = 1 + source.below(30);
        let mut history = Vec::new();
        for process in 0..source.below(7) {
            let (invoked, completed) = interval(&mut source, 20);
            let key = Key::from(*source.pick(&["a", "b"]));
            let id = Returned::Value((source.below(ids) as i64).into());
            let id = if source.percent(20) { Returned::Versioned { version: 3, returned: Box::new(id) } } else { id };
            history.push(operation(
                process,
                Call::Generate { key },
                outcome(&mut source, id, 10, 10),
                invoked,
                completed,
            ));
        }
        shuffle(&mut source, &mut history);
        let given: Vec<_> = history.iter().filter(|operation| is_ok(operation)).collect();
        let same = |one: &Operation, other: &Operation| id(one) == id(other) && one.call == other.call;
        let repeated = (0..given.len())
            .filter(|later| (0..*later).any(|earlier| same(given[earlier], given[*later])))
            .count() as u64;
        let report = check(&Property::UniqueIds, &history);
        assert_eq!(count(&report, "duplicated"), repeated, "{history:#?}");
        let expected = match (repeated, given.len()) {
            (1.., _) => "invalid",
            (0, 0..2) => "unknown",
            (0, _) => "valid",
        };
        assert_eq!(verdict(&report), expected, "{history:#?}");
        tally.add(&report);
    }
    tally.assert_at_least(25_000);
}

/// What was given, without the version told with it.
fn id(operation: &Operation) -> Option<&Value> {
    match &operation.outcome {
        Outcome::Ok(Returned::Value(id)) => Some(id),
        Outcome::Ok(Returned::Versioned { returned, .. }) => match returned.as_ref() {
            Returned::Value(id) => Some(id),
            other => panic!("{other}"),
        },
        Outcome::Ok(_) | Outcome::Fail(_) | Outcome::Info(_) => None,
    }
}
