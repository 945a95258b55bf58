//! Properties of recorded histories, on a million operations each.

use std::collections::BTreeMap;
use std::time::Duration;

use rashomon_checker::Options;
use rashomon_checker::properties::{BankRules, COPY, Property, PropertyReport, PropertyVerdict};
use rashomon_history::{Call, Key, MicroOp, Operation, Outcome, ProcessId, Record, Returned, Seen, TimeNs, Value};

use crate::generate::{Pending, Recipe, Source, schedule};

/// What the operation that takes effect next is, and what it returns.
type Next<'a> = &'a mut dyn FnMut(&mut Source, u64, u64) -> (Call, Returned);

fn keys(prefix: &str, count: u64) -> Vec<Key> {
    (0..count).map(|key| Key::from(format!("{prefix}{key}"))).collect()
}

/// The history of an object: `next` is asked in the order in which the operations take effect, with the source, the number
/// of the operation and its client.
fn recorded(recipe: &Recipe, next: Next<'_>) -> Vec<Operation> {
    let mut source = Source(recipe.seed);
    let mut history: Vec<Operation> = (0..)
        .zip(schedule(recipe, &mut source))
        .map(|(number, Pending { client, invoked, completed, .. })| {
            let (call, returned) = next(&mut source, number, client);
            Operation {
                process: ProcessId(client),
                node: None,
                is_final: false,
                call,
                outcome: Outcome::Ok(returned),
                invoked: TimeNs(invoked),
                completed: Some(TimeNs(completed)),
                invoke_index: invoked,
                complete_index: Some(completed),
            }
        })
        .collect();
    history.sort_by_key(|operation| operation.invoke_index);
    history
}

/// Sets or lists of about fifty operations each, half of them reads of the whole.
fn growing(recipe: &Recipe, put: fn(Key, Value) -> Call) -> Vec<Operation> {
    let names = keys("s", (recipe.operations as u64 / 50).max(1));
    let mut objects: Vec<Vec<Value>> = vec![Vec::new(); names.len()];
    recorded(recipe, &mut |source, number, _| {
        let object = source.below(names.len() as u64) as usize;
        let key = names[object].clone();
        if source.below(2) == 0 {
            return (Call::Read { key }, Returned::List(objects[object].clone()));
        }
        let value = Value::from(number as i64);
        objects[object].push(value.clone());
        (put(key, value), Returned::Done)
    })
}

fn queues(recipe: &Recipe) -> Vec<Operation> {
    let names = keys("q", 100);
    let mut objects = vec![std::collections::VecDeque::new(); names.len()];
    let drained_from = recipe.operations as u64 * 99 / 100;
    recorded(recipe, &mut |source, number, _| {
        let object = source.below(names.len() as u64) as usize;
        let key = names[object].clone();
        if number >= drained_from {
            return (Call::Drain { key }, Returned::List(objects[object].drain(..).collect()));
        }
        if source.below(2) == 0 {
            return (Call::Dequeue { key }, Returned::Value(objects[object].pop_front().unwrap_or(Value::Nil)));
        }
        let value = Value::from(number as i64);
        objects[object].push_back(value.clone());
        (Call::Enqueue { key, value }, Returned::Done)
    })
}

fn identifiers(recipe: &Recipe) -> Vec<Operation> {
    let key = Key::from("");
    recorded(recipe, &mut |_, number, _| (Call::Generate { key: key.clone() }, Returned::Value((number as i64).into())))
}

fn counters(recipe: &Recipe) -> Vec<Operation> {
    let names = keys("c", 1000);
    let mut values = vec![0i64; names.len()];
    recorded(recipe, &mut |source, _, _| {
        let object = source.below(names.len() as u64) as usize;
        let key = names[object].clone();
        if source.below(2) == 0 {
            return (Call::Read { key }, Returned::Value(values[object].into()));
        }
        let by = source.below(20) as i64 - 5;
        values[object] += by;
        (Call::Increment { key, by }, Returned::Done)
    })
}

