use std::collections::BTreeSet;

use super::*;
use crate::{Asker, Generator, Role};

fn transactions(mut generator: impl Generator, count: usize) -> Vec<Vec<MicroOp>> {
    let next = |_| match generator.next_call(Asker { client: 0, role: Role::Mixed }) {
        Call::Txn { ops } => ops,
        other => panic!("{other}"),
    };
    (0..count).map(next).collect()
}

#[test]
fn a_register_is_read_before_it_is_written() {
    let all = [transactions(MixedGenerator::registers(3), 2000), transactions(WriteSkewGenerator::new(3), 2000)];
    let mut writes = 0;
    for ops in all.concat() {
        for (place, op) in ops.iter().enumerate() {
            if matches!(op, MicroOp::Write { .. }) {
                assert!(ops[..place].contains(&read(op.key().clone())), "{ops:?}");
                writes += 1;
            }
        }
    }
    assert!(writes > 2000, "{writes}");
}

#[test]
fn an_element_goes_into_several_lists() {
    let mut puts = 0;
    for ops in transactions(AtomicGenerator::new(5), 2000) {
        let keys: BTreeSet<&Key> = ops.iter().map(MicroOp::key).collect();
        assert_eq!(keys.len(), ops.len(), "{ops:?}");
        puts += usize::from(ops.len() > 1 && matches!(ops[0], MicroOp::Append { .. }));
    }
    assert!(puts > 500, "{puts}");
}

#[test]
fn writers_of_a_long_fork_write_one_register_once() {
    let mut written = BTreeSet::new();
    for ops in transactions(LongForkGenerator::new(5), 3000) {
        match &ops[..] {
            [MicroOp::Write { key, .. }] => assert!(written.insert(key.clone()), "{key} is written twice"),
            ops => assert!(ops.len() == 3 && ops.iter().all(|op| matches!(op, MicroOp::Read { .. })), "{ops:?}"),
        }
    }
    assert!(written.len() > 200, "{}", written.len());
}

#[test]
fn money_goes_to_another_account() {
    let mut generator = BankGenerator::new(1);
    for _ in 0..500 {
        match generator.next_call(Asker { client: 0, role: Role::Writer }) {
            Call::Transfer { from, to, amount } => assert!(from != to && amount > 0),
            Call::Read { key } => assert!(key.as_str().is_empty()),
            other => panic!("{other}"),
        }
    }
    assert_eq!(BANK_TOTAL, 500);
}
