//! Transactions over several keys.
//!
//! Every value is written once to a key, so that a read says which transaction it saw. At the end all keys are read, a few
//! in each transaction, and the decisions that each node knows of.

mod atomic;
mod bank;
mod long_fork;
mod mixed;
mod write_skew;

use rashomon_checker::properties::DECISIONS;
use rashomon_history::{Call, Key, MicroOp};

pub(crate) use atomic::AtomicGenerator;
pub use bank::BANK_TOTAL;
pub(crate) use bank::BankGenerator;
pub(crate) use long_fork::LongForkGenerator;
pub(crate) use mixed::MixedGenerator;
pub(crate) use write_skew::WriteSkewGenerator;

/// Keys that one transaction reads at the end.
const FINAL_KEYS: usize = 4;

fn read(key: Key) -> MicroOp {
    MicroOp::Read { key, seen: None }
}

fn decisions() -> Call {
    Call::Read { key: Key::from(DECISIONS) }
}

/// Reads of all these keys, and of the decisions.
fn final_reads(keys: impl Iterator<Item = Key>) -> Vec<Call> {
    let reads: Vec<MicroOp> = keys.map(read).collect();
    let reads = reads.chunks(FINAL_KEYS).map(|ops| Call::Txn { ops: ops.to_vec() });
    reads.chain([decisions()]).collect()
}

#[cfg(test)]
mod tests;
