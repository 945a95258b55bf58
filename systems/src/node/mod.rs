//! Real hands for a server: sockets, disk, clock.

pub mod wal;