/// Registers whose server tells the version with every answer.
fn versioned(recipe: &Recipe) -> Vec<Operation> {
    let names = keys("r", 1000);
    let mut values = vec![(0u64, Value::Nil); names.len()];
    recorded(recipe, &mut |source, number, _| {
        let object = source.below(names.len() as u64) as usize;
        let (key, (version, current)) = (names[object].clone(), &mut values[object]);
        let (call, returned) = if source.below(2) == 0 {
            (Call::Read { key }, Returned::Value(current.clone()))
        } else {
            *version += 1;
            *current = (number as i64).into();
            (Call::Write { key, value: current.clone() }, Returned::Done)
        };
        (call, Returned::Versioned { version: *version, returned: Box::new(returned) })
    })
}

/// Logs of which every client polls a few, up to ten records at once.
fn logs(recipe: &Recipe) -> Vec<Operation> {
    let names = keys("k", 100);
    let mut logs: Vec<Vec<Value>> = vec![Vec::new(); names.len()];
    let mut ends = vec![0usize; names.len()];
    recorded(recipe, &mut |source, number, client| {
        let log = source.below(names.len() as u64) as usize;
        let key = names[log].clone();
        if source.below(3) > 0 {
            let value = Value::from(number as i64);
            logs[log].push(value.clone());
            return (Call::Send { key, value }, Returned::Offset(logs[log].len() as u64 - 1));
        }
        // Every log has one client that polls it, so that the records come once and in order.
        let own = (client as usize) % names.len();
        let from = ends[own];
        let to = (from + 10).min(logs[own].len());
        ends[own] = to;
        let record =
            |offset: usize| Record { key: names[own].clone(), offset: offset as u64, value: logs[own][offset].clone() };
        (Call::Poll { keys: vec![names[own].clone()] }, Returned::Records((from..to).map(record).collect()))
    })
}

fn banks(recipe: &Recipe) -> Vec<Operation> {
    let names = keys("a", 10);
    let mut balances = vec![100i64; names.len()];
    recorded(recipe, &mut |source, _, _| {
        if source.below(2) == 0 {
            let entries = names.iter().cloned().zip(balances.iter().copied().map(Value::from)).collect();
            return (Call::Read { key: Key::from("") }, Returned::Map(entries));
        }
        let (from, to) = (source.below(10) as usize, source.below(10) as usize);
        let amount = balances[from].min(source.below(10) as i64);
        balances[from] -= amount;
        balances[to] += amount;
        (Call::Transfer { from: names[from].clone(), to: names[to].clone(), amount }, Returned::Done)
    })
}

/// Groups of four keys, each written once, with reads of the whole group in between.
fn forks(recipe: &Recipe) -> Vec<Operation> {
    let names = keys("x", recipe.operations as u64 / 2);
    let mut written = vec![false; names.len()];
    let mut next_key = 0;
    recorded(recipe, &mut |source, _, _| {
        if source.below(2) == 0 && next_key < names.len() {
            let ops = vec![MicroOp::Write { key: names[next_key].clone(), value: 1.into() }];
            written[next_key] = true;
            next_key += 1;
            return (Call::Txn { ops: ops.clone() }, Returned::Txn(ops));
        }
        let group = next_key.saturating_sub(1) / 4 * 4;
        let ops = |shows: bool| {
            let read = |key: usize| MicroOp::Read {
                key: names[key].clone(),
                seen: shows.then(|| Seen::Value(if written[key] { 1.into() } else { Value::Nil })),
            };
            (group..(group + 4).min(names.len())).map(read).collect::<Vec<_>>()
        };
        (Call::Txn { ops: ops(false) }, Returned::Txn(ops(true)))
    })
}

/// Locks that are acquired where they are free and released by who holds them; else a session is kept alive.
fn leased_locks(recipe: &Recipe) -> Vec<Operation> {
    let names = keys("l", 100);
    let mut holders: Vec<Option<u64>> = vec![None; names.len()];
    recorded(recipe, &mut |source, number, client| {
        let lock = source.below(names.len() as u64) as usize;
        let (key, owner) = (names[lock].clone(), Value::from(client as i64));
        match holders[lock] {
            None => {
                holders[lock] = Some(client);
                (Call::Acquire { key, owner, permits: 1 }, Returned::Token(number))
            }
            Some(holder) if holder == client => {
                holders[lock] = None;
                (Call::Release { key, owner, permits: 1 }, Returned::Done)
            }
            Some(_) => (Call::KeepAlive { owner }, Returned::Done),
        }
    })
}

