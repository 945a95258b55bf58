//! Banks: every read is added up.

use rashomon_checker::properties::{BankRules, Property};
use rashomon_history::{Call, Key, MicroOp, Operation, Outcome, Returned, Seen, Value};

use super::histories::{Tally, check, count, interval, is_ok, operation, outcome, shuffle, verdict};
use crate::source::Source;

fn balance(source: &mut Source, odd_percent: u64) -> Value {
    match source.below(100) {
        percent if percent < odd_percent => Value::Nil,
        percent if percent < 2 * odd_percent => (-1).into(),
        _ => (source.below(4) as i64).into(),
    }
}

fn random(source: &mut Source) -> Vec<Operation> {
    let odd_percent = *source.pick(&[0, 0, 10]);
    let mut history = Vec::new();
    for process in 0..source.below(6) {
        let (invoked, completed) = interval(source, 20);
        let mut balances = vec![("a", balance(source, odd_percent)), ("b", balance(source, odd_percent))];
        if source.percent(50) {
            balances = vec![("a", 2.into()), ("b", 1.into())];
        }
        if source.percent(odd_percent) {
            let key = *source.pick(&["a", "c"]);
            balances.push((key, 1.into()));
        }
        if source.percent(odd_percent) {
            balances.remove(0);
        }
        let map = balances.iter().map(|(key, value)| (Key::from(*key), value.clone())).collect();
        let reads = |seen: bool| {
            let read = |(key, value): &(&str, Value)| MicroOp::Read {
                key: Key::from(*key),
                seen: seen.then(|| Seen::Value(value.clone())),
            };
            balances.iter().map(read).collect::<Vec<_>>()
        };
        let (call, returned) = match source.below(4) {
            0 => (Call::Transfer { from: "a".into(), to: "b".into(), amount: 1 }, Returned::Done),
            1 => (Call::Txn { ops: reads(false) }, Returned::Txn(reads(true))),
            _ => (Call::Read { key: "".into() }, Returned::Map(map)),
        };
        history.push(operation(process, call, outcome(source, returned, 10, 10), invoked, completed));
    }
    shuffle(source, &mut history);
    history
}

fn shown(operation: &Operation) -> Option<Vec<(String, Value)>> {
    match &operation.outcome {
        Outcome::Ok(Returned::Map(entries)) => {
            Some(entries.iter().map(|(key, value)| (key.to_string(), value.clone())).collect())
        }
        Outcome::Ok(Returned::Txn(ops)) => {
            let entry = |op: &MicroOp| match op {
                MicroOp::Read { key, seen: Some(Seen::Value(value)) } => (key.to_string(), value.clone()),
                other => panic!("{other}"),
            };
            Some(ops.iter().map(entry).collect())
        }
        _ => None,
    }
}

fn sum(entries: &[(String, Value)]) -> i64 {
    entries.iter().map(|(_, value)| if let Value::Int(balance) = value { *balance } else { 0 }).sum()
}

/// The numbers of wrong totals, negative balances, unexpected accounts, missing accounts, and accounts without a number; and
/// the reads of all accounts.
fn anomalies(history: &[Operation], rules: &BankRules) -> ([u64; 5], usize) {
    let mut reads: Vec<&Operation> = history.iter().filter(|operation| shown(operation).is_some()).collect();
    reads.sort_by_key(|operation| operation.invoke_index);
    let Some(first) = reads.first().and_then(|first| shown(first)) else { return ([0; 5], 0) };
    let given = rules.accounts.as_ref().map(|accounts| accounts.iter().map(ToString::to_string).collect());
    let accounts: Vec<String> = given.unwrap_or_else(|| first.iter().map(|(key, _)| key.clone()).collect());
    let total = rules.total.unwrap_or(sum(&first));
    let (mut found, mut whole) = ([0; 5], 0);
    for read in reads {
        let entries = shown(read).unwrap_or_default();
        let keys: Vec<&String> = entries.iter().map(|(key, _)| key).collect();
        let unexpected = (0..keys.len()).filter(|at| !accounts.contains(keys[*at]) || keys[..*at].contains(&keys[*at]));
        let unexpected = unexpected.count() as u64;
        let is_missing = accounts.iter().any(|account| !keys.contains(&account));
        let nil = entries.iter().filter(|(_, value)| *value == Value::Nil).count() as u64;
        let negative = entries.iter().filter(|(_, value)| matches!(value, Value::Int(..0))).count() as u64;
        if unexpected == 0 && nil == 0 && !is_missing {
            whole += 1;
            found[0] += u64::from(sum(&entries) != total);
        }
        found[1] += if rules.negative_balances_allowed { 0 } else { negative };
        found[2] += unexpected;
        found[3] += u64::from(is_missing && matches!(read.call, Call::Read { .. }));
        found[4] += nil;
    }
    (found, whole)
}

#[test]
fn banks_add_up() {
    let mut source = Source::new(23);
    let mut tally = Tally::default();
    let mut tried = 0;
    while tried < 200_000 {
        let history = random(&mut source);
        let rules = BankRules {
            accounts: source.percent(50).then(|| vec!["a".into(), "b".into()]),
            total: source.percent(50).then_some(3),
            negative_balances_allowed: source.percent(50),
        };
        // The first read is the first by invocation: ties would leave it open.
        let mut begun: Vec<u64> = history.iter().map(|operation| operation.invoke_index).collect();
        begun.sort_unstable();
        begun.dedup();
        if begun.len() < history.len() {
            continue;
        }
        tried += 1;
        let (expected, whole) = anomalies(&history, &rules);
        let report = check(&Property::Bank(rules.clone()), &history);
        let names = ["wrong-total", "negative-value", "unexpected-key", "missing-key", "nil-balance"];
        assert_eq!(names.map(|name| count(&report, name)), expected, "{rules:?} {history:#?}");
        let moved = history.iter().any(|operation| is_ok(operation) && matches!(operation.call, Call::Transfer { .. }));
        let needed = if rules.total.is_some() { 1 } else { 2 };
        let verdict_expected = match expected {
            [0, 0, 0, 0, 0] if moved && whole >= needed => "valid",
            [0, 0, 0, 0, 0] => "unknown",
            _ => "invalid",
        };
        assert_eq!(verdict(&report), verdict_expected, "{rules:?} {history:#?}");
        tally.add(&report);
    }
    tally.assert_at_least(10_000);
}
