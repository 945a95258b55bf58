//! Decides whether a concurrent history is linearizable, inside a budget, and explains why not.
//!
//! A history is linearizable if every operation can be given one moment between its invocation and its completion, so
//! that in the order of these moments a [`Model`] allows all of them. The answer is a [`Verdict`]: `Valid` with such an
//! order, `Invalid` with a few operations that contradict each other and why, or `Unknown` with what ran out and what is
//! known all the same.
//!
//! - A model of your own: see [`Checker`].
//! - A recorded history of registers, lists or sets: see [`models`].
//! - Registers, lists and sets of unique values, without a search: see [`register`] and [`growth`].
//! - Locks and semaphores, without a search: see [`locks`].

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
