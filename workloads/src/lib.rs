//! What the clients of a run ask for, and how what they saw is checked.
//!
//! A workload is the calls it draws, the reads it makes after all faults are healed, and the checks of its
//! history. It never knows in which world it runs, and all that it draws comes from the seed and from what its clients
//! saw, in the order in which they saw it.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod elements;
mod model;
mod pace;
mod register;
mod rotation;
mod workload;

pub use model::{Answer, AskedConsistency, Checked, Model, ModelError, Parameters, UnknownModel};
pub use pace::Pace;
pub use workload::{Generator, Role, UnknownWorkload, Workload};
