//! Many simulated runs, each drawn from its seed, on all cores.
//!
//! A swarm of small runs that differ in everything finds more than one long run (Groce and others, *Swarm Testing*, ISSTA
//! 2012): a feature that is always on can hide as much as one that is always off.

mod draw;
mod fixed;
mod outcome;
mod runs;

pub(crate) use draw::draw;
pub(crate) use fixed::{Fixed, FixedCommit, FixedLock};
pub(crate) use outcome::{Finding, Found, Looked, look, look_traced};
pub(crate) use runs::{SwarmOptions, SwarmReport, all_cores, on_threads, run_all, seed_of};
