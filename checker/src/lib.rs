//! Decides whether a concurrent history is linearizable, inside a budget, and explains why not.
//!
//! A history is linearizable if every operation can be given one moment between its invocation and its completion, so
//! that in the order of these moments a [`Model`] allows all of them. The answer is a [`Verdict`]: `Valid` with such an
//! order, `Invalid` with a few operations that contradict each other and why, or `Unknown` with what ran out and what is
//! known all the same.
//!
//! # In a test
//!
//! Record what your clients saw, with any clock that all of them share, and hold it against a [`Model`]: a state and a step.
//!
//! ```
//! use rashomon_checker::{Checker, Model, Operation, Verdict};
//!
//! /// A lock: `true` acquires it, `false` releases it. What comes back is whether that worked.
//! #[derive(Clone)]
//! struct Lock;
//!
//! impl Model for Lock {
//!     type Call = bool;
//!     type Return = bool;
//!     type State = bool;
//!
//!     fn init(&self) -> bool {
//!         false
//!     }
//!
//!     fn step(&self, is_held: &bool, acquire: &bool, worked: Option<&bool>) -> Option<bool> {
//!         let works = acquire != is_held;
//!         worked.is_none_or(|worked| *worked == works).then_some(*acquire)
//!     }
//! }
//!
//! # fn two_clients_at_once() -> Vec<Operation<bool, bool>> {
//! #     vec![Operation::new(1, true, true, 0, 5), Operation::new(2, true, true, 7, 9)]
//! # }
//! # let history_is_broken = std::panic::catch_unwind(|| {
//! // #[test]
//! // fn only_one_holds_the_lock() {
//! let report = Checker::new(Lock).check(&two_clients_at_once()).expect("sound times");
//! if let Verdict::Invalid(witness) = &report.verdict {
//!     panic!("{}", witness.explanation); // "No order of these operations is legal: process 1 true -> true, from 0 to 5; ..."
//! }
//! // }
//! # });
//! # assert!(history_is_broken.is_err());
//! ```
//!
//! # What makes a check fast
//!
//! A model may promise more than a step. Each promise is worth orders of magnitude; one that does not hold makes verdicts
//! wrong.
//!
//! 1. [`object`](Model::object): which calls are about which object. Objects are checked apart, on several threads.
//! 2. [`is_pure`](Model::is_pure): which operations leave every state alone.
//! 3. [`observes`](Model::observes) and [`effect`](Model::effect): what an operation may owe its legality to. With it a
//!    contradiction of few operations is found however many were open at once, and witnesses are short.
//! 4. [`fast_path`](Model::fast_path): a rule that needs no search. Those of [`register`], [`growth`], [`queue`] and other
//!    modules can be used by any model.
//!
//! # What is answered inside a budget
//!
//! [`time_budget`](Checker::time_budget) and [`memory_budget`](Checker::memory_budget) are kept also where a step is slow.
//! [`Verdict::Unknown`] then says what was proven all the same, and what would help.
//!
//! # Where to go on
//!
//! - A model with calls and states of your own: [`Checker`]. One that may go on in several ways: [`SetsOfStates`].
//! - A recorded history of registers, maps, lists, sets or queues: [`models`].
//! - Why a history is wrong: [`Witness`], with the longest beginning that is still right.

mod advice;
mod budget;
mod check;
mod checker;
pub mod counter;
mod decide;
mod explain;
mod fast;
mod fragments;
pub mod growth;
mod local;
pub mod locks;
pub mod membership;
mod model;
pub mod models;
mod narrator;
mod nondeterministic;
mod operation;
mod options;
mod partition;
mod prefix;
pub mod properties;
pub mod queue;
pub mod register;
mod report;
mod search;
mod staircase;
pub mod transactions;
pub mod versions;
mod witness;
mod workers;

pub use checker::Checker;
pub use fast::{Clash, FastPath};
pub use model::{Model, ObjectKey, Observed, SubHistory, effect_of};
pub use narrator::Narrator;
pub use nondeterministic::{NondeterministicModel, SetsOfStates};
pub use operation::{CheckError, Entry, Operation, Partition};
pub use options::{Algorithm, Options};
pub use report::{Linearization, Proven, ProvenPrefix, Report, Statistics, Used, Verdict, Why};
pub use witness::{Kind, LegalPrefix, Witness, WitnessOperation};
