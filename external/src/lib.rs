//! Real systems, as they are installed: Redis, etcd, ZooKeeper, and what speaks as they do.
//!
//! A system is a [description](description) - a TOML file that says how its servers are installed, configured, started and
//! known to be ready - and a [client](client) for the protocol that it speaks. A system that speaks a protocol of
//! [`Protocol`] needs no line of Rust.
//!
//! Clients never repeat a request and never give up on one by themselves: what is not answered in time is `info`, and
//! every error of a protocol is `fail` or `info` by one table each, with the reason beside it.

pub mod client;
pub mod description;
pub mod etcd;
pub mod install;
pub mod lock;
mod protocol;
pub mod redis;
pub mod template;
pub mod zookeeper;

pub use client::{Client, Future, Look, Protocol, Role, Seat, StandStill, Standing};
pub use description::{Description, DescriptionError};
pub use install::{InstallError, Installer, Programs};
pub use protocol::SeatError;
