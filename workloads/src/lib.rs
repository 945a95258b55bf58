//! What the clients of a run ask for, and how what they saw is checked.
//!
//! A workload is the calls it draws, the reads it makes after all faults are healed, and the checks of its
//! history. It never knows in which world it runs, and all that it draws comes from the seed and from what its clients
//! saw, in the order in which they saw it.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod counter;
mod elements;
mod locks;
mod model;
mod pace;
#[cfg(test)]
mod play;
mod queue;
mod register;
mod role;
mod rotation;
mod transactions;
mod watch;
mod workload;

pub use locks::SEMAPHORE_PERMITS;
pub use model::{Answer, AskedConsistency, Checked, Model, ModelError, Parameters, UnknownModel};
pub use pace::Pace;
pub use rashomon_checker::properties::COPY;
pub use role::{Asker, Role};
pub use transactions::BANK_TOTAL;
pub use workload::{Generator, UnknownWorkload, Workload};
