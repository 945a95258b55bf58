//! Models of the objects that a Rashomon history tells of, and checks of such histories.
//!
//! ```
//! use rashomon_checker::{Options, models};
//! use rashomon_history::parse_history;
//!
//! let text = r#"
//! {"time":0,"process":0,"type":"invoke","f":"write","key":"x","value":1}
//! {"time":5,"process":0,"type":"ok","f":"write","key":"x","value":1}
//! {"time":6,"process":1,"type":"invoke","f":"read","key":"x"}
//! {"time":9,"process":1,"type":"ok","f":"read","key":"x","value":null}
//! "#;
//! let history = parse_history("history.jsonl".as_ref(), text.trim_start().as_bytes())?;
//! let report = models::check_register(history.operations(), &Options::default())?;
//! let witness = report.verdict.witness().expect("the read is stale");
//! assert_eq!(witness.operations.len(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod counter;
mod growing;
mod key_value;
mod locks;
mod queue;
mod register;
mod set;
mod tell_counter;
mod tell_growth;
mod tell_register;
mod tell_set;
mod tell_versions;
mod versioned;
pub(crate) mod words;

use rashomon_history::{Call, Operation, Outcome, Returned};

pub use counter::Counter;
pub use growing::{AppendList, GrowSet};
pub use key_value::{KeyValue, KeyValueState, Scope};
pub use locks::{
    FencedMutex, FencedState, Holder, Mutex, OwnedMutex, ReentrantFencedMutex, ReentrantFencedState, ReentrantMutex,
    Semaphore,
};
pub use queue::{Bag, BagState, Queue};
pub use register::Register;
pub use set::Set;
pub use versioned::{VersionedRegister, VersionedState};

use crate::check::check_operations;
use crate::model::Model;
use crate::narrator::Narrator;
use crate::operation::{CheckError, Entry, NEVER};
use crate::options::Options;
use crate::report::{Report, Verdict};
use crate::witness::{Kind, WitnessOperation};

/// A model of objects in a Rashomon history.
pub trait HistoryModel: Model<Call = Call, Return = Returned> {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// The calls that it knows, for people.
    fn known_calls(&self) -> &'static str;

    /// Whether the operation is one of its own.
    fn knows(&self, call: &Call, returned: Option<&Returned>) -> bool;
}

/// Checks registers that start as nil: reads, writes, compare-and-sets and deletes, by key.
///
/// # Errors
///
/// If an operation is none of a register's.
pub fn check_register(operations: &[Operation], options: &Options) -> Result<Report, CheckError> {
    check_history(&Register::default(), operations, options)
}

/// Checks lists that start empty: appends and reads of the whole list, by key.
///
/// # Errors
///
/// If an operation is none of a list's.
pub fn check_append(operations: &[Operation], options: &Options) -> Result<Report, CheckError> {
    check_history(&AppendList, operations, options)
}

/// Checks sets that start empty, by key: adds and reads of the whole set, and where the history has them, removes and
/// contains. Sets that nobody reads as a whole are checked element by element.
///
/// # Errors
///
/// If an operation is none of a set's.
pub fn check_set(operations: &[Operation], options: &Options) -> Result<Report, CheckError> {
    if is_grow_set(operations) {
        check_history(&GrowSet, operations, options)
    } else {
        check_history(&Set::of(operations), operations, options)
    }
}

/// Whether nothing is done but to add to sets and to read them as a whole.
#[must_use]
pub fn is_grow_set(operations: &[Operation]) -> bool {
    operations.iter().all(|operation| GrowSet.knows(&operation.call, words::returned(operation)))
}

/// Checks a history against a model. Operations that failed never happened and are left out; their number is not part of
/// the statistics. Events of the same nanosecond happened in the order of their positions.
///
/// # Errors
///
/// If an operation is none of the model's, or ends before it begins.
pub fn check_history<M: HistoryModel>(
    model: &M,
    operations: &[Operation],
    options: &Options,
) -> Result<Report, CheckError> {
    let recorded = Recorded { operations };
    let entry = |position| entry(model, operations, position);
    let mut report = check_operations(model, operations.len(), entry, options, &recorded)?;
    if let Verdict::Invalid(witness) = &mut report.verdict
        && witness.kind == Kind::NeverWritten
        && let Some(failed) = failed_writer(operations, witness.operations[0].position)
    {
        let who = recorded.who(failed);
        let text = format!(
            "{who} failed to {}, from {} to {}",
            operations[failed].call,
            recorded.invoked(failed),
            recorded.completed(failed)
        );
        witness.kind = Kind::FailedWriteSeen;
        witness.explanation += &format!(" {who} had tried to, but was told that it certainly failed.");
        witness.operations.push(WitnessOperation { position: failed, text });
        witness.operations.sort_by_key(|operation| operations[operation.position].invoke_index);
    }
    Ok(report)
}

/// The operation at a position, unless it failed.
fn entry<'a, M: HistoryModel>(
    model: &M,
    operations: &'a [Operation],
    position: usize,
) -> Result<Option<Entry<'a, Call, Returned>>, CheckError> {
    let operation = &operations[position];
    let returned = match &operation.outcome {
        Outcome::Ok(returned) => Some(returned),
        Outcome::Info(_) => None,
        Outcome::Fail(_) => return Ok(None),
    };
    if !model.knows(&operation.call, returned) {
        let call = words::tell(&operation.call, returned);
        let (model, known) = (model.name(), model.known_calls());
        return Err(CheckError::NotOfTheModel { position, call, model, known });
    }
    let completed = match (returned, operation.complete_index) {
        (Some(_), Some(index)) => index,
        _ => NEVER,
    };
    let invoked = operation.invoke_index;
    if completed < invoked {
        return Err(CheckError::EndsBeforeItBegins { position, invoked, completed });
    }
    Ok(Some(Entry { position, call: &operation.call, returned, invoked, completed }))
}

/// An operation that failed, and would have written something that the operation at `observer` saw and nobody else wrote.
fn failed_writer(operations: &[Operation], observer: usize) -> Option<usize> {
    let observer = &operations[observer];
    let written = |operation: &Operation| words::written(&operation.call, None).cloned();
    let seen: Vec<_> = words::seen(observer);
    operations.iter().position(|operation| {
        matches!(operation.outcome, Outcome::Fail(_))
            && operation.call.key() == observer.call.key()
            && written(operation).is_some_and(|value| {
                let others = operations.iter().filter(|other| !matches!(other.outcome, Outcome::Fail(_)));
                let mut others = others.filter(|other| other.call.key() == observer.call.key());
                seen.contains(&&value)
                    && !others.any(|other| words::written(&other.call, words::returned(other)) == Some(&value))
            })
    })
}

/// Tells of operations what was recorded of them.
pub(crate) struct Recorded<'a> {
    pub(crate) operations: &'a [Operation],
}

impl Narrator for Recorded<'_> {
    fn who(&self, position: usize) -> String {
        let operation = &self.operations[position];
        match &operation.node {
            Some(node) => format!("process {} ({node})", operation.process),
            None => format!("process {}", operation.process),
        }
    }

    fn invoked(&self, position: usize) -> String {
        self.operations[position].invoked.exactly()
    }

    fn completed(&self, position: usize) -> String {
        let operation = &self.operations[position];
        match (&operation.outcome, operation.completed) {
            (Outcome::Ok(_) | Outcome::Fail(_), Some(completed)) => completed.exactly(),
            (Outcome::Info(_), _) | (_, None) => "never".into(),
        }
    }
}
