//! Budgets are kept.

use std::time::{Duration, Instant};

use rashomon_checker::models::Register;
use rashomon_checker::{Algorithm, Checker, Model, ObjectKey, Operation, Verdict, Why};
use rashomon_history::{Call, Key, Returned, Value};

use crate::source::Source;

/// A register that promises nothing, so that its search is hopeless.
#[derive(Clone)]
struct Silent;

impl Model for Silent {
    type Call = Call;
    type Return = Returned;
    type State = Value;

    fn init(&self) -> Value {
        Value::Nil
    }

    fn step(&self, state: &Value, call: &Call, returned: Option<&Returned>) -> Option<Value> {
        Register::default().step(state, call, returned)
    }

    fn object<'c>(&self, call: &'c Call) -> ObjectKey<'c> {
        ObjectKey::Name(call.key().map_or("", Key::as_str).into())
    }
}

/// A register under a closed loop of clients, half reads, a third writes, the rest compare-and-sets; near its end one
/// read sees a value of long ago. The values are unique.
fn stale(operations: u64, clients: u64, seed: u64) -> Vec<Operation<Call, Returned>> {
    let mut source = Source::new(seed);
    let mut moments: Vec<(u64, u64, u64, u64)> = Vec::new();
    for client in 0..clients {
        let mut now = source.below(1_000);
        for _ in 0..operations / clients {
            let invoked = now;
            let completed = invoked + 50 + source.below(1_000);
            moments.push((invoked + source.below(completed - invoked + 1), client, invoked, completed));
            now = completed + 1 + source.below(50);
        }
    }
    moments.sort_unstable();
    let mut old = vec![Value::Nil];
    let mut history: Vec<Operation<Call, Returned>> = Vec::new();
    let stale_from = moments.len() * 99 / 100;
    let mut is_stale = false;
    for (number, (_, client, invoked, completed)) in moments.into_iter().enumerate() {
        let (key, new) = ("x".into(), Value::Int(number as i64 + 1));
        let current = old[old.len() - 1].clone();
        let (call, returned) = match source.below(100) {
            0..50 if number > stale_from && !is_stale => {
                is_stale = true;
                (Call::Read { key }, Returned::Value(old[old.len() / 2].clone()))
            }
            0..50 => (Call::Read { key }, Returned::Value(current)),
            50..85 => {
                old.push(new.clone());
                (Call::Write { key, value: new }, Returned::Done)
            }
            85..95 => {
                old.push(new.clone());
                (Call::Cas { key, from: current, to: new }, Returned::Swapped)
            }
            _ => (Call::Cas { key, from: Value::Int(-1), to: new }, Returned::NotSwapped { current: Some(current) }),
        };
        history.push(Operation::new(client, call, returned, invoked, completed));
    }
    history
}

#[test]
fn time_and_memory_are_kept_on_a_hopeless_search() {
    for (operations, clients) in [(1_000, 50), (10_000, 20)] {
        let history = stale(operations, clients, 7);
        let started = Instant::now();
        let report = Checker::new(Silent)
            .time_budget(Duration::from_secs(1))
            .memory_budget(256 << 20)
            .check(&history)
            .expect("a sound history");
        let taken = started.elapsed();
        eprintln!("{operations} operations, {clients} clients: {taken:?}, {:?}", report.statistics);
        assert!(taken < Duration::from_millis(1_100), "{taken:?}");
        assert!(report.statistics.peak_memory_bytes <= 256 << 20, "{:?}", report.statistics);
        match &report.verdict {
            Verdict::Unknown { why, proven, help } => {
                assert!(help.iter().any(|text| text.contains("says what its operations observe")), "{help:?}");
                assert!(matches!(why, Why::TimeBudget | Why::MemoryBudget), "{why:?}");
                let prefix = proven.prefix.as_ref().expect("how far it came");
                assert!(prefix.operations > 0 && prefix.operations < operations as usize, "{proven:?}");
            }
            Verdict::Invalid(_) => {}
            Verdict::Valid { .. } => panic!("a stale read is not valid"),
        }
        let fast = Checker::new(Register::default()).check(&history).expect("a sound history");
        assert!(fast.verdict.is_invalid());
    }
}

