//! RE: elections, terms and votes.

use super::BugDescription;
use super::Promise::{Durability, ElectionSafety, Linearizability};

pub(super) const RE12: BugDescription = BugDescription {
    id: "RE-12",
    wrong: "half of the members count as a majority",
    switched_off: None,
    breaks: &[ElectionSafety, Durability, Linearizability],
    found_by: "partitions that leave half or less of the cluster together",
};
