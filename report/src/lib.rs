//! What a person or a CI job reads after a Rashomon run.
//!
//! [`VerdictFile`] is `verdict.json`, the stable answer for programs. [`Statistics`] are the figures in it, computed from
//! a history. [`terminal_summary`] is what a terminal shows at the end of a run.

mod comparison;
mod cycle;
pub mod describe;
pub mod lamport;
mod page;
pub mod statistics;
mod terminal;
mod verdict;

#[cfg(test)]
mod tests;

pub use comparison::{Compared, comparison_page, comparison_table};
pub use cycle::{Cycle, CycleEdge};
pub use page::{ReportInput, render};
pub use statistics::{Leadership, Statistics};
pub use terminal::{TerminalOptions, terminal_summary};
pub use verdict::{
    Anomaly, CheckerReport, Guard, OperationRecord, OutcomeKind, Remark, SCHEMA_VERSION, Verdict, VerdictFile,
};
