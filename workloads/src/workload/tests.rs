use std::collections::BTreeSet;

use rashomon_history::{Key, MicroOp, Returned, Value};

use super::*;
use crate::Role;

const CLIENTS: usize = 4;

/// Runs the generator against one perfect store of nothing: every call is acknowledged.
fn calls(workload: Workload, seed: u64, count: usize) -> Vec<Call> {
    let mut generator = workload.generator(seed);
    (0..count)
        .map(|place| {
            let client = place % CLIENTS;
            let call = generator.next_call(Asker { client, role: Role::Mixed });
            let returned = match &call {
                Call::Read { .. } => Returned::Value(Value::Nil),
                Call::Cas { .. } => Returned::Swapped,
                _ => Returned::Done,
            };
            generator.observe(client, &call, &Outcome::Ok(returned));
            call
        })
        .collect()
}

/// What a call writes where.
fn written(call: &Call) -> Vec<(Key, Value)> {
    match call {
        Call::Write { key, value }
        | Call::Append { key, value }
        | Call::Add { key, value }
        | Call::Enqueue { key, value }
        | Call::Send { key, value }
        | Call::Cas { key, to: value, .. } => vec![(key.clone(), value.clone())],
        Call::Txn { ops } => {
            let write = |op: &MicroOp| match op {
                MicroOp::Read { .. } => None,
                MicroOp::Write { key, value } | MicroOp::Append { key, value } => Some((key.clone(), value.clone())),
            };
            ops.iter().filter_map(write).collect()
        }
        _ => Vec::new(),
    }
}

fn reads_only(call: &Call) -> bool {
    match call {
        Call::Read { .. } | Call::Drain { .. } | Call::Poll { .. } | Call::Assign { .. } => true,
        Call::Txn { ops } => ops.iter().all(|op| matches!(op, MicroOp::Read { .. })),
        _ => false,
    }
}

#[test]
fn a_seed_gives_the_same_calls_and_another_seed_gives_others() {
    for workload in Workload::ALL {
        assert_eq!(calls(*workload, 5, 500), calls(*workload, 5, 500));
        assert_ne!(calls(*workload, 5, 500), calls(*workload, 6, 500));
    }
}

#[test]
fn no_value_is_written_twice_to_a_key() {
    for workload in Workload::ALL {
        let mut seen = BTreeSet::new();
        for call in calls(*workload, 3, 5000) {
            for write in written(&call) {
                assert!(seen.insert(write.clone()), "{workload} wrote {write:?} twice");
            }
        }
        let writes_nothing = [Workload::Semaphore, Workload::Bank, Workload::Counter].contains(workload);
        assert!(seen.len() > 500 || writes_nothing, "{workload} wrote {} values", seen.len());
    }
}

#[test]
fn every_kind_of_call_is_drawn_and_final_reads_are_reads() {
    const LOCKING: &[&str] = &["acquire", "add", "keep-alive", "open-session", "read", "release"];
    for (workload, kinds) in [
        (Workload::Register, &["cas", "read", "write"][..]),
        (Workload::Append, &["append", "read"]),
        (Workload::Set, &["add", "read"]),
        (Workload::Counter, &["increment", "read"]),
        (Workload::Queue, &["dequeue", "enqueue"]),
        (Workload::Watch, &["assign", "poll", "send"]),
        (Workload::Lock, LOCKING),
        (Workload::FencedLock, LOCKING),
        (Workload::LockSet, LOCKING),
        (Workload::Semaphore, &["acquire", "keep-alive", "open-session", "release"]),
        (Workload::Bank, &["read", "transfer"]),
        (Workload::AppendTxn, &["txn"]),
        (Workload::RwTxn, &["txn"]),
        (Workload::WriteSkew, &["txn"]),
        (Workload::LongFork, &["txn"]),
        (Workload::Commit, &["txn"]),
    ] {
        let seen: BTreeSet<_> = calls(workload, 9, 1000).iter().map(Call::f).collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), kinds, "{workload}");
        let mut generator = workload.generator(1);
        for _ in 0..1000 {
            generator.next_call(Asker { client: 0, role: Role::Mixed });
        }
        let finals = generator.final_reads();
        assert!(!finals.is_empty() && finals.iter().all(reads_only), "{workload}");
        let asks_for_decisions = finals.contains(&Call::Read { key: "decisions".into() });
        assert_eq!(asks_for_decisions, Workload::TRANSACTIONS.contains(&workload), "{workload}");
    }
}

#[test]
fn readers_only_read() {
    for workload in [Workload::KEY_VALUE, &[Workload::Counter, Workload::Watch], Workload::TRANSACTIONS].concat() {
        let mut generator = workload.generator(2);
        let mut next = |role| generator.next_call(Asker { client: 0, role });
        assert!((0..500).all(|_| reads_only(&next(Role::Reader))), "{workload}");
        let writes = (0..500).filter(|_| !reads_only(&next(Role::Writer))).count();
        assert!(writes > 50, "{workload}: {writes}");
    }
}

#[test]
fn names_are_read_back_and_unknown_ones_list_the_known() {
    for workload in Workload::ALL {
        assert_eq!(workload.name().parse(), Ok(*workload));
        let systems = [Workload::KEY_VALUE, Workload::OBJECTS, Workload::LOCKS, Workload::TRANSACTIONS];
        assert_eq!(systems.iter().filter(|served| served.contains(workload)).count(), 1, "{workload}");
    }
    let error = "regster".parse::<Workload>().unwrap_err().to_string();
    assert!(
        error.starts_with("there is no workload \"regster\"; known are register, append, set, counter, "),
        "{error}"
    );
}

#[test]
fn append_means_transactions_where_a_system_has_them() {
    assert_eq!(Workload::Append.among(Workload::KEY_VALUE), Some(Workload::Append));
    assert_eq!(Workload::Append.among(Workload::TRANSACTIONS), Some(Workload::AppendTxn));
    assert_eq!(Workload::AppendTxn.among(Workload::TRANSACTIONS), Some(Workload::AppendTxn));
    assert_eq!(Workload::Append.among(Workload::LOCKS), None);
}
