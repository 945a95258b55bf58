//! Faults as data, schedules drawn from a seed, and the hands that inject them on Linux.
//!
//! A [`Fault`] says what is done to whom, a [`Schedule`] which fault when. Both are plain data, drawn from a seed and saved
//! with the plan of a run, so that every world can carry out the same ones. Only who leads is asked when a fault begins
//! ([`Fault::resolve`]).
//!
//! [`ActiveFaults`] decides what a fault's begin and end mean for the cluster, given what else is active, as a list of
//! [`Deed`]s. It does nothing itself, so that a simulation and the real hands follow the same decisions.
//!
//! [`Nemesis`] follows a schedule in real time. It injects through [`Hands`], believes a fault only when it was seen to
//! bite, ends every fault by itself without asking any client, and writes all of it into the history. [`linux`] holds what
//! such hands are made of: network namespaces, iptables, signals.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod active;
mod deed;
mod fault;
mod grudge;
mod kind;
#[cfg(target_os = "linux")]
#[allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "the real hands")]
pub mod linux;
mod node;
#[allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "it follows a schedule in real time")]
mod runner;
mod schedule;
mod timeline;

pub use active::{ActiveFaults, Begun, Ended};
pub use deed::{Deed, DiskState};
pub use fault::{
    Action, AtLinks, Choice, Clients, ClockFault, ClockTrouble, Cut, DiskFault, DiskTrouble, Fault, Links, PacketFault,
    PacketTrouble, Partition, Shape, Target,
};
pub use grudge::{Direction, Grudge};
pub use kind::{FaultKind, Place, SelectionError, UnknownFaultKind};
pub use node::{Node, list_nodes};
pub use runner::{Hands, HandsError, KindSummary, Nemesis, NemesisError, Summary};
pub use schedule::{RangeMs, Schedule, ScheduleError, ScheduleOptions, ScheduledFault};
pub use timeline::{Step, StepKind};