#[test]
fn a_memory_budget_is_named_when_it_runs_out() {
    let history = stale(10_000, 20, 7);
    let report = Checker::new(Silent).memory_budget(4 << 20).check(&history).expect("a sound history");
    assert!(matches!(report.verdict, Verdict::Unknown { why: Why::MemoryBudget, .. }), "{:?}", report.verdict);
    assert!(report.statistics.peak_memory_bytes <= 4 << 20, "{:?}", report.statistics);
}

/// A model whose every step takes a while.
struct Slow;

impl Model for Slow {
    type Call = u64;
    type Return = ();
    type State = Vec<u64>;

    fn init(&self) -> Vec<u64> {
        Vec::new()
    }

    fn step(&self, state: &Vec<u64>, call: &u64, _: Option<&()>) -> Option<Vec<u64>> {
        let started = Instant::now();
        while started.elapsed() < Duration::from_millis(2) {
            std::hint::spin_loop();
        }
        (*call < 100).then(|| [&state[..], &[*call]].concat())
    }
}

#[test]
fn time_is_kept_although_the_model_is_slow() {
    let mut history: Vec<_> = (0..40).map(|call| Operation::new(call, call, (), 0, 100 + call)).collect();
    history.push(Operation::new(50, 100, (), 50, 90));
    let started = Instant::now();
    let report = Checker::new(Slow).time_budget(Duration::from_millis(300)).check(&history).expect("a sound history");
    assert!(matches!(report.verdict, Verdict::Unknown { why: Why::TimeBudget, .. }), "{:?}", report.verdict);
    assert!(started.elapsed() < Duration::from_millis(400), "{:?}", started.elapsed());
}

#[test]
fn an_easy_object_is_answered_although_a_hard_one_came_first() {
    let mut history = stale(2_000, 50, 7);
    for operation in &mut history {
        operation.call = rename(&operation.call, "hard");
    }
    let write = Call::Write { key: "easy".into(), value: 1.into() };
    history.push(Operation::new(1, write, Returned::Done, 5, 6));
    let report =
        Checker::new(Silent).time_budget(Duration::from_millis(1_000)).check(&history).expect("a sound history");
    let Verdict::Unknown { proven, .. } = report.verdict else { panic!("{:?}", report.verdict) };
    assert_eq!((proven.objects_valid, proven.objects, proven.operations_valid), (1, 2, 1));
}

fn rename(call: &Call, key: &str) -> Call {
    let key = key.into();
    match call.clone() {
        Call::Read { .. } => Call::Read { key },
        Call::Write { value, .. } => Call::Write { key, value },
        Call::Cas { from, to, .. } => Call::Cas { key, from, to },
        Call::Append { value, .. } => Call::Append { key, value },
        Call::Add { value, .. } => Call::Add { key, value },
        Call::Delete { .. } => Call::Delete { key },
        other => panic!("{other:?} is none of a register's"),
    }
}

#[test]
fn a_search_answers_where_the_model_says_what_operations_observe() {
    let history = stale(1_000, 10, 7);
    let stale_at = history.len() * 99 / 100;
    let checker = Checker::new(Register::default()).algorithm(Algorithm::Search).time_budget(Duration::from_secs(20));
    let report = checker.check(&history).expect("a sound history");
    let witness = report.verdict.witness().unwrap_or_else(|| panic!("{report:?}"));
    assert!(witness.operations.len() <= 6, "{witness:#?}");
    assert!(witness.operations.iter().any(|operation| operation.position >= stale_at), "{witness:#?}");
}

#[test]
fn a_search_finds_what_few_operations_contradict_although_many_are_open() {
    for seed in 0..10 {
        let history = stale(1_000, 50, seed);
        let checker = Checker::new(Register::default()).algorithm(Algorithm::Search);
        let report = checker.time_budget(Duration::from_secs(5)).check(&history).expect("a sound history");
        let witness = report.verdict.witness().unwrap_or_else(|| panic!("seed {seed}: {report:?}"));
        assert!(witness.operations.len() <= 6, "{witness:#?}");
    }
}
