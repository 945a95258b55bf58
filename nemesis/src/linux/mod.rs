//! What hands on Linux are made of: network namespaces, iptables, signals, and eyes to see what they did.

mod iptables;
mod namespace;
mod probe;
mod process;

pub use iptables::{Counter, Iptables, IptablesError, render_rules};
pub use namespace::NetNamespace;
pub use probe::{Host, ProbeError, cut};
pub use process::{ProcessGroup, SignalError};
