//! RL: how entries get into the logs, and what a client is told of them.

use super::BugDescription;
use super::Promise::{Durability, Linearizability};

pub(super) const RL11: BugDescription = BugDescription {
    id: "RL-11",
    wrong: "the leader applies and answers a command as soon as it is in its own log",
    switched_off: None,
    breaks: &[Durability, Linearizability],
    found_by: "cutting the leader off while its clients stay attached",
};
