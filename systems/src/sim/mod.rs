//! Simulated hands for a server.

pub mod disk;
