//! Where a check begins for who uses this crate.

use std::time::Duration;

use crate::check::check_operations;
use crate::model::Model;
use crate::narrator::Narrator;
use crate::operation::{CheckError, Entry, Operation};
use crate::options::{Algorithm, Options};
use crate::report::Report;

/// Checks histories against a model, inside a budget.
///
/// ```
/// use rashomon_checker::{Checker, Model, Operation};
///
/// /// A counter: `Some(n)` adds n, `None` reads.
/// struct Counter;
///
/// impl Model for Counter {
///     type Call = Option<i64>;
///     type Return = i64;
///     type State = i64;
///
///     fn init(&self) -> i64 {
///         0
///     }
///
///     fn step(&self, state: &i64, call: &Option<i64>, returned: Option<&i64>) -> Option<i64> {
///         let new = state + call.unwrap_or(0);
///         returned.is_none_or(|seen| *seen == new).then_some(new)
///     }
/// }
///
/// let history = [
///     Operation::new(0, Some(5), 5, 0, 10), // process 0 adds 5 from time 0 to 10, and is told 5
///     Operation::new(1, None, 0, 3, 4),     // process 1 reads 0 meanwhile
///     Operation::unknown(2, Some(1), 11),   // process 2 never hears of its 1
///     Operation::new(1, None, 6, 12, 13),   // but process 1 sees it
/// ];
/// let report = Checker::new(Counter).check(&history)?;
/// assert!(report.verdict.is_valid());
/// # Ok::<(), rashomon_checker::CheckError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Checker<M> {
    model: M,
    options: Options,
}

impl<M: Model> Checker<M> {
    /// A checker without limits, on one thread, that takes a fast path where there is one.
    pub fn new(model: M) -> Self {
        Self { model, options: Options::default() }
    }

    /// All options at once.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Wall time until there must be an answer.
    #[must_use]
    pub fn time_budget(mut self, budget: Duration) -> Self {
        self.options.time_budget = Some(budget);
        self
    }

    /// Memory that the check may take, without the history itself.
    #[must_use]
    pub fn memory_budget(mut self, bytes: usize) -> Self {
        self.options.memory_budget_bytes = Some(bytes);
        self
    }

    /// Which algorithm to use.
    #[must_use]
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.options.algorithm = algorithm;
        self
    }

    /// Threads that check objects at the same time; at least one.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.options.threads = threads;
        self
    }

    /// Checks a history, in any order of its operations.
    ///
    /// # Errors
    ///
    /// If an operation ends before it begins, or there are too many of them.
    pub fn check(&self, history: &[Operation<M::Call, M::Return>]) -> Result<Report, CheckError> {
        let entry = |position: usize| {
            let entry = Entry::new(position, &history[position]);
            let (invoked, completed) = (entry.invoked, entry.completed);
            if completed < invoked {
                return Err(CheckError::EndsBeforeItBegins { position, invoked, completed });
            }
            Ok(Some(entry))
        };
        check_operations(&self.model, history.len(), entry, &self.options, &Plain { history })
    }
}

/// Tells of operations what stands in them.
struct Plain<'a, C, R> {
    history: &'a [Operation<C, R>],
}

impl<C: Sync, R: Sync> Narrator for Plain<'_, C, R> {
    fn who(&self, position: usize) -> String {
        format!("process {}", self.history[position].process)
    }

    fn invoked(&self, position: usize) -> String {
        self.history[position].invoked.to_string()
    }

    fn completed(&self, position: usize) -> String {
        let operation = &self.history[position];
        if operation.returned.is_some() { operation.completed.to_string() } else { "never".into() }
    }
}
