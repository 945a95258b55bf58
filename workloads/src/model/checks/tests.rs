use rashomon_history::{Key, Outcome, ProcessId, Returned, TimeNs, Value};

use super::*;
use crate::Answer;

fn promising(level: &str) -> Parameters {
    Parameters { consistency: Some(level.parse().unwrap()), ..Parameters::default() }
}

/// Operations one after the other.
fn in_turn(calls: Vec<(Call, Returned)>) -> Vec<Operation> {
    let one = |(place, (call, returned))| {
        let at = 2 * place as u64;
        Operation {
            process: ProcessId(0),
            node: None,
            is_final: false,
            call,
            outcome: Outcome::Ok(returned),
            invoked: TimeNs(at),
            completed: Some(TimeNs(at + 1)),
            invoke_index: at,
            complete_index: Some(at + 1),
        }
    };
    calls.into_iter().enumerate().map(one).collect()
}

#[test]
fn every_workload_is_checked() {
    for workload in Workload::ALL {
        for level in ["read-committed", "strict-serializable"] {
            assert!(!workload.models(&promising(level)).is_empty(), "{workload}");
        }
    }
}

#[test]
fn tokens_are_checked_where_the_resource_takes_them() {
    let unfenced = Parameters { is_fenced: false, ..Parameters::default() };
    assert!(Workload::LockSet.models(&Parameters::default()).contains(&Model::Fencing));
    assert_eq!(Workload::LockSet.models(&unfenced), [Model::LeaseLock, Model::SetFull]);
}

#[test]
fn what_snapshots_give_is_asked_only_where_they_are_promised() {
    for level in ["snapshot-isolation", "serializable", "strict-serializable"] {
        let models = Workload::LongFork.models(&promising(level));
        assert!(models.contains(&Model::LongFork), "{level}");
    }
    let models = Workload::LongFork.models(&promising("read-committed"));
    assert!(!models.contains(&Model::LongFork) && models.contains(&Model::RwRegister));
    assert!(!Workload::Bank.models(&promising("read-committed")).contains(&Model::Bank));
}

#[test]
fn a_check_is_given_what_it_is_about_and_tells_of_that() {
    let add = |value: i64| (Call::Add { key: "s1".into(), value: value.into() }, Returned::Done);
    let acquire = (Call::Acquire { key: "l1".into(), owner: "c0-1".into(), permits: 1 }, Returned::Token(1));
    let read = |key: &str, values: Vec<Value>| (Call::Read { key: key.into() }, Returned::List(values));
    let history = in_turn(vec![acquire, add(1), read("s1", vec![1.into()]), add(2), read("s1", vec![2.into()])]);
    let checks = Workload::LockSet.check(&Parameters::default(), &history, &Options::default()).unwrap();
    let check = checks.iter().find(|check| check.model == Model::SetFull).unwrap();
    let Answer::Property(report) = &check.answer else { panic!("a property") };
    assert!(report.verdict.is_invalid(), "{report:#?}");
    let told = check.operations.as_deref().unwrap();
    assert_eq!(told[report.anomalies[0].operations[0].position].call, add(1).0);
}

#[test]
fn a_bank_knows_its_total_and_passes_over_decisions() {
    let map = |entries: &[(&str, Value)]| {
        Returned::Map(entries.iter().map(|(key, value)| (Key::from(*key), value.clone())).collect())
    };
    let accounts: Vec<(&str, Value)> =
        [("a1", 100), ("a2", 100), ("a3", 100), ("a4", 100), ("a5", 99)].map(|(a, b)| (a, b.into())).into();
    let history = in_turn(vec![
        (Call::Transfer { from: "a1".into(), to: "a2".into(), amount: 1 }, Returned::Done),
        (Call::Read { key: "".into() }, map(&accounts)),
        (Call::Read { key: "decisions".into() }, map(&[("7", "commit".into())])),
    ]);
    let checks = Workload::Bank.check(&promising("serializable"), &history, &Options::default()).unwrap();
    let check = checks.iter().find(|check| check.model == Model::Bank).unwrap();
    let Answer::Property(report) = &check.answer else { panic!("a property") };
    assert_eq!(report.counts["wrong-total"], 1);
}
