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

mod choices;
mod compile;
mod cursor;
mod limits;
mod mask;
mod memo;
mod outcome;
mod prospects;
mod ripe;
mod states;
mod unknowns;
mod walk;

pub(crate) use outcome::{Found, Outcome, Stopped};

use compile::Compiled;
use prospects::Prospects;
use walk::Walk;

use crate::budget::Budget;
use crate::model::Model;
use crate::operation::Partition;

/// Searches a legal order of the operations on one object.
pub(crate) fn search<M: Model>(model: &M, partition: &Partition<'_, M::Call, M::Return>, budget: &Budget) -> Outcome {
    prepare_and_walk(model, partition, budget).unwrap_or_else(|why| Outcome {
        // Nothing was looked at, so that the first operation is as good as any.
        found: Found::Stopped { why, suspects: [0; 2], completed: 0 },
        steps: 0,
        configurations: 0,
        peak_memory_bytes: 0,
    })
}

fn prepare_and_walk<M: Model>(
    model: &M,
    partition: &Partition<'_, M::Call, M::Return>,
    budget: &Budget,
) -> Result<Outcome, Stopped> {
    let history = Compiled::new(model, partition, budget)?;
    if history.open_max > OPEN_MAX {
        return Err(Stopped::TooConcurrent { open: history.open_max });
    }
    let prospects = Prospects::new(model, &history, budget)?;
    Ok(match history.open_max {
        0..=64 => Walk::<M, 1>::new(model, &history, prospects, budget).run(),
        65..=256 => Walk::<M, 4>::new(model, &history, prospects, budget).run(),
        _ => Walk::<M, 16>::new(model, &history, prospects, budget).run(),
    })
}

/// Operations that a configuration can tell apart.
const OPEN_MAX: usize = 1024;