/// Writes of which each ten have a token.
fn fenced(recipe: &Recipe) -> Vec<Operation> {
    let names = keys("s", 100);
    recorded(recipe, &mut |source, number, _| {
        let key = names[source.below(names.len() as u64) as usize].clone();
        let returned = Box::new(Returned::Token(number / 10));
        (Call::Add { key, value: (number as i64).into() }, Returned::Versioned { version: number, returned })
    })
}

/// Appends to two lists each, and now and then what a node knows of the last ten decisions.
fn decided(recipe: &Recipe) -> Vec<Operation> {
    let names = keys("c", 1000);
    recorded(recipe, &mut |source, number, _| {
        if source.below(10) == 0 {
            let entry = |id: u64| (Key::from(id.to_string()), Value::from("commit"));
            let entries = (number.saturating_sub(10)..number).map(entry).collect();
            return (Call::Read { key: Key::from("decisions") }, Returned::Map(entries));
        }
        let append = |list: u64| MicroOp::Append { key: names[list as usize].clone(), value: (number as i64).into() };
        let ops = vec![append(source.below(500)), append(500 + source.below(500))];
        (Call::Txn { ops: ops.clone() }, Returned::Txn(ops))
    })
}

/// Registers of one store, and at the end what each of five nodes holds of them.
fn copies(recipe: &Recipe) -> Vec<Operation> {
    let names = keys("r", 10_000);
    let mut entries: BTreeMap<Key, Value> = BTreeMap::new();
    let reads_from = recipe.operations as u64 - 5;
    let mut history = recorded(recipe, &mut |source, number, _| {
        if number >= reads_from {
            let copy = entries.iter().map(|(key, entry)| (key.clone(), entry.clone())).collect();
            let returned = Box::new(Returned::Map(copy));
            return (Call::Read { key: Key::from(COPY) }, Returned::Versioned { version: reads_from, returned });
        }
        let key = names[source.below(names.len() as u64) as usize].clone();
        entries.insert(key.clone(), Value::from(format!("{number} v{number}").as_str()));
        (Call::Write { key, value: (number as i64).into() }, Returned::Done)
    });
    let told = history.iter_mut().filter(|operation| matches!(operation.call, Call::Read { .. }));
    for (node, read) in told.enumerate() {
        read.node = Some(format!("n{}", node + 1).into());
    }
    history
}

/// Checks all properties whose names are wanted.
pub(crate) fn run_all(is_wanted: impl Fn(&str) -> bool, rounds: usize) {
    let recipe = Recipe { operations: 1_000_000, clients: 50, keys: 1, unknown_percent: 0, is_stale: false, seed: 1 };
    let add = |key, value| Call::Add { key, value };
    let append = |key, value| Call::Append { key, value };
    for property in Property::all() {
        let name = format!("p {} 1M", property.name());
        if !is_wanted(&name) {
            continue;
        }
        let history = match &property {
            Property::SetFull { .. } => growing(&recipe, add),
            Property::TotalQueue { .. } => queues(&recipe),
            Property::UniqueIds => identifiers(&recipe),
            Property::CounterBounds => counters(&recipe),
            Property::Monotonic { .. } | Property::StaleReadBound { .. } => versioned(&recipe),
            Property::Session => growing(&recipe, append),
            Property::Log => logs(&recipe),
            Property::Bank(BankRules { .. }) => banks(&recipe),
            Property::LongFork => forks(&recipe),
            Property::LeaseLock { .. } => leased_locks(&recipe),
            Property::Fencing => fenced(&recipe),
            Property::Commit => decided(&recipe),
            Property::Copies => copies(&recipe),
        };
        let options = Options { time_budget: Some(Duration::from_secs(60)), ..Options::default() };
        let reports = (0..rounds).map(|_| property.check(&history, &options).expect("a sound history"));
        let seconds = |report: &PropertyReport| report.statistics.check_seconds;
        if let Some(best) = reports.min_by(|left, right| seconds(left).total_cmp(&seconds(right))) {
            print(&name, &best);
        }
    }
}

fn print(name: &str, report: &PropertyReport) {
    let verdict = match report.verdict {
        PropertyVerdict::Valid => "valid",
        PropertyVerdict::Invalid => "invalid",
        PropertyVerdict::Unknown { .. } => "unknown",
    };
    let megabytes = report.statistics.peak_memory_bytes as f64 / 1e6;
    println!("{name:<22} {verdict:>9} {:>11.2} {megabytes:>10.1}", report.statistics.check_seconds * 1e3);
}
