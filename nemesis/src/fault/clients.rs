//! Clients as targets.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Clients of the harness by their numbers, from 0. A number that no client has is passed over.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Clients(pub BTreeSet<u16>);

impl Clients {
    pub(crate) fn minus(&self, others: &Self) -> Self {
        Self(&self.0 - &others.0)
    }
}

impl fmt::Display for Clients {
    /// `client 3`, `clients 1, 4`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        write!(f, "{} {}", if numbers.len() == 1 { "client" } else { "clients" }, numbers.join(", "))
    }
}
