//! Transactions of a Rashomon history.

use rashomon_history::{Call, MicroOp, Operation, Outcome, Returned, Seen};

use super::check::{TransactionOptions, check_told};
use super::error::TransactionError;
use super::history::{Transaction, TransactionHistory, TransactionOutcome};
use super::report::TransactionReport;
use crate::models::Recorded;

/// Checks the transactions of a recorded history. A read, write or append by itself is a transaction of its own. Events
/// of the same nanosecond happened in the order of their positions.
///
/// ```
/// use rashomon_checker::transactions::{TransactionOptions, TransactionVerdict, check_transactions};
/// use rashomon_history::parse_history;
///
/// let text = r#"
/// {"time":0,"process":0,"type":"invoke","f":"append","key":"x","value":1}
/// {"time":5,"process":0,"type":"ok","f":"append","key":"x","value":1}
/// {"time":6,"process":1,"type":"invoke","f":"read","key":"x"}
/// {"time":9,"process":1,"type":"ok","f":"read","key":"x","value":[]}
/// "#;
/// let history = parse_history("history.jsonl".as_ref(), text.trim_start().as_bytes())?;
/// let report = check_transactions(history.operations(), &TransactionOptions::default())?;
/// assert_eq!(report.verdict, TransactionVerdict::Invalid);
/// assert_eq!(report.anomalies[0].kind.name(), "G-single-item-realtime");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// If an operation is no transaction, a key is both a list and a register, or the history is too long.
pub fn check_transactions(
    operations: &[Operation],
    options: &TransactionOptions,
) -> Result<TransactionReport, TransactionError> {
    let history = TransactionHistory::from_operations(operations)?;
    Ok(check_told(&history, options, Some(&Recorded { operations })))
}

impl TransactionHistory {
    /// The transactions of a recorded history, at the positions that they have in it.
    ///
    /// # Errors
    ///
    /// As [`check_transactions`].
    pub fn from_operations(operations: &[Operation]) -> Result<Self, TransactionError> {
        let mut history = Self::new();
        for (position, operation) in operations.iter().enumerate() {
            let outcome = match operation.outcome {
                Outcome::Ok(_) => TransactionOutcome::Committed,
                Outcome::Fail(_) => TransactionOutcome::Aborted,
                Outcome::Info(_) => TransactionOutcome::Unknown,
            };
            let invoked = operation.invoke_index;
            let completed = operation.complete_index.unwrap_or(u64::MAX);
            let process = operation.process.0;
            history.begin(Transaction { process, outcome, invoked, completed, position })?;
            history.add_call(operation, position)?;
        }
        Ok(history)
    }

    fn add_call(&mut self, operation: &Operation, position: usize) -> Result<(), TransactionError> {
        let returned = match &operation.outcome {
            Outcome::Ok(Returned::Versioned { returned, .. }) => Some(&**returned),
            Outcome::Ok(returned) => Some(returned),
            Outcome::Info(_) | Outcome::Fail(_) => None,
        };
        match (&operation.call, returned) {
            (Call::Txn { ops }, None) | (Call::Txn { .. }, Some(Returned::Txn(ops))) => {
                ops.iter().try_for_each(|micro_op| self.add(micro_op))
            }
            (Call::Read { key }, None) => self.read_unknown(key),
            (Call::Read { key }, Some(Returned::Value(value))) => self.read_value(key, value),
            (Call::Read { key }, Some(Returned::List(seen))) => self.read_list(key, seen),
            (Call::Write { key, value }, None | Some(Returned::Done)) => self.write(key, value),
            (Call::Append { key, value }, None | Some(Returned::Done)) => self.append(key, value),
            (call, _) => Err(TransactionError::NotATransaction { position, call: call.to_string() }),
        }
    }

    /// Adds a micro-operation to the transaction that was begun last.
    ///
    /// # Errors
    ///
    /// If the key is both a list and a register, or the history too long.
    pub fn add(&mut self, micro_op: &MicroOp) -> Result<(), TransactionError> {
        match micro_op {
            MicroOp::Read { key, seen: None } => self.read_unknown(key),
            MicroOp::Read { key, seen: Some(Seen::Value(value)) } => self.read_value(key, value),
            MicroOp::Read { key, seen: Some(Seen::List(seen)) } => self.read_list(key, seen),
            MicroOp::Write { key, value } => self.write(key, value),
            MicroOp::Append { key, value } => self.append(key, value),
        }
    }
}
