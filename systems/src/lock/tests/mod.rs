//! The lock service, seen from its clients, in a simulated world.

mod oracle;
mod person;
mod random;
mod world;
