//! What clients ask, and whether the answers fit together.

use rashomon_checker::properties::{BankRules, Property};
use rashomon_checker::transactions::{Consistency, TransactionOptions, TransactionVerdict, check_transactions};
use rashomon_draw::Draw;
use rashomon_history::{Call, Key, MicroOp, Operation, Value};

use super::super::{Bank, Isolation};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Reads of lists and appends to them.
    Lists,
    /// Reads and writes of registers.
    Registers,
    /// Transfers, and reads of all accounts.
    Bank,
}

pub(super) struct Workload {
    kind: Kind,
    keys: u64,
    last_value: i64,
}

impl Workload {
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, keys: 6, last_value: 0 }
    }

    pub(super) fn call(&mut self, draw: &mut Draw) -> Call {
        match self.kind {
            Kind::Bank => bank_call(draw),
            Kind::Lists | Kind::Registers => {
                let only_reads = draw.chance(20);
                let steps = draw.between(1, 4);
                Call::Txn { ops: (0..steps).map(|_| self.step(draw, only_reads)).collect() }
            }
        }
    }

    fn step(&mut self, draw: &mut Draw, only_reads: bool) -> MicroOp {
        // Lists grow, so that every thousand values others take their place.
        let generation = self.last_value / 1_000;
        let key = Key::from(format!("k{}-{generation}", draw.between(1, self.keys)));
        if only_reads || draw.chance(50) {
            return MicroOp::Read { key, seen: None };
        }
        self.last_value += 1;
        let value = Value::Int(self.last_value);
        if self.kind == Kind::Lists { MicroOp::Append { key, value } } else { MicroOp::Write { key, value } }
    }
}

fn bank_call(draw: &mut Draw) -> Call {
    if draw.chance(40) {
        return Call::Read { key: "".into() };
    }
    let from = draw.between(1, 5);
    let to = (from + draw.between(0, 3)) % 5 + 1;
    let account = |number| Key::from(format!("a{number}"));
    Call::Transfer { from: account(from), to: account(to), amount: draw.between(1, 40) as i64 }
}

/// The level that the checker knows for ours.
pub(super) fn consistency(isolation: Isolation) -> Consistency {
    match isolation {
        Isolation::Serializable => Consistency::StrictSerializable,
        Isolation::Snapshot => Consistency::StrongSnapshotIsolation,
        Isolation::ReadCommitted => Consistency::ReadCommitted,
    }
}

/// What transactions do that this level forbids.
pub(super) fn anomalies(operations: &[Operation], consistency: Consistency) -> Vec<String> {
    let options = TransactionOptions { consistency, ..TransactionOptions::default() };
    let report = check_transactions(operations, &options).unwrap();
    match report.verdict {
        TransactionVerdict::Valid => Vec::new(),
        TransactionVerdict::Invalid => report.counts.iter().map(|count| count.kind.name().to_owned()).collect(),
        TransactionVerdict::Unknown { why, .. } => vec![format!("{why:?}")],
    }
}

/// What is wrong with the money.
pub(super) fn bank_errors(operations: &[Operation]) -> Vec<String> {
    let bank = Bank::default();
    let total = i64::from(bank.accounts) * bank.balance;
    let rules = BankRules { total: Some(total), accounts: Some(bank.keys().collect()), ..BankRules::default() };
    let report = Property::Bank(rules).check(operations, &rashomon_checker::Options::default()).unwrap();
    let is_wrong = matches!(report.verdict, rashomon_checker::properties::PropertyVerdict::Invalid);
    if is_wrong { report.anomalies.iter().map(|anomaly| format!("{anomaly:?}")).collect() } else { Vec::new() }
}
