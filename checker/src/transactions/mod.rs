//! Transactions over lists and registers: which anomalies a history has, and which consistency levels it breaks.
//!
//! The method is that of Elle (Kingsbury and Alvaro, VLDB 2020): what transactions read tells which must come before
//! which, and transactions that must each come before the next, round in a circle, are an anomaly that has a name.

mod check;
mod component;
mod consistency;
mod direct;
mod error;
mod explain;
mod facts;
mod findings;
mod graph;
mod history;
mod ids;
mod kind;
mod operations;
mod report;
mod search;
mod tell;
mod versions;
mod walk;
mod watch;
mod within;
mod words;

pub use check::{TransactionOptions, check};
pub use consistency::{Consistency, UnknownConsistency};
pub use error::TransactionError;
pub use history::{Transaction, TransactionHistory, TransactionOutcome};
pub use kind::{AnomalyKind, CycleClass, Order};
pub use operations::check_transactions;
pub use report::{
    AnomalyCount, Cycle, CycleEdge, EdgeKind, TransactionAnomaly, TransactionProven, TransactionReport,
    TransactionStatistics, TransactionVerdict, TransactionWhy, Unsearched,
};
