//! The checks of each workload.

/// What a check says.
pub struct Checked;
