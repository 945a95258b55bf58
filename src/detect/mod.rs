//! How soon the swarm finds each planted bug.
//!
//! A trial of a bug makes one simulated run after the other, with the seeds from its first seed on, until one is found to be
//! wrong or the budget is spent. The swarm draws its plans without knowing which bug is planted. How many runs a trial takes
//! is the same on every machine, as long as the budget in seconds is not what ends it.

mod measure;
mod page;
mod summary;
#[cfg(test)]
mod tests;

pub(crate) use measure::{Budget, Detected, Measured, Trial, detect};
pub(crate) use page::{markdown, put_into};
pub(crate) use summary::{Row, Spread};
