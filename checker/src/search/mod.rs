//! The general search, for any model.
//!
//! It is the search of Wing and Gong ("Testing and verifying concurrent objects", 1993) with the memo of Lowe ("Testing for
//! linearizability", 2017), and a few things of its own:
//!
//! - A configuration is (first completion that can't be passed, open operations taken, state): a few words.
//! - An operation is taken no earlier than needed: first the one whose completion comes next, then those that make it legal.
//! - Pure operations are taken as soon as they fit, without a choice.
//! - Operations of unknown outcome come last, and are a multiset. Whoever took fewer of them can do no less.
//! - A configuration in which an operation is illegal, and nothing is left that could make it legal, is given up at once.
//! - Nothing recurses, and memory is bounded by a budget that is looked at all the time.

mod compile;
mod cursor;
mod mask;
mod memo;
mod prospects;
mod states;
mod unknowns;
mod walk;

pub(crate) use walk::{Found, Outcome, Stopped, search};
