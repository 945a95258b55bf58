//! In a bank money moves, and is neither made nor lost.
//!
//! Under snapshot isolation every read of all accounts sees the same total. What a read shows is held against the accounts
//! and the total that are given, or against those of the first read.

use rashomon_history::{Call, Key, MicroOp, Operation, Outcome, Returned, Seen, Value};

use super::BankRules;
use super::report::{AnomalyKind, PropertyWhy};
use super::run::{Doubt, Halt, Numbers, Run, plain};
use super::story::Story;

/// What the reads are held against.
struct Bank<'a> {
    accounts: Numbers<&'a Key>,
    total: i128,
    /// The reads that the accounts and the total were taken from, where they were not given.
    accounts_from: Option<u32>,
    total_from: Option<u32>,
    /// The read that showed each account last, as its place from 1.
    shown: Vec<u32>,
}

pub(super) fn check<'a>(run: &mut Run<'a>, rules: &'a BankRules) -> Result<Doubt, Halt> {
    const KINDS: [AnomalyKind; 5] = [
        AnomalyKind::WrongTotal,
        AnomalyKind::NegativeValue,
        AnomalyKind::UnexpectedKey,
        AnomalyKind::MissingKey,
        AnomalyKind::NilBalance,
    ];
    for name in
        ["transfer", "transfer-acknowledged", "read", "partial-read"].into_iter().chain(KINDS.map(AnomalyKind::name))
    {
        run.count(name, 0);
    }
    let mut bank = None;
    for place in 0..run.order.len() {
        run.step()?;
        let position = run.order[place];
        let operation = run.operation(position);
        let Some(balances) = balances(run, operation, position)? else { continue };
        let bank = match &mut bank {
            Some(bank) => bank,
            None => bank.insert(Bank::open(run, rules, &balances, position)?),
        };
        bank.hold_against(run, rules, operation, &balances, position, place as u32 + 1);
    }
    run.objects(1);
    let doubt = if run.counted("transfer-acknowledged") == 0 {
        Some("no transfer was acknowledged")
    } else if run.counted("read") == 0 {
        Some("nobody read all accounts")
    } else if run.counted("read") == 1 && rules.total.is_none() {
        Some("all accounts were read only once, and no total was given to hold that against")
    } else {
        None
    };
    Ok(doubt.map(PropertyWhy::nothing))
}

/// What the operation read of the accounts, if it did.
fn balances<'a>(
    run: &mut Run<'a>,
    operation: &'a Operation,
    position: u32,
) -> Result<Option<Vec<(&'a Key, &'a Value)>>, Halt> {
    let moves = match &operation.call {
        Call::Transfer { .. } => true,
        Call::Txn { ops } => ops.iter().any(|op| !matches!(op, MicroOp::Read { .. })),
        Call::Read { key } if key.as_str().is_empty() => false,
        _ => return Err(Halt::NotOfTheProperty(position)),
    };
    let returned = match &operation.outcome {
        Outcome::Ok(returned) => Some(plain(returned)),
        Outcome::Fail(_) | Outcome::Info(_) => None,
    };
    if moves {
        run.count("transfer", 1);
        run.count("transfer-acknowledged", u64::from(returned.is_some()));
        return Ok(None);
    }
    match returned {
        None => Ok(None),
        Some(Returned::Map(entries)) => Ok(Some(entries.iter().map(|(key, value)| (key, value)).collect())),
        Some(Returned::Txn(ops)) => {
            let seen = |op: &'a MicroOp| match op {
                MicroOp::Read { key, seen: Some(Seen::Value(value)) } => Some((key, value)),
                MicroOp::Read { .. } | MicroOp::Write { .. } | MicroOp::Append { .. } => None,
            };
            ops.iter().map(seen).collect::<Option<_>>().map(Some).ok_or(Halt::NotOfTheProperty(position))
        }
        Some(_) => Err(Halt::NotOfTheProperty(position)),
    }
}

fn sum(balances: &[(&Key, &Value)]) -> i128 {
    let number = |(_, value): &(&Key, &Value)| match value {
        Value::Int(balance) => i128::from(*balance),
        Value::Nil | Value::Text(_) => 0,
    };
    balances.iter().map(number).sum()
}

impl<'a> Bank<'a> {
    fn open(
        run: &mut Run<'a>,
        rules: &'a BankRules,
        balances: &[(&'a Key, &'a Value)],
        position: u32,
    ) -> Result<Self, Halt> {
        let mut accounts = Numbers::new();
        for key in rules.accounts.iter().flatten() {
            accounts.number(run, key)?;
        }
        if rules.accounts.is_none() {
            for (key, _) in balances {
                accounts.number(run, *key)?;
            }
        }
        Ok(Self {
            total: rules.total.map_or_else(|| sum(balances), i128::from),
            accounts_from: rules.accounts.is_none().then_some(position),
            total_from: rules.total.is_none().then_some(position),
            shown: run.filled(accounts.len(), 0)?,
            accounts,
        })
    }

    fn hold_against(
        &mut self,
        run: &mut Run<'a>,
        rules: &BankRules,
        operation: &Operation,
        balances: &[(&Key, &Value)],
        position: u32,
        stamp: u32,
    ) {
        let mut is_whole = true;
        let mut shown = 0;
        for (key, value) in balances {
            let place = self.accounts.get(key);
            if let Some(place) = place
                && std::mem::replace(&mut self.shown[place], stamp) != stamp
            {
                shown += 1;
            } else {
                is_whole = false;
                let reason = if place.is_some() { "twice" } else { "although the bank has no such account" };
                self.tell(run, AnomalyKind::UnexpectedKey, position, |_| format!("with account {key}, {reason}"));
            }
            if !matches!(value, Value::Int(_)) {
                is_whole = false;
                self.tell(run, AnomalyKind::NilBalance, position, |_| format!("with {value} in account {key}"));
            }
            if matches!(value, Value::Int(..0)) && !rules.negative_balances_allowed {
                self.tell(run, AnomalyKind::NegativeValue, position, |_| format!("with {value} in account {key}"));
            }
        }
        if shown < self.accounts.len() {
            is_whole = false;
            if matches!(operation.call, Call::Txn { .. }) {
                // A transaction need not ask for all accounts.
                run.count("partial-read", 1);
            } else {
                let missing = self.accounts.len() - shown;
                self.tell(run, AnomalyKind::MissingKey, position, |_| format!("without {missing} of the accounts"));
            }
        }
        if !is_whole {
            return;
        }
        run.count("read", 1);
        let (total, expected, first) = (sum(balances), self.total, self.total_from);
        if total != expected {
            self.tell(run, AnomalyKind::WrongTotal, position, |story| {
                let origin = first.map_or(String::new(), |first| format!(": {}", story.whole(first)));
                format!("which makes {total} in all; the bank holds {expected}{origin}")
            });
        }
    }

    /// `what` goes on after who did what when.
    fn tell(&self, run: &mut Run<'a>, kind: AnomalyKind, position: u32, what: impl FnOnce(Story<'a>) -> String) {
        let needs_first = match kind {
            AnomalyKind::WrongTotal => self.total_from,
            AnomalyKind::UnexpectedKey | AnomalyKind::MissingKey => self.accounts_from,
            _ => None,
        };
        let positions: Vec<u32> = [Some(position), needs_first].into_iter().flatten().collect();
        run.violation(kind, None, &positions, |story| format!("{}, {}.", story.whole(position), what(story)));
    }
}
